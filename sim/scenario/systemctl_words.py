"""The words of `systemctl`, read as it reads them.

Models: start, stop, restart, try-restart, reload, kill, reset-failed, is-active, status of the units that a design has,
or of a container where each is a unit; daemon-reload, reboot. Leaves out other units, by name. Source: systemctl(1) of
systemd 219.
"""

from __future__ import annotations

from sim.designs.takes import known_units, units_of_containers
from sim.engine.setup import Command, KillProcess, Systemctl, Target
from sim.scenario import fields
from sim.scenario.commands import Parsed, parse_flags, split
from sim.scenario.instants import Names
from sim.scenario.known import not_modelled
from sim.scenario.words import Refusal, did_you_mean, listed, one_of, shown

SYSTEMCTL = tuple("start stop restart try-restart reload kill reset-failed is-active status daemon-reload".split())
OTHER_SYSTEMCTL = tuple("cat disable enable isolate mask poweroff set-property show unmask".split())
SYSTEMCTL_FLAGS: dict[str, tuple[str, bool]] = {
    "-s": ("signal", True), "--signal": ("signal", True), "--kill-who": ("who", True),
}  # fmt: skip
SYSTEMCTL_LATER = ("--no-block", "--now", "-f", "--force", "--job-mode")
WHO = ("all", "main")


def parse_systemctl(text: object, names: Names) -> list[Command]:
    """Return the commands of one `systemctl` line, one a unit. Raises Refusal."""
    words = split(text, "systemctl")
    parsed = parse_flags("systemctl", words, SYSTEMCTL_FLAGS, SYSTEMCTL_LATER, stop=False)
    verb = parsed.rest[0] if parsed.rest else ""
    if parsed.rest == ["reboot"]:
        return [Systemctl("reboot", "")]
    if verb in OTHER_SYSTEMCTL:
        raise Refusal(f"systemctl {not_modelled(verb, '')}", f"Modelled: {listed(SYSTEMCTL)}.")
    if verb not in SYSTEMCTL:
        hint = did_you_mean(verb, (*SYSTEMCTL, *OTHER_SYSTEMCTL))
        raise Refusal(f"systemctl {shown(verb)} is not a command; modelled: {listed(SYSTEMCTL)}.", hint)
    if parsed.given and verb != "kill":
        raise Refusal(f"systemctl {verb} takes no {next(iter(parsed.given))}.", "systemctl kill -s SIGNAL does.")
    units = [unit.removesuffix(".service") for unit in parsed.rest[1:]]
    if verb == "daemon-reload" and units:
        raise Refusal("systemctl daemon-reload takes no unit.", "It reads the files of all of them.")
    if verb == "daemon-reload":
        return [Systemctl(verb)]
    known = known_units()
    if len(units) == 1 and units[0] in known:
        return [_of_daemon(verb, units[0], known[units[0]], parsed)]
    if units and all(unit in names.containers for unit in units):
        return _of_containers(verb, [names.containers[unit] for unit in units], parsed)
    what = listed(units) if units else "nothing"
    modelled = [*known, *(f"a container, on {design}" for design, _ in filter(None, [units_of_containers()]))]
    raise Refusal(
        f"systemctl {verb} {what} is not modelled yet.",
        did_you_mean(what, [*known, *names.containers]) or f"Modelled: {listed(modelled)}.",
    )


def _of_daemon(verb: str, unit: str, program: str, parsed: Parsed) -> Command:
    """Return the command about a daemon's unit."""
    signal = fields.signal(parsed.last("signal") or "TERM")
    if one_of(parsed.last("who") or "all", WHO, "a word of --kill-who") == "main":
        return KillProcess(Target(program), signal)
    return Systemctl(verb, unit, signal)


def _of_containers(verb: str, units: list[str], parsed: Parsed) -> list[Command]:
    """Return the commands about containers' units; who holds the container is the main process of each."""
    signal, found = fields.signal(parsed.last("signal") or "TERM"), units_of_containers()
    if one_of(parsed.last("who") or "all", WHO, "a word of --kill-who") == "main" and found is not None:
        return [KillProcess(Target(found[1], unit), signal) for unit in units]
    return [Systemctl(verb, unit, signal) for unit in units]

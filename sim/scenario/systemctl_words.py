"""The words of `systemctl`, read as it reads them.

Models: start, stop, restart, try-restart, reload, kill, reset-failed, is-active, status of the units that a design has,
or of a container where each is a unit; daemon-reload, daemon-reexec, reboot; `engine` and `runtime` for the units that
they are on each design. Leaves out other units, by name. Source: systemctl(1) of systemd 219.
"""

from __future__ import annotations

from sim.designs import DESIGNS, Design
from sim.designs.takes import known_units, units_of, what_units
from sim.engine.setup import Command, KillProcess, Systemctl, Target
from sim.engines.host.systemd.unit import TEMPLATE
from sim.scenario import abstract, fields
from sim.scenario.commands import Parsed, parse_flags, split
from sim.scenario.instants import Names
from sim.scenario.known import not_modelled
from sim.scenario.words import Refusal, did_you_mean, listed, one_of, shown

OF_PID_1 = ("daemon-reload", "daemon-reexec")
SYSTEMCTL = (*"start stop restart try-restart reload kill reset-failed is-active status".split(), *OF_PID_1)
OTHER_SYSTEMCTL = tuple("cat disable enable isolate mask poweroff set-property show unmask".split())
SYSTEMCTL_FLAGS: dict[str, tuple[str, bool]] = {
    "-s": ("signal", True), "--signal": ("signal", True), "--kill-who": ("who", True),
}  # fmt: skip
SYSTEMCTL_LATER = ("--no-block", "--now", "-f", "--force", "--job-mode")
WHO = ("all", "main")
OF_ENGINES = (abstract.ENGINE, abstract.RUNTIME)  # units by what they are on each design


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
    if len(units) == 1 and units[0] in OF_ENGINES and units[0] not in names.containers:
        try:
            units = [abstract.unit_of(units[0], DESIGNS[names.design])]
        except abstract.NotThere as none:
            return [abstract.nothing(f"systemctl {verb} {units[0]}", none)]
    if verb in OF_PID_1 and units:
        raise Refusal(f"systemctl {verb} takes no unit.", "It reads the files of all of them.")
    if verb in OF_PID_1:
        return [Systemctl(verb)]
    design = DESIGNS[names.design]
    daemons = units_of(design)
    if len(units) == 1 and units[0] in daemons:
        return [_of_daemon(verb, units[0], daemons[units[0]], parsed)]
    if units and all(unit in names.containers for unit in units):
        return _of_containers(verb, [names.containers[unit] for unit in units], parsed, design)
    if len(units) == 1 and units[0] in known_units():
        return [Systemctl(verb, units[0])]  # of another engine, which its reader refuses
    raise _no_units(verb, units, names, design)


def _no_units(verb: str, units: list[str], names: Names, design: Design) -> Refusal:
    """Return why units are none of the host's, or cannot be asked about together."""
    if not units:
        return Refusal(f"systemctl {verb} needs a unit.", what_units(design))
    containers = names.containers if TEMPLATE in design.units else ()
    known = [*units_of(design), *containers]
    unknown = [unit for unit in units if unit not in known]
    if not unknown:
        what = f"systemctl {verb} takes one unit here; {listed(units)} are {len(units)}."
        return Refusal(what, "Give each a step of its own.")
    near = did_you_mean(unknown[0], known)
    return Refusal(f"systemctl {verb}: there is no unit {listed(unknown)}.", near or what_units(design))


def _of_daemon(verb: str, unit: str, program: str, parsed: Parsed) -> Command:
    """Return the command about a daemon's unit."""
    signal = fields.signal(parsed.last("signal") or "TERM")
    if one_of(parsed.last("who") or "all", WHO, "a word of --kill-who") == "main":
        return KillProcess(Target(program), signal)
    return Systemctl(verb, unit, signal)


def _of_containers(verb: str, units: list[str], parsed: Parsed, design: Design) -> list[Command]:
    """Return the commands about containers' units; who holds the container is the main process of each."""
    signal, are_units = fields.signal(parsed.last("signal") or "TERM"), TEMPLATE in design.units
    if one_of(parsed.last("who") or "all", WHO, "a word of --kill-who") == "main" and are_units:
        return [KillProcess(Target(design.holders[0], unit), signal) for unit in units]
    return [Systemctl(verb, unit, signal) for unit in units]

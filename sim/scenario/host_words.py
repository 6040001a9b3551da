"""What `host:` says in a step: other work, files that are cut off.

Models: one mapping of one key, each read by a function of the table HOST. Leaves out what the model has no rule for, by
name. Source: the project's scenario language.
"""

from __future__ import annotations

from collections.abc import Callable

from sim.engine.setup import Command, SetNextPid, Tear
from sim.scenario import fields
from sim.scenario.instants import Names
from sim.scenario.known import HOST_LATER, not_modelled
from sim.scenario.words import Refusal, did_you_mean, listed, shown

next_pid = fields.whole(1, 4_194_303, "a process id")
TEARS = "Write events.log, or NAME/process.json."


def host_command(value: object, names: Names) -> Command:
    """Return what `host: {next_pid: 2915}` stands for. Raises Refusal."""
    if not isinstance(value, dict) or not value:
        raise Refusal(f"{shown(value)} is not a mapping.", "Write host: {next_pid: 2915}.")
    for key in value:
        if key in HOST_LATER:
            raise Refusal(not_modelled(key, HOST_LATER[key]), f"Modelled: {listed(HOST)}.", (key,))
        if key not in HOST:
            raise Refusal("unknown key.", did_you_mean(key, (*HOST, *HOST_LATER)) or f"Valid: {listed(HOST)}.", (key,))
    if len(value) > 1:
        raise Refusal(f"{listed(value)} are {len(value)} things.", "Give each a step of its own.")
    ((key, below),) = value.items()
    try:
        return HOST[key](below, names)
    except Refusal as refusal:
        raise Refusal(refusal.what, refusal.hint, (key, *refusal.below)) from None


def _next_pid(value: object, names: Names) -> Command:
    return SetNextPid(next_pid(value))


def _tear(value: object, names: Names) -> Command:
    container, slash, file = value.rpartition("/") if isinstance(value, str) else ("", "", "")
    if slash and file == "process.json":
        return Tear(file, names.container(container))
    if value == "events.log":
        return Tear("events.log")
    near = did_you_mean(file, ("process.json",) if slash else ("events.log",))
    raise Refusal(f"{shown(value)} is not a file that can be cut off.", near or TEARS)


HOST: dict[str, Callable[[object, Names], Command]] = {"next_pid": _next_pid, "tear": _tear}

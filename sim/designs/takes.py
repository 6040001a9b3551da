"""Which commands mean something on a host of a design: those whose program, unit or file is there.

Scenario files are refused by it, with what to write instead; drawn commands are chosen by it. What programs and units
do not tell, the engine says (`Engine.refuses`). Leaves out whether a command ends well. Source: the designs' own
programs; designs §4.2, §5.1 [S].
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from sim.designs import DESIGNS
from sim.designs.design import Design
from sim.engine.meaning import Said
from sim.engine.setup import Command, KillProcess, OwnCommand, Slow, Systemctl, TakePid
from sim.engine.vocabulary import key_of, number_of
from sim.engines.host.systemd.unit import TEMPLATE

OF_THE_HOST = ("reboot", "daemon-reload")  # verbs of systemctl that need no unit of an engine's


def takes(design: Design, command: Command) -> bool:
    """Return whether a command means anything on a host of *design*."""
    return refusal(design, command) is None


def refusal(design: Design, command: Command, services: Collection[str] = ()) -> Said | None:
    """Return why a command means nothing on a host of *design*, and what to write; None if it does mean something.

    *services* may be called as units of other engines are.
    """
    match command:
        case OwnCommand():
            lacking = command.lacks(design)
            return Said(lacking, "Leave the step out.") if lacking else None
        case KillProcess(target):
            return None if any(it in design.programs for it in design.meant_by(target.role)) else _no(design, command)
        case Slow(program):
            name = program.partition(" ")[0]
            programs = f"It has {', '.join(design.programs)}."
            return None if name in design.programs else Said(f"{design.name} has no {name}.", programs)
        case Systemctl():
            return _systemctl(design, command, services)
        case TakePid(target) if target is not None and target.role in design.engine.written_down:
            return None
    return design.engine.refuses(design, command)


def _no(design: Design, command: KillProcess) -> Said:
    why, hint = design.engine.instead(design, command.target.role)
    return Said(f"{design.name} has no {command.target.role}{f': {why}' if why else ''}.", hint)


# -- keys of files ----------------------------------------------------------------------------------


def lacks(design: Design, section: str, key: str, name: str = "") -> bool:
    """Return whether *design* has no such key, or the version *name* for which its row stands.

    >>> lacks(DESIGNS["docker-1.12"], "daemon", "shutdown-timeout")
    True
    """
    row = design.engine.vocabulary.get(section, {}).get(key)
    return row is not None and not row.is_known_to(number_of(name or design.name))


def had_by(design: Design, section: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a section of a setup whose keys *design* has.

    >>> had_by(DESIGNS["docker-1.12"], "daemon", {"live_restore": True, "shutdown_timeout": 5})
    {'live_restore': True}
    """
    return {field: value for field, value in fields.items() if not lacks(design, section, key_of(section, field))}


# -- units ------------------------------------------------------------------------------------------


@cache
def units_in(design: Design) -> dict[str, str]:
    """Return the units of a design that systemctl may be asked about, with the main program of each.

    >>> units_in(DESIGNS["docker-26-separate"])
    {'docker': 'dockerd', 'containerd': 'containerd'}
    """
    return {name: file.program for name, file in design.units.items() if name != TEMPLATE}


def started_with(design: Design, unit: str) -> tuple[str, ...]:
    """Return the units that a start of *unit* starts, those first that it waits for.

    >>> started_with(DESIGNS["docker-26-separate"], "docker")
    ('containerd', 'docker')
    """
    file = design.units[unit]
    needed = [it for need in file.needs if need in design.units for it in started_with(design, need)]
    before = [it for it in needed if it in file.after]
    return tuple(dict.fromkeys((*before, unit, *needed)))


def known_units() -> dict[str, str]:
    """Return every unit that any design has, but those of containers, with its main program."""
    return {unit: program for design in DESIGNS.values() for unit, program in units_in(design).items()}


def units_of(design: Design) -> dict[str, str]:
    """Return the units that systemctl may be asked about; those of other versions, too, which may not be there.

    >>> units_of(DESIGNS["docker-1.13"])
    {'docker': 'dockerd', 'containerd': 'containerd'}
    """
    others = (units_in(it) for it in DESIGNS.values() if is_version_of(design, it))
    return {unit: program for units in (*others, units_in(design)) for unit, program in units.items()}


def is_version_of(one: Design, other: Design) -> bool:
    """Return whether two designs are versions of one engine: the same unit is the engine of both.

    >>> is_version_of(DESIGNS["docker-1.13"], DESIGNS["docker-26-separate"])
    True
    """
    own = one.traits.engine_unit
    return own == other.traits.engine_unit and own in units_in(one) and own in units_in(other)


def _systemctl(design: Design, command: Systemctl, services: Collection[str]) -> Said | None:
    if command.verb in OF_THE_HOST or command.unit in units_of(design):
        return None
    what, are_units = f"{design.name} has no {command.unit}.service", TEMPLATE in design.units
    owner = next((it.name for it in DESIGNS.values() if command.unit in units_in(it)), None)
    if are_units and (owner is None or command.unit in services):
        return None  # a container's, if there is one: the reader of the file knows which containers are units
    if owner is not None:
        return Said(f"{what}.", f"{owner} has one. {what_units(design)}")
    other = next((it.name for it in DESIGNS.values() if TEMPLATE in it.units), None)
    hint = f"On {other} each is one." if other is not None else ""
    return Said(f"{what}: its containers are no units of systemd.", hint)


def what_units(design: Design) -> str:
    """Return which units a host of *design* has, as a sentence."""
    found = [*units_in(design), *(["a unit for each container of the file"] if TEMPLATE in design.units else [])]
    if found:
        return f"{design.name} has {', '.join(found)}."
    return design.engine.no_daemon


def cgroup_of(releases: Iterable[Design]) -> str:
    """Return which control groups a host had in its time that gets these versions of an engine, one after the other.

    >>> from sim.designs import DESIGNS
    >>> cgroup_of([DESIGNS["docker-26"]]), cgroup_of([DESIGNS["docker-26"], DESIGNS["docker-19.03"]])
    ('v2', 'v1')
    """
    found = [design.traits for design in releases]
    return next((traits.cgroup for traits in found if traits.one_cgroup[0]), found[0].cgroup)

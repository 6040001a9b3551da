"""Which commands mean something on a host of a design: those whose program, unit or file is there.

Scenario files are refused by it, with what to write instead; drawn commands are chosen by it. What programs and units
do not tell, the engine says (`Engine.refuses`). Leaves out whether a command ends well. Source: the designs' own
programs; designs §4.2, §5.1 [S].
"""

from __future__ import annotations

from functools import cache

from sim.designs import DESIGNS
from sim.designs.design import Design
from sim.engine.meaning import Said
from sim.engine.setup import Command, KillProcess, OwnCommand, Slow, Systemctl, TakePid
from sim.engines.host import journald
from sim.engines.host.systemd.unit import TEMPLATE

OF_THE_HOST = ("reboot", "daemon-reload")  # verbs of systemctl that need no unit of an engine's
HAS_A_WORD = (journald.PROGRAM.name,)  # daemons that no systemctl is asked about: host: {journald: stop} is their word


def takes(design: Design, command: Command) -> bool:
    """Return whether a command means anything on a host of *design*."""
    return refusal(design, command) is None


def refusal(design: Design, command: Command) -> Said | None:
    """Return why a command means nothing on a host of *design*, and what to write; None if it does mean something."""
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
            return _systemctl(design, command)
        case TakePid(target) if target is not None and target.role in design.engine.written_down:
            return None
    return design.engine.refuses(design, command)


def _no(design: Design, command: KillProcess) -> Said:
    why, hint = design.engine.instead(design, command.target.role)
    return Said(f"{design.name} has no {command.target.role}{f': {why}' if why else ''}.", hint)


# -- units ------------------------------------------------------------------------------------------


@cache
def units_in(design: Design) -> dict[str, str]:
    """Return the units of a design that systemctl may be asked about, with the main program of each.

    >>> units_in(DESIGNS["docker-26-separate"])
    {'docker': 'dockerd', 'containerd': 'containerd'}
    """
    return {name: file.program for name, file in design.units.items() if name != TEMPLATE}


def known_units() -> dict[str, str]:
    """Return every unit that any design has, but those of containers, with its main program."""
    return {unit: program for design in DESIGNS.values() for unit, program in units_in(design).items()}


def units_of(design: Design) -> tuple[str, ...]:
    """Return the units that systemctl may be asked about; those of other versions, too, which may not be there.

    >>> units_of(DESIGNS["docker-1.13"])
    ('docker', 'containerd')
    """
    own = design.traits.engine_unit
    versions = (units for it in DESIGNS.values() if own in (units := units_in(it)) and it.traits.engine_unit == own)
    return tuple(dict.fromkeys(unit for units in (units_in(design), *versions) for unit in units))


def units_of_containers() -> tuple[str, str] | None:
    """Return a design whose containers are units, and whose process is the main one of each; None if none has them."""
    found = (it for it in DESIGNS.values() if TEMPLATE in it.units)
    return next(((design.name, design.holders[0]) for design in found), None)


def _systemctl(design: Design, command: Systemctl) -> Said | None:
    units = units_of(design)
    if command.verb in OF_THE_HOST or command.unit in units:
        return None
    what = f"{design.name} has no {command.unit}.service"
    if command.unit in ("", *known_units()):
        return Said(f"{what}.", f"It has {', '.join(units)}." if units else design.engine.no_daemon)
    if TEMPLATE in design.units:
        return None  # it may be a container's, which the file's services tell
    other = units_of_containers()
    return Said(f"{what}: its containers are no units of systemd.", f"On {other[0]} each is one." if other else "")

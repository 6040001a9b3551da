"""Words for what each engine has in its own way, so that one file is about every design.

`engine` is the daemon that people start; `runtime` the daemon that starts containers' holders for it, which is the
engine itself where it does so alone; `holder/NAME` who holds a container; `upgrade: true` the engine's package,
installed again. Which program that is stands in the design: its traits, roles and `Engine`. A step about what a design
has not says so and does nothing; anywhere else such a word is refused. Leaves out networks and storage. Source: the
project's scenario language.
"""

from __future__ import annotations

from sim.designs import Design
from sim.designs.takes import takes, units_in
from sim.engine.role import SUPERVISOR
from sim.engine.setup import Command, NoneHere, Systemctl, Target, Upgrade
from sim.scenario.words import Refusal

ENGINE, RUNTIME, HOLDER = "engine", "runtime", "holder"
WORDS = (ENGINE, RUNTIME, HOLDER)


class NotThere(Refusal):
    """A design has nothing of what a word means: a step does nothing then, all else is wrong."""


def program_of(word: str, design: Design) -> str:
    """Return the daemon that `engine` or `runtime` means on a host of *design*. Raises NotThere.

    >>> from sim.designs import DESIGNS
    >>> program_of("runtime", DESIGNS["docker-1.13"]), program_of("runtime", DESIGNS["docker-1.10"])
    ('containerd', 'dockerd')
    """
    engine, keeper = design.traits.engine, design.engine.keeper
    if word == RUNTIME and keeper in design.programs:
        return keeper
    if engine in design.programs:
        return engine
    raise NotThere(f"{design.name} has no {word}: each command is a process of its own.", "Name a process that it has.")


def holder(container: str, design: Design) -> Target:
    """Return whoever holds *container* on a host of *design*, or every one for `*`. Raises NotThere."""
    if design.holders:
        return Target(SUPERVISOR, container)
    why = f"{design.name} has no holder: {design.traits.engine} is the parent of its containers' programs."
    raise NotThere(why, "Name the payload, or the engine.")


def unit_of(word: str, design: Design) -> str:
    """Return the unit of systemd whose main process `engine` or `runtime` is. Raises NotThere."""
    program = program_of(word, design)
    found = next((unit for unit, main in units_in(design).items() if main == program), None)
    if found is None:
        why = f"{design.name} has no unit for its {word}: {design.traits.engine} starts {program} itself."
        raise NotThere(why, "Name the engine.")
    return found


def upgrade(design: Design) -> Command:
    """Return what becomes of a host of *design* when the engine's package is installed again."""
    again = Upgrade(design.name, 0)
    if takes(design, again):
        return again
    unit = design.traits.engine_unit
    if unit in units_in(design):
        return Systemctl("try-restart", unit)
    return NoneHere("an upgrade", f"{design.name} has no daemon: its package's scripts restart nothing.")


def nothing(what: str, refusal: NotThere) -> NoneHere:
    """Return the command of a step about what is not there."""
    return NoneHere(what, refusal.what)

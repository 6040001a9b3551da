"""A command in the words of its host: those of the file, else those that people type where its engine runs.

Source: none; each engine has its own words (`Engine.typed`).
"""

from __future__ import annotations

from sim.designs import Design
from sim.designs.takes import OF_THE_HOST
from sim.engine.engine import UNIT
from sim.engine.setup import Docker, KillProcess, SetNextPid, Step, Systemctl
from sim.world import World


def command_words(step: Step, design: Design) -> str:
    """Return a step's command as its user spells it.

    >>> from sim.designs import DESIGNS
    >>> from sim.engine.engine import START
    >>> command_words(START, DESIGNS["docker-1.13"])
    'systemctl start docker'
    """
    command = step.command
    if step.text:
        return step.text
    if isinstance(command, Docker):
        return str(design.engine.typed(design, command))
    if isinstance(command, Systemctl):
        return f"systemctl {command.verb} {_unit(command, design)}".rstrip()
    if isinstance(command, KillProcess):
        return f"kill -{command.signal} {command.target}"
    if isinstance(command, SetNextPid):
        return f"the next free number is {command.number}"
    return type(command).__name__


def is_of_host_start(step: str) -> bool:
    """Return whether an id is that of a step with which a host begins; no file gives such an id, and nobody reads it.

    >>> is_of_host_start("(run web)"), is_of_host_start("kill")
    (True, False)
    """
    return step.startswith("(")


def steps_of(world: World) -> dict[str, Step]:
    """Return the steps of the host's start and those of the file by their ids."""
    return {step.id: step for terminal in world.setup.terminals for step in terminal}


def step_words(world: World, step: str) -> str:
    """Return how a story names a step: by its id where a file gives it, else by its command."""
    found = steps_of(world).get(step) if is_of_host_start(step) else None
    return f"step {step}" if found is None else command_words(found, world.design)


def _unit(command: Systemctl, design: Design) -> str:
    """Return the unit that a command is about; systemd is asked for the engine's own under one name on every host."""
    if command.verb in OF_THE_HOST:
        return ""
    return design.traits.engine_unit if command.unit == UNIT and UNIT not in design.units else command.unit

"""Which facts change what the engine believes of a container, and what it believes before and after.

Where a daemon runs that is what it remembers; where each command is a process of its own, what the next one would find
in the files: the database and what conmon has left. Leaves out the disk of a daemon that is down. Source:
`sim.engines.podman.state`; engine-1.13 §16.9.
"""

from __future__ import annotations

from typing import Any

from sim.engine.engine import Change
from sim.kernel.records import INIT, Pid
from sim.world import World

__all__ = ["Change", "answering", "change_of"]


def change_of(world: World, event: Any) -> Change | None:
    """Return what a fact, not yet applied, changes in what is believed of a container; None if it is about none."""
    found: Change | None = world.design.engine.changed(world, event)
    return found


def answering(world: World) -> Pid | None:
    """Return the engine's daemon that answers; None while none listens, or none that serves.

    Where each command is a process of its own there is none, and nobody is asked but the kernel.
    """
    traits = world.design.traits
    if traits.engine not in world.design.programs:
        return INIT
    pid = world.host.listeners.get(traits.socket)
    serves = pid is not None and world.running(pid, f"{traits.engine}.api")
    return pid if serves and pid is not None and world.host.procs[pid].state != "T" else None

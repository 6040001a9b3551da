"""Who starts what belongs to the engine: PID 1, or the subreaper of the host (`sim.engines.host.subreaper`)."""

from __future__ import annotations

from sim.engine.goroutine import Spawn, spawn
from sim.kernel.events import SubreaperSet
from sim.kernel.records import INIT, Pid
from sim.world import Turn, World

NAME = "subreaper"


def begin(turn: Turn) -> None:
    """Start the subreaper, where the host has one."""
    comm = turn.world.setup.host.subreaper
    if comm:
        turn.emit(SubreaperSet(spawn(turn, INIT, Spawn(NAME, (comm,), comm=comm, new_session=True))))


def starter(world: World) -> Pid:
    """Return who starts what belongs to the engine: the subreaper while it lives, else PID 1."""
    if not world.setup.host.subreaper:
        return INIT
    procs = world.host.procs
    found = (pid for pid in world.host.children.get(INIT, ()) if procs[pid].image.program == NAME and procs[pid].alive)
    return next(found, INIT)

"""The disk of /var/lib/docker, or /var/lib/containers, which may be full.

A write that finds no room leaves the file as it was: dockerd writes to a temporary one, then renames. What only logs
the error goes on, so that memory and disk differ. /run is another file system. Leaves out which writes would still fit,
and that deleting makes room. Source: write(2) ENOSPC; pkg/ioutils/fswriters.go of D [K].
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine
from sim.engine.setup import FillDisk
from sim.facts import Marked
from sim.kernel import syscalls
from sim.kernel.records import Value
from sim.world import World

FULL = "disk:full:"
NO_SPACE = "no space left on device"


def full(world: World) -> bool:
    """Say whether a write finds no room."""
    return bool(world.marks.get(FULL))


def fill(g: Goroutine, command: FillDisk) -> None:
    """Let others fill the disk, or make room."""
    g.emit(Marked(FULL, int(command.full)))


def write(g: Goroutine, path: str, value: Value) -> None:
    """Write a file, if there is room; its writer only logs that there is not."""
    if not full(g.world):
        syscalls.write_file(g.turn, path, value)

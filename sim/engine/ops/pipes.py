"""Pipes: read(2) and write(2) of a goroutine that copies, with its buffer in the variable `held`.

Both find the fifo by the name under which the process has opened it, also after that name is gone. Source: pipe(7);
Go's io.Copy.
"""

from __future__ import annotations

from collections.abc import Iterable

from sim.engine.goroutine import Goroutine
from sim.engine.ops.flow import Op
from sim.kernel import fifos
from sim.kernel.records import Fifo
from sim.world import Frame, Key, World


class _End(Op):
    """An end of the fifo whose name is in variable *path*."""

    path: str

    def fifo(self, world: World, frame: Frame) -> Fifo | None:
        """Return the fifo, None if the process holds no end of it any more."""
        return fifos.fifo_of(world.host, frame.fid[0], frame.local[self.path])

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        fifo = self.fifo(world, frame)
        return (("fifo", frame.local[self.path] if fifo is None else fifo.path),)


class Read(_End):
    """Read what is there, at most *count* bytes; the end of the file leads to label *end*."""

    def __init__(self, name: str, path: str, count: int, end: str) -> None:
        self.name, self.path, self.count, self.labels = name, path, count, (end,)

    def ready(self, world: World, frame: Frame) -> bool:
        fifo = self.fifo(world, frame)
        return fifo is None or bool(fifo.level) or not fifo.writers

    def take(self, g: Goroutine) -> int | None:
        fifo = self.fifo(g.world, g.frame)
        found = None if fifo is None else fifos.read_fifo(g.turn, g.pid, fifo.path, self.count)
        if not found:
            return self.goto[self.labels[0]]
        g["held"] = found
        return self.index + 1


class Write(_End):
    """Write all of `held`: as much as fits at a time. Where nobody can ever read, it waits for ever."""

    def __init__(self, name: str, path: str) -> None:
        self.name, self.path = name, path

    def ready(self, world: World, frame: Frame) -> bool:
        fifo = self.fifo(world, frame)
        return fifo is not None and fifo.level < fifo.capacity

    def take(self, g: Goroutine) -> int | None:
        fifo = self.fifo(g.world, g.frame)
        assert fifo is not None, "it was ready"
        g["held"] = g["held"] - fifos.write_fifo(g.turn, g.pid, fifo.path, g["held"])
        return None if g["held"] else self.index + 1

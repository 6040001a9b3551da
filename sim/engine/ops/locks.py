"""Locks, first come first served; they are freed by the death of their process, those of the kernel pass on."""

from __future__ import annotations

from collections.abc import Iterable

from sim.engine.goroutine import Goroutine, ModelFault, describe
from sim.engine.ops.flow import Op
from sim.facts import LockQueued, LockReleased, LockTaken
from sim.kernel.records import OUTSIDE, Pid
from sim.world import Frame, Key, World


class Lock(Op):
    """Take a lock of this process, first come first served; `kernel:NAME` is one of the host's."""

    silent = True

    def __init__(self, name: str) -> None:
        self.template, self.name = name, f"lock_{name.partition('/')[0]}"

    def owner(self, frame: Frame) -> tuple[Pid, str]:
        """Return whose lock it is, and its name."""
        name = self.template.format_map(frame.local) if "{" in self.template else self.template
        return (OUTSIDE, name[7:]) if name.startswith("kernel:") else (frame.fid[0], name)

    def ready(self, world: World, frame: Frame) -> bool:
        lock = world.lock(*self.owner(frame))
        return lock is None or lock.holder == frame.fid

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return (("lock", *self.owner(frame), frame.fid),)

    def take(self, g: Goroutine) -> int | None:
        pid, name = self.owner(g.frame)
        lock = g.world.lock(pid, name)
        if lock is None:
            g.emit(LockTaken(pid, name, g.frame.fid))
        elif lock.holder != g.frame.fid:
            if g.frame.fid not in lock.waiting:
                g.emit(LockQueued(pid, name, g.frame.fid))
            return None
        return self.index + 1


class Unlock(Lock):
    """Release a lock; the first who waits has it then."""

    def ready(self, world: World, frame: Frame) -> bool:
        return True

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return ()

    def take(self, g: Goroutine) -> int | None:
        pid, name = self.owner(g.frame)
        lock = g.world.lock(pid, name)
        if lock is None or lock.holder != g.frame.fid:
            raise ModelFault(f"{describe(g.world, g.frame)} releases lock {name}, which it does not hold")
        g.emit(LockReleased(pid, name))
        return self.index + 1

"""Child processes: fork with execve, and wait4."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sim.engine.goroutine import Goroutine, Spawn, describe, spawn
from sim.engine.ops.flow import Entry, Op
from sim.kernel import syscalls
from sim.kernel.records import Image, Pid
from sim.world import Frame, Key, World


class Fork(Op):
    """Start a child process; its pid goes into the variable *into*. The function may return None for no child.

    There is none either in a pid namespace whose first process is dead, whose members are about to be killed.

    *pin* names a number that was observed for this fork. Numbers are given out in rising order, so a fork with such a
    number waits until every smaller one that was observed has been given out. *of_run* says that nothing but the Reap
    after it reads the child's number.
    """

    of_run = False

    def __init__(
        self,
        how: Callable[[Goroutine], Spawn | None],
        into: str = "child_pid",
        pin: Callable[[World, Frame], Pid | None] | None = None,
    ) -> None:
        self.how, self.into, self.pin, self.name = how, into, pin, f"fork_{how.__name__}"

    def number(self, world: World, frame: Frame) -> Pid | None:
        """Return the number that was observed for this fork, None once it has been given out."""
        number = None if self.pin is None else self.pin(world, frame)
        return number if number in world.host.reserved else None

    def ready(self, world: World, frame: Frame) -> bool:
        number = self.number(world, frame)
        return number is None or number == min(world.host.reserved)

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return () if self.number(world, frame) is None else (("reserved",),)

    def take(self, g: Goroutine) -> int | None:
        how = self.how(g)
        number = self.number(g.world, g.frame)
        g[self.into] = None
        if how is not None and not g.world.host.is_dying(g.pid):
            g[self.into] = spawn(g.turn, g.pid, how, number, g.frame.fid[1])
        return self.index + 1


class Reap(Op):
    """Wait for the child in variable *child* and reap it; its status goes into `status`.

    A status of 0 leads to label *good*, another one to *bad*, where given. No child (None) counts as reaped with 0, as
    one that another goroutine has reaped, if *shared*. *of_run* says that nothing reads the child's number and
    status afterwards.
    """

    of_run = False

    def __init__(
        self, child: str = "child_pid", *, good: str | None = None, bad: str | None = None, shared: bool = False
    ) -> None:
        self.shared = shared
        self.child, self.good, self.bad, self.name = child, good, bad, f"reap_{child.removesuffix('_pid')}"
        self.labels = tuple(label for label in (good, bad) if label)

    def ready(self, world: World, frame: Frame) -> bool:
        child = frame.local[self.child]
        if child is None or child in world.host.zombies.get(frame.fid[0], ()):
            return True
        return self.shared and child not in world.host.procs

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return (("proc", frame.local[self.child]),)

    def take(self, g: Goroutine) -> int | None:
        child = g[self.child]
        gone = child is None or (self.shared and child not in g.world.host.procs)
        g["status"] = status = 0 if gone else _reap(g, child)[1]
        label = self.bad if status else self.good
        return self.index + 1 if label is None else self.goto[label]


def _reap(g: Goroutine, child: Pid | None) -> tuple[Pid, int]:
    reaped = syscalls.wait4(g.turn, g.pid, child)
    assert reaped is not None, f"{describe(g.world, g.frame)} finds no zombie {child or ''} of its own"
    return reaped


class ReapAny(Op):
    """Wait for any child; its pid goes into `reaped_pid`, its status into `status`."""

    name = "reap_any"

    def ready(self, world: World, frame: Frame) -> bool:
        return bool(world.host.zombies.get(frame.fid[0]))

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return (("children", frame.fid[0]),)

    def take(self, g: Goroutine) -> int | None:
        g["reaped_pid"], g["status"] = _reap(g, None)
        return self.index + 1


class ReapOrphans(Op):
    """Wait for a child that no goroutine of this process waits for: *awaited* says of an image that one does.

    A process that hands what wait4(-1) returns to those who wait for a number does the same.
    """

    name = "reap_orphans"

    def __init__(self, awaited: Callable[[Image], bool]) -> None:
        self.awaited = awaited

    def ready(self, world: World, frame: Frame) -> bool:
        return self.first(world, frame) is not None

    def first(self, world: World, frame: Frame) -> Pid | None:
        """Return the child that became a zombie first and is nobody else's."""
        ripe = world.host.zombies.get(frame.fid[0], ())
        return next((child for child in ripe if not self.awaited(world.host.procs[child].image)), None)

    def reads(self, world: World, frame: Frame) -> Iterable[Key]:
        return (("children", frame.fid[0]),)

    def take(self, g: Goroutine) -> int | None:
        _reap(g, self.first(g.world, g.frame))
        return self.index + 1


def run(how: Callable[[Goroutine], Spawn | None], *, good: str | None = None, bad: str | None = None) -> list[Entry]:
    """Start a child and wait for it: fork, execve, wait4."""
    fork, reap = Fork(how), Reap(good=good, bad=bad)
    fork.of_run = reap.of_run = True
    return [fork, reap]

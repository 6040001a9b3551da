"""Rounds before t = 0: what a steady host does over and over again is lived through for a while, then jumped over.

A container that crashes and is started again, or a program that forks a child every second, goes on for as long as the
host is on. Once no fact has been new for as long as it took to meet them all, the host can only go on so. The time up
to the next clock that is older than that is then jumped over, in whole rounds, and the younger clocks go along. The
world does not change: what differs are process numbers, old events, and what programs only count (`Program.counts`).

Two facts are the same if they say the same, but for the numbers of processes that were forked meanwhile, which stand
for their program, for digits in names, and for counts. More processes, goroutines, files or messages than ever are new,
too, so that nothing that piles up is jumped over. A limit of restarts is no mere count. Leaves out what comes more
seldom than once in the rounds that were lived through; and loops that do not know of one another keep the phases in
which they stood before the jump. Source: regenerative processes; ARCHITECTURE.md, "Decisions, with reasons".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from sim.drive.queue import Queue
from sim.drive.turn import TimedTurn
from sim.engine.records import Container
from sim.engine.setup import Microseconds, S, Setup
from sim.facts import Fid, FrameMoved, FrameStarted, LockQueued, Marked, Message, Remembered, Sent
from sim.kernel import events as e
from sim.kernel.records import Pid
from sim.model import instants
from sim.trace import LeftOut, Trace
from sim.world import World

WORTH = 20_000  # a jump that saves fewer steps is not made
FEWEST = 3_000  # so many steps go by without anything new
SHORTEST = 2 * S  # and so much time: no clock in SimPy's heap is older
MOST = 200_000  # kinds of facts; with more of them it is no loop
SMALL = 256  # a number below may be a status, and is a process's only where a name says so
GOROUTINES = ("fid", "reply")  # fields that name a goroutine
DIGITS = re.compile(r"[0-9]+")


class RunInRounds(Protocol):
    """What looking for rounds needs of a run; the timed driver has it."""

    world: World
    setup: Setup
    trace: Trace
    turn: TimedTurn
    queue: Queue
    rounds: Rounds | None
    phases: dict[Fid, int]
    ticked: dict[Fid, int]
    asleep: dict[Fid, tuple[int, int]]
    steps: int
    jumped: int
    skip_rounds: bool

    @property
    def now(self) -> Microseconds:
        """Return the clock's value at the last thing that happened."""


def look_for_rounds(run: RunInRounds) -> None:
    """Begin to look for rounds, if the host is on for a while before t = 0."""
    if run.skip_rounds and run.setup.host.begin == "steady":
        run.rounds = Rounds(run)
        run.turn.noting = run.rounds.note


def stop_looking(run: RunInRounds) -> None:
    """Look for no rounds any more."""
    run.rounds = run.turn.noting = None


def jump(run: RunInRounds, rounds: Rounds) -> None:
    """Jump as far as can be, if nothing was new for long enough."""
    rounds.look(run)
    by = rounds.far(run)
    if by:
        before = run.trace.left_out or LeftOut(rounds.since, run.now, 0, 0)
        count = by // rounds.slowest
        run.trace.left_out = before._replace(time=before.time + by, rounds=before.rounds + count)
        run.queue.jump(by, rounds.clocks)
        for fid, began in run.phases.items():
            if began > rounds.since or (fid in run.ticked and fid not in run.asleep):
                run.phases[fid] = began + by
        run.jumped += by
        rounds.over(run, by)


class Rounds:
    """What a steady host has done since everything was up.

    *since* is when something was new for the last time; then there had been *steps* steps and *clocks* far clocks.
    *slowest* is how long a round takes: the longest time from one fact to the next that is the same.
    """

    def __init__(self, run: RunInRounds) -> None:
        self.run, self.world = run, run.world
        self.first_step = self.steps = run.steps
        self.begin = self.since = run.now
        self.clocks = run.queue.added
        self.news = False
        self._seen: dict[Any, int] = {}
        self.slowest = 0
        self._roles: dict[Pid, tuple[str, str]] = {}
        self._most: dict[Any, int] = {}
        self._nth = 1 + max((at.nth for at in instants(self.world.setup)), default=1)
        self._counts = frozenset().union(*(program.counts for program in self.world.design.programs.values()))
        self._globs = tuple(name for name in self._counts if "*" in name)

    # -- when to jump, and how far --------------------------------------------------------------------

    def look(self, run: RunInRounds) -> None:
        """Take notice of whether the last step has brought anything new."""
        if self.news:
            self.news = False
            self.since, self.steps, self.clocks, self.slowest = run.now, run.steps, run.queue.added, 0
            if len(self._seen) > MOST:
                stop_looking(run)

    def far(self, run: RunInRounds) -> int:
        """Return how far to jump from here, in µs: whole rounds, 0 for not at all."""
        steps = run.steps - self.steps
        met = max(0, self.steps - self.first_step), max(0, self.since - self.begin)
        if steps < max(FEWEST, met[0]) or not self.slowest or not run.queue.rests():
            return 0
        quiet = run.now - self.since
        if quiet < max(SHORTEST, met[1]):
            return 0
        count = (run.queue.oldest(self.clocks) - run.now - quiet) // self.slowest
        return count * self.slowest if steps * count * self.slowest > WORTH * quiet else 0

    def over(self, run: RunInRounds, by: int) -> None:
        """Take notice of a jump: what was new lies as long ago as it did, and what is new from now on is met anew."""
        self.begin, self.first_step = run.now, run.steps
        self.since += by
        self._seen = {key: at + by for key, at in self._seen.items()}

    # -- what is new ----------------------------------------------------------------------------------

    def note(self, event: Any) -> None:
        """Take a fact that is about to be applied."""
        kind = type(event)
        if kind is e.Forked:
            self._roles[event.pid] = self._role(event.ppid)
        elif kind is e.ThreadsStarted:
            self._roles.update(dict.fromkeys(event.thread_pids, self._role(event.pid)))
        elif kind is e.Execed:
            self._roles[event.pid] = (event.image.program, event.image.container)
        key, now = self._key(event), self.run.now
        before = self._seen.get(key)
        self._seen[key] = now
        if before is None or (kind in SIZED and self._grows(event)):
            self.news = True
        elif now - before > self.slowest:
            self.slowest = now - before

    def _role(self, pid: Pid) -> tuple[str, str]:
        image = self.world.host.procs[pid].image
        return image.program, image.container

    def _grows(self, event: Any) -> bool:
        """Return whether there is about to be more of a kind than ever."""
        name, count = SIZED[type(event)](self.world, event)
        if count <= self._most.get(name, -1):
            return False
        self._most[name] = count
        return True

    def _key(self, event: Any) -> Any:
        """Return what two facts have in common that are the same."""
        world, kind = self.world, type(event)
        if kind is FrameMoved:
            procedure = world.frames[event.fid].procedure
            local = self._dict(procedure, event.local) if event.local else None
            return (kind, self._fid(event.fid), procedure, event.op, local)
        if kind is FrameStarted:
            return (kind, self._fid(event.fid), event.procedure, self._dict(event.procedure, event.local))
        if kind is Remembered:
            program = self._role(event.pid)[0] if event.pid in world.host.procs else ""
            name = f"{program}.{event.key.partition('/')[0]}"
            return (kind, program, _text(event.key), self._value(name, event.value))
        if kind is e.FileWritten:
            value = None if self._is_count(event.path) else self._value(event.path, event.value)
            return (kind, _text(event.path), value)
        if kind is Marked:
            return (kind, event.name, min(event.count, self._nth))
        if kind is e.IdsSkipped:
            return kind  # up to a number that no process has
        return self._fields(event)

    def _is_count(self, path: str) -> bool:
        return path in self._counts or any(fnmatchcase(path, glob) for glob in self._globs)

    # -- values without numbers of processes ----------------------------------------------------------

    def _value(self, name: str, value: Any) -> Any:
        if name in self._counts:
            return None
        kind = type(value)
        if kind is str:
            return _text(value)
        if kind is int:
            is_process = value >= SMALL or name.endswith(("pid", "pids"))
            return self._roles.get(value, value) if is_process else value
        if kind is tuple:
            return self._fid(value) if value and name in GOROUTINES else self._tuple(name, value)
        if kind is dict:
            return self._dict(name, value)
        if kind is frozenset:
            return tuple(sorted(repr(self._value(name, item)) for item in value))
        return self._fields(value) if isinstance(value, msgspec.Struct) else value

    def _fid(self, fid: Fid) -> tuple[Any, str]:
        return self._roles.get(fid[0], fid[0]), _text(fid[1])

    def _tuple(self, name: str, value: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple([self._value(name, item) for item in value])

    def _dict(self, name: str, value: dict[str, Any]) -> tuple[Any, ...]:
        return tuple([(key, self._value(f"{name}.{key}", item)) for key, item in value.items()])

    def _fields(self, value: Any) -> tuple[Any, ...]:
        kind = type(value)
        if isinstance(value, Container) and not value.policy.max:
            value = replace(value, restart_count=0)
        elif kind is Message and f"message {value.kind}" in self._counts:
            value = replace(value, data=_without_count(value.data))
        return (kind, *[self._value(field, getattr(value, field)) for field in kind.__struct_fields__])


def _without_count(data: Any) -> Any:
    """Return what a message says without the number that it is, or with which it begins."""
    if isinstance(data, tuple) and data and isinstance(data[0], int):
        return data[1:]
    return None if isinstance(data, int) else data


@lru_cache(10_000)
def _text(value: str) -> str:
    return DIGITS.sub("#", value)


def _waiting(world: World, event: LockQueued) -> tuple[Any, int]:
    lock = world.lock(event.pid, event.name)
    return ("lock", event.name), 0 if lock is None else len(lock.waiting)


SIZED: dict[type, Callable[[World, Any], tuple[Any, int]]] = {
    e.Forked: lambda world, event: ("procs", len(world.host.procs)),
    e.FifoMade: lambda world, event: ("fifos", len(world.host.fifos)),
    e.FileWritten: lambda world, event: ("files", len(world.host.files)),
    e.RuleAdded: lambda world, event: ("rules", len(world.host.rules)),
    FrameStarted: lambda world, event: ("frames", len(world.frames)),
    Sent: lambda world, event: (("queue", event.name), len(world.queue(event.pid, event.name))),
    LockQueued: _waiting,
}
"""Fact -> of what there is more after it, and how many there were before."""

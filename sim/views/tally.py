"""What a host carries over time: processes and threads by program, what dockerd believes, bytes on their way to logs.

A tally is shown each fact before it is applied while `sim.views.replaying` goes through a trace, and each moment when
it is over. A fork shares its parent's memory until it execs, so that it counts as nothing till then. Bytes are looked
at only of containers of which the scenario says what they print. Leaves out what a program's memory grows by. Source:
fork(2), execve(2); engine-1.13 §10, §12.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from sim.engine.records import Container
from sim.engine.setup import Microseconds
from sim.engines.host.output import lost_mark, standing
from sim.facts import FrameEnded, FrameMoved, Marked, Remembered
from sim.kernel import events as e
from sim.kernel.records import Pid
from sim.trace import Trace
from sim.views.tracks import Track
from sim.world import World

CONTAINER = "container/"


class ProcessCount(msgspec.Struct, frozen=True):
    """How many processes and threads there are from *at* on, zombies too, and how many run which program."""

    at: Microseconds
    processes: int
    threads: int
    programs: tuple[tuple[str, int], ...]


class Tallied(msgspec.Struct, frozen=True):
    """What was counted. *believed* is, by container, when dockerd had it down as running; *standing* the bytes on their
    way to logs from a moment on, *lost* those that nobody will read; None where the scenario says nothing of output.
    *forks* has the moment of each fork."""

    loads: tuple[ProcessCount, ...]
    believed: dict[str, tuple[tuple[Microseconds, Microseconds], ...]]
    standing: tuple[tuple[Microseconds, int], ...] | None
    lost: tuple[tuple[Microseconds, int], ...] | None
    forks: tuple[Microseconds, ...] = ()


class Tally:
    """Counts while a trace is replayed."""

    def __init__(self, trace: Trace) -> None:
        self.held: dict[Pid, str] = {}
        self.programs: Counter[str] = Counter()
        self.processes = self.threads = 0
        self.loads: list[ProcessCount] = []
        self.forks: list[Microseconds] = []
        self.changed = True
        self.printing = {
            service.name: tuple(log.stream for log in service.payload.log)
            for service in trace.setup.services
            if service.payload.log
        }
        self.standing: list[tuple[Microseconds, int]] = []
        self.lost: list[tuple[Microseconds, int]] = []
        self.output_moved = False
        self.believed: dict[str, Track] = {service.name: Track(0, False) for service in trace.setup.services}

    def see(self, now: Microseconds, world: World, event: Any) -> None:
        """Look at a fact that is not applied yet."""
        if not self.processes:
            self.begin(world)
        rule = RULES.get(type(event))
        if rule is not None:
            rule(self, now, world, event)
        self.see_output(event)

    def see_output(self, event: Any) -> None:
        """Look whether a fact may move bytes on their way to a log."""
        self.output_moved = self.output_moved or type(event) in MOVES_OUTPUT

    def copy_of_output(self, trace: Trace) -> Tally:
        """Return a tally of another trace that has counted what this one has of bytes, and of nothing else."""
        twin = Tally(trace)
        twin.standing, twin.lost, twin.output_moved = self.standing.copy(), self.lost.copy(), self.output_moved
        return twin

    def begin(self, world: World) -> None:
        """Count what is there before the first fact."""
        for process in world.host.procs.values():
            self.count(1, 1 + len(process.threads))
            self.holds(process.pid, process.image.program)

    def count(self, processes: int, threads: int) -> None:
        """Note that there are so many more."""
        self.processes += processes
        self.threads += threads
        self.changed = True

    def holds(self, pid: Pid, program: str | None) -> None:
        """Note what a process runs from now on, None for nothing."""
        before = self.held.pop(pid, None)
        if before is not None:
            self.programs[before] -= 1
        if program is not None:
            self.held[pid] = program
            self.programs[program] += 1
        self.changed = True

    def settle(self, now: Microseconds, world: World) -> None:
        """Note what a moment that is over has left."""
        if self.changed:
            self.changed = False
            self.loads.append(ProcessCount(now, self.processes, self.threads, tuple(sorted((+self.programs).items()))))
        self.settle_output(now, world)

    def settle_output(self, now: Microseconds, world: World) -> None:
        """Note how many bytes a moment that is over has left on their way."""
        if self.printing and self.output_moved:
            self.output_moved = False
            levels = (standing(world, c, stream) for c, streams in self.printing.items() for stream in streams)
            _note(self.standing, now, sum(levels))
            _note(self.lost, now, sum(world.marks.get(lost_mark(c), 0) for c in self.printing))

    def close(self, end: Microseconds) -> Tallied:
        """Return all that was counted."""
        known = bool(self.printing)
        return Tallied(
            tuple(self.loads),
            {c: tuple((a, b) for a, b, is_so in track.close(end) if is_so) for c, track in self.believed.items()},
            tuple(self.standing) if known else None,
            tuple(self.lost) if known else None,
            tuple(self.forks),
        )


def _note(found: list[tuple[Microseconds, int]], now: Microseconds, value: int) -> None:
    if not found or found[-1][1] != value:
        found.append((now, value))


# -- rules -----------------------------------------------------------------------------------------


def _forked(tally: Tally, now: Microseconds, world: World, event: e.Forked) -> None:
    tally.count(1, 1)
    tally.forks.append(now)


def _threads_started(tally: Tally, now: Microseconds, world: World, event: e.ThreadsStarted) -> None:
    tally.count(0, len(event.thread_pids))


def _threads_ended(tally: Tally, now: Microseconds, world: World, event: e.ThreadsEnded) -> None:
    tally.count(0, -len(event.thread_pids))


def _execed(tally: Tally, now: Microseconds, world: World, event: e.Execed) -> None:
    tally.holds(event.pid, event.image.program)


def _exited(tally: Tally, now: Microseconds, world: World, event: e.Exited) -> None:
    tally.count(0, -len(world.host.procs[event.pid].threads))
    tally.holds(event.pid, None)


def _reaped(tally: Tally, now: Microseconds, world: World, event: e.Reaped) -> None:
    tally.count(-1, -1)


def _remembered(tally: Tally, now: Microseconds, world: World, event: Remembered) -> None:
    track = tally.believed.get(event.key[len(CONTAINER) :]) if event.key.startswith(CONTAINER) else None
    if track is not None and world.host.procs[event.pid].image.program == world.design.traits.engine:
        record = event.value
        track.set(now, isinstance(record, Container) and record.running and not record.restarting)


RULES: dict[type, Any] = {
    e.Forked: _forked,
    e.ThreadsStarted: _threads_started,
    e.ThreadsEnded: _threads_ended,
    e.Execed: _execed,
    e.Exited: _exited,
    e.Reaped: _reaped,
    Remembered: _remembered,
}
MOVES_OUTPUT = frozenset((e.FifoLevel, e.FifoClosed, e.Exited, Remembered, Marked, FrameMoved, FrameEnded))

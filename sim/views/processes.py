"""Every process of a run: what it was, from when to when it lived and how, and what went on between two of them.

One replay of a trace follows forks, execs, signals, deaths, new parents and waits. A process is what it was last put
into: a fork of containerd that becomes a shim is a shim from its fork on. Leaves out threads, and signals from other
machines, which no process sent. Source: fork(2), execve(2), kill(2), wait(2), prctl(2) PR_SET_PDEATHSIG.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from sim.engine.program import is_orphan
from sim.engine.setup import Microseconds
from sim.kernel import events as e
from sim.kernel.records import Pid, Process, Status
from sim.trace import Replay, Trace
from sim.views.tracks import Track
from sim.world import World

# how a process lives
OWN, ADOPTED, HALTED, ZOMBIE, NONE = "own", "adopted", "halted", "zombie", ""
# what goes on between two
FORK, SIGNAL, REPARENT, REAP = "fork", "signal", "reparent", "reap"


class Lived(msgspec.Struct, frozen=True):
    """A process: *looks* is how it lived, as (from, to, how), up to when it was reaped; times are µs from t = 0.

    *how* is `own` (under whoever forked it, or where its design has it), `adopted` (an orphan, left to PID 1),
    `halted` (stopped or frozen) or `zombie`. *status* is None while it runs.
    """

    pid: Pid
    program: str
    comm: str
    container: str
    looks: tuple[tuple[Microseconds, Microseconds, str], ...]
    status: Status | None = None

    @property
    def begin(self) -> Microseconds:
        """Return when it was forked, or when the run begins."""
        return self.looks[0][0] if self.looks else 0

    @property
    def end(self) -> Microseconds:
        """Return when it was reaped, or when the run ends."""
        return self.looks[-1][1] if self.looks else 0


class Between(msgspec.Struct, frozen=True):
    """Something that went from one process to another, by their places; *words* is the signal.

    A `reparent` goes from the child to its new parent, a `reap` from the zombie to who waited for it.
    """

    at: Microseconds
    kind: str
    source: int
    target: int
    words: str = ""


class Processes(msgspec.Struct, frozen=True):
    """All processes of a run in the order of their forks, and what went on between them."""

    lived: tuple[Lived, ...]
    between: tuple[Between, ...]


class _Watched:
    """What is kept of a process while the trace is replayed."""

    def __init__(self, process: Process, at: Microseconds, world: World) -> None:
        self.process, self.world = process, world
        self.status: Status | None = None
        self.track = Track(at, self.how())

    def how(self) -> str:
        """Say how it lives now."""
        if self.status is not None:
            return ZOMBIE
        if not self.process.runs:
            return HALTED
        return ADOPTED if is_orphan(self.world, self.process.pid) else OWN


class _Watching:
    """One pass over a trace."""

    def __init__(self, trace: Trace) -> None:
        self.trace, self.replay = trace, Replay(trace)
        self.now = ((trace.records[0].at or 0) if trace.records else 0) - trace.origin
        world = self.replay.world
        self.watched = [_Watched(process, self.now, world) for process in world.host.procs.values()]
        self.place: dict[Pid, int] = {it.process.pid: place for place, it in enumerate(self.watched)}
        self.between: list[Between] = []

    def run(self) -> Processes:
        """Go through the records and return what was found."""
        origin = self.trace.origin
        for record in self.trace.records:
            self.replay.step()
            rule = RULES.get(type(record.event))
            if rule is not None:
                self.now = (record.at or 0) - origin
                rule(self, record.event)
        end = max(self.trace.end - origin, self.now)
        return Processes(tuple(_lived(it, end) for it in self.watched), tuple(self.between))

    def look(self, pid: Pid) -> _Watched | None:
        """Look at a process again, after a fact about it."""
        place = self.place.get(pid)
        if place is None:
            return None
        watched = self.watched[place]
        watched.process = self.replay.world.host.procs.get(pid, watched.process)
        watched.track.set(self.now, watched.how())
        return watched

    def went(self, kind: str, source: Pid, target: Pid, words: str = "") -> None:
        """Note what went from one process to another, if both are known."""
        if source in self.place and target in self.place:
            self.between.append(Between(self.now, kind, self.place[source], self.place[target], words))


def processes(trace: Trace) -> Processes:
    """Replay a trace once and return its processes."""
    return _Watching(trace).run()


def _lived(watched: _Watched, end: Microseconds) -> Lived:
    image = watched.process.image
    looks = tuple(step for step in watched.track.close(end) if step[2])
    return Lived(watched.process.pid, image.program, image.comm, image.container, looks, watched.status)


# -- rules: what to note of a fact that is applied ------------------------------------------------------


def _forked(w: _Watching, event: e.Forked) -> None:
    w.place[event.pid] = len(w.watched)
    w.watched.append(_Watched(w.replay.world.host.procs[event.pid], w.now, w.replay.world))
    w.went(FORK, event.ppid, event.pid)


def _exited(w: _Watching, event: e.Exited) -> None:
    if event.pid in w.place:
        w.watched[w.place[event.pid]].status = event.status
        w.look(event.pid)


def _reparented(w: _Watching, event: e.Reparented) -> None:
    w.look(event.pid)
    w.went(REPARENT, event.pid, event.ppid)


def _reaped(w: _Watching, event: e.Reaped) -> None:
    w.went(REAP, event.pid, event.by_pid)
    place = w.place.pop(event.pid, None)
    if place is not None:
        w.watched[place].track.set(w.now, NONE)


def _signalled(w: _Watching, event: e.Signalled) -> None:
    w.went(SIGNAL, event.by_pid, event.pid, event.signal)


def _changed(w: _Watching, event: Any) -> None:
    w.look(event.pid)


RULES: dict[type, Callable[[_Watching, Any], None]] = {
    e.Forked: _forked,
    e.Execed: _changed,
    e.SignalTaken: _changed,
    e.Frozen: _changed,
    e.Thawed: _changed,
    e.Exited: _exited,
    e.Reparented: _reparented,
    e.Reaped: _reaped,
    e.Signalled: _signalled,
}

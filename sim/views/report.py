"""A run as its report shows it: the moments that one can stop at, and for each thing that is shown why it is so.

A moment is one at which a text of the report changes; it shows what holds after everything that happened then. A long
run has more of them than a page can hold. Those of steps and round times stay, and of the others those that last
longest, where what befalls daemons and containers counts more than what their helpers do (runc, iptables); the report
states how long the longest lasts that is left out. Leaves out the texts. Source: the trace; `sim.views.why`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from sim.engine.engine import IN_MEMORY
from sim.engine.setup import Microseconds
from sim.facts import BecameReady, EngineEvent, Forgot, FrameStarted, Remembered, StepDone, StepTaken, UnitChanged
from sim.kernel import events as e
from sim.kernel.records import INIT, Pid
from sim.trace import Record, Replay, Trace
from sim.views.activity import Segment, segments
from sim.views.beliefs import change_of
from sim.views.kinds import is_daemon_of_engine, is_helper
from sim.views.timeline_parts import TimelineData
from sim.views.why_chain import Link, chains
from sim.views.why_words import Focus, state_of
from sim.world import World

ROWS = 90_000  # rows of process tables that a report prints: its moments, times the processes of each
FILLS = 60  # round times to stop at where nothing happens, about
FEWEST, MOST = 150, 1500  # moments of a report, whatever its processes
ASKED = 4_000  # things whose causes are followed
PROCESS = (
    e.Forked, e.Execed, e.ThreadsStarted, e.ThreadsEnded, e.MainThreadEnded, e.SessionSet, e.GroupSet, e.SignalTaken,
    e.Frozen, e.Thawed, e.Exited, e.Reparented, e.Reaped,
)  # fmt: skip
TURNS = (e.Execed, e.Exited, e.Reparented)  # what a process is asked about
STEP, CHANGE, HELPER, FILL = range(4)  # ranks of moments; a fill is a round time at which nothing need change
WEIGHTS = {CHANGE: 20, HELPER: 1}  # how much each µs of a rank's moments counts; others stay in any case
FOREVER: Microseconds = 1 << 62
BUS = (INIT, "bus")  # from its start on commands can be given at the host
Turns = list[tuple[Microseconds, int]]  # clock values and numbers of records, in order


class Moment(msgspec.Struct, frozen=True):
    """A clock value (µs) that one can stop at, and its rank."""

    at: Microseconds
    rank: int


class Causes(msgspec.Struct, frozen=True):
    """Chains of causes by the number of the record that they are of; and which record says how a thing came to be so.

    For each process number, daemon and container these are (clock value, record) in order.
    """

    chains: dict[int, tuple[Link, ...]]
    processes: dict[Pid, Turns]
    daemons: dict[str, Turns]
    containers: dict[str, Turns]


class ReportData(msgspec.Struct, frozen=True):
    """What a report shows of a run: the moments in order (*left_out* more were no longer than *shorter*), and causes.

    *zero* is the clock value of the timeline's moment 0, *events* are the records of `docker events`, *pieces* those of
    the time axis.
    """

    zero: Microseconds
    pieces: tuple[Segment, ...]
    moments: tuple[Moment, ...]
    left_out: int
    shorter: Microseconds
    events: tuple[tuple[Microseconds, int], ...]
    causes: Causes


def report_data(trace: Trace, run: TimelineData, told: Iterable[int] = (), *, rows: int = ROWS) -> ReportData:
    """Gather the moments of the time that a timeline shows, and the causes of what there is to see.

    *told* are the records whose causes are asked for beside those of events, processes and containers. *rows* is the
    size of the report, as ROWS.
    """
    zero = trace.origin + run.origin
    first, last = zero + run.begin, zero + run.end
    found = _Gathering(trace, first, last, set(told))
    for record in trace.records:
        if (record.at or 0) > last:
            break
        found.take(record)
        found.replay.step()
    pieces = segments(run.instants(), run.begin, run.end)
    for rank, moments in ((STEP, (run.begin, run.end)), (CHANGE, run.instants()), (FILL, round_times(pieces))):
        for at in moments:
            found.moment(zero + at, rank)
    every = [Moment(at, rank) for at, rank in sorted(found.moments.items())]
    kept, shorter = longest(every, min(max(rows // max(found.peak, 1), FEWEST), MOST))
    return ReportData(
        zero=zero,
        pieces=pieces,
        moments=tuple(kept),
        left_out=len(every) - len(kept),
        shorter=shorter,
        events=tuple(found.events),
        causes=found.causes(),
    )


def round_times(pieces: Iterable[Segment]) -> Iterator[Microseconds]:
    """Yield round times all along a time axis, about FILLS of them.

    >>> list(round_times([Segment(-70_000, 200_000, 0.1)]))
    [-50000, 0, 50000, 100000, 150000, 200000]
    """
    for piece in pieces:
        least = (piece.end - piece.start) / max(piece.share * FILLS, 1)
        step = next(base * 10**power for power in range(16) for base in (1, 2, 5) if base * 10**power >= least)
        yield from range(-(-piece.start // step) * step, piece.end + 1, step)


def longest(moments: Sequence[Moment], most: int) -> tuple[list[Moment], Microseconds]:
    """Choose so many moments, those that last longest, in order; and say how long the longest lasts that is left out.

    >>> a, b, c, d = (Moment(at, CHANGE) for at in (0, 10, 11, 50))
    >>> longest([a, b, c, d], 3) == ([a, c, d], 1)
    True
    """
    if len(moments) <= most:
        return list(moments), 0
    lasts = {moment.at: later.at - moment.at for moment, later in pairwise(moments)}
    weights = {it.at: lasts.get(it.at, FOREVER) * WEIGHTS.get(it.rank, FOREVER) for it in moments}
    ranked = sorted(moments, key=lambda it: (-weights[it.at], it.at))
    return sorted(ranked[:most], key=lambda it: it.at), max(lasts[it.at] for it in ranked[most:])


class _Gathering:
    """One pass over a trace: which moments change something, and which records people may ask about."""

    def __init__(self, trace: Trace, first: Microseconds, last: Microseconds, told: set[int]) -> None:
        self.trace, self.first, self.last, self.told = trace, first, last, told
        self.replay = Replay(trace)
        self.services = {service.name: service for service in trace.setup.services}
        self.by_port = {port.host: service.name for service in trace.setup.services for port in service.published}
        self.moments: dict[Microseconds, int] = {}
        self.asked: dict[int, Focus] = {}
        self.processes: dict[Pid, Turns] = {}
        world = self.replay.world
        self.daemons: dict[str, Turns] = {it: [] for it in world.design.roles if is_daemon_of_engine(world, it)}
        self.containers: dict[str, Turns] = {}
        self.events: Turns = []
        self.peak = 0

    def moment(self, at: Microseconds, rank: int) -> None:
        """Note a moment within the window; the best rank counts."""
        if self.first <= at <= self.last:
            self.moments[at] = min(rank, self.moments.get(at, rank))

    def take(self, record: Record) -> None:
        """Look at a record, before it is applied."""
        event, at, world = record.event, record.at or 0, self.replay.world
        rank = self._rank(world, event)
        if rank is not None:
            self.moment(at, rank)
            if at >= self.first:
                self.peak = max(self.peak, len(world.host.procs))
        if isinstance(event, TURNS) and rank == CHANGE:
            self.processes.setdefault(event.pid, []).append((at, record.seq))
            program = event.image.program if isinstance(event, e.Execed) else _program(world, event)
            if is_daemon_of_engine(world, program):
                self.daemons[program].append((at, record.seq))
            self._ask(record)
        elif (name := _believes_anew(world, event)) is not None:
            self.containers.setdefault(name, []).append((at, record.seq))
            self._ask(record)
        elif record.seq in self.told or isinstance(event, EngineEvent):
            self._ask(record)
        if isinstance(event, EngineEvent):
            self.events.append((at, record.seq))

    def _rank(self, world: World, event: Any) -> int | None:
        match event:
            case StepTaken():
                return STEP
            case StepDone() | EngineEvent() | UnitChanged() | BecameReady():
                return CHANGE
            case Remembered():
                if event.key.startswith(IN_MEMORY):
                    return HELPER if _believes_anew(world, event) is None else CHANGE
                if isinstance(event.value, world.design.engine.shown):
                    return CHANGE
                return HELPER if event.key.startswith("health/") else None
            case FrameStarted():
                return CHANGE if event.fid == BUS else None
            case Forgot():
                return CHANGE if isinstance(world.recall(event.pid, event.key), world.design.engine.shown) else None
            case e.FileWritten() | e.FileRemoved():
                return None if _believes_anew(world, event) is None else CHANGE
            case e.SignalTaken():
                return CHANGE if event.outcome in ("stopped", "continued") else None
            case e.Listened() | e.Unlistened():
                return CHANGE
            case e.Execed():
                return _of_program(world, event.image.program)
        return _of_program(world, _program(world, event)) if isinstance(event, PROCESS) else None

    def _ask(self, record: Record) -> None:
        name = self._about(record.event)
        self.asked[record.seq] = Focus.of(self.services[name]) if name in self.services else Focus()

    def _about(self, event: Any) -> str:
        """Name the container that a fact is about, "" if it is about none."""
        if isinstance(event, e.Execed):
            return event.image.container
        if isinstance(event, e.RuleAdded | e.RuleRemoved):
            return self.by_port.get(event.rule.port, "")
        if isinstance(event, Remembered):
            return event.key.partition("/")[2]
        if isinstance(event, e.FileWritten | e.FileRemoved):
            change = change_of(self.replay.world, event)
            return "" if change is None else change.container
        named = getattr(event, "container", None)
        process = self.replay.world.host.procs.get(getattr(event, "pid", 0))
        return str(named) if named is not None else process.image.container if process is not None else ""

    def causes(self) -> Causes:
        """Follow what can be asked; of too much, what came last."""
        asked = sorted(self.asked.items())[-ASKED:]
        found = chains(self.trace, asked)
        return Causes(
            {seq: links for (seq, _), links in zip(asked, found, strict=True) if links},
            self.processes,
            self.daemons,
            self.containers,
        )


def _of_program(world: World, program: str) -> int:
    return HELPER if not program or is_helper(world, program) else CHANGE


def _program(world: World, event: Any) -> str:
    """Return what a process runs, "" of one that is about to be forked."""
    process = world.host.procs.get(event.pid)
    return process.image.program if process is not None else ""


def _believes_anew(world: World, event: Any) -> str | None:
    """Return the container that a fact puts into another state, as the engine believes."""
    change = change_of(world, event)
    return None if change is None or state_of(change.before) == state_of(change.after) else change.container

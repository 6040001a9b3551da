"""The walk behind `sim.views.spans`: which fact begins, ends or marks what on which track.

Rules look at the world before their fact is applied. Leaves out and source: as `sim.views.spans`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from sim.engine.setup import Microseconds
from sim.engines.host import output
from sim.engines.host.client import step_of
from sim.facts import Fid, FrameEnded, FrameMoved, FrameStarted, Remembered, StepDone, StepTaken
from sim.kernel import events as e
from sim.kernel.records import INIT, OUTSIDE, Pid
from sim.kernel.signals import NAMES
from sim.trace import Record, Replay, Trace
from sim.views.command_words import command_words
from sim.views.lives import DeedLine, Going, ProcessLife, caused
from sim.views.span_parts import LIFE, PROCEDURE, Group, Level, Point, Span, SpanArrow, SpanTrack

FIRST_FREE = 4_194_304  # Linux's largest pid_max: no process has this number or a higher one
LEVELS = (e.FifoLevel, e.FifoClosed, e.FifoRemoved, e.FifoUnlinked, e.Exited)
FAR = 8  # causes that are followed to whoever acted


class Spanning:
    """One pass over a trace, up to a moment."""

    def __init__(self, trace: Trace, until: Microseconds) -> None:
        self.trace, self.until = trace, until
        self.replay = Replay(trace)
        self.world = self.replay.world
        self.procedures = self.world.design.procedures
        self.free = FIRST_FREE
        self.people = self.new_id()
        self.spans: list[Span] = []
        self.points: list[Point] = []
        self.arrows: list[SpanArrow] = []
        self.levels: list[Level] = []
        self.lives: dict[Pid, ProcessLife] = {}
        self.all: list[ProcessLife] = []
        self.lived: Counter[Pid] = Counter()
        self.tracks: list[SpanTrack] = []
        self.persons: dict[Fid, DeedLine] = {}
        self.steps: dict[Fid, tuple[Microseconds, Record, Any]] = {}
        self.going: dict[Fid, Going] = {}
        self.sent: dict[tuple[Pid, str], list[tuple[int, Microseconds]]] = {}
        self.counted = {"alive": 0, "zombies": 0}
        self.stirred = {"processes": True, "buffered bytes": True}
        self.last: dict[str, tuple[tuple[str, int], ...]] = {}
        self.logs = [(it.name, log.stream) for it in trace.setup.services for log in it.payload.log]
        self.keys = {output.level_key(*log) for log in self.logs}

    def new_id(self) -> int:
        """Return a number that no process, group or track has."""
        self.free += 1
        return self.free - 1

    def run(self) -> None:
        """Go through the records and gather what they say."""
        at = 0
        for record in self.trace.records:
            if (record.at or 0) > self.until:
                break
            if not self.all:
                self.begin(INIT, record, record.at or 0)
            if (record.at or 0) > at:
                self.settle(at)
                at = record.at or 0
            rule = RULES.get(type(record.event))
            if rule is not None:
                rule(self, record, record.event, at)
            self.replay.step()
        self.settle(at)
        self.finish()

    def groups(self) -> tuple[list[Group], list[SpanTrack]]:
        """Return the processes by what they are, and their tracks."""
        ranked = sorted(self.all, key=ProcessLife.rank)
        place = {life.id: number for number, life in enumerate(ranked)}
        tracks = sorted(self.tracks, key=lambda track: place[track.group])
        return [Group(life.id, life.name) for life in ranked], tracks

    def terminals(self) -> list[SpanTrack]:
        """Return the tracks of people."""
        return [SpanTrack(line.id, self.people, fid[1]) for fid, line in self.persons.items()]

    # -- beginning and ending -----------------------------------------------------------------------

    def begin(self, pid: Pid, record: Record, at: Microseconds) -> ProcessLife:
        """Begin the life of a process."""
        self.lived[pid] += 1
        number = self.lived[pid]
        image = self.world.host.procs[getattr(record.event, "ppid", pid)].image
        life = ProcessLife(pid, pid if number == 1 else self.new_id(), number, image, record, at)
        self.lives[pid] = life
        self.all.append(life)
        self.counted["alive"] += 1
        return life

    def track_of(self, life: ProcessLife, fid: Fid) -> int:
        """Return the track of a goroutine: the main one for the first, and for `main` once that has ended."""
        name = fid[1]
        if name not in life.own or life.own[name] == life.id:
            main = life.on_main is None and (not life.own or name == "main" or name in life.own)
            if main:
                life.on_main, life.own[name] = fid, life.id
                return life.id
            life.own[name] = self.new_id()
            self.tracks.append(SpanTrack(life.own[name], life.id, name))
        return life.own[name]

    def end_goroutine(self, fid: Fid, place: int, at: Microseconds) -> None:
        """End a goroutine at an op."""
        going = self.going.pop(fid, None)
        if going is not None:
            self.spans += [*going.ops(place, at), going.whole(at)]
            life = self.lives[fid[0]]
            life.on_main = None if life.on_main == fid else life.on_main

    def release(self, life: ProcessLife, at: Microseconds) -> None:
        """End a time in which a process stood still, if it did: on a track beside the main one."""
        if life.held is None:
            return
        (since, words, record), life.held = life.held, None
        if "stood still" not in life.own:
            life.own["stood still"] = self.new_id()
            self.tracks.append(SpanTrack(life.own["stood still"], life.id, "stood still"))
        self.spans.append(Span(life.own["stood still"], since, at, LIFE, "state", words, caused(record)))

    def bury(self, life: ProcessLife, at: Microseconds, **more: Any) -> None:
        """End a life."""
        if life.zombie is not None and at > life.zombie[0]:
            self.spans.append(Span(life.id, life.zombie[0], at, PROCEDURE, "state", "zombie", caused(life.zombie[1])))
        args = life.args | {"comm": life.image.comm, "argv": " ".join(life.image.argv)} | more
        self.spans.append(Span(life.id, life.since, at, LIFE, "process", life.role, args))

    def finish(self) -> None:
        """End what is going on at the last moment."""
        for fid in list(self.going):
            self.end_goroutine(fid, self.world.frames[fid].op, self.until)
        for life in self.lives.values():
            self.release(life, self.until)
            self.bury(life, self.until, unfinished=True)
        for fid in list(self.steps):
            self.end_step(fid, self.until, unfinished=True)
        for line in (*self.persons.values(), *(life.line for life in self.all)):
            self.spans += line.spans()
        self.tracks[:0] = [SpanTrack(life.id, life.id, "process") for life in self.all]

    def end_step(self, fid: Fid, at: Microseconds, **more: Any) -> None:
        """End a step of a terminal."""
        since, record, step = self.steps.pop(fid)
        args, name = caused(record) | {"id": step.id} | more, command_words(step, self.world.design)
        self.spans.append(Span(self.persons[fid].id, since, at, LIFE, "step", name, args))

    # -- who and how many ---------------------------------------------------------------------------

    def actor(self, record: Record) -> DeedLine | None:
        """Return who stands behind a fact that nobody is named for: the goroutine or the death that caused it."""
        for _ in range(FAR):
            if record.cause < 0:
                break
            record = self.trace.records.one(record.cause)
            fid = getattr(record.event, "fid", None)
            if fid is not None and fid[0] == OUTSIDE:
                return self.persons.get(fid)
            pid = fid[0] if fid is not None else record.event.pid if isinstance(record.event, e.Exited) else None
            if pid is not None:
                return self.lives[pid].line if pid in self.lives else None
        return None

    def terminal(self, record: Record) -> Fid | None:
        """Return the terminal that caused a fact."""
        line = self.actor(record)
        return next((fid for fid, own in self.persons.items() if own is line), None)

    def settle(self, at: Microseconds) -> None:
        """Note the quantities that have changed in the moment that is over."""
        if self.stirred["processes"]:
            self.level("processes", at, tuple(self.counted.items()))
        if self.stirred["buffered bytes"]:
            total = sum(output.standing(self.world, *log) for log in self.logs)
            self.level("buffered bytes", at, (("bytes", total),))

    def level(self, name: str, at: Microseconds, values: tuple[tuple[str, int], ...]) -> None:
        """Note a quantity, if it is another."""
        self.stirred[name] = False
        if self.last.get(name) != values:
            self.last[name] = values
            self.levels.append(Level(name, at, values))


# -- rules: what a fact, not yet applied, says -------------------------------------------------------


def _forked(s: Spanning, record: Record, event: e.Forked, at: Microseconds) -> None:
    child, parent = s.begin(event.pid, record, at), s.lives[event.ppid]
    parent.line.note(at, record, "forks", child)
    s.arrows.append(SpanArrow("fork", "fork", ((parent.id, at), (child.id, at))))
    s.stirred["processes"] = True


def _execed(s: Spanning, record: Record, event: e.Execed, at: Microseconds) -> None:
    life = s.lives[event.pid]
    life.image = event.image
    life.execs += 1
    if life.execs > 1:
        life.line.note(at, record, f"execve {event.image.comm}")


def _frame_started(s: Spanning, record: Record, event: FrameStarted, at: Microseconds) -> None:
    pid, name = event.fid
    if pid == OUTSIDE:
        if event.fid not in s.persons:
            s.persons[event.fid] = DeedLine(s.new_id())
        return
    track = s.track_of(s.lives[pid], event.fid)
    table = s.procedures.get(event.procedure)
    s.going[event.fid] = Going(track, name, event.procedure, table, record, at)


def _frame_moved(s: Spanning, record: Record, event: FrameMoved, at: Microseconds) -> None:
    if event.local is not None and "held" in event.local:
        s.stirred["buffered bytes"] = True
    going = s.going.get(event.fid)
    if going is not None:
        s.spans += going.ops(s.world.frames[event.fid].op, at)
        going.at, going.op = at, record


def _frame_ended(s: Spanning, record: Record, event: FrameEnded, at: Microseconds) -> None:
    s.end_goroutine(event.fid, s.world.frames[event.fid].op if event.fid in s.world.frames else 0, at)


def _signalled(s: Spanning, record: Record, event: e.Signalled, at: Microseconds) -> None:
    line = s.actor(record) if event.by_pid == OUTSIDE else None
    line = s.lives[event.by_pid].line if event.by_pid in s.lives else line
    if line is not None:
        line.note(at, record, f"sends SIG{event.signal} to", s.lives[event.pid])
        s.sent.setdefault((event.pid, event.signal), []).append((line.id, at))


def _signal_taken(s: Spanning, record: Record, event: e.SignalTaken, at: Microseconds) -> None:
    life = s.lives[event.pid]
    life.line.note(at, record, f"takes SIG{event.signal} ({event.outcome})")
    for source in s.sent.pop((event.pid, event.signal), ()):
        s.arrows.append(SpanArrow("signal", f"SIG{event.signal}", (source, (life.id, at))))
    if event.outcome == "stopped" and life.held is None:
        life.held = (at, "stopped", record)
    elif event.outcome == "continued":
        s.release(life, at)


def _frozen(s: Spanning, record: Record, event: e.Frozen, at: Microseconds) -> None:
    life = s.lives[event.pid]
    s.release(life, at)
    life.held = (at, "frozen", record)


def _exited(s: Spanning, record: Record, event: e.Exited, at: Microseconds) -> None:
    life = s.lives[event.pid]
    for fid in list(s.world.frames_of.get(event.pid, ())):
        s.end_goroutine(fid, s.world.frames[fid].op, at)
    s.release(life, at)
    ending = f"exits {event.status}" if event.status >= 0 else f"dies of SIG{NAMES[-event.status]}"
    life.line.note(at, record, ending)
    life.zombie = (at, record)
    life.args["ended"] = ending
    for key in [key for key in s.sent if key[0] == event.pid]:
        del s.sent[key]
    s.counted["alive"] -= 1
    s.counted["zombies"] += 1
    s.stirred["processes"] = True


def _reaped(s: Spanning, record: Record, event: e.Reaped, at: Microseconds) -> None:
    life = s.lives.pop(event.pid)
    if event.by_pid in s.lives:
        s.lives[event.by_pid].line.note(at, record, "reaps", life)
    s.bury(life, at)
    s.counted["zombies"] -= 1
    s.stirred["processes"] = True


def _reparented(s: Spanning, record: Record, event: e.Reparented, at: Microseconds) -> None:
    child, new = s.lives[event.pid], s.lives[event.ppid]
    old = s.lives[s.world.host.procs[event.pid].ppid]
    old.line.note(at, record, "leaves", child)
    child.line.note(at, record, "gets the parent", new)
    new.line.note(at, record, "adopts", child)
    s.arrows.append(SpanArrow("reparent", "new parent", ((old.id, at), (child.id, at), (new.id, at))))


def _step_taken(s: Spanning, record: Record, event: StepTaken, at: Microseconds) -> None:
    fid = s.terminal(record)
    if fid is not None:
        step = step_of(s.world, s.world.frames[fid])
        s.steps[fid] = (at, record, step)
        name = f"step {step.id}" if step.id else command_words(step, s.world.design)
        s.points.append(Point(s.persons[fid].id, at, "step", name, caused(record), everywhere=True))


def _step_done(s: Spanning, record: Record, event: StepDone, at: Microseconds) -> None:
    fid = s.terminal(record)
    if fid in s.steps:
        s.end_step(fid, at, **({"error": event.error} if event.error else {}))


def _level(s: Spanning, record: Record, event: Any, at: Microseconds) -> None:
    s.stirred["buffered bytes"] = True


def _remembered(s: Spanning, record: Record, event: Remembered, at: Microseconds) -> None:
    if event.key in s.keys:
        s.stirred["buffered bytes"] = True


RULES: dict[type, Callable[[Spanning, Record, Any, Microseconds], None]] = {
    **dict.fromkeys(LEVELS, _level),
    e.Forked: _forked,
    e.Execed: _execed,
    e.Signalled: _signalled,
    e.SignalTaken: _signal_taken,
    e.Frozen: _frozen,
    e.Thawed: lambda s, record, event, at: s.release(s.lives[event.pid], at),
    e.Exited: _exited,
    e.Reaped: _reaped,
    e.Reparented: _reparented,
    FrameStarted: _frame_started,
    FrameMoved: _frame_moved,
    FrameEnded: _frame_ended,
    StepTaken: _step_taken,
    StepDone: _step_done,
    Remembered: _remembered,
}

"""A step within the timed driver: each event is kept as a record, and whom it concerns is noted, to be asked again.

What an event touches is said by `sim.world.TOUCHES`; a goroutine that reads it waits in `Waiting.readers`. So no step looks
at goroutines that it did not concern.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.facts import Fid, FrameEnded, FrameMoved, FrameStarted, Marked, StepTaken
from sim.kernel import events as e
from sim.kernel import host as kernel
from sim.kernel.records import Pid
from sim.trace import Record
from sim.world import APPLY, TOUCHES, Key, Turn, World


class Concerned:
    """Who is to be asked again, each with the record that is the cause: goroutines, and processes with signals."""

    __slots__ = ("dirty", "readers", "signalled")

    def __init__(self) -> None:
        self.readers: dict[Key, dict[Fid, None]] = {}
        self.dirty: dict[Fid, int] = {}
        self.signalled: dict[Pid, int] = {}

    def read(self, fid: Fid, keys: tuple[Key, ...]) -> None:
        """Let a goroutine be asked again when one of *keys* is touched."""
        readers = self.readers
        for key in keys:
            fids = readers.get(key)
            if fids is None:
                readers[key] = {fid: None}
            else:
                fids[fid] = None

    def forget(self, fid: Fid, keys: tuple[Key, ...]) -> None:
        """Undo `read`."""
        readers = self.readers
        for key in keys:
            fids = readers.get(key)
            if fids is not None:
                fids.pop(fid, None)
                if not fids:
                    del readers[key]


Rule = tuple[Any, Any, Any, Any, Any]  # touches, note, apply, to the host or the world, watchers


class TimedTurn(Turn):
    """A turn that keeps records; one serves a whole run. *moments* says when each mark came last and the n-th time."""

    __slots__ = ("_rules", "cause", "concerned", "first", "keep", "last_step", "moments", "now", "records", "seq")

    def __init__(self, world: World, records: list[Record], keep: bool) -> None:
        super().__init__(world)
        self.records, self.keep = records, keep
        self.concerned = Concerned()
        self.moments: dict[tuple[str, int], int] = {}
        self.now = self.seq = self.last_step = 0
        self.cause, self.first = -1, True
        self._rules: dict[type, Rule] = {kind: self._rule(kind) for kind in APPLY}

    def _rule(self, kind: type) -> Rule:
        """Return all that is known of a kind of event, so that one look-up finds it; the host is applied to directly."""
        world, apply = self.world, APPLY[kind]
        on_host = kind in kernel.APPLY and kind is not e.Exited
        writes, target = (kernel.APPLY[kind], world.host) if on_host else (apply, world)
        touches = None if kind in (e.Signalled,) else TOUCHES.get(kind)
        return touches, NOTES.get(kind), writes, target, world.watch.get(kind)

    def begin(self, now: int, cause: int) -> None:
        """Begin a step that record *cause* made possible; what follows in it has its first record as cause."""
        self.now, self.cause, self.first = now, cause, True

    def emit(self, event: Any) -> None:
        """Apply *event*, keep it, and note whom it concerns."""
        touches, note, apply, target, watchers = self._rules[type(event)]
        world, seq = self.world, self.seq
        names = [name for watcher in watchers for name in watcher(world, event)] if watchers else ()
        if touches is not None:
            concerned = self.concerned
            readers = concerned.readers
            for key in touches(world, event):
                if key in readers:
                    dirty = concerned.dirty
                    for fid in readers[key]:
                        dirty[fid] = seq
        if note is not None:
            note(self, event)
        apply(target, event)
        if self.keep:
            self.records.append(Record(seq, self.now, self.cause, event))
        self.seq = seq + 1
        if self.first:
            self.cause, self.first = seq, False
        for name in names:
            self.emit(Marked(name, world.marks.get(name, 0) + 1))


def _note_frame(turn: TimedTurn, event: FrameMoved | FrameStarted | FrameEnded) -> None:
    turn.concerned.dirty[event.fid] = turn.seq


def _note_exit(turn: TimedTurn, event: e.Exited) -> None:
    for fid in turn.world.frames_of.get(event.pid, ()):
        turn.concerned.dirty[fid] = turn.seq


def _note_signal(turn: TimedTurn, event: e.Signalled) -> None:
    turn.concerned.signalled[event.pid] = turn.seq


def _note_signal_taken(turn: TimedTurn, event: e.SignalTaken) -> None:
    turn.concerned.signalled[event.pid] = turn.seq
    if event.outcome in ("stopped", "continued"):
        for fid in turn.world.frames_of.get(event.pid, ()):
            turn.concerned.dirty[fid] = turn.seq


def _note_mark(turn: TimedTurn, event: Marked) -> None:
    turn.moments[event.name, event.count] = turn.now
    turn.moments[event.name, 0] = turn.now


def _note_step(turn: TimedTurn, event: StepTaken) -> None:
    turn.last_step = turn.now


NOTES: dict[type, Callable[[TimedTurn, Any], None]] = {
    FrameMoved: _note_frame,
    FrameStarted: _note_frame,
    FrameEnded: _note_frame,
    e.Exited: _note_exit,
    e.Signalled: _note_signal,
    e.SignalTaken: _note_signal_taken,
    Marked: _note_mark,
    StepTaken: _note_step,
}

"""A step within the timed driver: each event is handed on to be kept, and whom it concerns is noted, to be asked again.

What an event touches is said by `sim.world.TOUCHES`; a goroutine that reads it stands in `readers`. So no
step looks at goroutines that it did not concern.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sim.engines.host.mishap import SLOW
from sim.facts import Fid, FrameEnded, FrameMoved, FrameStarted, Marked, StepTaken
from sim.kernel import events as e
from sim.kernel import host as kernel
from sim.kernel.records import Pid
from sim.world import APPLY, TOUCHES, Key, Turn, World


class EventRule:
    """All that is known of a kind of event, so that one look-up finds it; *target* is what *apply* writes to."""

    __slots__ = ("apply", "frame", "note", "target", "touches", "watchers")

    def __init__(self, world: World, kind: type) -> None:
        on_host = kind in kernel.APPLY and kind is not e.Exited
        self.apply: Callable[[Any, Any], None] = kernel.APPLY[kind] if on_host else APPLY[kind]
        self.target: Any = world.host if on_host else world
        self.touches = TOUCHES.get(kind)
        self.frame = kind in (FrameMoved, FrameStarted, FrameEnded)
        self.note = NOTES.get(kind)
        self.watchers = world.watch.get(kind, ())


class TimedTurn(Turn):
    """A turn that hands each fact to *add*, if there is one, with its time and cause; one serves a whole run.

    *moments* says when each mark came last and the n-th time. *noting* gets each fact before it is applied.
    """

    __slots__ = (
        "_rules", "add", "cause", "dirty", "first", "last_step", "moments", "noting", "now", "readers", "seq",
        "signalled", "slow", "stopped",
    )  # fmt: skip

    def __init__(self, world: World, add: Callable[[int, int, Any], None] | None) -> None:
        super().__init__(world)
        self.add = add
        self.readers: dict[Key, dict[Fid, None]] = {}
        self.dirty: dict[Fid, int] = {}
        self.signalled: dict[Pid, int] = {}
        self.stopped: set[Pid] = set()
        self.moments: dict[tuple[str, int], int] = {}
        self.slow: dict[str, int] = {}
        self.now = self.seq = self.last_step = 0
        self.cause, self.first = -1, True
        self.noting: Callable[[Any], None] | None = None
        self._rules = {kind: EventRule(world, kind) for kind in APPLY}

    def copy(self, world: World, add: Callable[[int, int, Any], None] | None) -> TimedTurn:
        """Return a turn that goes on from here, in a copy of the world, and hands what follows to *add*."""
        other = TimedTurn(world, add)
        other.readers = {key: fids.copy() for key, fids in self.readers.items()}
        for name in ("dirty", "signalled", "stopped", "moments", "slow"):
            setattr(other, name, getattr(self, name).copy())
        for name in ("now", "seq", "last_step", "cause", "first"):
            setattr(other, name, getattr(self, name))
        return other

    def begin(self, events: Iterable[Any]) -> None:
        """Hand on the facts that made the first world, all of them applied."""
        for event in events:
            if self.add is not None:
                self.add(0, -1, event)
            self.seq += 1

    def emit(self, event: Any) -> None:
        """Apply *event*, hand it on, and note whom it concerns."""
        rule = self._rules[type(event)]
        seq = self.seq
        if self.noting is not None:
            self.noting(event)
        names = self._moments_of(event, rule) if rule.watchers else None
        if rule.touches is not None:
            readers = self.readers
            for key in rule.touches(self.world, event):
                if key in readers:
                    for fid in readers[key]:
                        self.dirty.setdefault(fid, seq)
        if rule.frame:
            self.dirty[event.fid] = seq
        elif rule.note is not None:
            rule.note(self, event)
        rule.apply(rule.target, event)
        if self.add is not None:
            self.add(self.now, self.cause, event)
        self.seq = seq + 1
        if self.first:
            self.cause, self.first = seq, False
        if names:
            for name in names:
                self.emit(Marked(name, self.world.marks.get(name, 0) + 1) if isinstance(name, str) else Marked(*name))

    def _moments_of(self, event: Any, rule: EventRule) -> list[str | tuple[str, int]]:
        return [name for watcher in rule.watchers for name in watcher(self.world, event)]

    # -- who reads what -----------------------------------------------------------------------------

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


def _note_exit(turn: TimedTurn, event: e.Exited) -> None:
    turn.signalled[event.pid] = turn.seq  # those that wait for it are lost
    turn.stopped.discard(event.pid)
    for fid in turn.world.frames_of.get(event.pid, ()):
        turn.dirty[fid] = turn.seq


def _note_signal(turn: TimedTurn, event: e.Signalled) -> None:
    turn.signalled[event.pid] = turn.seq


def _note_signal_taken(turn: TimedTurn, event: e.SignalTaken) -> None:
    turn.signalled[event.pid] = turn.seq
    if event.outcome in ("stopped", "continued"):
        (turn.stopped.add if event.outcome == "stopped" else turn.stopped.discard)(event.pid)
        for fid in turn.world.frames_of.get(event.pid, ()):
            turn.dirty[fid] = turn.seq


def _note_frozen(turn: TimedTurn, event: e.Frozen | e.Thawed) -> None:
    turn.signalled[event.pid] = turn.seq
    (turn.stopped.add if isinstance(event, e.Frozen) else turn.stopped.discard)(event.pid)
    for fid in turn.world.frames_of.get(event.pid, ()):
        turn.dirty[fid] = turn.seq


def _note_mark(turn: TimedTurn, event: Marked) -> None:
    turn.moments[event.name, event.count] = turn.now
    turn.moments[event.name, 0] = turn.now
    if event.name.startswith(SLOW):
        turn.slow[event.name.removeprefix(SLOW)] = event.count


def _note_step(turn: TimedTurn, event: StepTaken) -> None:
    turn.last_step = turn.now


NOTES: dict[type, Callable[[TimedTurn, Any], None]] = {
    e.Exited: _note_exit,
    e.Signalled: _note_signal,
    e.SignalTaken: _note_signal_taken,
    e.Frozen: _note_frozen,
    e.Thawed: _note_frozen,
    Marked: _note_mark,
    StepTaken: _note_step,
}

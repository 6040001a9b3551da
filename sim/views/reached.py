"""Which ops a run reached: those at which a goroutine stood, and the silent ones that it passed; and what is left.

A record says from where to where a goroutine moved, not through which silent ops. The table's ways between the two
places say that; where several fit, the events of the step decide, and what stays open is not counted. Leaves out
whether an op at which a goroutine stood was taken: a wait may have gone on for ever. Source: `sim.engine.goroutine`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sim.engine import ops
from sim.engine.procedure import Procedure
from sim.facts import Fid, FrameEnded, FrameMoved, FrameStarted, LockQueued, LockReleased, LockTaken
from sim.kernel.records import OUTSIDE
from sim.trace import Record, Trace
from sim.views.statechart import Place, ways

Reached = frozenset[Place]
END = -1  # where a goroutine is that has returned


def reached_in(trace: Trace) -> Reached:
    """Return where the goroutines of a run came to."""
    tables = trace.first_world().design.procedures
    places: dict[Fid, Place] = {}
    found: set[Place] = set()
    for events in _steps(trace.records, tables, places):
        found |= passed(tables, events, places.__getitem__)
        for event in events:
            if isinstance(event, FrameStarted):
                places[event.fid] = (event.procedure, 0)
            elif isinstance(event, FrameMoved):
                places[event.fid] = (places[event.fid][0], event.op)
    return frozenset(found)


def passed(tables: Mapping[str, Procedure], events: Sequence[Any], where: Callable[[Fid], Place]) -> set[Place]:
    """Return where goroutines came to in one step; *where* says where one stood before it.

    A step's own goroutine moves last; one that ends before that was canceled where it stood.
    """
    places: dict[Fid, Place] = {}
    found: set[Place] = set()
    last = max((n for n, event in enumerate(events) if isinstance(event, FrameMoved | FrameEnded)), default=-1)
    for number, event in enumerate(events):
        if isinstance(event, FrameStarted):
            places[event.fid] = (event.procedure, 0)
            found.add((event.procedure, 0))
        elif isinstance(event, FrameMoved) or (isinstance(event, FrameEnded) and number == last):
            name, op = places.get(event.fid) or where(event.fid)
            to = event.op if isinstance(event, FrameMoved) else END
            signs = [sign for one in events[:number] for sign in _signs(one, event.fid)]
            found |= {(name, index) for index in between(tables[name], op, to, signs)}
            places[event.fid] = (name, to)
    return found


def between(table: Procedure, source: int, target: int, signs: Sequence[str] = ()) -> tuple[int, ...]:
    """Return the ops after *source* up to *target* (END: up to a return) that were passed for certain.

    *signs* is what the step's events say of silent ops, in order: `lock`, `unlock`, or a procedure that was started.
    """
    found = [path for first in _first_ones(table, source) for path in _silent(table, first, target)]
    if len(found) > 1:
        told = [path for path in found if _fits(_expected(table, path), signs)]
        longest = max((len(_expected(table, path)) for path in told), default=0)
        found = [path for path in told if len(_expected(table, path)) == longest] or found
    common = set(found[0]).intersection(*found[1:]) if found else set()
    moved = {target} if target != END else set()
    return tuple(sorted(common | moved))


# -- ways through silent ops ------------------------------------------------------------------------


def _first_ones(table: Procedure, source: int) -> list[int]:
    """Return where an op's ways lead, and itself: a move may only change variables."""
    return list(dict.fromkeys([*(edge.target for edge in ways(table, source)), source]))


def _silent(table: Procedure, first: int, target: int) -> Iterator[list[int]]:
    """Yield the silent ops from *first* to *target*, that included, if they lead there."""
    path = [first]
    while path[-1] != target and table.ops[path[-1]].silent and not table.ops[path[-1]].ends:
        path.append(table.next[path[-1]])
    if path[-1] == target or (target == END and isinstance(table.ops[path[-1]], ops.Return)):
        yield path


def _expected(table: Procedure, path: Sequence[int]) -> list[str]:
    """Return the signs that the ops of a path leave but for the last, at which the goroutine stands or is gone."""
    return [sign for sign in (_sign(table.ops[index], table.name) for index in path[:-1]) if sign]


def _sign(op: ops.Op, procedure: str) -> str:
    if isinstance(op, ops.Go):
        return f"{procedure.partition('.')[0]}.{op.procedure}"
    if isinstance(op, ops.Unlock):
        return "unlock"
    return "lock" if isinstance(op, ops.Lock) else ""


def _fits(expected: Sequence[str], signs: Sequence[str]) -> bool:
    return list(signs[len(signs) - len(expected) :]) == list(expected)


def _signs(event: Any, fid: Fid) -> Iterator[str]:
    """Yield what an event says of silent ops that the goroutine may have taken."""
    if isinstance(event, LockTaken | LockQueued) and event.fid == fid:
        yield "lock"
    elif isinstance(event, LockReleased) and event.pid in (fid[0], OUTSIDE):
        yield "unlock"
    elif isinstance(event, FrameStarted) and event.fid[0] == fid[0]:
        yield event.procedure


def _steps(
    records: Iterable[Record], tables: Mapping[str, Procedure], places: Mapping[Fid, Place]
) -> Iterator[list[Any]]:
    """Yield the events of each step. *places* must be kept up to date with what was yielded.

    The first event of a step causes the others, at its time. Another step may follow at once for the same cause, so a
    step also ends with a move; and with an end, unless a wait ended: that one may have been canceled within the step.
    """
    first: Record | None = None
    events: list[Any] = []
    fresh: set[Fid] = set()
    for record in records:
        event = record.event
        if first is None or (record.cause, record.at) != (first.seq, first.at):
            if events:
                yield events
            first, events, fresh = record, [], set()
        events.append(event)
        if isinstance(event, FrameStarted):
            fresh.add(event.fid)
        elif isinstance(event, FrameMoved | FrameEnded) and event.fid not in fresh:
            name, op = places[event.fid]
            if isinstance(event, FrameMoved) or not isinstance(tables[name].ops[op], ops.Wait | ops.Sleep):
                yield events
                events = []
    if events:
        yield events

"""When two runs differ: of each lane, strip and stack the times in which it looks otherwise in the other run.

Times count from each run's own fault; a lane that only one run has differs wherever it has a bar. Leaves out how much
of a difference can be seen. Source: none; the project's picture "timeline".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeVar

from msgspec.structs import replace

from sim.views.timeline_parts import Bar, LaneData, Stack, Strip, TimelineData, Window

Look = tuple[int, int, object]  # from, to, how it looks
Shown = TypeVar("Shown", LaneData, Strip, Stack)


def compared(one: TimelineData, other: TimelineData) -> tuple[TimelineData, TimelineData]:
    """Return both runs with what differs marked."""
    return _marked(one, other), _marked(other, one)


def _marked(run: TimelineData, other: TimelineData) -> TimelineData:
    first, last = max(run.begin, other.begin), min(run.end, other.end)

    def of(mine: Sequence[Shown], theirs: Sequence[Shown]) -> tuple[Shown, ...]:
        known = {_key(it): it for it in theirs}
        found = []
        for it in mine:
            twin = known.get(_key(it))
            found.append(replace(it, differs=differing(_looks(it), _looks(twin) if twin else (), first, last)))
        return tuple(found)

    return replace(
        run,
        daemons=of(run.daemons, other.daemons),
        lanes=of(run.lanes, other.lanes),
        strips=of(run.strips, other.strips),
        stacks=of(run.stacks, other.stacks),
    )


def _key(row: LaneData | Strip | Stack) -> str:
    return row.client if isinstance(row, Strip) else row.name if isinstance(row, Stack) else row.key or row.name


def _looks(row: LaneData | Strip | Stack) -> list[Look]:
    if isinstance(row, LaneData):
        return [_look(bar) for bar in (*row.bars, *row.spells)]
    if isinstance(row, Strip):
        return [(start, end, count) for start, end, count in row.steps if count]
    return [(start, end, (look, count)) for look, steps in row.layers for start, end, count in steps if count]


def _look(bar: Bar) -> Look:
    return bar.start, bar.end, bar.look


def differing(one: Iterable[Look], other: Iterable[Look], first: int, last: int) -> tuple[Window, ...]:
    """Return the times within [*first*, *last*] in which two lanes look otherwise, those that touch joined.

    >>> differing([(0, 9, "a")], [(0, 5, "a"), (5, 7, "b")], 0, 8)
    ((5, 8),)
    """
    changes: dict[int, dict[object, int]] = {first: {}, last: {}}
    for sign, looks in ((1, one), (-1, other)):
        for start, end, look in looks:
            low, high = max(start, first), min(end, last)
            if low < high:
                for at, step in ((low, sign), (high, -sign)):
                    here = changes.setdefault(at, {})
                    here[look] = here.get(look, 0) + step
    surplus: dict[object, int] = {}
    found: list[Window] = []
    for at, until in pairwise(sorted(changes)):
        for look, step in changes[at].items():
            surplus[look] = surplus.get(look, 0) + step
        if any(surplus.values()):
            start = found.pop()[0] if found and found[-1][1] == at else at
            found.append((start, until))
    return tuple(found)

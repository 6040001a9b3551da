"""What a timeline is made of, as plain data: bars, notes, lanes, strips, stacks, arrows, marks.

Times are µs from the fault. Leaves out where things are drawn and in which colour. Source: the project's picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import msgspec

from sim.engine.setup import Microseconds
from sim.views.names import Names

Window = tuple[Microseconds, Microseconds]
Steps = tuple[tuple[Microseconds, Microseconds, int], ...]  # (from, to, count), without a hole


class Bar(msgspec.Struct, frozen=True):
    """A stretch of a lane that looks one way.

    Of a container how it is held (`sim.views.intervals`), `stopping`, `unready`, `starting`; of a daemon `up`,
    `booting`, `leaving`, `frozen`; of a process `daemon`, `own`, `adopted`, `errand`, `halted`, `zombie`;
    beside the state of a container `paused`, `backoff`, `unhealthy`, `blocked`.
    """

    start: Microseconds
    end: Microseconds
    look: str


class Note(msgspec.Struct, frozen=True):
    """Words on a lane for [start, end], longest first; *right* sets them at the end of it."""

    start: Microseconds
    end: Microseconds
    texts: tuple[str, ...]
    right: bool = False


class LaneData(msgspec.Struct, frozen=True):
    """One lane; *ticks* are moments marked on it, *outcome* stands at its end, *spells* lie over its bars.

    *key* names it in another run, where numbers of processes differ; *differs* is when that run's looks otherwise.
    *apart* begins a group of lanes. *busy* lanes change so often that the axis does not make room for each change.
    """

    name: str
    bars: tuple[Bar, ...]
    notes: tuple[Note, ...] = ()
    ticks: tuple[Microseconds, ...] = ()
    outcome: str = ""
    spells: tuple[Bar, ...] = ()
    key: str = ""
    differs: tuple[Window, ...] = ()
    apart: bool = False
    busy: bool = False


class Strip(msgspec.Struct, frozen=True):
    """How many of *total* ports are open to a class of clients: *steps* are (from, to, count)."""

    client: str
    total: int
    steps: Steps
    dark: Microseconds
    not_back: int = 0
    notes: tuple[Note, ...] = ()
    differs: tuple[Window, ...] = ()


class Stack(msgspec.Struct, frozen=True):
    """How many there are of something, by look: *layers* lie on each other, *most* is the largest sum."""

    name: str
    most: int
    layers: tuple[tuple[str, Steps], ...]
    differs: tuple[Window, ...] = ()


class Arrow(msgspec.Struct, frozen=True):
    """From one lane to another, by their places: `fork`, `signal`, `reparent` or `reap`. *words* is the signal."""

    at: Microseconds
    source: int
    target: int
    kind: str
    words: str = ""


class Counts(msgspec.Struct, frozen=True):
    """How many containers had a process before the fault, and how many of these kept it, got another or have none."""

    before: int
    kept: int
    replaced: int
    gone: int


class MarkData(msgspec.Struct, frozen=True):
    """A step of the scenario."""

    at: Microseconds
    id: str
    text: str


class TimelineData(msgspec.Struct, frozen=True):
    """What one run's timeline shows. *fault* names the step as a noun (`a killed dockerd`), *since* as an instant.

    *by* is what the lanes are: `container`, `process` (*arrows* go from lane to lane), or `role` (*stacks* take their
    place). *settings* are the engine's, by their names in the scenario; two runs are told apart by where theirs differ.
    *names* is what the programs are called. A fault that is *typed* is the command itself (`docker stop web`).
    """

    title: str
    engine: str
    profile: str
    seed: int
    containers: int
    fault: str
    since: str
    origin: Microseconds
    begin: Microseconds
    end: Microseconds
    counts: Counts
    daemons: tuple[LaneData, ...]
    lanes: tuple[LaneData, ...]
    strips: tuple[Strip, ...]
    marks: tuple[MarkData, ...]
    settings: tuple[tuple[str, str], ...] = ()
    about: str = ""
    by: str = "container"
    stacks: tuple[Stack, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    names: Names = Names()
    typed: bool = False

    def rows(self) -> tuple[LaneData | Strip | Stack, ...]:
        """Return all rows, from the top."""
        return (*self.daemons, *self.lanes, *self.stacks, *self.strips)

    def instants(self) -> tuple[Microseconds, ...]:
        """Return every moment at which the picture changes, but for lanes that are busy."""
        found = {mark.at for mark in self.marks} | {arrow.at for arrow in self.arrows}
        for lane in (*self.daemons, *self.lanes):
            found.update(lane.ticks)
            if not lane.busy:
                found.update(edge for bar in (*lane.bars, *lane.spells) for edge in (bar.start, bar.end))
        for steps in self._steps():
            found.update(edge for step in steps for edge in step[:2])
        return tuple(sorted(moment for moment in found if self.begin < moment < self.end))

    def _steps(self) -> Iterator[Steps]:
        yield from (strip.steps for strip in self.strips)
        yield from (steps for stack in self.stacks for _, steps in stack.layers)


def open_counts(opened: Iterable[Window], begin: Microseconds, end: Microseconds) -> Steps:
    """Return how many windows are open, as (from, to, count) without a hole.

    >>> open_counts([(0, 4), (2, 6)], 0, 8)
    ((0, 2, 1), (2, 4, 2), (4, 6, 1), (6, 8, 0))
    """
    change: dict[Microseconds, int] = {begin: 0, end: 0}
    for start, stop in opened:
        change[start] = change.get(start, 0) + 1
        change[stop] = change.get(stop, 0) - 1
    count, steps, moments = 0, [], sorted(change)
    for start, stop in pairwise(moments):
        count += change[start]
        steps.append((start, stop, count))
    return tuple(steps)

"""What a run's spans are made of: groups, tracks, and what stands on them.

Leaves out how they come from a trace (`sim.views.spanning`, `sim.views.spans`). Source: as `sim.views.spans`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sim.engine.setup import Microseconds
from sim.trace import Trace

PEOPLE, HOST = "people", "host"  # the groups that are no process
LIFE, PROCEDURE, OP, DEED = range(4)  # how deep a span lies where others begin and end with it
Args = dict[str, Any]


class Group(msgspec.Struct, frozen=True):
    """Tracks that belong together. A process that is the first with its pid has it for *id*; all ids are different."""

    id: int
    name: str


class SpanTrack(msgspec.Struct, frozen=True):
    """A row of spans, none of which overlaps another but one that lies in it; the main one has its group's id."""

    id: int
    group: int
    name: str


class Span(msgspec.Struct, frozen=True):
    """Something from *start* to *end*; *depth* says which of two that have both in common lies in the other."""

    track: int
    start: Microseconds
    end: Microseconds
    depth: int
    kind: str
    name: str
    args: Args


class Point(msgspec.Struct, frozen=True):
    """Something at a moment; *everywhere*: of all tracks."""

    track: int
    at: Microseconds
    kind: str
    name: str
    args: Args
    everywhere: bool = False


class SpanArrow(msgspec.Struct, frozen=True):
    """What leads from one span to the next; each end is a track and a moment at which a span begins or is."""

    kind: str
    name: str
    ends: tuple[tuple[int, Microseconds], ...]


class Level(msgspec.Struct, frozen=True):
    """From a moment on a quantity has these values."""

    name: str
    at: Microseconds
    values: tuple[tuple[str, int], ...]


class Spans(msgspec.Struct, frozen=True):
    """All of a run up to a moment, groups and tracks in the order in which they are shown."""

    trace: Trace
    groups: tuple[Group, ...]
    tracks: tuple[SpanTrack, ...]
    spans: tuple[Span, ...]
    points: tuple[Point, ...]
    arrows: tuple[SpanArrow, ...]
    levels: tuple[Level, ...]

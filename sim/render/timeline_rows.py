"""Draw the rows of a timeline into one piece of its axis: lanes, strips of open ports, stacks of roles, words on them.

A row's place is in inches from the panel's top. Bars of one look are one collection, so that a picture of many
containers costs little more than one of few. Leaves out names and outcomes, which stand beside the axis. Source: the
project's picture "timeline".
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from sim.render.picture import literal
from sim.render.timeline_looks import CLIENT_WORDS, CLIENTS, DIFFERS, INK, LOOKS, WHITE, style_of
from sim.views.timeline_parts import Bar, LaneData, Note, Stack, Strip, Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Row = LaneData | Strip | Stack
Corners = list[tuple[float, float]]
RAIL, NARROWEST = 0.032, 1.6  # inches: a thin line; dots: a difference that can be seen


class Sizes(msgspec.Struct, frozen=True):
    """How large rows are (inches) and letters (points)."""

    pitch: float = 0.236
    bar: float = 0.145
    name: float = 10.5
    outcome: float = 9.0
    note: float = 8.4


ROOMY, DENSE = Sizes(), Sizes(0.172, 0.118, 8.6, 7.8, 7.0)
MANY = 32  # lanes from which on they stand closer
STACK = 0.56  # inches that a stack is high
GAP = 0.16  # between stacks


def sizes_of(lanes: int) -> Sizes:
    """Return the sizes for so many lanes."""
    return DENSE if lanes > MANY else ROOMY


class Placed(msgspec.Struct, frozen=True):
    """A row and where its middle is, in inches from the panel's top; *tall* is how high it is with its margin."""

    y: float
    tall: float
    row: Row


def draw_rows(axes: Axes, rows: Sequence[Placed], sizes: Sizes) -> None:
    """Draw what a piece of the axis shows of the rows."""
    _draw_differences(axes, rows)
    boxes: dict[str, list[Corners]] = {}
    areas: dict[str, list[Corners]] = {}
    for placed in rows:
        row = placed.row
        if isinstance(row, LaneData):
            _lane_boxes(axes, row, placed.y, sizes, boxes)
        elif isinstance(row, Stack):
            _stack_areas(axes, row, placed.y, areas)
    for look, corners in boxes.items():
        _collect(axes, corners, zorder=2.2 if LOOKS[look].rail else 2, **style_of(LOOKS[look]))
    for look, corners in areas.items():
        _collect(axes, corners, zorder=2, **style_of(LOOKS[look], edged=False))
    for placed in rows:
        row = placed.row
        if isinstance(row, Strip):
            _draw_strip(axes, row, placed.y, sizes)
        elif isinstance(row, LaneData):
            _draw_words(axes, row, placed.y, sizes)
        else:
            foot = placed.y + STACK / 2
            axes.plot(axes.get_xlim(), [foot, foot], color="#BBBBBB", linewidth=0.7, zorder=1, solid_capstyle="butt")


def _collect(axes: Axes, corners: list[Corners], **style: Any) -> None:
    from matplotlib.collections import PolyCollection

    axes.add_collection(PolyCollection(corners, **style), autolim=False)


def _box(axes: Axes, start: float, end: float, top: float, foot: float) -> Corners | None:
    """Return the corners of what the axis shows of a box; None if that is nothing."""
    low, high = axes.get_xlim()
    left, right = max(start, low), min(end, high)
    return [(left, top), (right, top), (right, foot), (left, foot)] if left < right else None


def _draw_differences(axes: Axes, rows: Sequence[Placed]) -> None:
    """Shade where a row looks otherwise in the other run, if it can be seen."""
    low, high = axes.get_xlim()
    least = NARROWEST * (high - low) / axes.get_window_extent().width
    found = []
    for placed in rows:
        for start, end in _joined(placed.row.differs, 2 * least):
            box = _box(axes, start, end, placed.y - placed.tall / 2, placed.y + placed.tall / 2)
            if box is not None and box[1][0] - box[0][0] >= least:
                found.append(box)
    _collect(axes, found, facecolor=DIFFERS, linewidth=0, zorder=0.5)


def _joined(windows: Iterable[Window], close: float) -> list[Window]:
    """Join windows that are too close to be told apart.

    >>> _joined([(0, 4), (5, 9), (20, 30)], 2)
    [(0, 9), (20, 30)]
    """
    found: list[Window] = []
    for start, end in windows:
        if found and start - found[-1][1] <= close:
            start = found.pop()[0]
        found.append((start, end))
    return found


# -- lanes ------------------------------------------------------------------------------------------


def _lane_boxes(axes: Axes, lane: LaneData, y: float, sizes: Sizes, boxes: dict[str, list[Corners]]) -> None:
    half = sizes.bar / 2
    for bar in _over(lane):
        top, foot = y - half, y + half
        rail = LOOKS[bar.look].rail
        if rail:
            top, foot = (foot, foot + RAIL) if rail > 0 else (top - RAIL, top)
        box = _box(axes, bar.start, bar.end, top, foot)
        if box is not None:
            boxes.setdefault(bar.look, []).append(box)


def _over(lane: LaneData) -> Iterable[Bar]:
    """Return the bars of a lane; a spell that takes the whole height takes the place of what it covers."""
    whole = [spell for spell in lane.spells if not LOOKS[spell.look].rail]
    for bar in lane.bars:
        start = bar.start
        for spell in whole:
            if spell.start < bar.end and spell.end > start:
                if spell.start > start:
                    yield Bar(start, spell.start, bar.look)
                start = max(start, spell.end)
        if start < bar.end:
            yield Bar(start, bar.end, bar.look)
    yield from lane.spells


def _draw_words(axes: Axes, lane: LaneData, y: float, sizes: Sizes) -> None:
    low, high = axes.get_xlim()
    ticks = [tick for tick in lane.ticks if low <= tick < high]
    if ticks:
        axes.vlines(ticks, y - sizes.bar / 2, y + sizes.bar / 2, color=WHITE, linewidth=1.4, zorder=3)
    for note in lane.notes:
        over = (*lane.spells, *lane.bars)
        look = next((bar.look for bar in over if bar.start <= note.start < bar.end and not LOOKS[bar.look].rail), "")
        draw_note(axes, note, y, look, sizes)


def draw_note(axes: Axes, note: Note, y: float, look: str, sizes: Sizes, colour: str = "") -> None:
    """Write the longest of the note's texts that fits into the part of it that this axis shows; else nothing."""
    low, high = axes.get_xlim()
    start, end = max(note.start, low), min(note.end, high)
    if start >= end or (note.right and note.end > high) or (not note.right and note.start < low):
        return
    drawn = LOOKS.get(look)
    style: dict[str, Any] = {"color": colour or (drawn.ink if drawn else INK)}
    if drawn and drawn.hatch:  # words stand on plain ground
        style["bbox"] = {"boxstyle": "square,pad=0.12", "facecolor": drawn.fill, "edgecolor": "none"}
    room = (end - start) / (high - low) * axes.get_window_extent().width
    for words in note.texts:
        side, shift = ("right", -4) if note.right else ("left", 4)
        text = axes.annotate(
            literal(words), (end if note.right else start, y), (shift, -0.5), textcoords="offset points",
            ha=side, va="center", fontsize=sizes.note, zorder=6, **style,
        )  # fmt: skip
        if text.get_window_extent().width + 7 <= room:
            return
        text.remove()


# -- strips and stacks ------------------------------------------------------------------------------


def _draw_strip(axes: Axes, strip: Strip, y: float, sizes: Sizes) -> None:
    foot = y + sizes.bar / 2 + 0.01
    axes.plot(axes.get_xlim(), [foot, foot], color="#BBBBBB", linewidth=0.7, zorder=1, solid_capstyle="butt")
    corners = []
    for start, end, count in strip.steps:
        box = _box(axes, start, end, foot - (sizes.bar + 0.03) * count / max(strip.total, 1), foot) if count else None
        if box is not None:
            corners.append(box)
    _collect(axes, corners, facecolor=CLIENTS[strip.client], linewidth=0, zorder=2)
    for note in strip.notes:
        opened = next((count for start, end, count in strip.steps if start <= note.start < end), 0)
        colour = WHITE if opened > strip.total / 2 else CLIENT_WORDS[strip.client]
        draw_note(axes, note, y, "", sizes, colour)


def _stack_areas(axes: Axes, stack: Stack, y: float, areas: dict[str, list[Corners]]) -> None:
    """Lay the layers of a stack on each other, the first one below; a layer is one area for as long as there is any."""
    low, high = axes.get_xlim()
    edges = sorted({edge for _, steps in stack.layers for step in steps for edge in step[:2]})
    spans = [(max(start, low), min(end, high)) for start, end in pairwise(edges)]
    heights = [0] * len(spans)
    for look, steps in stack.layers:
        begins = [start for start, *_ in steps]
        tops: Corners = []
        feet: Corners = []
        for place, (start, end) in enumerate(spans):
            count = steps[bisect_right(begins, edges[place]) - 1][2]
            if tops and (not count or start >= end):
                areas.setdefault(look, []).append(tops + feet[::-1])
                tops, feet = [], []
            if count and start < end:
                foot = y + STACK / 2 - STACK * heights[place] / stack.most
                top = foot - STACK * count / stack.most
                tops += [(start, top), (end, top)]
                feet += [(start, foot), (end, foot)]
            heights[place] += count
        if tops:
            areas.setdefault(look, []).append(tops + feet[::-1])

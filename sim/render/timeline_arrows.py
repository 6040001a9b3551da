"""Draw what goes from one process to another: forks, signals, new parents, waits, as arrows between lanes.

Time runs to the right, so an arrow stands upright; kinds that come at the same moment stand beside each other. Arrows
that would lie on each other are drawn once. Leaves out what lies within a lane. Source: none; the shape of message
sequence charts (ITU-T Z.120), turned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sim.render.timeline_looks import ARROWS, WHITE, ArrowLook
from sim.views.timeline_parts import Arrow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CLOSE = 1.5  # dots within which two arrows of one kind between the same lanes are one


def draw_arrows(
    figure: Figure, axes: Axes, arrows: Sequence[Arrow], places: Sequence[float], bar: float, size: float
) -> None:
    """Draw the arrows that a piece of the axis shows; *places* are the middles of the lanes, *bar* their height."""
    from matplotlib.transforms import offset_copy

    low, high = axes.get_xlim()
    dot = (high - low) / axes.get_window_extent().width
    words: dict[int, float] = {}
    for kind, look in ARROWS.items():
        shown = _apart([it for it in arrows if it.kind == kind and low <= it.at < high], CLOSE * dot, len(places))
        if not shown:
            continue
        beside = offset_copy(axes.transData, figure, x=look.aside, units="points")
        ends = [(it, places[it.source], _edge(places, it, bar)) for it in shown]
        x = [it.at for it in shown]
        lines = stems(ends)
        axes.vlines(
            [at for at, *_ in lines], [low for _, low, _ in lines], [high for *_, high in lines], color=look.colour,
            linestyle=look.style, linewidth=look.width, transform=beside, zorder=4, clip_on=False,
        )  # fmt: skip
        axes.plot(x, [y for _, y, _ in ends], ".", color=look.colour, markersize=3, transform=beside, zorder=4.1,
                  clip_on=False)  # fmt: skip
        _draw_heads(axes, look, ends, beside)
        for it, _, y in ends:
            _draw_word(axes, it, y, look, size, words, dot)


def _apart(arrows: Sequence[Arrow], close: float, lanes: int) -> list[Arrow]:
    """Leave out arrows to lanes that are not drawn, and those that would lie on an earlier one."""
    last: dict[tuple[int, int, str], int] = {}
    found = []
    for it in arrows:
        key = (it.source, it.target, it.words)
        if max(it.source, it.target) < lanes and it.at - last.get(key, it.at - 2 * close - 1) > close:
            found.append(it)
            last[key] = it.at
    return found


def _edge(places: Sequence[float], arrow: Arrow, bar: float) -> float:
    """Return where an arrow ends: at the edge of its lane's bar that it comes to first."""
    source, target = places[arrow.source], places[arrow.target]
    return target - bar / 2 if source < target else target + bar / 2


def stems(ends: Sequence[tuple[Arrow, float, float]]) -> list[tuple[int, float, float]]:
    """Return lines as (at, from, to), those of one moment that overlap joined: dashes on dashes look solid."""
    found: list[tuple[int, float, float]] = []
    for at, low, high in sorted((it.at, min(ends), max(ends)) for it, *ends in ends):
        if found and found[-1][0] == at and low <= found[-1][2]:
            _, begin, end = found.pop()
            low, high = begin, max(end, high)
        found.append((at, low, high))
    return found


def _draw_heads(axes: Axes, look: ArrowLook, ends: Sequence[tuple[Arrow, float, float]], beside: Any) -> None:
    for down in (True, False):
        found = [(it.at, y) for it, start, y in ends if (y > start) == down]
        if found:
            marker = ("v" if down else "^") if look.head == ">" else look.head
            axes.plot(
                [x for x, _ in found], [y for _, y in found], marker, color=look.colour, markersize=look.size,
                markerfacecolor=WHITE if look.head == "o" else look.colour, markeredgewidth=0.9, transform=beside,
                zorder=4.2, clip_on=False,
            )  # fmt: skip


def _draw_word(
    axes: Axes, arrow: Arrow, y: float, look: ArrowLook, size: float, taken: dict[int, float], dot: float
) -> None:
    """Write which signal it is beside its head, unless that would run into the one before."""
    if not arrow.words or arrow.at < taken.get(arrow.target, arrow.at):
        return
    text = axes.annotate(
        arrow.words, (arrow.at, y), (look.aside - 4, 0), textcoords="offset points", ha="right", va="center",
        fontsize=size, fontweight="bold", color=look.colour, zorder=6,
        bbox={"boxstyle": "square,pad=0.05", "facecolor": WHITE, "edgecolor": "none"},
    )  # fmt: skip
    taken[arrow.target] = arrow.at + (text.get_window_extent().width + 8) * dot

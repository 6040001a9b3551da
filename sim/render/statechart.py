"""Draw the statecharts of a program: each procedure from its table, reached ops filled, the others pale and dashed.

A box whose corners are round is an op at which a goroutine may have to wait; colour says what it does. The bytes
depend on the data and on matplotlib's version alone. Leaves out interaction. Source: Harel, Statecharts (1987) for the
dot where a chart begins; colours: Okabe and Ito, Color Universal Design (2008).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from sim.errors import InputError, Problem
from sim.render.picture import DPI, write
from sim.render.statechart_layout import LEFT, SIZE, START, ChartLayout, EdgeLabel, Point, Rectangle, Wire, plan
from sim.views.statechart import Chart, OpNode

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")
MARGIN, HEAD, FOOT, TITLE, APART = 0.35, 0.95, 0.78, 0.3, 0.4  # inches
CORNER, ARROW = 0.05, 0.055
DASHES = (0, (3, 2))
LEAST, ENTRY = 9.2, 1.2  # how wide a picture is at least, and an entry of its legend
SHAPE = 1.5  # width to height that the picture aims at
MONO, SANS = "DejaVu Sans Mono", "DejaVu Sans"
INK, GREY, FAINT, TROUBLE, WIRE, WIRE_FAINT = "#222222", "#777777", "#9A9A9A", "#B34700", "#555555", "#C4C4C4"

LOOKS: dict[str, tuple[str, str, str]] = {  # look -> what it means, fill, ink
    "act": ("acts", "#56B4E9", INK),
    "wait": ("waits for a condition", "#F0E442", INK),
    "time": ("lets time pass", "#E69F00", INK),
    "message": ("messages, bytes", "#009E73", "white"),
    "child": ("child processes", "#CC79A7", INK),
    "goroutine": ("goroutines", "#0072B2", "white"),
    "lock": ("locks", "#C8C8C8", INK),
    "ending": ("ends", "#444444", "white"),
}
LOOK_OF = {
    "do": "act", "wait": "wait", "sleep": "time", "tick": "time", "ask": "message", "answer": "message",
    "serve": "message", "switch": "message", "push": "message", "read": "message", "write": "message", "fork": "child",
    "reap": "child", "go": "goroutine", "join": "goroutine", "lock": "lock", "unlock": "lock", "exit": "ending",
    "return": "ending",
}  # fmt: skip
WAYS = {
    "late": "late: its time is over", "refused": "refused: nobody to ask", "lost": "lost: the peer died",
    "failed": "failed: the peer said no", "good": "good: the child left with 0",
    "bad": "bad: the child left with another status",
}  # fmt: skip
WAITING = ("wait", "sleep", "tick", "answer", "serve", "switch", "push", "read", "write", "reap", "join", "lock")


class ChartSummary(msgspec.Struct, frozen=True):
    """What the picture shows: how many procedures, ops, and reached ops (None where nobody looked)."""

    procedures: int
    ops: int
    reached: int | None

    def __str__(self) -> str:
        """Say it in one line."""
        text = f"{self.procedures} procedure{'s' * (self.procedures != 1)}, {self.ops} ops"
        return text if self.reached is None else f"{text}, {self.reached} reached"


def drawn(charts: Sequence[Chart]) -> ChartSummary:
    """Count what charts show."""
    looked = [len(chart.reached) for chart in charts if chart.reached is not None]
    return ChartSummary(len(charts), sum(len(chart.nodes) for chart in charts), sum(looked) if looked else None)


def statechart(charts: Sequence[Chart], format: str = "png", *, about: str = "") -> bytes:
    """Return the picture of a program's procedures; *about* says beside the counts what was looked at."""
    if format not in FORMATS:
        hint = f"Use {', '.join(FORMATS)}."
        raise InputError([Problem("statechart", f"'{format}' is not a picture format", hint)])
    out = io.BytesIO()
    write(out, lambda: (draw(charts, about=about), None), format, DPI)
    return out.getvalue()


def draw(charts: Sequence[Chart], *, about: str = "") -> Figure:
    """Return the figure: procedures in columns, in their order as far as they fit."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    plans = [plan(chart) for chart in charts]
    places, width, height = pack([(_width(it), TITLE + it.height) for it in plans])
    entries = _entries(charts)
    width, height = max(width + 2 * MARGIN, LEAST, ENTRY * len(entries) + 2 * MARGIN), HEAD + height + FOOT
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    _text(axes, MARGIN, 0.42, charts[0].program, size=17, weight="bold", family=SANS)
    words = " · ".join(part for part in (str(drawn(charts)), about) if part)
    _text(axes, MARGIN, 0.66, words, size=_fitting(10, words, width), color="#555555", family=SANS)
    for it, (x, y) in zip(plans, places, strict=True):
        _panel(axes, it, x + MARGIN, y + HEAD)
    _legend(axes, charts, entries, width, height)
    return figure


def _fitting(size: float, words: str, width: float) -> float:
    """Return the size of a line of words: smaller where it would not fit into the picture."""
    return min(size, (width - 2 * MARGIN) * 110 / max(len(words), 1))


def _width(it: ChartLayout) -> float:
    """Return how wide a chart is, its heading included."""
    return max(it.width, 0.115 * len(it.chart.name) + 0.068 * len(_beside(it.chart)) + 0.2)


def pack(sizes: Sequence[tuple[float, float]]) -> tuple[list[Point], float, float]:
    """Return places in columns, each the first that has room, and the width and height that this takes.

    Of the heights that are tried (the highest chart's, and so many thereof) the one is taken whose picture fits best
    into a frame of the aimed-at shape.
    """
    highest = max(height for _, height in sizes)
    tried = [_columns(sizes, highest * (1 + n / 4)) for n in range(25)]
    return min(tried, key=lambda found: max(found[1] / SHAPE, found[2]))


def _columns(sizes: Sequence[tuple[float, float]], limit: float) -> tuple[list[Point], float, float]:
    columns: list[list[int]] = []
    depth: list[float] = []
    tops = []
    for number, (_, height) in enumerate(sizes):
        column = next((n for n, low in enumerate(depth) if low + height <= limit + 1e-9), len(columns))
        if column == len(columns):
            columns.append([])
            depth.append(0.0)
        columns[column].append(number)
        tops.append(depth[column])
        depth[column] += height + APART
    left = 0.0
    lefts: dict[int, float] = {}
    for members in columns:
        lefts |= dict.fromkeys(members, left)
        left += max(sizes[number][0] for number in members) + APART
    return [(lefts[n], top) for n, top in enumerate(tops)], left - APART, max(depth) - APART


# -- one procedure ----------------------------------------------------------------------------------


def _beside(chart: Chart) -> str:
    """Return what stands beside a procedure's name."""
    parts = [f"on {', '.join(chart.signals)}"] if chart.signals else []
    if chart.reached is not None:
        parts.append(f"{len(chart.reached)} of {len(chart.nodes)} reached")
    return " · ".join(parts)


def _panel(axes: Axes, it: ChartLayout, x: float, y: float) -> None:
    """Draw a chart with its upper left corner at (x, y)."""
    chart = it.chart
    name = _text(axes, x, y + 0.1, chart.name, size=10.5, weight="bold", family=SANS)
    axes.annotate(
        _beside(chart), (1, 0), (8, 2.6), xycoords=name, textcoords="offset points", size=8, color=GREY, family=SANS,
        annotation_clip=False,
    )  # fmt: skip
    y += TITLE
    for wire in sorted(it.wires, key=lambda wire: _lit(chart, wire)):
        _wire(axes, wire.points, x, y, WIRE if _lit(chart, wire) else WIRE_FAINT, 2 + _lit(chart, wire))
    first = it.boxes[0]
    middle = first.x + first.width / 2
    lit = chart.is_reached(first.index)
    _wire(axes, ((middle, START / 2), (middle, first.y)), x, y, WIRE if lit else WIRE_FAINT, 2)
    axes.plot([x + middle], [y + START / 2], "o", color=INK if lit else FAINT, markersize=4.5, zorder=4)
    for node, box in zip(chart.nodes, it.boxes, strict=True):
        _box(axes, node, box, x, y, chart.is_reached(node.index))
    for words in it.words:
        _words(axes, words, x, y, _lit(chart, words))


def _lit(chart: Chart, line: Wire | EdgeLabel) -> bool:
    """Say whether a line may have been gone: both its ends were reached."""
    return chart.is_reached(line.source) and chart.is_reached(line.target)


def _box(axes: Axes, node: OpNode, box: Rectangle, x: float, y: float, reached: bool) -> None:
    from matplotlib.patches import FancyBboxPatch

    _, fill, ink = LOOKS[LOOK_OF[node.kind]]
    border: dict[str, Any] = {"edgecolor": INK, "linewidth": 0.7}
    if not reached:
        border = {"edgecolor": GREY, "linewidth": 0.8, "linestyle": DASHES}
    corner = 0.085 if node.kind in WAITING else 0.015
    axes.add_patch(FancyBboxPatch(
        (x + box.x, y + box.y), box.width, box.height, boxstyle=f"round,pad=0,rounding_size={corner}", zorder=4,
        facecolor=fill if reached else pale(fill), **border,
    ))  # fmt: skip
    _text(
        axes, x + box.x + box.width / 2, y + box.y + box.height / 2, node.name, size=SIZE, family=MONO, ha="center",
        va="center", color=ink if reached else GREY, zorder=5,
    )  # fmt: skip


def pale(colour: str) -> str:
    """Return a tint of a colour.

    >>> pale("#0072B2"), pale("#444444")
    ('#E6F1F8', '#EDEDED')
    """
    parts = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    return "#" + "".join(f"{255 - (255 - part) // 10:02X}" for part in parts)


def _words(axes: Axes, words: EdgeLabel, x: float, y: float, lit: bool) -> None:
    """Write beside a line, on white that lets the line pass behind."""
    colour = (TROUBLE if words.trouble else INK) if lit else FAINT
    _text(
        axes, x + words.x, y + words.y, words.text, size=SIZE, family=MONO, va="center", color=colour, zorder=3.5,
        ha="right" if words.side == LEFT else "left", linespacing=1.0,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
    )  # fmt: skip


def _wire(axes: Axes, points: Sequence[Point], x: float, y: float, colour: str, zorder: float) -> None:
    """Draw a line with round corners and an arrow's head at its end."""
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path

    moved = [(x + a, y + b) for a, b in points]
    end = moved[-1]
    vertices, codes = rounded([*moved[:-1], (end[0], end[1] - ARROW)])
    axes.add_patch(PathPatch(Path(vertices, codes), fill=False, edgecolor=colour, linewidth=0.8, zorder=zorder))
    head = [end, (end[0] - 0.028, end[1] - ARROW), (end[0] + 0.028, end[1] - ARROW)]
    axes.add_patch(Polygon(head, facecolor=colour, edgecolor="none", zorder=zorder))


def rounded(points: Sequence[Point]) -> tuple[list[Point], list[int]]:
    """Return the path through points whose corners are cut to curves: vertices, and matplotlib's codes."""
    vertices, codes = [points[0]], [1]
    for (before, corner), (_, after) in pairwise(pairwise(points)):
        vertices += [_towards(corner, before), corner, _towards(corner, after)]
        codes += [2, 3, 3]
    return [*vertices, points[-1]], [*codes, 2]


def _towards(one: Point, other: Point) -> Point:
    """Return the point a corner's size away from one on the way to another, at most half of it."""
    length = abs(other[0] - one[0]) + abs(other[1] - one[1])
    share = min(CORNER, length / 2) / length if length else 0.0
    return one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share


def _text(axes: Axes, x: float, y: float, words: str, **style: Any) -> Any:
    return axes.text(x, y, words, parse_math=False, **{"color": INK, **style})


def _entries(charts: Sequence[Chart]) -> list[tuple[str, dict[str, Any]]]:
    """Return what the legend explains: the colours that appear, and the border of what was not reached."""
    looks = {LOOK_OF[node.kind] for chart in charts for node in chart.nodes}
    found: list[tuple[str, dict[str, Any]]] = [
        (words, {"facecolor": fill}) for look, (words, fill, _) in LOOKS.items() if look in looks
    ]
    if any(chart.reached is not None for chart in charts):
        found.append(("not reached", {"facecolor": "#F4F4F4", "edgecolor": GREY, "linestyle": DASHES}))
    return found


def _legend(
    axes: Axes, charts: Sequence[Chart], entries: Sequence[tuple[str, dict[str, Any]]], width: float, height: float
) -> None:
    """Explain colours, borders and words in two lines at the foot."""
    from matplotlib.patches import Patch

    axes.legend(
        handles=[Patch(label=words, **style) for words, style in entries], loc="lower left", ncol=len(entries),
        bbox_to_anchor=(MARGIN, height - 0.38), bbox_transform=axes.transData, frameon=False, handlelength=1.3,
        handleheight=0.9, columnspacing=1.4, borderpad=0, borderaxespad=0, prop={"family": SANS, "size": 8.5},
    )  # fmt: skip
    ways = {edge.why for chart in charts for edge in chart.edges}
    words = " · ".join(["round corners: it may have to wait", *(text for why, text in WAYS.items() if why in ways)])
    _text(axes, MARGIN, height - 0.15, words, size=_fitting(8, words, width), color=GREY, family=SANS)

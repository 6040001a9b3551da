"""A comparison as one figure: each pair of runs a point, the median difference with its interval on top.

Models: one panel for times in seconds, one for counts, one for sizes; blue is better, orange is worse, grey is neither
(Okabe-Ito). Details have no row.
Points are spread by their order, not by dice, so the same data give the same bytes. Pairs in which a side was not back
have no difference that could be drawn: they are counted beside the row, and rows without any other pair are listed on
top. So is that times which rest on different profiles have no row. Leaves out rows in which nothing differs.
Source: Okabe & Ito, Color Universal Design.
"""

from __future__ import annotations

import io
import math
import textwrap
from functools import partial
from typing import TYPE_CHECKING, Any

from sim.render.amounts import change, interval, signed, size
from sim.render.clean import printable
from sim.render.picture import write
from sim.views.comparison import Row, Variant, WhatIf

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"better": "#0072B2", "worse": "#D55E00"}
NEITHER = "#7F7F7F"
DPI = 120
AXES = {unit: f"difference in {word}, then − now" for unit, word in (("s", "seconds"), ("", "number"), ("B", "size"))}
SPREAD = 0.28  # of the distance between rows
STYLE: Any = {"font.family": "DejaVu Sans", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}


def compare_png(found: WhatIf, place: int = 0) -> bytes:
    """Return an alternative's figure as PNG."""
    out = io.BytesIO()
    write(out, lambda: draw_comparison(found, place), "png", DPI)
    return out.getvalue()


def draw_comparison(found: WhatIf, place: int = 0) -> tuple[Figure, str]:
    """Return an alternative's figure and its headline; matplotlib's settings are the caller's to restore."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    variant = found.variants[place]
    title = headline(found, variant)
    panels = [rows for rows in map(partial(moved, variant), AXES) if rows]
    matplotlib.rcParams.update(STYLE)
    heights = [len(rows) + 0.8 for rows in panels] or [1.0]
    height = 1.2 + 0.16 * title.count("\n") + 0.52 * sum(heights)
    figure = Figure(figsize=(8.2, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.02, ha="left", fontsize=10.5)
    axes = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    for at, rows in zip(axes, panels, strict=False):
        draw(at, rows)
    if not panels:
        empty(axes[0])
    return figure, title


def moved(variant: Variant, unit: str) -> list[Row]:
    """Return the rows of a unit in which at least one pair differs and one can be drawn."""
    rows = (row for row in variant.rows if row.unit == unit and not row.detail)
    return [row for row in rows if row.rose + row.fell and drawable(row)]


def drawable(row: Row) -> list[float]:
    """Return the differences that have a place on an axis."""
    return [it for it in row.differences if math.isfinite(it)]


def headline(found: WhatIf, variant: Variant) -> str:
    """Return the finding, and below it what was run. Dollar signs are no formulas."""
    finding = textwrap.wrap(variant.sentences[0] if variant.sentences else variant.name, 92, break_on_hyphens=False)
    profiles = f"{found.durations} / {variant.durations}" if variant.incomparable else found.profile
    below = f"{found.design} · {profiles} · {len(found.seeds)} paired runs · {found.window}"
    moved_away = (row for row in variant.rows if row.rose + row.fell and not drawable(row) and not row.detail)
    hidden = [f"{row.label}: {not_back(row)}" for row in moved_away]
    if variant.incomparable:
        hidden.append(f"times are not comparable: {variant.incomparable}")
    return "\n".join(printable(line).replace("$", r"\$") for line in [*finding, below, *hidden])


def draw(axes: Axes, rows: list[Row]) -> None:
    """Draw one panel, the first row on top."""
    axes.axvline(0, color="black", linewidth=0.8)
    for place, row in enumerate(rows):
        _row(axes, row, len(rows) - 1 - place)
    axes.set_yticks(range(len(rows)), [label(row) for row in reversed(rows)])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(AXES[rows[0].unit])
    if rows[0].unit == "B":
        axes.xaxis.set_major_formatter(lambda value, _: signed(value, size))
    axes.margins(x=0.06)
    if not rows[0].unit:
        axes.locator_params(axis="x", integer=True)


def _row(axes: Axes, row: Row, y: int) -> None:
    colour = COLOURS.get(row.verdict, NEITHER)
    known = drawable(row)
    step = 2 * SPREAD / max(len(known) - 1, 1)
    axes.scatter(known, [y + SPREAD - n * step for n in range(len(known))], s=7, color=colour, alpha=0.35, linewidths=0)
    ends: list[Any] = [row.low, row.high]
    if all(it is not None and math.isfinite(it) for it in ends):
        axes.plot(ends, [y, y], color=colour, linewidth=4, solid_capstyle="butt")
    if row.change is not None and math.isfinite(row.change):
        axes.plot([row.change], [y], marker="D", markersize=5, color=colour, markeredgecolor="white")


def label(row: Row) -> str:
    """Return a row's name with its difference, its interval, and what cannot be drawn of it."""
    between = interval(row)
    text = f"{row.label}\n{change(row)}" + (f"  ({between})" if between not in ("", "–") else "")
    return "\n".join(line for line in (text, not_back(row)) if line)


def not_back(row: Row) -> str:
    """Say in how many pairs a side was not back, and which one."""
    pairs = len(row.differences)
    kinds = (
        ("not back now, back then", sum(it == -math.inf for it in row.differences)),
        ("back now, not back then", sum(it == math.inf for it in row.differences)),
        ("not back in both", sum(map(math.isnan, row.differences))),
    )
    return ", ".join(f"{words} in {n} of {pairs} pairs" for words, n in kinds if n)


def empty(axes: Axes) -> None:
    """Say that there is nothing to draw."""
    axes.text(0.5, 0.5, "no figure differs in any pair of runs", ha="center", va="center")
    axes.set_axis_off()

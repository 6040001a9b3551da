"""A comparison as one figure: each pair of runs a point, the median difference with its interval on top.

Models: one panel for times in seconds, one for counts; blue is better, orange is worse, grey is neither (Okabe-Ito).
Points are spread by their order, not by dice, so the same data give the same bytes. Differences that are not known, or
of a port that was not back, are counted beside the row and not drawn. Leaves out rows in which nothing differs.
Source: Okabe & Ito, Color Universal Design.
"""

from __future__ import annotations

import io
import math
import textwrap
from typing import TYPE_CHECKING, Any

from sim.render.amounts import change, interval
from sim.render.clean import printable
from sim.views.comparison import Row, Variant, WhatIf

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"better": "#0072B2", "worse": "#D55E00"}
NEITHER = "#7F7F7F"
SPREAD = 0.28  # of the distance between rows
STYLE: Any = {"font.family": "DejaVu Sans", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}


def compare_png(found: WhatIf) -> bytes:
    """Return the first alternative's figure as PNG."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    variant = found.variants[0]
    panels = [rows for rows in (moved(variant, "s"), moved(variant, "")) if rows]
    with matplotlib.rc_context():  # whatever the reader's own settings are
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        heights = [len(rows) + 0.8 for rows in panels] or [1.0]
        figure = Figure(figsize=(8.2, 1.5 + 0.52 * sum(heights)), dpi=120, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(headline(found, variant), x=0.02, ha="left", fontsize=10.5)
        axes = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
        for at, rows in zip(axes, panels, strict=False):
            draw(at, rows)
        if not panels:
            empty(axes[0])
        out = io.BytesIO()
        figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def moved(variant: Variant, unit: str) -> list[Row]:
    """Return the rows of a unit in which at least one pair differs."""
    return [row for row in variant.rows if row.unit == unit and row.rose + row.fell]


def headline(found: WhatIf, variant: Variant) -> str:
    """Return the finding, and below it what was run. Dollar signs are no formulas."""
    finding = textwrap.wrap(variant.sentences[0] if variant.sentences else variant.name, 92)
    below = f"{found.design} · {found.profile} · {len(found.seeds)} paired runs · {found.window}"
    return "\n".join(printable(line).replace("$", r"\$") for line in [*finding, below])


def draw(axes: Axes, rows: list[Row]) -> None:
    """Draw one panel, the first row on top."""
    axes.axvline(0, color="black", linewidth=0.8)
    for place, row in enumerate(rows):
        _row(axes, row, len(rows) - 1 - place)
    axes.set_yticks(range(len(rows)), [label(row) for row in reversed(rows)])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("difference in seconds, then − now" if rows[0].unit else "difference in number, then − now")
    axes.margins(x=0.06)


def _row(axes: Axes, row: Row, y: int) -> None:
    colour = COLOURS.get(row.verdict, NEITHER)
    known = [it for it in row.differences if math.isfinite(it)]
    step = 2 * SPREAD / max(len(known) - 1, 1)
    axes.scatter(known, [y + SPREAD - n * step for n in range(len(known))], s=7, color=colour, alpha=0.35, linewidths=0)
    ends: list[Any] = [row.low, row.high]
    if all(it is not None and math.isfinite(it) for it in ends):
        axes.plot(ends, [y, y], color=colour, linewidth=4, solid_capstyle="butt")
    if row.change is not None and math.isfinite(row.change):
        axes.plot([row.change], [y], marker="D", markersize=5, color=colour, markeredgecolor="white")


def label(row: Row) -> str:
    """Return a row's name with its difference, its interval, and how many pairs cannot be drawn."""
    between = interval(row)
    text = f"{row.label}\n{change(row)}" + (f"  ({between})" if between not in ("", "–") else "")
    hidden = sum(not math.isfinite(it) for it in row.differences)
    return text + (f"  {hidden} pairs not back" if hidden else "")


def empty(axes: Axes) -> None:
    """Say that there is nothing to draw."""
    axes.text(0.5, 0.5, "no figure differs in any pair of runs", ha="center", va="center")
    axes.set_axis_off()

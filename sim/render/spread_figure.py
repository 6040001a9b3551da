"""What a comparison was measured on: of each time and size, which share of the runs took at most so long, side by side.

Models: one panel a row, at most eight; the file as it is in black, alternatives in the colours of Okabe and Ito, each
curve a step a run. A curve that ends below 1 has runs that were not back; they are counted in the legend. Leaves out
rows in which every run of all sides agrees, details, and alternatives beyond the sixth. Source: the empirical
distribution function; Okabe & Ito, Color Universal Design.
"""

from __future__ import annotations

import io
import math
import textwrap
from typing import TYPE_CHECKING

from sim.render.amounts import size
from sim.render.clean import printable
from sim.render.compare_figure import DPI, STYLE
from sim.render.picture import literal, write
from sim.render.short import short_names
from sim.views.comparison import Side, WhatIf

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))
MOST_PANELS = 8


def spread_png(found: WhatIf) -> bytes:
    """Return the figure as PNG."""
    out = io.BytesIO()
    write(out, lambda: draw_spread(found), "png", DPI)
    return out.getvalue()


def draw_spread(found: WhatIf) -> tuple[Figure, str]:
    """Return the figure and its headline; matplotlib's settings are the caller's to restore."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(STYLE)
    metrics = drawn(found)[:MOST_PANELS]
    columns = min(len(metrics), 2) or 1
    rows = -(-len(metrics) // columns) or 1
    title = headline(found)
    figure = Figure(figsize=(8.2, 1.3 + 0.16 * title.count("\n") + 2.1 * rows), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.02, ha="left", fontsize=10.5)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, metric in zip(panels, metrics, strict=False):
        draw(axes, found, metric)
    for axes in panels[len(metrics) :]:
        axes.set_axis_off()
    if not metrics:
        panels[0].text(0.5, 0.5, "every run gave the same figures", ha="center", va="center")
    else:
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=2, frameon=False, fontsize=8)
    return figure, title


def headline(found: WhatIf) -> str:
    """Return what is shown, and below it what was run. Dollar signs are no formulas."""
    below = f"{found.design} · {found.profile} · {len(found.seeds)} runs a side · {found.window}"
    about = f"{found.name}, {found.fault}" if found.fault else found.title
    said = [f"{about}: share of runs up to each figure", below]
    said += dict.fromkeys(
        f"times are not comparable: {found.durations} / {it.durations}" for it in found.variants if it.incomparable
    )
    return "\n".join(literal(printable(part)) for line in said for part in textwrap.wrap(line, 96))


def drawn(found: WhatIf) -> list[str]:
    """Return the metrics that have a panel: times and sizes that differ between runs or sides."""
    rows = [row for row in found.variants[0].rows if row.unit and not row.detail]
    return [row.metric for row in rows if len({it for side in sides(found, row.metric) for it in side[1].values}) > 1]


def sides(found: WhatIf, metric: str) -> list[tuple[str, Side]]:
    """Return the name and the figures of each side, the file's first."""
    rows = [(variant.name, row) for variant in found.variants for row in variant.rows if row.metric == metric]
    return [("as it is", rows[0][1].base), *((name, row.other) for name, row in rows[: len(COLOURS)])]


def draw(axes: Axes, found: WhatIf, metric: str) -> None:
    """Draw one panel."""
    row = next(row for row in found.variants[0].rows if row.metric == metric)
    colours, dashes = ("black", *COLOURS), ("-", *DASHES)
    notes, short = [], short_names(found.variants)
    for (name, side), colour, dash in zip(sides(found, metric), colours, dashes, strict=False):
        known = sorted(value for value in side.values if math.isfinite(value))
        shares = [(n + 1) / len(side.values) for n in range(len(known))]
        if not known:  # it is in the legend, and counted if it was not back
            known, shares = [math.nan], [math.nan]
        label = literal(printable(short.get(name, name)))
        places, shares = [known[0], *known], [0.0, *shares]
        axes.step(places, shares, where="post", color=colour, linestyle=dash, linewidth=1.4, label=label)
        if side.beyond:
            notes.append((colour, f"{label}: {side.beyond} of {len(side.values)} not back"))
    for n, (colour, text) in enumerate(notes):
        axes.text(0.98, 0.06 + 0.11 * n, text, color=colour, ha="right", fontsize=8, transform=axes.transAxes)
    axes.set_title(row.label, fontsize=9, loc="left")
    axes.set_ylim(0, 1.02)
    axes.margins(x=0.05)
    if row.unit == "B":
        axes.locator_params(axis="x", nbins=5)
        axes.xaxis.set_major_formatter(lambda value, _: size(value))
    else:
        axes.set_xlabel("seconds", fontsize=8)

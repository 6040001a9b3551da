"""Which alternative stands which fault: one field a pair, the figure in it, the darker the worse.

Models: a map for each of a few metrics, alternatives (the file as it is first) by faults or files; medians of all runs.
What was not back is as dark as can be. Colours are one blue scale, so that grey print keeps their order. Leaves out
intervals: the table has them. Source: the project's own.
"""

from __future__ import annotations

import io
import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.render.amounts import amount
from sim.render.clean import printable
from sim.render.compare_figure import DPI, STYLE
from sim.render.picture import literal, write
from sim.render.short import short_names
from sim.views.comparison import Row, Side, WhatIf

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

METRICS = ("processes_kept", "not_back", "remote_dark", "loopback_dark", "api_dark")
AS_IT_IS = "as it is"
NAME = 26  # letters in a line of a name
MOST = 24  # fields in a row or column


def map_png(found: Sequence[WhatIf]) -> bytes:
    """Return the figure as PNG."""
    out = io.BytesIO()
    write(out, lambda: draw_maps(found), "png", DPI)
    return out.getvalue()


def draw_maps(found: Sequence[WhatIf]) -> tuple[Figure, str]:
    """Return the figure and its headline; matplotlib's settings are the caller's to restore."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(STYLE)
    found = found[:MOST]
    metrics = [name for name in METRICS if telling(found, name)] or list(METRICS[:1])
    names = alternatives(found)
    width = 2.2 + 1.05 * len(found)
    height = 1.2 + len(metrics) * (0.55 + 0.34 * len(names)) + 0.7
    title = headline(found)
    figure = Figure(figsize=(max(width, 7.0), height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.02, ha="left", fontsize=10.5)
    for n, (axes, name) in enumerate(zip(figure.subplots(len(metrics), 1, squeeze=False)[:, 0], metrics, strict=True)):
        draw(axes, found, names, name, last=n == len(metrics) - 1)
    return figure, title


def headline(found: Sequence[WhatIf]) -> str:
    """Return what is shown. Dollar signs are no formulas."""
    files = list(dict.fromkeys(it.name for it in found))
    what = files[0] if len(files) == 1 else f"{len(files)} files"
    runs = sorted({len(it.seeds) for it in found})
    count = "–".join(map(str, dict.fromkeys((runs[0], runs[-1]))))
    said = [
        f"{what}: what each alternative makes of each {'fault' if len(files) == 1 else 'file'}",
        f"medians of {count} runs; the darker the worse",
    ]
    return "\n".join(literal(printable(part)) for line in said for part in textwrap.wrap(line, 90))


def telling(found: Sequence[WhatIf], metric: str) -> bool:
    """Say whether a map of a metric would have more than one shade."""
    rows = [row for it in found for variant in it.variants for row in variant.rows if row.metric == metric]
    return len({badness(row, side) for row in rows for side in (row.base, row.other)}) > 1


def alternatives(found: Sequence[WhatIf]) -> list[str]:
    """Return the names of the rows, the file as it is first."""
    return [AS_IT_IS, *dict.fromkeys(variant.name for it in found for variant in it.variants)][:MOST]


def columns(found: Sequence[WhatIf]) -> list[str]:
    """Return the names of the columns: what tells them apart."""
    several = len({it.source for it in found}) > 1
    return [", ".join(part for part in (it.name if several else "", it.fault) if part) or it.name for it in found]


def field(it: WhatIf, alternative: str, metric: str) -> tuple[Row, Side] | None:
    """Return the figures of one field; None where there are none."""
    for variant in it.variants:
        for row in variant.rows:
            if row.metric == metric and alternative in (AS_IT_IS, variant.name):
                return row, row.base if alternative == AS_IT_IS else row.other
    return None


def draw(axes: Axes, found: Sequence[WhatIf], names: Sequence[str], metric: str, *, last: bool) -> None:
    """Draw one map."""
    short = short_names(variant for it in found for variant in it.variants)
    fields = [[field(it, name, metric) for it in found] for name in names]
    known = [(badness(*one), one) for row in fields for one in row if one is not None]
    worst = max((bad for bad, _ in known if math.isfinite(bad)), default=0.0)
    shades = [[math.nan if one is None else shade(badness(*one), worst) for one in row] for row in fields]
    texts = [
        ["–" if one is None else amount(one[1].median, one[0].unit, it.window_s, one[1].total)
         for one, it in zip(row, found, strict=True)]
        for row in fields
    ]  # fmt: skip
    rows = [wrapped(short.get(name, name)) for name in names]
    heads = [wrapped(it, 14) for it in columns(found)] if last else [""] * len(found)
    paint(axes, texts, shades, rows, heads)
    axes.set_title(next(one[0].label for _, one in known), fontsize=9, loc="left")


def paint(
    axes: Axes, texts: Sequence[Sequence[str]], shades: Sequence[Sequence[float]], rows: list[str], heads: list[str]
) -> None:
    """Draw a field for each text, the darker the larger its shade (0 to 1); `nan` leaves it white."""
    axes.imshow(shades, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for y, row in enumerate(texts):
        for x, text in enumerate(row):
            colour = "white" if shades[y][x] > 0.6 else "black"
            axes.text(x, y, text, ha="center", va="center", fontsize=8, color=colour)
    axes.set_yticks(range(len(rows)), rows, fontsize=8)
    axes.set_xticks(range(len(heads)), heads)
    axes.tick_params(length=0, labelsize=8)
    for spine in axes.spines.values():
        spine.set_visible(False)


def badness(row: Row, side: Side) -> float:
    """Return how bad a figure is: what is better when higher counts from what there could be."""
    return (side.total or 0) - side.median if row.better == "higher" else side.median


def shade(bad: float, worst: float) -> float:
    """Return a shade from 0 to 1: what was not back is the darkest, and nothing else is as dark."""
    if math.isnan(bad):
        return math.nan
    return 1.0 if math.isinf(bad) else 0.8 * bad / worst if worst else 0.0


def wrapped(text: str, width: int = NAME) -> str:
    """Write a name in lines, each at most so long."""
    lines = textwrap.wrap(literal(printable(text)), width, max_lines=3, placeholder=" …", break_on_hyphens=False)
    return "\n".join(lines)

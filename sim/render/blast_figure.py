"""What each act costs, as a figure: for each act what becomes of the containers, and how long what is away.

Models: a row an act and case, the worst first; on the left bars of containers by fate, on the right the longest time
that a port was closed by class of clients, and when all was as before; what never ends reaches the edge. Acts after
which nothing is different are left out, and so is what comes after the sixtieth row. Source: the project's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sim.render.amounts import seconds
from sim.render.blast_text import cases_text, groups
from sim.render.clean import printable
from sim.render.compare_figure import DPI, STYLE
from sim.render.picture import literal
from sim.views.blast import CLIENTS, Blast, BlastRow, median
from sim.views.fates import AS_BEFORE, KEPT, LOST, NEW, REMOVED, RESTARTING, STOPPED, STUCK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST, NAME = 60, 46  # rows, letters of a name
COLOURS = {  # from what is lost to what is kept, dark to light, so that grey print keeps the order
    LOST: "#7f0000", REMOVED: "#a01818", STUCK: "#b83c24", STOPPED: "#d2692e", RESTARTING: "#e79a4e", NEW: "#f3cf8f",
    KEPT: "#dfe6ec", AS_BEFORE: "#f4f4f4",
}  # fmt: skip
OF_CLIENTS = dict(zip(CLIENTS, ("#1f4e79", "#6aa0cf"), strict=True))
BACK = "#333333"


def draw_blast(found: Blast) -> tuple[Figure, str]:
    """Return the figure and its headline; matplotlib's settings are the caller's to restore."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(STYLE)
    rows = list(groups(found, [row for row in found.rows if not row.harmless and not row.failed]))
    shown, title = [row for row, *_ in rows[:MOST]], headline(found, len(rows))
    figure = Figure(figsize=(11.0, 1.6 + 0.23 * max(len(shown), 3)), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.02, ha="left", fontsize=10.5)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1.25))
    _containers(left, found, shown)
    _times(right, found, shown)
    left.set_yticks(range(len(shown)), [literal(printable(_name(group))) for group in rows[:MOST]], fontsize=7.5)
    left.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    return figure, title


def headline(found: Blast, rows: int) -> str:
    """Return what is shown. Dollar signs are no formulas."""
    runs = f"medians of {len(found.seeds)} seeds" if len(found.seeds) > 1 else "seed 1"
    shown = f"the first {MOST} of {rows} rows" if rows > MOST else f"{rows} rows"
    said = (f"{found.name} ({found.design}): what each act costs, the worst first", f"{shown}; {runs}")
    return "\n".join(literal(printable(line)) for line in said)


def _name(group: Sequence[BlastRow]) -> str:
    row, cases = group[0], cases_text(group)
    name = row.act + (f" (+{len(row.like)})" if row.like else "")
    short = name if len(name) <= NAME else f"{name[: NAME - 1]}…"
    return f"{short}, live-restore {cases}" if cases in ("on", "off") else short


def _containers(axes: Axes, found: Blast, rows: Sequence[BlastRow]) -> None:
    """Draw how many containers have which fate."""
    begun = [0.0] * len(rows)
    for fate, colour in COLOURS.items():
        counts = [median(row.figures(fate)) for row in rows]
        if any(counts):
            axes.barh(range(len(rows)), counts, left=begun, color=colour, height=0.76, label=fate, edgecolor="white",
                      linewidth=0.3)  # fmt: skip
        begun = [before + count for before, count in zip(begun, counts, strict=True)]
    axes.set_xlim(0, max(found.containers, 1))
    axes.locator_params(axis="x", integer=True)
    axes.set_xlabel("containers")
    axes.legend(fontsize=7, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, frameon=False)


def _times(axes: Axes, found: Blast, rows: Sequence[BlastRow]) -> None:
    """Draw how long ports were closed, and after how long all was as before."""
    known = [it for row in rows for it in (*(median(row.dark(c)) for c in CLIENTS), median(row.figures("back")))]
    longest = max((it for it in known if math.isfinite(it)), default=0.0) or found.window_s
    edge = 1.12 * longest
    for place, client in enumerate(CLIENTS):
        lengths = [min(median(row.dark(client)), edge) for row in rows]
        heights = [number + 0.19 * (2 * place - 1) for number in range(len(rows))]
        axes.barh(heights, lengths, height=0.36, color=OF_CLIENTS[client], label=f"ports dark, {client}")
    for number, row in enumerate(rows):
        back = median(row.figures("back"))
        if back:
            axes.plot([min(back, edge)], [number], "|" if math.isfinite(back) else ">", color=BACK, markersize=7,
                      clip_on=False)  # fmt: skip
    axes.plot([], [], "|", color=BACK, label="all as before")
    axes.plot([], [], ">", color=BACK, label="never, in the window")
    axes.set_xlim(0, edge)
    ticks = [it for it in axes.get_xticks() if it <= longest]
    axes.set_xticks([*ticks, edge], [*(seconds(it) for it in ticks), "never"], fontsize=7.5)
    axes.set_xlabel("after the act")
    axes.legend(fontsize=7, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, frameon=False)

"""The fault matrix as a heat map: designs by faults, each field its code, the darker the worse.

A shade adds up what becomes of the process and what else is wrong; where a design has no such fault the field is white.
Leaves out words and times: the table has them. Source: the project's own.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

from sim.render.clean import printable
from sim.render.compare_figure import DPI, STYLE
from sim.render.fault_figure import paint
from sim.render.matrix_text import FLAGS, code, flags, legend
from sim.render.picture import literal, write
from sim.views.fault_cells import Cell, Matrix

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHADES = {"same": 0.0, "new": 0.25, "none": 0.5}
MORE = 0.125  # for each flag
WRONG = "!"  # counts twice: nobody notices


def matrix_png(found: Matrix) -> bytes:
    """Return the figure as PNG."""
    out = io.BytesIO()
    write(out, lambda: draw_matrix(found), "png", DPI)
    return out.getvalue()


def draw_matrix(found: Matrix) -> tuple[Figure, str]:
    """Return the figure and its headline; matplotlib's settings are the caller's to restore."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(STYLE)
    rows, faults = found.rows, [fault.name for fault in found.faults]
    title = literal(printable(found.title))
    figure = Figure(figsize=(max(2.4 + 0.72 * len(faults), 7.5), 1.9 + 0.26 * len(rows)), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.02, ha="left", fontsize=10.5)
    axes = figure.subplots()
    cells = [[found.cell(row, fault) for fault in faults] for row in rows]
    texts = [[code(cell) for cell in line] for line in cells]
    paint(axes, texts, [[badness(cell) for cell in line] for line in cells], list(rows), faults)
    axes.xaxis.tick_top()
    notes = [*legend(found), *(f"{letter}  {meaning}" for letter, meaning in FLAGS)]
    figure.supxlabel("\n".join(notes), x=0.02, ha="left", fontsize=7.5)
    return figure, title


def badness(cell: Cell) -> float:
    """Return a shade from 0 to 1, `nan` where there is no such fault."""
    if not cell.words:
        return math.nan
    wrong = flags(cell)
    return min(SHADES.get(cell.words["end"], 0.0) + MORE * (len(wrong) + wrong.count(WRONG)), 1.0)

"""How good the fits of a calibration are: a quantile-quantile plot for each phase that was fitted.

A point is a row: its value against the value that the distribution has at the row's share, (i - 0.5) / n. On the line
both are the same. Leaves out phases that were only compared. Source: Wilk and Gnanadesikan, Biometrika 55, 1968 [K].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.render.calibration_text import distribution_text
from sim.render.compare_figure import DPI, STYLE
from sim.render.picture import literal
from sim.views.calibration import Calibration, Phase

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 4


def draw_fits(found: Calibration) -> tuple[Figure, str]:
    """Return the figure and what it shows; matplotlib's settings are the caller's to restore."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(STYLE)
    shown = [it for it in found.phases if it.chosen is not None and not it.why]
    columns = min(COLUMNS, len(shown)) or 1
    rows = -(-len(shown) // columns) or 1
    figure = Figure(figsize=(2.6 * columns + 0.4, 2.6 * rows + 0.6), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(
        literal(f"{found.name}: measured (up) against fitted (right), ms"), x=0.02, ha="left", fontsize=10.5
    )
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, phase in zip(panels, shown, strict=False):
        _draw(axes, phase)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    return figure, f"{len(shown)} phases, a point a row"


def _draw(axes: Axes, phase: Phase) -> None:
    assert phase.chosen is not None
    fit, values = phase.chosen, sorted(phase.sample.values)
    expected = [fit.distribution.at((place + 0.5) / len(values)) for place in range(len(values))]
    ends = min(values[0], expected[0]), max(values[-1], expected[-1])
    axes.plot(ends, ends, color="#888888", linewidth=0.8)
    axes.plot(expected, values, ".", color="#0072B2", markersize=3)
    p = "" if fit.p is None else f", p {fit.p:.2f}"
    axes.set_title(literal(f"{phase.name} (n {len(values)})\n{distribution_text(fit.distribution)}\nD {fit.ks:.3f}{p}"),
                   fontsize=7.5, loc="left")  # fmt: skip

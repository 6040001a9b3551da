"""Draw one or two runs as a timeline: a headline that states the finding, lanes, strips of open ports, and the fault.

Time that is cut is marked at the seam; so is a change of scale; of two runs the differences are shaded. The bytes
depend on the data and on matplotlib's version alone: no date, no user's style, no display. Leaves out interaction; a
page that puts a cursor on the picture finds what it needs in `Drawn`. Source: the project's picture "timeline".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from sim.render.headline import duration, headline
from sim.render.picture import blank
from sim.render.timeline_arrows import draw_arrows
from sim.render.timeline_axis import Axis, axis_titles, is_far, ticks
from sim.render.timeline_looks import CLIENT_WORDS, FAINT, FAULT, GREY, WORDS, columns_of, handles, legend
from sim.render.timeline_page import (
    AXIS,
    CUT,
    MARK_SIZE,
    MOST_LANES,
    TOP,
    WIDTH,
    WORDS_LEVEL,
    PageLayout,
    Panel,
    name_of,
    outcome_of,
    write_at,
)
from sim.render.timeline_rows import draw_rows
from sim.views.activity import Segment, segments
from sim.views.differences import compared
from sim.views.timeline_parts import LaneData, Strip, TimelineData

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOOT, LINE, LEGEND_SIZE = 0.38, 0.2, 9.5
BASE_SIZE, PANEL_SIZE, HEAD_SIZE = 10.5, 13.5, 17.0


class Drawn(msgspec.Struct, frozen=True):
    """What the picture shows: how many containers, how many quiet gaps it leaves out, where its scale changes (µs).

    *axis* says where a moment stands; *panels* are the top and the foot of each run's rows, in parts of the height
    from the top.
    """

    containers: int
    cuts: int
    scale_changes: tuple[int, ...]
    axis: Axis = Axis(())
    panels: tuple[tuple[float, float], ...] = ()

    def __str__(self) -> str:
        """Say it in one line."""
        parts = [f"{self.containers} container{'s' * (self.containers != 1)}"]
        if self.cuts:
            parts.append(f"cut {self.cuts} quiet gap{'s' * (self.cuts != 1)}")
        parts += [f"scale changes at {duration(at)}" for at in self.scale_changes]
        return ", ".join(parts)


def draw(runs: Sequence[TimelineData]) -> tuple[Figure, Drawn]:
    """Return the figure of one or two runs above each other, on one time axis, and what it shows."""
    assert 1 <= len(runs) <= 2, f"a timeline shows one or two runs, not {len(runs)}"
    words = headline(runs)
    if len(runs) == 2:
        runs = compared(*_told_apart(*runs))
    begin, end = max(run.begin for run in runs), max(run.end for run in runs)
    moments = (moment for run in runs for moment in run.instants())
    page = PageLayout(runs, segments(moments, begin, end, burst=runs[0].by == "process"))
    entries = _entries(runs, page.pieces)
    columns = columns_of(blank(WIDTH, 1), entries, WIDTH - 0.6, LEGEND_SIZE)
    lines = -(-len(entries) // columns)
    height = TOP + sum(panel.height for panel in page.panels) + FOOT + LINE * max(lines, 1)
    figure = blank(WIDTH, height)
    _heading(figure, page, words, subtitle(runs))
    top, shown = height - TOP, []
    for panel in page.panels:
        _panel(figure, panel, top)
        upper = height - top + panel.title_height
        shown.append((upper / height, (upper + panel.depth) / height))
        top -= panel.height
    for words, (left, _) in zip(axis_titles(runs[-1].since, page.pieces), page.places, strict=True):
        colour = WORDS if left == page.left else GREY
        write_at(figure, left, top + 0.02, words, fontsize=BASE_SIZE - 1, color=colour)
    legend(figure, entries, 0.12, LEGEND_SIZE, columns)
    cuts = sum(piece.cut > 0 for piece in page.pieces)
    return figure, Drawn(runs[0].containers, cuts, page.changes, page.axis(runs[0].origin), tuple(shown))


def _told_apart(one: TimelineData, other: TimelineData) -> tuple[TimelineData, TimelineData]:
    """Name two seeds of one scenario by their seeds."""
    if one.title != other.title or one.seed == other.seed:
        return one, other
    named = [replace(run, title=f"{run.title}, seed {run.seed}".removeprefix(", ")) for run in (one, other)]
    return named[0], named[1]


def subtitle(runs: Sequence[TimelineData]) -> str:
    """Say what was run: engine, containers, seeds, profile."""
    run = runs[0]
    engines = " and ".join(dict.fromkeys(one.engine for one in runs))
    number = f"{run.containers} container{'s' * (run.containers != 1)}"
    seeds = list(dict.fromkeys(str(one.seed) for one in runs))
    parts = [run.about, engines, number, f"seed{'s' * (len(seeds) != 1)} {' and '.join(seeds)}"]
    return " · ".join(part for part in (*parts, f"latency profile {run.profile}") if part)


def _heading(figure: Figure, page: PageLayout, words: str, below: str) -> None:
    """Write the finding and what was run, smaller where a line would not fit."""
    height = figure.get_size_inches()[1]
    room = WIDTH - page.left - 0.3
    for up, line, size, bold in ((0.47, words, HEAD_SIZE, True), (0.69, below, BASE_SIZE, False)):
        fitting = min(size, size * room / max(page.wide(line, size, bold), 0.01))
        style = {"fontweight": "bold"} if bold else {"color": "#555555"}
        write_at(figure, page.left, height - up, line, fontsize=fitting, **style)


def _entries(runs: Sequence[TimelineData], pieces: Sequence[Segment]) -> list[Artist]:
    """Return the legend of what appears."""
    found = []
    for run in runs:
        bars = [bar for lane in (*run.daemons, *run.lanes[:MOST_LANES]) for bar in (*lane.bars, *lane.spells)]
        looks = {bar.look for bar in bars if _visible(bar.start, bar.end, pieces)}
        layers = ((look, step) for stack in run.stacks for look, steps in stack.layers for step in steps if step[2])
        looks |= {look for look, step in layers if _visible(step[0], step[1], pieces)}
        found.append((run.names, looks))
    rows = (row for run in runs for row in run.rows())
    differs = any(_visible(start, end, pieces) for row in rows for start, end in row.differs)
    return handles(found, {arrow.kind for run in runs for arrow in run.arrows}, differs, runs[0].by == "role")


def _visible(start: int, end: int, pieces: Sequence[Segment]) -> bool:
    """Say whether a stretch of time is at least about a dot wide."""
    shown = ((min(end, p.end) - max(start, p.start)) / (p.end - p.start) * p.share for p in pieces)
    return any(share > 0.0008 for share in shown)


# -- panels -----------------------------------------------------------------------------------------


def _panel(figure: Figure, panel: Panel, top: float) -> None:
    """Draw one run below a height (inches from the figure's foot)."""
    page, run = panel.page, panel.run
    if run.title:
        write_at(figure, page.left, top - 0.22, run.title, fontsize=PANEL_SIZE, fontweight="bold")
    upper = top - panel.title_height
    for number, (piece, (left, width)) in enumerate(zip(page.pieces, page.places, strict=True)):
        axes = _axes(figure, left, upper - panel.depth, width, panel.depth)
        axes.set_xlim(piece.start, piece.end)
        axes.set_ylim(panel.depth, 0)
        _scale(axes, page.pieces, number, width)
        draw_rows(axes, panel.rows, page.sizes)
        lanes = [placed.y for placed in panel.rows if isinstance(placed.row, LaneData)]
        draw_arrows(figure, axes, run.arrows, lanes[len(run.daemons) :], page.sizes.bar, page.sizes.note - 1)
        for mark in run.marks:
            if piece.start <= mark.at < piece.end:
                colour, line = (FAULT, 1.8) if mark.at == 0 else ("#999999", 1.0)
                axes.axvline(mark.at, color=colour, linewidth=line, zorder=3 if run.arrows else 5)
    for it in panel.words:
        above = upper + 0.04 + it.level * WORDS_LEVEL
        side = "right" if it.right else "left"
        write_at(figure, it.x, above, it.text, fontsize=MARK_SIZE, color=GREY, ha=side)
    _names(figure, panel, upper)
    if panel.left_out:
        what = "processes" if run.by == "process" else "containers"
        words = f"… and {panel.left_out} more {what}, not drawn; --by role counts them all"
        write_at(figure, page.left, upper - panel.depth - AXIS - 0.06, words, fontsize=page.sizes.outcome, color=GREY)


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    whole_width, whole_height = figure.get_size_inches()
    axes = figure.add_axes(
        (left / whole_width, bottom / whole_height, width / whole_width, height / whole_height), facecolor="none"
    )
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", left=False, labelleft=False)
    axes.tick_params(axis="x", labelsize=BASE_SIZE - 1, length=3)
    return axes


def _scale(axes: Axes, pieces: Sequence[Segment], number: int, width: float) -> None:
    """Set ticks, and mark the seam before a piece: dashes where the scale changes, words where time is cut."""
    piece = pieces[number]
    closing = number + 1 < len(pieces) and pieces[number + 1].start == piece.end
    marks = ticks(piece, width, closing)
    axes.set_xticks([at for at, _ in marks], [words for _, words in marks], ha="left" if is_far(piece) else "center")
    for at, _ in marks:
        axes.axvline(at, color=FAINT, linewidth=0.7, zorder=0.6)
    if number == 0:
        return
    if not piece.cut:
        axes.axvline(piece.start, color="#AAAAAA", linewidth=0.9, linestyle=(0, (3, 3)), zorder=0.6)
        return
    cut = duration(piece.cut, up=False)
    words = f"⋯ {cut} without change ⋯" if axes.get_ylim()[0] >= 2 else f"⋯ {cut} ⋯"
    axes.annotate(
        words, (0, 0.5), (-72 * CUT / 2, 0), xycoords="axes fraction", textcoords="offset points", rotation=90,
        ha="center", va="center", fontsize=8.5, color=GREY,
    )  # fmt: skip


def _names(figure: Figure, panel: Panel, upper: float) -> None:
    """Write each row's name before it and its outcome behind it."""
    page = panel.page
    right = page.places[-1][0] + page.places[-1][1]
    for placed in panel.rows:
        y, row = upper - placed.y, placed.row
        write_at(figure, page.left - 0.06, y, name_of(row), fontsize=page.sizes.name, ha="right", va="center")
        words, size = outcome_of(row), page.sizes.outcome
        if isinstance(row, Strip):
            style, size = {"color": CLIENT_WORDS[row.client], "fontweight": "bold"}, page.sizes.name
        else:
            style = {"color": WORDS}
        write_at(figure, right + 0.07, y, words, fontsize=size, va="center", **style)

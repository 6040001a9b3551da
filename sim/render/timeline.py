"""Draw one or two runs as a timeline: a headline that states the finding, lanes, strips of open ports, and the fault.

The figure grows with the lanes and letters stay as they are. Time that is cut is marked at the seam; so is a change
of scale. The bytes depend on the data and on matplotlib's version alone: no date, no user's style, no display. Leaves
out interaction. Source: the project's picture "timeline"; colours: Okabe and Ito, Color Universal Design (2008).
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from sim.render.headline import dark_text, duration, headline
from sim.render.picture import blank, write
from sim.render.timeline_axis import Axis, Stretch, axis_titles, is_far, ticks
from sim.views.activity import QUIET, Segment, segments
from sim.views.timeline import Bar, LaneData, Note, Strip, TimelineData

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LANES = 120

# inches
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 14.66, 1.86, 1.78, 0.92, 0.56
PITCH, BAR, GROUP = 0.236, 0.145, 0.105
TITLE, NO_TITLE, AXIS, SEAM, CUT = 0.36, 0.14, 0.36, 0.11, 0.32
BASE_SIZE, SMALL, PANEL_SIZE, HEAD_SIZE = 10.5, 9.0, 13.5, 17.0

COLOURS = {
    "containerd": "#0072B2", "init": "#E69F00", "reattached": "#56B4E9", "nobody": "#F0E442", "stopping": "#D55E00",
    "unready": "#BFE3D0", "starting": "#E4F1EA", "up": "#444444", "booting": "#AFAFAF", "leaving": "#8A6D5A",
    "frozen": "#9C4F96",
}  # fmt: skip
MEANINGS = {
    "containerd": "running, shim under containerd", "init": "running, shim orphaned (PID 1)",
    "reattached": "re-attached, shim stays under PID 1", "nobody": "running without a shim", "stopping": "told to stop",
    "unready": "started, not ready", "starting": "being started", "booting": "daemon booting",
    "leaving": "daemon told to stop", "frozen": "daemon frozen",
}  # fmt: skip
DARK_BARS = ("containerd", "stopping", "up", "leaving", "frozen")
CLIENT_COLOURS = {"remote": "#009E73", "loopback": "#CC79A7", "container": "#E69F00"}
CLIENT_WORDS = {"remote": "#00895F", "loopback": "#A0527D", "container": "#9A6A00"}
FAULT, FAINT, WORDS, GREY = "#D55E00", "#E6E6E6", "#333333", "#777777"


class Drawn(msgspec.Struct, frozen=True):
    """What the picture shows: how many containers, how many quiet gaps it leaves out, where its scale changes (µs).

    *axis* says where a moment stands; *panels* are the top and the foot of each run's lanes, in parts of the height
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


def timeline(
    runs: Sequence[TimelineData],
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    title: str | None = None,
    quiet: int = QUIET,
) -> Drawn:
    """Write the timeline of one or two runs to *path*; *format* is png, svg or pdf, by default the path's ending.

    *title* replaces the computed headline, *quiet* (µs) is the pause that is cut. Raises InputError for another format.
    """
    return write(path, lambda: draw(runs, title=title, quiet=quiet), format)


def timeline_svg(runs: Sequence[TimelineData], *, title: str | None = None, quiet: int = QUIET) -> tuple[str, Drawn]:
    """Return the timeline of one or two runs as SVG text, and what it shows; its axis places a cursor.

    `drawn.axis.x(moment)` is a part of the picture's width, *moment* in µs from the fault (`drawn.axis.origin`, itself
    in µs from t = 0); `drawn.axis.stretches` is the same as plain data.
    """
    out = io.BytesIO()
    drawn = write(out, lambda: draw(runs, title=title, quiet=quiet), "svg")
    return out.getvalue().decode(), drawn


def draw(runs: Sequence[TimelineData], *, title: str | None = None, quiet: int = QUIET) -> tuple[Figure, Drawn]:
    """Return the figure of one or two runs above each other, on one time axis."""
    assert 1 <= len(runs) <= 2, f"a timeline shows one or two runs, not {len(runs)}"
    begin, end = max(run.begin for run in runs), max(run.end for run in runs)
    pieces = segments((moment for run in runs for moment in run.instants()), begin, end, quiet)
    heights = [_panel_height(run) for run in runs]
    height = TOP + sum(heights) + BOTTOM
    figure = blank(WIDTH, height)
    words = title if title is not None else headline(runs)
    _text(figure, LEFT, height - 0.47, words, fontsize=_fitting(words), fontweight="bold")
    _text(figure, LEFT, height - 0.69, subtitle(runs), fontsize=BASE_SIZE, color="#555555")
    top, panels = height - TOP, []
    for run, panel in zip(runs, heights, strict=True):
        _panel(figure, run, pieces, top)
        upper = height - top + _title_height(run)
        panels.append((upper / height, (upper + _rows(run)[2]) / height))
        top -= panel
    for words, (left, _) in zip(axis_titles(runs[-1].since, pieces), _places(pieces), strict=True):
        _text(figure, left, top + 0.02, words, fontsize=BASE_SIZE - 1, color=WORDS if left == LEFT else GREY)
    _legend(figure, runs, pieces)
    changes = tuple(b.start for a, b in pairwise(pieces) if a.end == b.start)
    axis = Axis(tuple(_stretches(pieces)), runs[0].origin)
    return figure, Drawn(runs[0].containers, sum(piece.cut > 0 for piece in pieces), changes, axis, tuple(panels))


def _stretches(pieces: Sequence[Segment]) -> Iterator[Stretch]:
    for piece, (left, wide) in zip(pieces, _places(pieces), strict=True):
        yield Stretch(piece.start, piece.end, left / WIDTH, (left + wide) / WIDTH)


def subtitle(runs: Sequence[TimelineData]) -> str:
    """Say what was run: engine, containers, seed, profile."""
    run = runs[0]
    engines = " and ".join(dict.fromkeys(one.engine for one in runs))
    number = f"{run.containers} container{'s' * (run.containers != 1)}"
    parts = [run.about, engines, number, f"seed {run.seed}", f"latency profile {run.profile}"]
    return " · ".join(part for part in parts if part)


def _fitting(words: str) -> float:
    """Return the headline's size: smaller if it would not fit on its line."""
    return min(HEAD_SIZE, HEAD_SIZE * 82 / max(len(words), 1))


def _rows(run: TimelineData) -> tuple[list[tuple[float, LaneData | Strip]], int, float]:
    """Return the lanes with their distance from the panel's top in inches, how many were left out, and the depth."""
    shown = run.lanes[:MOST_LANES]
    rows: list[tuple[float, LaneData | Strip]] = []
    depth = 0.14
    for group in (run.daemons, shown, run.strips):
        for row in group:
            rows.append((depth, row))
            depth += PITCH
        depth += GROUP if group else 0
    return rows, len(run.lanes) - len(shown), depth - GROUP - 0.06


def _panel_height(run: TimelineData) -> float:
    _, left_out, depth = _rows(run)
    return _title_height(run) + depth + AXIS + 0.1 + (0.2 if left_out else 0)


def _title_height(run: TimelineData) -> float:
    words = any(run.begin < mark.at < run.end and mark.at != 0 for mark in run.marks)
    return (TITLE if run.title else NO_TITLE) + (0.08 if words else 0)


def _panel(figure: Figure, run: TimelineData, pieces: Sequence[Segment], top: float) -> None:
    """Draw one run below a height (inches from the figure's foot)."""
    rows, left_out, depth = _rows(run)
    if run.title:
        _text(figure, LEFT, top - 0.22, run.title, fontsize=PANEL_SIZE, fontweight="bold")
    upper = top - _title_height(run)
    places, taken = list(_places(pieces)), float("-inf")
    for number, (piece, (left, width)) in enumerate(zip(pieces, places, strict=True)):
        axes = _axes(figure, left, upper - depth, width, depth)
        axes.set_xlim(piece.start, piece.end)
        axes.set_ylim(depth, 0)
        _scale(axes, run, pieces, number, width)
        for y, row in rows:
            if isinstance(row, Strip):
                _draw_strip(axes, row, y)
            else:
                _draw_lane(axes, row, y)
        taken = _draw_marks(axes, run, piece, taken)
    last = places[-1][0] + places[-1][1]
    for y, row in rows:
        _names(figure, row, upper - y, last)
    if left_out:
        words = f"… and {left_out} more containers, not drawn (counted in the strips)"
        _text(figure, LEFT, upper - depth - AXIS - 0.06, words, fontsize=SMALL, color=GREY)


def _places(pieces: Sequence[Segment]) -> Iterator[tuple[float, float]]:
    """Return where each piece begins and how wide it is, in inches."""
    seams = [(CUT if piece.cut else SEAM) if number else 0 for number, piece in enumerate(pieces)]
    room, left = WIDTH - LEFT - RIGHT - sum(seams), LEFT
    for piece, seam in zip(pieces, seams, strict=True):
        left += seam
        yield left, piece.share * room
        left += piece.share * room


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


def _text(figure: Figure, x: float, y: float, words: str, **style: Any) -> Any:
    """Write on the figure, at inches from its lower left corner."""
    width, height = figure.get_size_inches()
    return figure.text(x / width, y / height, words.replace("$", r"\$"), **style)


def _scale(axes: Axes, run: TimelineData, pieces: Sequence[Segment], number: int, width: float) -> None:
    """Set ticks, and mark the seam before a piece: dashes where the scale changes, words where time is cut."""
    piece = pieces[number]
    closing = number + 1 < len(pieces) and pieces[number + 1].start == piece.end
    marks = ticks(piece, width, closing)
    axes.set_xticks([at for at, _ in marks], [words for _, words in marks], ha="left" if is_far(piece) else "center")
    for at, _ in marks:
        axes.axvline(at, color=FAINT, linewidth=0.7, zorder=0)
    if number == 0:
        return
    if piece.cut:
        words = f"⋯ {duration(piece.cut, up=False)} without change ⋯"
        if axes.get_ylim()[0] < 2:
            words = f"⋯ {duration(piece.cut, up=False)} ⋯"
        axes.annotate(
            words, (0, 0.5), (-72 * CUT / 2, 0), xycoords="axes fraction", textcoords="offset points", rotation=90,
            ha="center", va="center", fontsize=8.5, color=GREY,
        )  # fmt: skip
    else:
        axes.axvline(piece.start, color="#AAAAAA", linewidth=0.9, linestyle=(0, (3, 3)), zorder=0)


def _draw_marks(axes: Axes, run: TimelineData, piece: Segment, taken: float) -> float:
    """Rule the fault, and fainter the other steps, each with its words above (the axis' title names the fault).

    Words that would run into earlier ones are left out; *taken* is how far to the right those reach, in dots.
    """
    for mark in run.marks:
        if piece.start <= mark.at < piece.end:
            fault = mark.at == 0
            axes.axvline(mark.at, color=FAULT if fault else "#999999", linewidth=1.8 if fault else 1.0, zorder=5)
            if not fault:
                words = axes.annotate(
                    mark.text.replace("$", r"\$"),
                    (mark.at, 0),
                    (-2, 3),
                    textcoords="offset points",
                    fontsize=8,
                    color=GREY,
                )
                extent = words.get_window_extent()
                if extent.x0 < taken:
                    words.remove()
                else:
                    taken = extent.x1 + 6
    return taken


# -- lanes ------------------------------------------------------------------------------------------


def _draw_lane(axes: Axes, lane: LaneData, y: float) -> None:
    low, high = axes.get_xlim()
    for bar in lane.bars:
        if bar.end > low and bar.start < high:
            start, end = max(bar.start, low), min(bar.end, high)
            colour = COLOURS[bar.look]
            axes.broken_barh([(start, end - start)], (y - BAR / 2, BAR), facecolors=colour, linewidth=0, zorder=2)
    for tick in lane.ticks:
        if low <= tick < high:
            axes.plot([tick, tick], [y - BAR / 2, y + BAR / 2], color="white", linewidth=1.4, zorder=3)
    for note in lane.notes:
        look = next((bar.look for bar in lane.bars if bar.start <= note.start < bar.end), "")
        _draw_note(axes, note, y, "white" if look in DARK_BARS else "#222222")


def _draw_strip(axes: Axes, strip: Strip, y: float) -> None:
    low, high = axes.get_xlim()
    colour, foot = CLIENT_COLOURS[strip.client], y + BAR / 2 + 0.01
    axes.plot([low, high], [foot, foot], color="#BBBBBB", linewidth=0.7, zorder=1, solid_capstyle="butt")
    for start, end, count in strip.steps:
        if count and end > low and start < high:
            tall = (BAR + 0.03) * count / max(strip.total, 1)
            span = (max(start, low), min(end, high) - max(start, low))
            axes.broken_barh([span], (foot - tall, tall), facecolors=colour, linewidth=0, zorder=2)
    for note in strip.notes:
        opened = next((count for start, end, count in strip.steps if start <= note.start < end), 0)
        _draw_note(axes, note, y, "white" if opened > strip.total / 2 else CLIENT_WORDS[strip.client])


def _draw_note(axes: Axes, note: Note, y: float, colour: str) -> None:
    """Write the longest of the note's texts that fits into the part of it that this axis shows; else nothing."""
    low, high = axes.get_xlim()
    start, end = max(note.start, low), min(note.end, high)
    if start >= end or (note.right and note.end > high) or (not note.right and note.start < low):
        return
    room = (end - start) / (high - low) * axes.get_window_extent().width
    for words in note.texts:
        side, shift = ("right", -4) if note.right else ("left", 4)
        text = axes.annotate(
            words.replace("$", r"\$"), (end if note.right else start, y), (shift, -0.5), textcoords="offset points",
            ha=side, va="center", fontsize=8.4, color=colour, zorder=6,
        )  # fmt: skip
        if text.get_window_extent().width + 7 <= room:
            return
        text.remove()


def _names(figure: Figure, row: LaneData | Strip, y: float, right: float) -> None:
    """Write a lane's name before it and its outcome behind it."""
    strip = isinstance(row, Strip)
    name = f"{row.client} open" if isinstance(row, Strip) else row.name
    outcome = dark_text(row) if isinstance(row, Strip) else row.outcome
    short = name if len(name) <= 22 else name[:21] + "…"
    _text(figure, LEFT - 0.06, y, short, fontsize=BASE_SIZE, ha="right", va="center")
    style = {"color": CLIENT_WORDS[row.client], "fontweight": "bold"} if isinstance(row, Strip) else {"color": WORDS}
    _text(figure, right + 0.07, y, outcome, fontsize=BASE_SIZE if strip else SMALL, va="center", **style)


def _legend(figure: Figure, runs: Sequence[TimelineData], pieces: Sequence[Segment]) -> None:
    """Explain the colours that appear, in one line at the foot."""
    from matplotlib.patches import Patch

    bars = (bar for run in runs for lane in (*run.daemons, *run.lanes[:MOST_LANES]) for bar in lane.bars)
    looks = {bar.look for bar in bars if _visible(bar, pieces)}
    handles = [Patch(facecolor=COLOURS[look], label=words) for look, words in MEANINGS.items() if look in looks]
    if handles:
        height = figure.get_size_inches()[1]
        figure.legend(
            handles=handles, loc="lower center", bbox_to_anchor=(0.5, 0.12 / height), ncol=len(handles), frameon=False,
            fontsize=SMALL + 0.5, handlelength=1.3, handleheight=0.8, columnspacing=1.3, borderpad=0, borderaxespad=0,
        )  # fmt: skip


def _visible(bar: Bar, pieces: Sequence[Segment]) -> bool:
    """Say whether a bar is at least about a dot wide."""
    shown = ((min(bar.end, p.end) - max(bar.start, p.start)) / (p.end - p.start) * p.share for p in pieces)
    return any(share > 0.0008 for share in shown)

"""Where the parts of a timeline stand: rows below each other, panels, pieces of the axis, the words above the panels.

All lengths are inches. The page grows with its rows, letters stay as they are; margins grow with the longest name and
outcome. Leaves out drawing. Source: none; the project's picture "timeline".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from sim.render.headline import dark_text
from sim.render.picture import blank, literal
from sim.render.timeline_axis import Axis, Stretch
from sim.render.timeline_rows import GAP, STACK, Placed, Row, Sizes, sizes_of
from sim.views.activity import Segment
from sim.views.timeline_parts import LaneData, MarkData, Stack, Strip, TimelineData

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LANES = 120
LONGEST_NAME, KEPT = 30, 9  # letters, and how many of them at the end
WIDTH, LEFT, RIGHT, MOST_SIDE, TOP = 14.66, 1.86, 1.78, 3.0, 0.92
APART, GROUP, TITLE, NO_TITLE, AXIS, SEAM, CUT = 0.07, 0.105, 0.36, 0.14, 0.36, 0.11, 0.32
WORDS_LEVEL, LEVELS, MARK_SIZE = 0.135, 3, 8.0


class MarkWords(msgspec.Struct, frozen=True):
    """The words of a step: where they begin (*right*: end), and how far above the panel, in levels."""

    text: str
    x: float
    level: int
    right: bool = False


class PageLayout:
    """The layout of a picture of one or two runs on one time axis."""

    def __init__(self, runs: Sequence[TimelineData], pieces: Sequence[Segment]) -> None:
        self.pieces = pieces
        self._scratch = blank(WIDTH, 1)
        self.sizes: Sizes = sizes_of(max(min(len(run.lanes), MOST_LANES) for run in runs))
        rows = [row for run in runs for row in run.rows()]
        names = [self.wide(name_of(row), self.sizes.name) for row in rows]
        outcomes = [self.wide(outcome_of(row), *self._outcome_style(row)) for row in rows]
        self.left = min(max(LEFT, *(it + 0.2 for it in names)), MOST_SIDE) if names else LEFT
        self.right = min(max(RIGHT, *(it + 0.2 for it in outcomes)), MOST_SIDE) if outcomes else RIGHT
        self.panels = [Panel(self, run) for run in runs]

    def _outcome_style(self, row: Row) -> tuple[float, bool]:
        return (self.sizes.name, True) if isinstance(row, Strip) else (self.sizes.outcome, False)

    def wide(self, words: str, size: float, bold: bool = False) -> float:
        """Return how many inches words take."""
        if not words:
            return 0.0
        text = self._scratch.text(0, 0, literal(words), fontsize=size, fontweight="bold" if bold else "normal")
        found = float(text.get_window_extent().width) / self._scratch.dpi
        text.remove()
        return found

    @cached_property
    def places(self) -> list[tuple[float, float]]:
        """Return where each piece begins and how wide it is."""
        seams = [(CUT if piece.cut else SEAM) if number else 0 for number, piece in enumerate(self.pieces)]
        room, left = WIDTH - self.left - self.right - sum(seams), self.left
        found = []
        for piece, seam in zip(self.pieces, seams, strict=True):
            left += seam
            found.append((left, piece.share * room))
            left += piece.share * room
        return found

    def axis(self, origin: int) -> Axis:
        """Return where moments stand."""
        both = zip(self.pieces, self.places, strict=True)
        stretches = (Stretch(it.start, it.end, left / WIDTH, (left + wide) / WIDTH) for it, (left, wide) in both)
        return Axis(tuple(stretches), origin)

    @property
    def changes(self) -> tuple[int, ...]:
        """Return where the scale changes without a cut."""
        return tuple(after.start for before, after in pairwise(self.pieces) if before.end == after.start)


class Panel:
    """The layout of one run: its rows and the words above them."""

    def __init__(self, page: PageLayout, run: TimelineData) -> None:
        self.page, self.run = page, run
        self.rows: list[Placed] = []
        self.left_out = max(0, len(run.lanes) - MOST_LANES)
        self.depth = 0.14
        for group in (run.daemons, run.lanes[:MOST_LANES], run.stacks, run.strips):
            for row in group:
                tall = STACK + GAP if isinstance(row, Stack) else page.sizes.pitch
                self.depth += APART if isinstance(row, LaneData) and row.apart else 0
                self.rows.append(Placed(self.depth + (tall - page.sizes.pitch) / 2, tall, row))
                self.depth += tall
            self.depth += GROUP if group else 0
        self.depth -= GROUP + 0.06
        self.words = list(self._words())

    @property
    def title_height(self) -> float:
        """Return how much lies above the rows."""
        levels = max((it.level + 1 for it in self.words), default=0)
        return (TITLE if self.run.title else NO_TITLE) + levels * WORDS_LEVEL - (0.05 if levels else 0)

    @property
    def height(self) -> float:
        """Return how high the panel is with its title and its axis."""
        return self.title_height + self.depth + AXIS + 0.1 + (0.2 if self.left_out else 0)

    def _words(self) -> Iterator[MarkWords]:
        """Place the words of the steps but the fault, which the axis' title names; those without room are left out."""
        taken = [float("-inf")] * LEVELS
        edge = self.page.places[-1][0] + self.page.places[-1][1] + self.page.right - 0.1
        for mark in sorted(self.run.marks, key=lambda it: it.at):
            x = self._inside(mark)
            if x is None:
                continue
            wide = self.page.wide(mark.text, MARK_SIZE)
            right = x + wide > edge
            begin = x - wide if right else x
            level = next((level for level, end in enumerate(taken) if begin >= end), None)
            if level is not None:
                taken[level] = begin + wide + 0.08
                yield MarkWords(mark.text, x, level, right)

    def _inside(self, mark: MarkData) -> float | None:
        """Return where a step stands; None for the fault and for one that is not shown."""
        if mark.at == 0:
            return None
        for piece, (left, wide) in zip(self.page.pieces, self.page.places, strict=True):
            if piece.start <= mark.at < piece.end:
                return left + wide * (mark.at - piece.start) / (piece.end - piece.start)
        return None


def name_of(row: Row) -> str:
    """Return what stands before a row; of a long name the end is kept, where names differ and numbers stand."""
    name = f"{row.client} open" if isinstance(row, Strip) else row.name
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - KEPT - 1]}…{name[-KEPT:]}"


def outcome_of(row: Row) -> str:
    """Return what stands behind a row."""
    if isinstance(row, Strip):
        return dark_text(row)
    return f"at most {row.most}" if isinstance(row, Stack) else row.outcome


def write_at(figure: Figure, x: float, y: float, words: str, **style: Any) -> Any:
    """Write on the figure, at inches from its lower left corner."""
    width, height = figure.get_size_inches()
    return figure.text(x / width, y / height, literal(words), **style)

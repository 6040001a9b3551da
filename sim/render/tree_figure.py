"""Draw one process tree, or a pair before and after, as boxes from left to right.

A box says what ps says: name, pid, what it serves, threads. Fill tells the role; what is wrong or has changed is
said in words on the box's edge and by the edge itself, so that no colour need be told from another. Leaves out tids.
Source: colours: Okabe and Ito, Color Universal Design (2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sim.render.picture import blank, literal
from sim.render.tree_layout import rows
from sim.views.forest import ELSEWHERE, GONE, HERE, MOVED, NEW, ORPHAN, Box, Forest, finding
from sim.views.names import noun_of, rank_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# inches
MARGIN, HEAD, PANEL, FOOT, BETWEEN, ABOVE = 0.35, 0.95, 0.3, 0.55, 0.6, 0.25
ROW, HIGH, GAP, PAD = 0.47, 0.35, 0.5, 0.09
LEAST = 9.0
NAME_SIZE, WORD_SIZE, BADGE_SIZE = 9.0, 7.8, 7.2
LONGEST = 22  # letters of a name

FILLS = {  # look -> fill, in the order of the legend
    "daemon": "#D6D6D6", "holder": "#CFE6F5", "program": "#D3EEE2", "forwarder": "#F3DCE9", ORPHAN: "#FCE4B0",
}  # fmt: skip
OTHER_FILL = "#FFFFFF"
MEANINGS = {  # of looks that the legend does not name by their programs
    "daemon": "daemons", "program": "container's program", ORPHAN: "lost its parent: under",
}  # fmt: skip
EDGE, LINE, GREY = "#555555", "#888888", "#666666"
BADGES = {
    MOVED: "#D55E00", NEW: "#007A56", GONE: "#777777", ELSEWHERE: "#D55E00", HERE: "#007A56", "orphan": "#8F6200",
    "zombie": "#000000", "stopped": "#7A3B76",
}  # fmt: skip
BEFORE_WORDS = {MOVED: "moves"}


def draw(trees: Sequence[Forest], about: str = "") -> tuple[Figure, str]:
    """Return the figure of one or two trees and what it shows, in words; *about* says what was run."""
    assert 1 <= len(trees) <= 2, f"a picture shows one or two trees, not {len(trees)}"
    scratch = blank(1, 1)
    plans = [_Plan(tree, scratch, len(trees) == 2 and not number) for number, tree in enumerate(trees)]
    beside = len(plans) == 2 and _beside(plans)
    across = sum(plan.width for plan in plans) + BETWEEN if beside else max(plan.width for plan in plans)
    heights = [plan.height for plan in plans]
    down = max(heights) if beside else sum(heights) + ABOVE * (len(plans) - 1)
    width = max(LEAST, across + 2 * MARGIN)
    height = HEAD + down + FOOT
    figure = blank(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    axes.set_axis_off()
    found = finding(trees)
    _heading(axes, found[:1].upper() + found[1:], about, width)
    left, top = MARGIN, HEAD
    for plan in plans:
        plan.draw(axes, left, top)
        left, top = (left + plan.width + BETWEEN, top) if beside else (left, top + plan.height + ABOVE)
    _legend(axes, trees, width, height)
    number = sum(len(tree.boxes) for tree in trees)
    return figure, f"{number} processes in {len(trees)} tree{'s' * (len(trees) != 1)}: {found}"


def _beside(plans: Sequence[_Plan]) -> bool:
    """Say whether two trees are larger on a screen (16 to 9) beside each other than above each other."""
    wide, high = [plan.width for plan in plans], [plan.height for plan in plans]
    beside = max((sum(wide) + BETWEEN) / 16, max(high) / 9)
    return beside < max(max(wide) / 16, (sum(high) + HEAD + ABOVE) / 9)


def _heading(axes: Axes, words: str, about: str, width: float) -> None:
    """Write the finding and what was run, smaller where a line would not fit."""
    lines: tuple[tuple[float, str, float, dict[str, Any]], ...]
    lines = ((0.46, words, 16.0, {"fontweight": "bold"}), (0.7, about, 10.0, {"color": "#555555"}))
    for y, line, size, style in lines:
        text = axes.text(MARGIN, y, literal(line), fontsize=size, va="baseline", **style)
        wide = text.get_window_extent().width / axes.figure.dpi
        text.set_fontsize(min(size, size * (width - 2 * MARGIN) / max(wide, 0.01)))


def _short(words: str) -> str:
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"


def name_of(box: Box) -> str:
    """Return a box's first line: the process as ps names it."""
    return f"{_short(box.comm)} {box.pid}"


def words_of(box: Box) -> str:
    """Return a box's second line: what it is for, and how many threads it has beside the main one.

    >>> words_of(Box(625, 0, "shim", "grafana", "docker-containe", 9))
    'shim of grafana · 9 threads'
    """
    parts = [f"{box.words} of {_short(box.container)}" if box.container else box.words]
    if box.threads:
        parts.append(f"{box.threads} thread{'s' * (box.threads != 1)}")
    return " · ".join(part for part in parts if part)


def badge_of(box: Box, before: bool) -> tuple[str, str]:
    """Return the words on a box's edge ("" for none) and their colour: what changed first, then what is wrong."""
    states = {"Z": "zombie", "T": "stopped"}
    kinds = [box.change, states.get(box.state, ""), "orphan" if box.orphan and not box.change else ""]
    found = [kind for kind in kinds if kind]
    if not found:
        return "", ""
    return ", ".join(BEFORE_WORDS.get(kind, kind) if before else kind for kind in found), BADGES[found[0]]


class _Plan:
    """Where the boxes of one tree stand, in inches from the panel's corner."""

    def __init__(self, tree: Forest, scratch: Figure, before: bool) -> None:
        self.tree, self.before, children = tree, before, tree.children()
        self.rows = rows(children)
        depth = {-1: -1}
        for place, box in enumerate(tree.boxes):
            depth[place] = depth[box.parent] + 1
        self.depth = depth
        wide = [_needed(scratch, box, before) for box in tree.boxes]
        columns = max(depth.values()) + 1
        self.wide = [max(wide[n] for n in range(len(wide)) if depth[n] == d) + 2 * PAD for d in range(columns)]
        self.left = [sum(self.wide[:d]) + d * GAP for d in range(columns)]
        self.width = sum(self.wide) + (columns - 1) * GAP
        self.height = PANEL + (max(self.rows.values(), default=0) + 1) * ROW

    def middle(self, place: int, top: float) -> float:
        return top + PANEL + (self.rows[place] + 0.5) * ROW

    def draw(self, axes: Axes, left: float, top: float) -> None:
        """Draw lines, then boxes."""
        axes.text(left, top + 0.15, literal(self.tree.title), fontsize=12, fontweight="bold", va="baseline")
        for place, box in enumerate(self.tree.boxes):
            if box.parent >= 0:
                self._line(axes, left, top, place, box)
        for place in range(len(self.tree.boxes)):
            self._box(axes, left + self.left[self.depth[place]], self.middle(place, top), place)

    def _line(self, axes: Axes, left: float, top: float, place: int, box: Box) -> None:
        column = self.depth[place]
        end, start = left + self.left[column], left + self.left[column - 1] + self.wide[column - 1]
        turn = start + GAP * 0.45
        low, high = self.middle(box.parent, top), self.middle(place, top)
        changed = box.change in (MOVED, NEW, ELSEWHERE, HERE)
        style: dict[str, Any] = {"color": BADGES[box.change], "linewidth": 1.8, "zorder": 2} if changed else {
            "color": LINE, "linewidth": 0.9, "zorder": 1}  # fmt: skip
        if box.change == GONE:
            style["linestyle"] = (0, (4, 2))
        axes.plot([start, turn, turn, end], [low, low, high, high], solid_joinstyle="round", **style)

    def _box(self, axes: Axes, left: float, middle: float, place: int) -> None:
        from matplotlib.patches import FancyBboxPatch

        box = self.tree.boxes[place]
        wide = self.wide[self.depth[place]]
        words, colour = badge_of(box, self.before)
        fill = FILLS.get(box.look, OTHER_FILL)
        dead = box.state == "Z"
        axes.add_patch(FancyBboxPatch(
            (left, middle - HIGH / 2), wide, HIGH, boxstyle="round,pad=0,rounding_size=0.05", zorder=3,
            facecolor="#F2F2F2" if dead else fill, edgecolor=colour or EDGE, linewidth=1.8 if box.change else 0.9,
            linestyle=(0, (4, 2)) if box.change == GONE or dead else "solid",
        ))  # fmt: skip
        axes.text(left + PAD, middle - 0.035, literal(name_of(box)), fontsize=NAME_SIZE, fontweight="bold", zorder=4)
        axes.text(left + PAD, middle + 0.115, literal(words_of(box)), fontsize=WORD_SIZE, color="#333333", zorder=4)
        if words:
            axes.text(
                left + wide - 0.08, middle - 0.085, words, fontsize=BADGE_SIZE, fontweight="bold", color="white",
                ha="right", va="center", zorder=5,
                bbox={"boxstyle": "round,pad=0.2", "facecolor": colour, "edgecolor": "none"},
            )  # fmt: skip


def _needed(figure: Figure, box: Box, before: bool) -> float:
    """Return the inches that a box's longest line takes, with its badge."""
    badge, _ = badge_of(box, before)
    beside = _width(figure, badge, BADGE_SIZE, bold=True) + 0.12 if badge else 0
    return max(_width(figure, name_of(box), NAME_SIZE, bold=True) + beside, _width(figure, words_of(box), WORD_SIZE))


def _width(figure: Figure, words: str, size: float, bold: bool = False) -> float:
    """Return how many inches words take."""
    text = figure.text(0, 0, literal(words), fontsize=size, fontweight="bold" if bold else "normal")
    found = float(text.get_window_extent().width) / figure.dpi
    text.remove()
    return found


def _legend(axes: Axes, trees: Sequence[Forest], width: float, height: float) -> None:
    """Explain the fills that appear."""
    from matplotlib.patches import Patch

    boxes = sorted((box for tree in trees for box in tree.boxes), key=lambda box: rank_of(box.role))
    shown = ((look, box.role) for look in FILLS for box in boxes if box.look == look)
    adopters = dict.fromkeys(tree.adopter(box) for tree in trees for box in tree.boxes if box.orphan)
    meanings = MEANINGS | {ORPHAN: f"{MEANINGS[ORPHAN]} {', '.join(adopters)}"}
    words = dict.fromkeys((look, meanings.get(look) or noun_of(role)) for look, role in shown)
    handles = [Patch(facecolor=FILLS[look], edgecolor=EDGE, linewidth=0.8, label=label) for look, label in words]
    if handles:
        axes.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(MARGIN / width, 0.12 / height), ncol=len(handles),
            frameon=False, fontsize=9, handlelength=1.4, columnspacing=1.5, borderpad=0, borderaxespad=0,
        )  # fmt: skip

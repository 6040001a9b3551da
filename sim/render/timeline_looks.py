"""How each look of a timeline is drawn: its fill, its hatch, and what the legend says.

Fills are Okabe's and Ito's; two looks of the same grey differ by their hatch, so that a print without colour and every
eye can tell them apart. Leaves out where. Source: Okabe and Ito, Color Universal Design (2008).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from sim.views import interval_parts as v
from sim.views.names import Names

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

WHITE, INK, WORDS, GREY, FAINT = "white", "#222222", "#333333", "#666666", "#E6E6E6"
FAULT, DIFFERS = "#D55E00", "#E9E9E9"
HALT = "paused, or stopped by a signal"


class Look(msgspec.Struct, frozen=True):
    """*fill* and *hatch* (with its colour *line*) of a bar, the colour of words on it, and what it means.

    In *means* stand fields of `Names`: what the programs of a run are called.
    """

    fill: str
    means: str
    ink: str = INK
    hatch: str = ""
    line: str = "none"
    edge: float = 0.0
    rail: int = 0  # -1 a thin line over the bar, 1 under it, 0 the whole bar

    def of(self, names: Names) -> str:
        """Return what it means in a run."""
        return self.means.format(names=names)


LOOKS: dict[str, Look] = {  # in the order of the legend
    v.KEPT: Look("#0072B2", "running, {names.holder} under {names.keeper}", WHITE),
    v.ORPHANED: Look("#E69F00", "running, {names.holder} orphaned ({names.reaper})", INK, "///", "#C98700"),
    v.REATTACHED: Look("#56B4E9", "re-attached, {names.holder} stays under {names.reaper}"),
    v.NOBODY: Look("#F0E442", "running without a {names.holder}", INK, "xxx", "#B5A900"),
    v.ATTACHED: Look("#004A77", "running, {names.holder} under {names.reaper}", WHITE),
    v.UNATTACHED: Look(
        "#9CC3DE", "running, {names.holder} under {names.reaper}, no {names.keeper} attached", INK, "---", "#6C97B5"
    ),
    v.ALONE: Look("#0072B2", "running, held by its {names.holder}", WHITE),
    v.UNHELD: Look("#F0E442", "running without a {names.holder}", INK, "xxx", "#B5A900"),
    "own": Look("#0072B2", "running", WHITE),
    "daemon": Look("#444444", "daemon", WHITE),
    "errand": Look("#C2AE8B", "runs one errand ({names.every_errand})"),
    "adopted": Look("#E69F00", "lost its parent: under {names.reaper}", INK, "///", "#C98700"),
    "halted": Look("#CC79A7", HALT, INK, "|||", "#8F4673"),
    "zombie": Look("#FFFFFF", "zombie: dead, not yet reaped", INK, "xxx", "#000000", 0.6),
    "stopping": Look("#D55E00", "told to stop", WHITE, 3 * "\\", "#B04C00"),
    "unready": Look("#BFE3D0", "started, not ready", INK, "...", "#8FC4A8"),
    "starting": Look("#E4F1EA", "being started", INK, "", "#8FC4A8", 0.7),
    "booting": Look("#AFAFAF", "daemon booting"),
    "leaving": Look("#8A6D5A", "daemon told to stop", WHITE, 4 * "\\", "#5F4838"),
    "frozen": Look("#CC79A7", HALT, INK, "|||", "#8F4673"),
    "paused": Look("#CC79A7", HALT, INK, "|||", "#8F4673"),
    "backoff": Look("#FFFFFF", "waits to be restarted", WORDS, "....", "#D55E00", 0.8),
    "unhealthy": Look("#000000", "unhealthy (line below)", WHITE, rail=1),
    "blocked": Look("#F0E442", "output blocked (line above)", INK, "", "#000000", 0.6, rail=-1),
    "up": Look("#444444", "", WHITE),
}
CLIENTS = {"remote": "#009E73", "loopback": "#CC79A7", "container": "#E69F00"}
CLIENT_WORDS = {"remote": "#00795B", "loopback": "#A0527D", "container": "#8A5F00"}


class ArrowLook(msgspec.Struct, frozen=True):
    """How an arrow is drawn; *aside* (points) keeps kinds apart that come at the same moment."""

    colour: str
    means: str
    style: Any
    width: float
    head: str  # a marker: > turns with the arrow
    size: float
    aside: float


ARROWS: dict[str, ArrowLook] = {
    "fork": ArrowLook("#555555", "forks", "solid", 0.8, ">", 4.5, 0.0),
    "signal": ArrowLook("#D55E00", "sends a signal", "solid", 1.4, ">", 6.5, -3.5),
    "reparent": ArrowLook("#9A6A00", "is left to a new parent", (0, (3, 1.5)), 1.1, "D", 4.0, 3.5),
    "reap": ArrowLook("#0072B2", "is reaped by", (0, (1, 1.2)), 1.1, "o", 4.5, 7.0),
}


def style_of(look: Look, *, edged: bool = True) -> dict[str, Any]:
    """Return what a patch or a collection of them needs to look so; not *edged*, neighbours run into each other."""
    style: dict[str, Any] = {"facecolor": look.fill, "edgecolor": look.line, "linewidth": look.edge if edged else 0}
    return {**style, "hatch": look.hatch} if look.hatch else style


def handles(
    looks: Iterable[tuple[Names, set[str]]], arrows: Iterable[str], differs: bool, mixed: bool = False
) -> list[Artist]:
    """Return the entries of the legend for what appears; *looks* are those of each run, with its names.

    *mixed* says that containers and processes both appear.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    arrows = set(arrows)
    found: list[Artist] = [Patch(label=words, **style_of(LOOKS[name])) for name, words in meanings(looks, mixed)]
    for kind, arrow in ARROWS.items():
        if kind in arrows:
            found.append(Line2D(
                [0], [0], color=arrow.colour, linestyle=arrow.style, linewidth=arrow.width, marker=arrow.head,
                markersize=arrow.size, label=arrow.means, markerfacecolor=WHITE if arrow.head == "o" else arrow.colour,
            ))  # fmt: skip
    if differs:
        found.append(Patch(label="not so in the other run", facecolor=DIFFERS, edgecolor="none"))
    return found


def meanings(looks: Iterable[tuple[Names, set[str]]], mixed: bool = False) -> list[tuple[str, str]]:
    """Return looks with what they mean, in their order, each meaning once.

    If *mixed*, a container's look speaks for the process's of the same run that is drawn like it.
    """
    found: dict[tuple[str, str], str] = {}  # the drawing and the words
    for names, mine in looks:
        drawn: set[tuple[str, str]] = set()
        for name, look in LOOKS.items():
            if name in mine and look.means and not (mixed and (look.fill, look.hatch) in drawn):
                drawn.add((look.fill, look.hatch))
                found.setdefault((look.fill + look.hatch, look.of(names)), name)
    order = list(LOOKS)
    return sorted(((name, words) for (_, words), name in found.items()), key=lambda it: order.index(it[0]))


def legend(figure: Figure, entries: list[Artist], foot: float, size: float, columns: int) -> None:
    """Write the legend *foot* inches above the figure's lower edge."""
    if entries:
        figure.legend(
            handles=entries, loc="lower center", bbox_to_anchor=(0.5, foot / figure.get_size_inches()[1]), ncol=columns,
            frameon=False, fontsize=size, handlelength=1.5, handleheight=0.8, columnspacing=1.3, borderpad=0,
            borderaxespad=0, labelspacing=0.45,
        )  # fmt: skip


def columns_of(figure: Figure, entries: list[Artist], room: float, size: float) -> int:
    """Return in how many columns the legend fits into *room* inches."""
    scratch = figure.text(0, 0, "", fontsize=size)
    widths = []
    for entry in entries:
        scratch.set_text(str(entry.get_label()))
        widths.append(scratch.get_window_extent().width / figure.dpi + size * 3.6 / 72)
    scratch.remove()
    most = next((columns for columns in range(len(widths), 1, -1) if _wide(widths, columns) <= room), 1)
    lines = -(-len(widths) // most)
    fewest = -(-len(widths) // lines)  # so that the lines are about as long
    return fewest if _wide(widths, fewest) <= room else most


def _wide(widths: list[float], columns: int) -> float:
    """Return how wide a legend is that fills so many columns, the first ones first.

    >>> _wide([1.0, 2.0, 3.0], 2)
    5.0
    """
    tall, more = divmod(len(widths), columns)
    ends = [column * tall + min(column, more) for column in range(columns + 1)]
    return sum(max(widths[start:end]) for start, end in pairwise(ends))

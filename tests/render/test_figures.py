"""Check the main figures against images that were looked at, and that no words on them lie on each other or are cut."""

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from sim.render import timeline
from sim.render.picture import write
from sim.render.timeline_looks import ARROWS, CLIENTS, LOOKS, Look
from sim.views.timeline_parts import Bar, TimelineData
from tests.render.figures import FEW, FOLDER, TIMELINES, TREES, data_of, paint, pair, unlike

GROUPS = (  # looks that may stand beside each other on a lane
    ("kept", "orphaned", "reattached", "nobody", "stopping", "unready", "starting", "paused", "backoff"),
    ("kept", "orphaned", "reattached", "nobody", "attached", "unattached", "stopping", "unready", "starting", "paused"),
    ("up", "booting", "leaving", "frozen"),
    ("daemon", "adopted", "halted", "zombie"),
    ("own", "adopted", "halted", "zombie"),
    ("errand", "adopted", "zombie"),
)


@pytest.mark.parametrize("name", [*TIMELINES, *TREES])
def test_a_figure_looks_as_it_did_when_it_was_looked_at(name: str, tmp_path: Path) -> None:
    """A figure of kept data is the kept image, but for how letters are drawn."""
    paint(name, data_of(name), tmp_path / "now.png")
    assert unlike(FOLDER / f"{name}.png", tmp_path / "now.png") <= FEW, "python -m tests.render.figures makes it anew"


def test_the_readme_s_picture_is_the_tool_s_own(tmp_path: Path) -> None:
    """`shimulator plot document document-live-restore` draws docs/timeline.png, but for what draws move by some ms."""
    write(tmp_path / "now.png", lambda: timeline.draw(pair()))
    picture = FOLDER.parents[3] / "docs" / "timeline.png"
    assert unlike(picture, tmp_path / "now.png") <= 5 * FEW, "plot it anew"


def changed(run: TimelineData, what: str) -> TimelineData:
    """Return a run with something small changed in it."""
    lane = run.lanes[2]
    bars = [Bar(bar.start, bar.end, "nobody" if bar.look == "stopping" else bar.look) for bar in lane.bars]
    if what == "moved":
        bars = [Bar(bar.start, bar.end + 150_000 * (bar.look == "orphaned"), bar.look) for bar in lane.bars]
    return replace(run, lanes=(*run.lanes[:2], replace(lane, bars=tuple(bars)), *run.lanes[3:]))


@pytest.mark.mostly_long
@pytest.mark.parametrize("what", ["moved", "look"])
def test_a_small_change_is_not_tolerated(what: str, tmp_path: Path) -> None:
    """One bar of one lane that ends 150 ms later, or looks otherwise, is another figure."""
    one, other = data_of("pair")
    paint("pair", [changed(one, what), other], tmp_path / "now.png")
    assert unlike(FOLDER / "pair.png", tmp_path / "now.png") > FEW


@pytest.mark.mostly_long
@pytest.mark.parametrize("name", list(TIMELINES))
def test_no_words_lie_on_each_other_or_are_cut(name: str) -> None:
    """Names, outcomes, steps, headline, titles and ticks stand apart from each other and within the picture."""
    figure: Any
    figure, _ = timeline.draw(data_of(name))
    figure.draw_without_rendering()
    texts = [text for text in figure.texts if text.get_text()]
    texts += [text for axes in figure.axes for text in axes.get_xticklabels() if text.get_text()]
    texts += [text for legend in figure.legends for text in legend.get_texts()]
    areas = [(text.get_text(), text.get_window_extent()) for text in texts]
    for words, area in areas:
        assert 0 <= area.x0 < area.x1 <= figure.bbox.width, words
        assert 0 <= area.y0 < area.y1 <= figure.bbox.height, words
    shrunk = [(words, area.expanded(0.97, 0.8)) for words, area in areas]
    assert not [(a, b) for (a, one), (b, other) in combinations(shrunk, 2) if one.overlaps(other)]


# -- colours ------------------------------------------------------------------------------------------

# What linear RGB becomes for eyes without one kind of cone (Viénot, Brettel and Mollon 1999), and in print.
EYES = {
    "protanopia": ((0.112, 0.888, 0.0), (0.112, 0.888, 0.0), (0.004, -0.004, 1.0)),
    "deuteranopia": ((0.292, 0.708, 0.0), (0.292, 0.708, 0.0), (-0.022, 0.022, 1.0)),
    "grey": ((0.2126, 0.7152, 0.0722),) * 3,
}


def seen(colour: str, eye: str) -> tuple[float, ...]:
    """Return a colour (#rrggbb) as somebody sees it, each part from 0 to 1 and about as bright as it seems."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    mixed = (sum(weight * part for weight, part in zip(row, linear, strict=True)) for row in EYES[eye])
    return tuple(min(max(part, 0.0), 1.0) ** (1 / 2.2) for part in mixed)


def apart(one: Look, other: Look, eye: str) -> bool:
    """Say whether two looks can be told apart: by hatch or edge, or by what is seen of their fill."""
    if (one.hatch, one.edge, one.rail) != (other.hatch, other.edge, other.rail):
        return True
    return max(abs(a - b) for a, b in zip(seen(one.fill, eye), seen(other.fill, eye), strict=True)) >= 0.12


@pytest.mark.parametrize("eye", list(EYES))
@pytest.mark.parametrize("group", GROUPS)
def test_looks_of_a_lane_can_be_told_apart(group: tuple[str, ...], eye: str) -> None:
    """Nobody needs a colour to tell two looks of one lane from each other, nor does a print without any."""
    assert not [(a, b) for a, b in combinations(group, 2) if not apart(LOOKS[a], LOOKS[b], eye)]


def test_colour_alone_would_not_do() -> None:
    """Orphaned and re-attached are one grey: without its hatch the picture could not be printed."""
    orphaned, reattached = LOOKS["orphaned"], LOOKS["reattached"]
    assert not apart(replace(orphaned, hatch=""), reattached, "grey")


def test_arrows_differ_in_more_than_colour() -> None:
    """Each kind of arrow has a head or a line of its own."""
    shapes = {(arrow.head, arrow.style, arrow.width) for arrow in ARROWS.values()}
    assert len(shapes) == len(ARROWS)
    assert set(CLIENTS) == {"remote", "loopback", "container"}

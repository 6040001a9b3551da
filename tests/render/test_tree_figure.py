"""Check the picture of process trees: boxes apart from each other, words within them, the same bytes each time."""

from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.patches import FancyBboxPatch

from sim.errors import InputError
from sim.experiment.run import run
from sim.render.picture import write
from sim.render.tree_figure import draw
from sim.render.tree_layout import rows
from sim.views.forest import Forest, compared, forest

NAMES = [f"a-rather-long-name-{n}: {{image: x, ports: ['{8000 + n}:80']}}" for n in range(20)]
TWENTY = f"services: {{{', '.join(NAMES)}}}\nsteps: [{{id: kill, at: 60s, kill: dockerd}}]\nuntil: kill+1s\n"


def pair(of: Any) -> tuple[Forest, Forest]:
    """Return the trees before and after a kill."""
    return compared(*(forest(of.tree(at), at) for at in ("kill-1s", "kill+500ms")))


@st.composite
def trees(draw: st.DrawFn) -> dict[int, list[int]]:
    """Draw a tree by giving each box a parent among those before it."""
    children: dict[int, list[int]] = {-1: []}
    for place in range(draw(st.integers(1, 30))):
        children[place] = []
        children[draw(st.integers(-1, place - 1))].append(place)
    return children


@given(children=trees())
def test_a_tidy_tree(children: dict[int, list[int]]) -> None:
    """Boxes of a generation are a row apart or more, in order; parents stand in the middle of their children."""
    found = rows(children)
    assert set(found) == set(children) - {-1}
    assert min(found.values()) == 0
    generation = children[-1]
    while generation:
        assert all(found[a] + 1 <= found[b] for a, b in pairwise(generation))
        for place in generation:
            if below := children[place]:
                assert found[place] == pytest.approx((found[below[0]] + found[below[-1]]) / 2)
        generation = [child for place in generation for child in children[place]]


def test_boxes_do_not_overlap_and_words_stay_within_them(tmp_path: Path) -> None:
    """With twenty containers of long names no box covers another one, and no word leaves its box or the picture."""
    (tmp_path / "twenty.yaml").write_text(TWENTY, encoding="utf-8")
    figure: Any
    figure, said = draw(pair(run(tmp_path / "twenty.yaml")), "about")
    assert said.startswith("106 processes in 2 trees: moved to PID 1: 20 shims; gone: ")
    (axes,) = figure.axes
    boxes = [it.get_window_extent() for it in axes.patches if isinstance(it, FancyBboxPatch)]
    assert len(boxes) == 106
    assert not [1 for one, other in combinations(boxes, 2) if one.overlaps(other)]
    words = [text.get_window_extent() for text in axes.texts]
    assert not [1 for one, other in combinations(words, 2) if one.overlaps(other)]
    for area in words:
        assert 0 <= area.x0 < area.x1 <= figure.bbox.width
        within = [box for box in boxes if box.overlaps(area)]
        assert len(within) <= 1
        assert all(box.x0 < area.x0 < area.x1 < box.x1 for box in within)


@pytest.mark.mostly_long
@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_trees_give_the_same_bytes(tmp_path: Path, kind: str) -> None:
    """A picture has no date and no random id."""
    trees = pair(run("document"))
    paths = [tmp_path / f"{name}.{kind}" for name in "ab"]
    for path in paths:
        write(path, lambda: draw(trees))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_another_format_is_refused(tmp_path: Path) -> None:
    """A format that is not drawn is refused with those that are."""
    with pytest.raises(InputError, match="'gif' is not a picture format"):
        write(tmp_path / "x.gif", lambda: draw([forest(run("document").tree())]))

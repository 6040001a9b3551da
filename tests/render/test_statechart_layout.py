"""Check where everything of a statechart stands: nothing lies on anything else, in any procedure and made-up ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.designs import DESIGNS
from sim.render.statechart import APART, pack
from sim.render.statechart_layout import LEFT, LETTER, LINE, ChartLayout, plan, story
from sim.views.statechart import Chart, Edge, OpNode, charts

CHARTS = {chart.procedure: chart for design in DESIGNS.values() for chart in charts(design)}
Rect = tuple[float, float, float, float]  # left, top, right, bottom
NEAR = 0.02  # inches; a line is 0.011 wide


def rects(it: ChartLayout) -> list[Rect]:
    """Return the boxes."""
    return [(box.x, box.y, box.x + box.width, box.y + box.height) for box in it.boxes]


def texts(it: ChartLayout) -> list[Rect]:
    """Return the areas of the words beside lines."""
    found = []
    for words in it.words:
        lines = words.text.split("\n")
        width, height = max(map(len, lines)) * LETTER, len(lines) * LINE
        left = words.x - width if words.side == LEFT else words.x
        found.append((left, words.y - height / 2, left + width, words.y + height / 2))
    return found


def segments(it: ChartLayout) -> Iterator[tuple[int, Rect]]:
    """Yield each straight piece of each line with the op that the line leads to."""
    for wire in it.wires:
        for (a, b), (c, d) in pairwise(wire.points):
            yield wire.target, (min(a, c), min(b, d), max(a, c), max(b, d))


def overlap(one: Rect, other: Rect, by: float = 0.0) -> bool:
    """Say whether two areas share more than *by* in both directions."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return wide > by and high > by


def grown(area: Rect, by: float) -> Rect:
    """Return the area with a margin."""
    return area[0] - by, area[1] - by, area[2] + by, area[3] + by


def flaws(it: ChartLayout) -> Iterator[str]:
    """Yield what lies on something else, or outside."""
    for one, other in combinations([*rects(it), *texts(it)], 2):
        if overlap(one, other):
            yield f"{one} lies on {other}"
    for target, piece in segments(it):
        for box in rects(it):
            if overlap(grown(piece, 1e-6), box, by=1e-5):
                yield f"a line to {target} crosses a box: {piece}"
        upright = piece[3] - piece[1] > piece[2] - piece[0]
        if upright and any(overlap(grown(piece, 0.005), text) for text in texts(it)):
            yield f"a line to {target} crosses words: {piece}"
    for (target, one), (another, other) in combinations(segments(it), 2):
        along = min(one[2], other[2]) - max(one[0], other[0]), min(one[3], other[3]) - max(one[1], other[1])
        if target != another and max(along) > NEAR and min(along) > -NEAR and same_way(one, other):
            yield f"lines to {target} and {another} run on each other: {one} {other}"
    for area in [*rects(it), *texts(it), *(piece for _, piece in segments(it))]:
        if area[0] < -1e-6 or area[1] < 0 or area[2] > it.width + 1e-6 or area[3] > it.height + 1e-6:
            yield f"{area} is outside"


def same_way(one: Rect, other: Rect) -> bool:
    """Say whether two pieces are both upright or both level."""
    return (one[3] - one[1] > one[2] - one[0]) == (other[3] - other[1] > other[2] - other[0])


@pytest.mark.parametrize("name", CHARTS)
def test_nothing_lies_on_anything_else(name: str) -> None:
    """Boxes, words and lines of every procedure keep apart, and names fit into their boxes."""
    it = plan(CHARTS[name])
    assert list(flaws(it)) == []
    for node, box in zip(it.chart.nodes, it.boxes, strict=True):
        assert len(node.name) * LETTER < box.width
        assert node.index == box.index


@st.composite
def made_up(draw: st.DrawFn) -> Chart:
    """Return a chart of any ways between its ops, each reached from the first."""
    count = draw(st.integers(1, 14))
    number = st.integers(0, count - 1)
    name = st.text("abcdef_", min_size=1, max_size=24)
    nodes = tuple(OpNode(n, "do", draw(name)) for n in range(count))
    edges = [Edge(n, draw(number), "next") for n in range(count) if draw(st.booleans())]
    edges += [Edge(draw(number), draw(number), "label", draw(name)) for _ in range(draw(st.integers(0, 12)))]
    edges += [Edge(draw(st.integers(0, n - 1)), n, "late", "x", "16 s") for n in range(1, count)]
    return Chart("p", "p.q", (), nodes, tuple(sorted(edges, key=lambda edge: edge.source)))


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(made_up())
def test_nothing_lies_on_anything_else_in_any_chart(chart: Chart) -> None:
    """No table that somebody may write yet gives a picture in which something is hidden."""
    assert list(flaws(plan(chart))) == []


@given(made_up())
def test_each_op_has_one_place_and_each_way_a_line(chart: Chart) -> None:
    """Every op stands in one chain, the first op's first; every pair of ops with a way between them has a line."""
    chains = list(story(chart))
    assert sorted(index for chain in chains for index in chain) == list(range(len(chart.nodes)))
    assert chains[0][0] == 0
    it = plan(chart)
    pairs = {(wire.source, wire.target) for wire in it.wires}
    assert pairs == {(edge.source, edge.target) for edge in chart.edges}
    said = {(words.source, words.target) for words in it.words}
    assert said >= {(edge.source, edge.target) for edge in chart.edges if edge.why != "next"}


def test_the_story_goes_past_loops() -> None:
    """A terminal's story goes through the loop of its steps and ends with its return; what goes wrong is beside it."""
    names = {node.index: node.name for node in CHARTS["client.terminal"].nodes}
    chains = [[names[index] for index in chain] for chain in story(CHARTS["client.terminal"])]
    assert chains[0][:3] == ["more_steps", "await", "begin"]
    assert chains[0][-2:] == ["finish", "return"]
    assert ["no_runtime"] in chains[1:]


@given(st.lists(st.tuples(st.floats(0.5, 9), st.floats(0.5, 30)), min_size=1, max_size=12))
def test_procedures_do_not_lie_on_each_other(sizes: list[tuple[float, float]]) -> None:
    """Charts of any size stand apart, within the picture."""
    places, width, height = pack(sizes)
    areas = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(places, sizes, strict=True)]
    assert not any(overlap(grown(one, APART / 2 - 1e-6), other) for one, other in combinations(areas, 2))
    assert max(area[2] for area in areas) <= width + 1e-6
    assert max(area[3] for area in areas) <= height + 1e-6

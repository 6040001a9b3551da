"""Check statecharts as text: recorded Mermaid and DOT of one program, every op and way in all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sim.designs import DESIGNS
from sim.render.statechart_text import dot, mermaid
from sim.views.statechart import Chart, Edge, OpNode, Place, charts, together

GOLDEN = Path(__file__).parent / "data" / "statechart"
DOCKER = DESIGNS["docker-1.13"]
CAME: set[Place] = {("shim.main", index) for index in range(14)} | {("shim.copy", index) for index in range(4)}
TEXTS = {"mmd": mermaid, "dot": dot}
ARROW = {"mmd": "-->", "dot": "->"}


@pytest.mark.parametrize("kind", TEXTS)
def test_the_text_is_the_recorded_one(kind: str) -> None:
    """The shim's statechart with all reached but its failure, as Mermaid 11 and Graphviz have read it."""
    text = TEXTS[kind](charts(DOCKER, CAME, "shim"), about="docker-1.13")
    assert text == (GOLDEN / f"shim.{kind}").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("program", DOCKER.programs)
def test_every_op_and_way_is_in_the_text(kind: str, program: str) -> None:
    """Each op once by its name, each pair of ops with a way between them once, with its words."""
    found = charts(DOCKER, program=program)
    text = TEXTS[kind](found)
    for chart in found:
        own = chart.procedure.replace(".", "_")
        for node in chart.nodes:
            place = rf'^    {own}_{node.index}( \[label=|[\[({{]+)"{re.escape(node.name)}"'
            assert len(re.findall(place, text, re.M)) == 1
        lines = re.findall(rf"^    {own}_(\d+) {ARROW[kind]}.*?{own}_(\d+)\b", text, re.M)
        assert [(int(a), int(b)) for a, b in lines] == list(together(chart.edges))
        assert all(edge.label in text for edge in chart.edges if edge.why == "label")


@pytest.mark.parametrize("kind", TEXTS)
def test_marks_change_the_text(kind: str) -> None:
    """What was not reached is dashed, and only that."""
    draw = TEXTS[kind]
    assert draw(charts(DOCKER, None, "shim")).count("dash") == 0
    some, none = (draw(charts(DOCKER, came, "shim")) for came in (CAME, set()))
    assert some.count("dash") == 1
    if kind == "dot":
        assert none.count("dashed") == 18
    else:
        assert re.findall(r"class (\S+) unreached", some) == ["shim_main_14"]
        assert len(re.findall(r"class (\S+) unreached", none)[0].split(",")) == 18


@pytest.mark.parametrize("kind", TEXTS)
def test_a_quote_does_not_end_a_name(kind: str) -> None:
    """A name or label with a quote stays one text."""
    chart = Chart("p", "p.q", ("TERM",), (OpNode(0, "do", 'a"b'),), (Edge(0, 0, "label", '"'),))
    text = TEXTS[kind]([chart], about='"')
    assert "a'b" in text
    assert '"q on TERM"' in text
    assert all(line.count('"') % 2 == 0 for line in text.splitlines()[1:])

"""Check the picture of a program's statecharts: what it says, how marks look, and that the bytes are the same."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from matplotlib.patches import FancyBboxPatch

from sim.designs import DESIGNS
from sim.errors import InputError
from sim.render.statechart import LOOK_OF, LOOKS, WAITING, draw, drawn, pale, rounded, statechart
from sim.render.statechart_layout import LETTER, LINE, SIZE
from sim.views.statechart import KINDS, Place, charts

ROOT = Path(__file__).resolve().parents[2]
DOCKER = DESIGNS["docker-1.13"]
CAME: set[Place] = {("shim.main", index) for index in range(14)} | {("shim.copy", index) for index in range(4)}


def boxes(program: str, reached: set[Place] | None = None) -> list[FancyBboxPatch]:
    """Return the boxes of a program's picture, in the order of its ops."""
    figure = draw(charts(DOCKER, reached, program))
    return [patch for patch in figure.axes[0].patches if isinstance(patch, FancyBboxPatch)]


def words(program: str, reached: set[Place] | None = None, about: str = "") -> list[str]:
    """Return the texts of a program's picture."""
    return [text.get_text() for text in draw(charts(DOCKER, reached, program), about=about).axes[0].texts]


def test_every_kind_has_a_look() -> None:
    """Each kind of op has a colour that the legend explains; those that may wait are known kinds."""
    assert set(KINDS.values()) == set(LOOK_OF)
    assert set(LOOK_OF.values()) == set(LOOKS)
    assert set(WAITING) <= set(LOOK_OF)


def test_a_picture_says_what_it_shows() -> None:
    """The program, counts, what was looked at, procedures with their signals, every op, and why ways are taken."""
    said = words("shim", CAME, "docker-1.13")
    assert {"shim", "2 procedures, 18 ops, 17 reached · docker-1.13", "main", "14 of 15 reached", "exit 0"} <= set(said)
    assert sum(text == "reap_child" for text in said) == 3
    assert "bad: the child left with another status" in said[-1]
    assert "lost" not in said[-1]
    assert "on TERM, INT" in words("containerd")


def test_each_op_is_a_box() -> None:
    """A picture has as many boxes as there are ops in its charts."""
    for program in ("shim", "containerd"):
        assert len(boxes(program)) == drawn(charts(DOCKER, program=program)).ops


def test_marks_change_the_picture() -> None:
    """What was reached is filled, what was not is pale and dashed; without marks all is filled."""
    looks = [(box.get_facecolor()[:3], box.get_linestyle()) for box in boxes("shim", CAME)]
    assert [style for _, style in looks] == ["solid"] * 14 + [(0, (3, 2))] + ["solid"] * 3
    plain = boxes("shim")
    assert {box.get_linestyle() for box in plain} == {"solid"}
    assert looks[14][0] != plain[14].get_facecolor()[:3]
    assert statechart(charts(DOCKER, CAME, "shim")) != statechart(charts(DOCKER, set(), "shim"))


LARGEST = "dockerd"


@pytest.mark.parametrize(
    "program", [pytest.param(it, marks=pytest.mark.long if it == LARGEST else ()) for it in DOCKER.programs]
)
def test_texts_fit(program: str) -> None:
    """Letters are as wide as the layout takes them for, no text is cut, no heading runs into another one."""
    figure: Any = draw(charts(DOCKER, set(), program), about="a long story " * 12)
    headings: list[Any] = [figure.axes[0].get_legend().get_window_extent()]
    assert headings[0].x1 <= figure.bbox.width
    for text in figure.axes[0].texts:
        area = text.get_window_extent()
        assert 0 <= area.x0 < area.x1 <= figure.bbox.width, text.get_text()
        assert 0 <= area.y0 < area.y1 <= figure.bbox.height, text.get_text()
        if text.get_fontsize() == SIZE and text.get_bbox_patch() is None:
            assert area.width / figure.dpi == pytest.approx(len(text.get_text()) * LETTER, abs=0.02)
            assert area.height / figure.dpi < LINE * 1.05
        elif text.get_fontsize() in (10.5, 8):
            assert not any(area.overlaps(other) for other in headings), text.get_text()
            headings.append(area)


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_same_charts_give_the_same_bytes(kind: str) -> None:
    """A picture has no date and no random id, and starts as its format does."""
    first, second = (statechart(charts(DOCKER, CAME, "shim"), kind) for _ in range(2))
    assert first == second
    assert first.startswith({"png": b"\x89PNG", "svg": b"<?xml"}[kind])


@pytest.mark.parametrize("programs", ["shim", pytest.param("containerd dockerd", marks=pytest.mark.long)])
def test_bytes_do_not_depend_on_the_hash_seed(programs: str) -> None:
    """Two processes with different hash seeds draw the same pictures and write the same texts."""
    code = (
        "import hashlib; from sim.designs import DESIGNS; from sim.render.statechart import statechart\n"
        "from sim.render.statechart_text import dot, mermaid; from sim.views.statechart import charts\n"
        "import sys; design = DESIGNS['docker-1.13']; found = [charts(design, program=name) for name in sys.argv[1:]]\n"
        "parts = [draw(one) for one in found for draw in (statechart, lambda c: statechart(c, 'svg'))]\n"
        "parts += [text(one).encode() for one in found for text in (dot, mermaid)]\n"
        "print(hashlib.sha256(b''.join(parts)).hexdigest())"
    )
    digests = set()
    for seed in ("1", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code, *programs.split()],
            cwd=ROOT,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        digests.add(done.stdout.strip())
    assert len(digests) == 1
    assert len(digests.pop()) == hashlib.sha256().digest_size * 2


def test_a_picture_grows_with_its_program() -> None:
    """A small program's picture is small, with room for the legend; a large one has about a page's shape."""
    pictures = [statechart(charts(DOCKER, program=name)) for name in ("child", "containerd")]
    sizes = [struct.unpack(">II", picture[16:24]) for picture in pictures]
    assert sizes[0][0] < 1500 < sizes[1][0]
    assert 0.45 < sizes[1][0] / sizes[1][1] < 2.2


def test_another_format_is_refused() -> None:
    """A format that is not drawn is refused with those that are."""
    with pytest.raises(InputError, match="'gif' is not a picture format\\. Use png, svg"):
        statechart(charts(DOCKER, program="shim"), "gif")


def test_corners_are_curves_where_there_is_room() -> None:
    """A corner is cut at most half of the way to its neighbours; two points need none."""
    assert rounded([(0, 0), (0, 1)]) == ([(0, 0), (0, 1)], [1, 2])
    vertices, codes = rounded([(0.0, 0.0), (0.0, 0.04), (1.0, 0.04)])
    assert vertices == [(0.0, 0.0), (0.0, 0.02), (0.0, 0.04), (0.05, 0.04), (1.0, 0.04)]
    assert codes == [1, 2, 3, 3, 2]


def test_pale_colours_are_pale() -> None:
    """A tint is at least nine tenths of the way to white."""
    assert all(min(bytes.fromhex(pale(fill)[1:])) >= 229 for _, fill, _ in LOOKS.values())

"""Figures of what-ifs: the same bytes each time, panels and maps of what differs, names in few words."""

import math

import pytest

from sim.experiment.question import answers, asked_for, questions
from sim.experiment.whatif import Terms, whatif
from sim.render.compare_figure import compare_png
from sim.render.fault_figure import alternatives, badness, columns, draw_maps, field, map_png, shade, telling
from sim.render.short import short_names
from sim.render.spread_figure import draw_spread, drawn, sides, spread_png
from sim.scenario import load
from tests.experiment.hosts import GONE, LIVE_RESTORE


@pytest.fixture(scope="module")
def found():
    """Two faults, two alternatives of the first of which a container stays away."""
    asked = asked_for([f"{LIVE_RESTORE},false"], None, "payload/web,dockerd")
    terms = Terms(6, 1)
    return list(answers(list(questions(lambda more: load("x.yaml", GONE, more), asked, terms)), lambda words: None))


def texts(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.long
def test_figures_are_the_same_bytes_each_time(found):
    """Same data, same picture."""
    for draw in (lambda: map_png(found), lambda: spread_png(found[1]), lambda: compare_png(found[1], 1)):
        assert draw() == draw()
        assert draw().startswith(b"\x89PNG")


def test_a_map_has_a_field_for_each_alternative_and_fault(found):
    """The file as it is stands first; what was not back is the darkest."""
    assert alternatives(found) == ["as it is", "engine.daemon.live-restore=true", "engine.daemon.live-restore=false"]
    assert columns(found) == ["payload/web", "dockerd"]
    row, side = field(found[0], "as it is", "remote_dark")
    assert math.isinf(side.median)
    assert (shade(badness(row, side), 3.0), shade(3.0, 3.0), shade(0.0, 3.0)) == (1.0, pytest.approx(0.8), 0.0)
    assert field(found[0], "engine.daemon.live-restore=maybe", "remote_dark") is None
    figure, title = draw_maps(found)
    assert "x: what each alternative makes of each fault" in title
    assert "> 20s" in texts(figure)


def test_what_is_better_when_higher_is_dark_when_low(found):
    """Of two containers none that keeps its process is as bad as can be."""
    row, side = field(found[1], "as it is", "processes_kept")
    assert badness(row, side) == 2
    assert badness(*field(found[1], "engine.daemon.live-restore=true", "processes_kept")) == 0


def test_a_map_of_one_shade_is_left_out(found):
    """It would say nothing."""
    assert telling(found, "remote_dark")
    assert not telling(found, "running")


def test_a_panel_counts_the_runs_that_were_not_back(found):
    """They have no place on an axis."""
    figure, _ = draw_spread(whatif("x.yaml", ["services.web.restart=always"], 6, 1, text=GONE))
    assert "as it is: 6 of 6 not back" in texts(figure)
    assert "remote_dark" in drawn(found[1])
    assert "exit_codes_lost" not in drawn(found[1])  # a count
    assert next(name for name, _ in sides(found[1], "remote_dark")) == "as it is"


def test_short_names_tell_alternatives_apart(found):
    """The last words of the paths, and the values."""
    assert list(short_names(found[0].variants).values()) == ["live-restore=true", "live-restore=false"]

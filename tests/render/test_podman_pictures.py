"""Runs of podman in pictures and pages: no lane of a daemon, who holds a container, and what no errand of Docker is."""

from __future__ import annotations

from functools import cache

import pytest

from sim.bundled import bundled_names
from sim.experiment.run import Run, run_scenario
from sim.render import timeline
from sim.scenario import load
from sim.views.timeline import WAYS

NAMES = [name for name in bundled_names() if name.startswith("podman")]


@cache
def run(name: str) -> Run:
    return run_scenario(load(name))


def legend(*runs: Run, by: str = "container") -> set[str]:
    """Return the words of the legend of a picture of runs."""
    figure, _ = timeline.draw([one.timeline(by=by) for one in runs])
    return {text.get_text() for legend in figure.legends for text in legend.get_texts()}


@pytest.mark.mostly_long
@pytest.mark.parametrize("by", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_every_way_of_a_timeline_is_drawn_without_a_daemon(name: str, by: str) -> None:
    """Lanes are of what there is, and no word is of a shim."""
    data = run(name).timeline(by=by)
    assert data.daemons == ()
    words = legend(run(name), by=by)
    assert words
    assert not [word for word in words if "shim" in word or "iptables" in word]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_and_trees_are_made(name: str) -> None:
    """A report tells of each container's state, and a tree of conmon."""
    found = run(name)
    assert "conmon" in found.page()
    assert found.trees().caption


def test_who_holds_a_container_is_told_apart() -> None:
    """A container with its conmon, and one without."""
    words = legend(run("podman-conmon-killed"))
    assert {"running, held by its conmon", "running without a conmon"} <= words
    web, db = run("podman-conmon-killed").timeline().lanes
    assert [bar.look for bar in web.bars if bar.end > 0][:2] == ["alone", "unheld"]
    assert [bar.look for bar in db.bars if bar.end > 0] == ["alone"]


def test_a_conmon_under_pid_1_has_not_lost_its_parent() -> None:
    """Its design has it there; a payload under PID 1 has."""
    lanes = run("podman-conmon-killed").timeline(by="process").lanes
    adopted = {lane.name.rpartition(" ")[0] for lane in lanes if any(bar.look == "adopted" for bar in lane.bars)}
    assert adopted == {"payload web"}


def test_a_comparison_names_both_who_hold() -> None:
    """Of looks that are drawn alike each engine's own words stand in the legend."""
    words = legend(run("shim-while-containerd-down"), run("podman-conmon-killed"))
    assert {"running, shim under containerd", "running, held by its conmon"} <= words

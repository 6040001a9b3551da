"""Verdicts where boxes of several ways were joined: what no run can come to is no violation."""

from __future__ import annotations

from functools import cache

import pytest

from sim.drive.explore import Limits, explore
from sim.experiment.exploring import explored
from sim.experiment.run import run_scenario
from sim.properties import ALWAYS, PROPERTIES, SOMETIMES, Property
from sim.render.exploration_text import exploration_text
from sim.scenario import load
from sim.views.exploration import HOLDS, VIOLATED, Explored, Finding
from tests.drive.test_shortest import QUESTION, not_overtaken

RESTARTED = """
title: A container that is always restarted
services: {web: {image: nginx, restart: always, x-payload: {threads: 2}}}
steps: [{id: shot, at: 1s, kill: dockerd}]
"""
NEVER = Property("not_overtaken", ALWAYS, "No container is up for 10 s before its dockerd is.", not_overtaken)


@cache
def found(states: int) -> Explored:
    return explored(load("restarted.yaml", RESTARTED), [NEVER], limits=Limits(states=states))


@pytest.mark.long
def test_what_the_joined_search_alone_finds_holds() -> None:
    """It meets such a state, whose story the timers' lengths do not allow; told apart by them, no state is such."""
    whole = explore(load("restarted.yaml", RESTARTED).setup, asked=(QUESTION,))
    assert set(whole.shown) == {QUESTION.name}
    (finding,) = found(30_000).findings
    assert (finding.verdict, finding.story) == (HOLDS, "")
    assert "states told apart by their timers" in finding.why
    assert "told apart by their timers" in " ".join(exploration_text(found(30_000)).split())


@pytest.mark.long
def test_a_second_search_that_is_cut_off_is_undetermined() -> None:
    """The state was met, and nobody knows whether a run can come to it: neither HOLDS nor VIOLATED."""
    states = found(30_000).states + 1
    (finding,) = found(states).findings
    assert finding.verdict.startswith("UNDETERMINED (limit of")
    assert finding.verdict not in (HOLDS, VIOLATED)


@pytest.mark.long
def test_what_holds_sometimes_must_be_met_by_a_run() -> None:
    """A guard is not met by a state to which no run can come."""
    guard = Property("overtaken", SOMETIMES, "It is.", lambda world: not not_overtaken(world))
    scenario = load("restarted.yaml", RESTARTED)
    numbers = 30_000, found(30_000).states
    whole, cut = (explored(scenario, [guard], limits=Limits(states=number)) for number in numbers)
    assert whole.findings[0].verdict == VIOLATED
    assert whole.findings[0].why.startswith("in no state; ")
    assert cut.findings[0].verdict.startswith("UNDETERMINED (limit of")


STORIES = {
    "V8": "services: {web: {image: nginx, ports: ['8080:80']}}\nsteps: [{at: 1s, kill: 'proxy/web:8080'}]\n",
    "V3": "services: {web: {image: nginx}}\nsteps: [{at: 1s, kill: containerd}, {at: 1s, kill: shim/web}]\n",
    "V13": "services: {web: {image: nginx}}\nsteps: [{at: 1s, stop: dockerd}, {at: 1s, docker: stop web}]\n",
}
EACH = [pytest.param(name, marks=pytest.mark.long if name == "V3" else ()) for name in STORIES]


@pytest.mark.parametrize("name", EACH)
def test_stories_of_three_invariants_are_played_by_the_command(name: str, tmp_path: object) -> None:
    """What is written is a scenario of its own: run judges the property in it, and it fails, with several seeds."""
    finding = story(name)
    assert finding.verdict == VIOLATED
    scenario = load("story.yaml", finding.scenario)
    for seed in (1, 7):
        assert [verdict.holds for verdict in run_scenario(scenario, seed=seed).verdicts()] == [False]


@cache
def story(name: str) -> Finding:
    """Explore a scenario whose own steps break a property, if people come at the wrong moment."""
    return explored(load("own.yaml", STORIES[name]), [PROPERTIES[name]], limits=Limits(states=30_000)).findings[0]


@pytest.mark.parametrize("name", EACH)
def test_steps_of_a_scenario_are_told_as_steps(name: str) -> None:
    """No fault was needed: the orders of what people do are enough."""
    assert story(name).faults == 0
    assert "fault" not in story(name).scenario[story(name).scenario.index("\norder:") :]

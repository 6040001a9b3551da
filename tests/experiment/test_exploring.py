"""What explore finds of a scenario: verdicts with their bound, and stories that a run plays to the same violation."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from sim.bundled import bundled
from sim.drive.explore import Limits
from sim.engine.setup import FaultBudget, Setup
from sim.errors import InputError
from sim.experiment.asking import asked_of, sentence
from sim.experiment.exploring import bound_of, explored, with_faults
from sim.experiment.run import run_scenario
from sim.properties import PROPERTIES
from sim.scenario import Scenario, load
from sim.scenario.to_explore import for_explorer
from sim.views.exploration import HOLDS, VIOLATED, Explored, Finding

SMALL = """
title: A small host
services:
  web: {image: nginx, ports: ["8080:80"], restart: always}
"""
# property -> kills that it takes at least
VIOLATIONS = {"V3": 2, "V5": 1, "V7": 2, "V8": 1, "V25": 1}
LARGE = "V7"  # whose search takes seconds
EACH = [pytest.param(*it, marks=pytest.mark.long if it[0] == LARGE else ()) for it in VIOLATIONS.items()]


def scenario(text: str = SMALL, kills: int = 0) -> Scenario:
    found = load("small.yaml", text)
    return with_faults(found, FaultBudget(kills, (("kill", kills),)) if kills else FaultBudget())


@cache
def found(name: str, kills: int, states: int = 30_000) -> Explored:
    return explored(scenario(kills=kills), [PROPERTIES[name]], limits=Limits(states=states))


def finding(name: str, kills: int) -> Finding:
    return found(name, kills).findings[0]


@pytest.mark.mostly_long
@pytest.mark.parametrize(("name", "kills"), EACH)
def test_a_violation_is_told_with_as_few_faults_as_it_takes(name: str, kills: int) -> None:
    """A story names its faults, and the trees before and after what breaks the property."""
    it = finding(name, kills)
    assert (it.verdict, it.faults, it.allowed) == (VIOLATED, kills, True)
    assert it.story.startswith(f"{name} is violated: {kills} fault")
    assert it.story.count("step fault") >= kills
    assert "Tree before" in it.story
    assert "Tree after" in it.story


@pytest.mark.mostly_long
@pytest.mark.parametrize(("name", "kills"), [pair for pair in VIOLATIONS.items() if pair[1] == 2])
def test_fewer_faults_do_not_do(name: str, kills: int) -> None:
    """Within one fault less everything is explored and nothing is found."""
    less = found(name, kills - 1)
    assert less.complete
    assert less.findings[0].verdict == HOLDS


@pytest.mark.mostly_long
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("name", "kills"), EACH)
def test_a_story_is_a_scenario_that_a_run_plays_to_the_same_violation(name: str, kills: int, seed: int) -> None:
    """What was written is read again; whatever the durations, the property is violated in that order."""
    written = load("again.yaml", finding(name, kills).scenario)
    assert written.setup.order
    verdicts = run_scenario(written, seed=seed).verdicts()
    assert [verdict.holds for verdict in verdicts] == [False]


def test_a_story_without_its_faults_is_no_violation() -> None:
    """The same scenario without order and faults keeps the property: it is the order that breaks it."""
    raw = finding("V8", 1).scenario
    calm = "\n".join(line for line in raw.splitlines() if not line.startswith("- ") or "expect" in line)
    head = calm[: calm.index("\norder:")]
    head = head[: head.index("\nsteps:")] + "\nuntil: 10s\nexpect: [{property: V8}]\n"
    assert [verdict.holds for verdict in run_scenario(load("calm.yaml", head)).verdicts()] == [True]


def test_the_bound_is_said() -> None:
    """A verdict comes with what it holds for."""
    said = " ".join(found("V8", 1).bound)
    assert "At most 1 fault (kill 1: a process gets SIGKILL and is gone), anywhere, of any process but PID 1." in said
    assert "Timers ring only where nothing prompt can happen" in said
    assert "What comes before t = 0 happens in one order." in said
    assert "No faults but the scenario's own steps." in found("V8", 0).bound
    any_two, *_ = bound_of(Setup((), faults=FaultBudget(2)), untimed=False, full=False, alike=False)
    assert any_two == (
        "At most 2 faults (kill: a process gets SIGKILL and is gone; stall: a daemon, shim or proxy stands still; "
        "resume: a process that stood still goes on), anywhere, never of PID 1."
    )


def test_a_limit_is_never_holds() -> None:
    """What was not seen whole is undetermined."""
    cut = explored(scenario(kills=1), [PROPERTIES["V16"]], limits=Limits(states=50))
    assert not cut.complete
    assert [it.verdict for it in cut.findings] == ["UNDETERMINED (limit of 50 states)"]


def test_a_guard_that_is_never_met_is_violated() -> None:
    """Without faults no dockerd leaves: a scenario that asks for an outage is empty, and says so."""
    empty, met = (found("dockerd_leaves", kills).findings[0] for kills in (0, 1))
    assert (empty.verdict, empty.why) == (VIOLATED, "in no state")
    assert met.verdict == HOLDS


def test_expectations_at_the_end_are_checked_and_others_are_listed() -> None:
    """What a run checks at another moment is not dropped without a word."""
    text = SMALL + "steps: [{id: shot, at: 1s, kill: dockerd}]\nuntil: 60s\nexpect:\n"
    text += "  - {at: end, container: web, status: running}\n  - {at: shot, container: web, status: running}\n"
    it = scenario(text)
    result = explored(it, asked_of(it, (), lambda name: sentence(it, "always", name)), limits=Limits(states=30_000))
    assert [(found.name, found.verdict) for found in result.findings] == [("expect:8", HOLDS)]
    assert len(result.unchecked) == 1


@pytest.mark.mostly_long
@pytest.mark.parametrize(
    ("kind", "text", "verdict"),
    [
        ("always", "zombie(dockerd) implies down(dockerd)", HOLDS),
        ("always", "open(8080, remote) or down(dockerd)", VIOLATED),
        ("always", "open(8080, loopback)", VIOLATED),
        ("eventually", "open(8080, remote) and open(8080, loopback)", HOLDS),
        ("sometimes", "parent(shim/web, init)", HOLDS),
        ("sometimes", "zombie(dockerd) and up(dockerd)", VIOLATED),
    ],
)
def test_a_sentence_of_ones_own(kind: str, text: str, verdict: str) -> None:
    """A stopped dockerd takes its proxies with it, and brings them back."""
    it = scenario(SMALL + "steps: [{id: shot, at: 1s, kill: dockerd}]\n")
    result: Any = explored(it, [sentence(it, kind, text)], limits=Limits(states=30_000))
    assert result.findings[0].verdict == verdict


def test_a_wrong_sentence_says_where() -> None:
    """The column, and the nearest spelling."""
    with pytest.raises(InputError, match="column 1: 'opn' is not a predicate"):
        sentence(scenario(), "always", "opn(8080, remote)")


def test_the_bundled_scenario_is_explored_whole() -> None:
    """One kill of anything: it runs again in the end, its port is open again, its proxy was away meanwhile."""
    path = bundled("any-kill")
    assert path is not None
    whole = load(str(path))
    result = explored(whole, asked_of(whole, (), lambda name: PROPERTIES[name]), limits=Limits(states=100_000))
    assert result.complete
    verdicts = {it.name: it.verdict for it in result.findings}
    assert verdicts.pop("V8") == VIOLATED
    assert set(verdicts.values()) == {HOLDS}


@pytest.mark.parametrize(("design", "orphans"), [("podman", True), ("podman-quadlet", False)])
def test_any_one_kill_leaves_an_orphan_on_podman_alone(design: str, orphans: bool) -> None:
    """A conmon that is killed leaves its program to PID 1, unless systemd ends the unit; in the end all runs."""
    whole = load(str(bundled("any-kill")), settings=(f"engine.design={design}",))
    found = explored(whole, for_explorer(whole)[0], limits=Limits())
    assert found.complete
    broken = {it.name for it in found.findings if it.verdict == VIOLATED}
    assert broken == ({"V3"} if orphans else set())
    assert not [line for line in found.bound if "tried" in line]

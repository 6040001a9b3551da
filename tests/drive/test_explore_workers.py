"""Several processes find what one finds, and leave nothing behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from sim.drive.explore import Exploration, Limits, explore, workers
from sim.drive.explore.search import Part
from sim.drive.worker import _end_with
from sim.engine.goroutine import ModelFault
from sim.engine.setup import Setup
from tests.canonical import key
from tests.drive.lives import AGREE, AT_REST, CASES, HUNG, with_faults, world_of
from tests.drive.spaces import asked
from tests.drive.test_explore_symmetry import alike

ASKED = asked("V3", "V5", "V8", "V16", "a_container_runs", "a_shim_is_an_orphan", "dockerd_leaves")
SETUPS: dict[str, tuple[Setup, str]] = {
    "port": CASES["port"],
    "shot": AGREE["shot"],
    "any kill": (with_faults(AT_REST), "open"),
    "hung": (HUNG, "open"),
    "alike": (alike("create", "rm", number=3, ports=True), "open"),
}


@cache
def searched(case: str, jobs: int, reduce: bool) -> Exploration:
    setup, start = SETUPS[case]
    return explore(setup, start=start, asked=ASKED, jobs=jobs, reduce=reduce)


@pytest.mark.mostly_long
@pytest.mark.parametrize(("jobs", "reduce"), [(2, True), (3, False)])
@pytest.mark.parametrize("case", SETUPS)
def test_several_processes_find_what_one_finds(case: str, jobs: int, reduce: bool) -> None:
    """States, transitions, depth, the largest layer, ends, and what is shown of properties are the same."""
    one, many = searched(case, 1, reduce), searched(case, jobs, reduce)
    assert many.verdict == one.verdict
    assert len(many.reports) == jobs
    assert counts(many) == counts(one)
    assert many.shown.keys() == one.shown.keys()
    assert sum(len(report.before) > 0 for report in many.reports) > 1 or case == "alike"  # whose disks are the same


def counts(found: Exploration) -> tuple[int, ...]:
    return found.states, found.transitions, found.depth, found.peak, len(found.ends)


@pytest.mark.mostly_long
@pytest.mark.parametrize("case", ["port", "any kill"])
def test_ends_and_what_is_shown_are_the_same_worlds(case: str) -> None:
    """Paths lead through states of several parts, to the same ends, and to states that show what is said of them."""
    one, many = searched(case, 1, True), searched(case, 3, True)
    assert last_worlds(many) == last_worlds(one)
    for name, state in many.shown.items():
        question = many.base.asked[name]
        assert question.holds(world_of(many.base.setup, many.path_to(state))) == (question.kind == "sometimes")


def last_worlds(found: Exploration) -> set[bytes]:
    return {key(world_of(found.base.setup, found.path_to(end))) for end in found.ends}


def test_what_should_hold_eventually_is_looked_for_by_one() -> None:
    """Cycles go through all parts, so one process searches."""
    found = explore(HUNG, asked=asked("V22"), jobs=3)
    assert len(found.reports) == 1
    assert set(found.cycles) == {"V22"}


def test_without_fork_one_process_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where processes cannot be forked the search is the same."""
    monkeypatch.setattr(workers, "possible", lambda: False)
    found = explore(*CASES["port"][:1], start=CASES["port"][1], asked=ASKED, jobs=2)
    assert len(found.reports) == 1
    assert counts(found) == counts(searched("port", 2, True))


# -- trouble ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [Limits(states=300), Limits(seconds=0.0)])
def test_a_limit_ends_all(limits: Limits) -> None:
    """Whoever is cut off says so, and all processes end."""
    found = explore(with_faults(AT_REST, most=2), limits=limits, jobs=2, reduce=False)
    assert not found.complete
    assert multiprocessing.active_children() == []


def trouble(monkeypatch: pytest.MonkeyPatch, happens: Any) -> None:
    """Let something happen to a worker in the middle of a search."""
    expand = Part.expand

    def troubled(part: Part, number: int) -> None:
        if part.parts > 1 and len(part.found) > 200:
            happens()
        expand(part, number)

    monkeypatch.setattr(Part, "expand", troubled)


def test_what_goes_wrong_in_a_worker_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the model in one process is a fault of the search, and all processes end."""

    def fails() -> None:
        raise KeyError("nobody")

    trouble(monkeypatch, fails)
    with pytest.raises(ModelFault, match="KeyError: 'nobody'"):
        explore(CASES["port"][0], start=CASES["port"][1], jobs=2)
    assert multiprocessing.active_children() == []


def test_a_worker_that_dies_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that the kernel kills for its memory, say."""
    trouble(monkeypatch, lambda: os._exit(9))
    with pytest.raises(ModelFault, match="a process of the search has died"):
        explore(CASES["port"][0], start=CASES["port"][1], jobs=2)
    assert multiprocessing.active_children() == []


def test_a_worker_ends_with_its_parent_though_others_hold_the_sentinel_open() -> None:
    """Whatever else the parent had started: the worker has another parent then."""
    silent, held = os.pipe()
    gone = SimpleNamespace(pid=os.getpid() + 1, sentinel=silent)
    child = multiprocessing.get_context("fork").Process(target=_end_with, args=(gone,))
    child.start()
    child.join(10)
    os.close(held)
    os.close(silent)
    assert child.exitcode == -signal.SIGKILL


def test_memory_is_that_of_the_largest_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The states lie with the workers: what these use ends the search, not what the one who asked uses."""
    asking = os.getpid()
    monkeypatch.setattr(workers, "megabytes", lambda: 1 if os.getpid() == asking else 9_000)
    setup, start = SETUPS["port"]
    found = explore(setup, start=start, jobs=2, limits=Limits(megabytes=8_000))
    assert found.verdict == "UNDETERMINED (limit of 8000 MB)"

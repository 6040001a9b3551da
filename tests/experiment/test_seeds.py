"""Expectations over seeds: counts, the first failing seed, the worst one."""

from typing import NamedTuple

import pytest

from sim.experiment.seeds import over_seeds
from sim.scenario import Scenario, load
from sim.trace import Trace
from tests.experiment.hosts import WEB

EXPECT = """
expect:
  - {at: end, container: web, status: running}
  - {dark: all, from: remote, max: 1ms}
"""


class Verdict(NamedTuple):
    """A verdict as far as it is read."""

    holds: bool | None
    label: str
    text: str
    detail: str


def judge(scenario: Scenario, trace: Trace) -> list[Verdict]:
    """The first one holds but for seeds 4 and 6, the second one cannot be told in seed 5 and fails in all others."""
    seed = trace.seed
    second = None if seed == 5 else False
    return [Verdict(seed not in (4, 6), "end", "first", str(seed)), Verdict(second, "kill", "second", str(seed))]


def badness(verdict: Verdict) -> float:
    return float(verdict.detail)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    found = load("x.yaml", WEB + EXPECT)
    assert len(found.expectations) == 2
    return found


@pytest.mark.mostly_long
@pytest.mark.parametrize("jobs", [1, 2])
def test_seeds_are_counted_and_named(scenario, jobs):
    """Held, failed and undetermined add up; the first and the worst failing seed are named."""
    first, second = over_seeds(scenario, range(1, 9), judge, badness=badness, jobs=jobs)
    assert (first.held, first.failed, first.undetermined) == (6, 2, 0)
    assert (first.first_failing, first.worst, first.detail) == (4, 6, "6")
    assert (second.held, second.failed, second.undetermined) == (0, 7, 1)
    assert (second.first_failing, second.worst) == (1, 8)


def test_without_a_measure_the_first_failing_seed_is_the_worst(scenario):
    """Nothing is called worse without a reason."""
    first, _ = over_seeds(scenario, [9, 6, 4], judge)
    assert (first.first_failing, first.worst) == (6, 6)


def test_the_projects_own_verdicts_fit(scenario):
    """The function that judges scenarios can be passed in."""
    from sim.scenario.verdict import evaluate

    first, second = over_seeds(scenario, [1, 2], lambda scn, trace: evaluate(scn, trace, lambda table, view, root: ""))
    assert (first.held, first.first_failing) == (2, None)
    assert (second.held, second.first_failing) == (0, 1)
    assert second.line > first.line
    assert second.detail

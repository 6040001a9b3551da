"""One scenario over many seeds: in how many of them each expectation holds, and which seed to look at.

What an expectation means is not known here: verdicts come from the function that is passed in. Leaves out statistics
of figures (`replicate`). Source: the project's scenario language, `expect:`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Protocol

from sim.drive.timed import run
from sim.experiment.replicate import Progress, spread
from sim.scenario import Scenario
from sim.trace import Trace
from sim.views.comparison import Held


class Verdict(Protocol):
    """What is read of a verdict."""

    @property
    def holds(self) -> bool:
        """Say whether the expectation holds."""


Evaluate = Callable[[Scenario, Trace], Sequence[Verdict]]  # one verdict an expectation, in the file's order
Badness = Callable[[Any], float]  # how far a verdict is off; the highest one is the worst


def over_seeds(
    scenario: Scenario,
    seeds: Iterable[int],
    evaluate: Evaluate,
    *,
    badness: Badness | None = None,
    jobs: int | None = 1,
    progress: Progress | None = None,
) -> tuple[Held, ...]:
    """Return how each expectation fared over *seeds*. Without *badness* the first failing seed is the worst.

    With more than one job *evaluate* and *badness* must be functions of a module, or `functools.partial` of such.
    """
    seeds = list(seeds)
    table = spread(partial(_judge, scenario, evaluate, badness), seeds, jobs, progress)
    return tuple(
        held(expectation.text, expectation.line, seeds, [verdicts[n] for verdicts in table])
        for n, expectation in enumerate(scenario.expectations)
    )


def held(text: str, line: int, seeds: Sequence[int], verdicts: Sequence[tuple[bool, float]]) -> Held:
    """Sum up one expectation; ties for the worst go to the first seed."""
    failing = [(seed, off) for seed, (holds, off) in zip(seeds, verdicts, strict=True) if not holds]
    worst = max(failing, key=lambda pair: pair[1])[0] if failing else None
    return Held(text, line, len(seeds) - len(failing), len(seeds), failing[0][0] if failing else None, worst)


def _judge(scenario: Scenario, evaluate: Evaluate, badness: Badness | None, seed: int) -> list[tuple[bool, float]]:
    verdicts = evaluate(scenario, run(scenario.setup, seed))
    assert len(verdicts) == len(scenario.expectations), "each expectation has one verdict"
    return [(verdict.holds, badness(verdict) if badness and not verdict.holds else 0.0) for verdict in verdicts]

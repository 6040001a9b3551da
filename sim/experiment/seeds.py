"""One scenario over many seeds: in how many of them each expectation holds, and which seed to look at.

What an expectation means is not known here: verdicts come from the function that is passed in. Leaves out statistics
of figures (`replicate`). Source: the project's scenario language, `expect:`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

from sim.drive.follow import driver_of
from sim.experiment.replicate import Progress, spread
from sim.scenario import Scenario
from sim.trace import Trace
from sim.views.comparison import Held


class SeedVerdict(Protocol):
    """What is read of a verdict; *holds* None is undetermined."""

    @property
    def holds(self) -> bool | None: ...
    @property
    def label(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def detail(self) -> str: ...


Evaluate = Callable[[Scenario, Trace], Sequence[SeedVerdict]]  # one verdict an expectation, in the file's order
Badness = Callable[[Any], float]  # how far a verdict that fails is off; the highest one is the worst


class Judged(NamedTuple):
    """One verdict of one seed, as it is passed between processes."""

    holds: bool | None
    label: str
    text: str
    detail: str
    off: float


def over_seeds(
    scenario: Scenario,
    seeds: Iterable[int],
    evaluate: Evaluate,
    *,
    badness: Badness | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> tuple[Held, ...]:
    """Return how each expectation fared over *seeds*; without *badness* the first failing seed is the worst."""
    seeds = list(seeds)
    table = spread(partial(_judge, scenario, evaluate, badness), seeds, jobs, progress)
    return tuple(
        held(expectation.line, seeds, [judged[n] for judged in table])
        for n, expectation in enumerate(scenario.expectations)
    )


def held(line: int, seeds: Sequence[int], verdicts: Sequence[Judged]) -> Held:
    """Sum up one expectation; of equally bad seeds the first one is named, and if none fails what is undetermined."""
    failing = [(seed, v) for seed, v in zip(seeds, verdicts, strict=True) if v.holds is False]
    worst = max(failing, key=lambda pair: pair[1].off, default=None)
    good = sum(v.holds is True for v in verdicts)
    return Held(
        label=verdicts[0].label if verdicts else "",
        text=verdicts[0].text if verdicts else "",
        line=line,
        held=good,
        failed=len(failing),
        undetermined=len(verdicts) - good - len(failing),
        first_failing=failing[0][0] if failing else None,
        worst=worst[0] if worst else None,
        detail=worst[1].detail if worst else next((v.detail for v in verdicts if v.holds is None), ""),
    )


def _judge(scenario: Scenario, evaluate: Evaluate, badness: Badness | None, seed: int) -> list[Judged]:
    verdicts = evaluate(scenario, driver_of(scenario.setup, seed).run())
    assert len(verdicts) == len(scenario.expectations), "each expectation has one verdict"
    off = badness if badness is not None else _equally
    return [Judged(v.holds, v.label, v.text, v.detail, off(v) if v.holds is False else 0.0) for v in verdicts]


def _equally(verdict: Any) -> float:
    return 0.0

"""Which assumption the answer hangs on: each is varied alone, on the same seeds, and ranked by what it moves.

All runs of a seed share their draws, so that a value which nothing depends on changes nothing at all. A value is tried
at 0, at half and at twice what it is, or in the other ways that there are. Leaves out two values that move together,
and what is not a value (the design, the network). Source: common random numbers, Law, Simulation Modeling and Analysis,
§11.2; one at a time, Saltelli et al., Global Sensitivity Analysis, §1.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sim.designs import DESIGNS
from sim.errors import InputError, Problem
from sim.experiment.assumed import Assumed, assumed_of
from sim.experiment.executors import Lanes
from sim.experiment.metrics import METRICS, Metrics
from sim.experiment.paired import difference, median
from sim.experiment.replicate import Interrupted, Progress, replicate_each
from sim.scenario import Scenario
from sim.views.sensitivity import LEAST_COUNT, LEAST_TIME, Figure, Hang, Level, Sensitivity

SEEDS = 5
TIMES = ("until_ready", "remote_dark", "loopback_dark", "api_dark", "silent_wrong")
COUNTS = ("not_back", "lost", "processes_kept", "exit_codes_lost")


def sensitivity(
    scenario: Scenario,
    seeds: int = SEEDS,
    jobs: int | None = None,
    *,
    progress: Progress | None = None,
    lanes: Lanes | None = None,
) -> Sensitivity:
    """Vary each assumed value of a scenario alone, with seeds 1 to *seeds*. Raises InputError."""
    if seeds < 1:
        raise InputError([Problem("--seeds", "there is no seed", f"{SEEDS} is a good number.")])
    assumed = assumed_of(scenario)
    setups = [scenario.setup, *(setup for it in assumed for setup in it.others.values())]
    ended = ""
    try:
        found = replicate_each(setups, range(1, seeds + 1), jobs, progress, lanes=lanes)
    except Interrupted as cut:
        found = cut.done
        if not found or not found[0]:
            raise
        ended = f"interrupted after {len(found[0])} seeds"
    return _told(scenario, assumed, found, ended)


def _told(
    scenario: Scenario, assumed: Sequence[Assumed], found: Sequence[Sequence[Metrics]], ended: str
) -> Sensitivity:
    base, later = found[0], iter(found[1:])
    figures = _figures(base)
    main = main_figure(figures)
    hangs = [_hang(it, base, [next(later) for _ in it.others], figures, main) for it in assumed]
    moving = sorted((it for it in hangs if moves(it, figures)), key=lambda it: rank(it, main), reverse=True)
    engine = scenario.setup.engine
    return Sensitivity(
        title=scenario.title,
        source=scenario.source,
        name=scenario.name,
        design=f"{engine.design} ({DESIGNS[engine.design].title})",
        profile=engine.profile,
        seeds=tuple(run.seed for run in base),
        window_s=min(run.window_s for run in base),
        figures=figures,
        main=main,
        hangs=tuple(moving),
        idle=tuple(it.key for it in hangs if not moves(it, figures)),
        runs=sum(map(len, found)),
        ended=ended,
    )


def _figures(base: Sequence[Metrics]) -> tuple[Figure, ...]:
    """Return the metrics that are looked at, but those that do not exist here."""
    found = ((name, METRICS[name], median([run.values[name] for run in base])) for name in (*TIMES, *COUNTS))
    return tuple(Figure(name, metric.label, metric.unit, now) for name, metric, now in found if not math.isnan(now))


def main_figure(figures: Sequence[Figure]) -> str:
    """Return the metric to rank by: of the times that came to an end the longest, of equals the first."""
    known = [figure for figure in figures if figure.unit == "s" and math.isfinite(figure.now)]
    return max(known, key=lambda figure: figure.now).metric if known else figures[0].metric


def _hang(
    it: Assumed, base: Sequence[Metrics], others: Sequence[Sequence[Metrics]], figures: Sequence[Figure], main: str
) -> Hang:
    levels = tuple(
        Level(label, {figure.metric: _change(base, runs, figure.metric) for figure in figures})
        for label, runs in zip(it.others, others, strict=True)
    )
    at_none = next((level.changes.get(main) for level in levels if level.label == "0"), None)
    share = -at_none if at_none is not None and math.isfinite(at_none) else None
    return Hang(it.key, it.words, it.value, it.origin, levels, share)


def _change(base: Sequence[Metrics], runs: Sequence[Metrics], metric: str) -> float | None:
    """Return the median of the paired differences, None where one is not known."""
    differences = [difference(a.values[metric], b.values[metric]) for a, b in zip(base, runs, strict=True)]
    same = [0.0 if math.isnan(it) and _equal(a, b, metric) else it
            for it, a, b in zip(differences, base, runs, strict=True)]  # fmt: skip
    return None if any(map(math.isnan, same)) else median(same)


def _equal(a: Metrics, b: Metrics, metric: str) -> bool:
    """Return whether both sides were not back, or had nothing to measure."""
    return repr(a.values[metric]) == repr(b.values[metric])


def moves(it: Hang, figures: Sequence[Figure]) -> bool:
    """Return whether any figure changes by more than nothing."""
    return any(it.most(figure.metric) >= (LEAST_TIME if figure.unit else LEAST_COUNT) for figure in figures)


def rank(it: Hang, main: str) -> tuple[float, ...]:
    """Return what to sort by: outcomes that change first, then how far the main figure moves, then the others."""
    counts = max(it.most(metric) for metric in COUNTS)
    return counts, it.most(main), max(it.most(metric) for metric in TIMES)

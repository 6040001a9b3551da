"""Paired comparison by seed: both sides of a pair share every draw that they have in common, so noise cancels.

The interval is that of the median of the paired differences from their order statistics, with exact binomial tails: no
distribution is assumed, ties make it only wider than promised, it needs no dice, and below 6 pairs there is none. A
figure of `inf` (not back) is ordered above all others and never averaged; where both sides of a pair are not back, the
difference is unknown, and the interval is drawn as if it were as bad, and as good, as can be. p95 is a nearest rank.
Leaves out corrections for looking at many rows. Source: Hahn & Meeker, Statistical Intervals, 1991, §5.2 (order
statistics); common random numbers: Law, Simulation Modeling and Analysis, §11.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sim.experiment.metrics import METRICS, Metric, Metrics
from sim.experiment.own import Own
from sim.experiment.reading import Reading
from sim.views.comparison import Row, Side

ALPHA = 0.05


def compare(base: Sequence[Metrics], other: Sequence[Metrics], own: Sequence[Own] = ()) -> tuple[Row, ...]:
    """Return a row for each metric that has figures; both sides hold the same seeds in the same order."""
    assert [m.seed for m in base] == [m.seed for m in other], "a pair has one seed"
    rows = [row(name, metric, base, other) for name, metric in METRICS.items()]
    rows += [row(it.name, Metric(_own, it.unit, it.better, it.name), base, other) for it in own]
    return tuple(row for row in rows if not all(map(math.isnan, (*row.base.values, *row.other.values))))


def _own(reading: Reading) -> float:
    raise AssertionError("a metric of the user's own reads a trace")


def row(name: str, metric: Metric, base: Sequence[Metrics], other: Sequence[Metrics]) -> Row:
    """Compare both sides in one metric."""
    before, after = (side(name, runs, metric.total) for runs in (base, other))
    differences = [difference(a, b) for a, b in zip(before.values, after.values, strict=True)]
    change, low, high = estimate(differences)
    rose, fell = (sum(sign * it > 0 for it in differences) for sign in (1, -1))
    return Row(
        name, metric.label, metric.unit, metric.better, before, after, change, low, high,
        tuple(differences), rose, fell, verdict(metric.better, differences, low, high),
        metric.detail,
    )  # fmt: skip


def side(name: str, runs: Sequence[Metrics], counted: bool = False) -> Side:
    """Summarise one metric of one side."""
    values = tuple(metrics.values[name] for metrics in runs)
    total = max((metrics.containers for metrics in runs), default=0) if counted else None
    return Side(median(values), quantile(values, 0.95), sum(map(math.isinf, values)), values, total)


def difference(base: float, other: float) -> float:
    """Return other - base to the µs; `nan` where neither is known."""
    return round(other - base, 6) if math.isfinite(base) and math.isfinite(other) else other - base


# -- statistics ------------------------------------------------------------------------------------


def median(values: Sequence[float]) -> float:
    """Return the middle value; of two middle values the mean, or `inf` if one of them is not finite.

    >>> median([3.0, 1.0, 2.0]), median([1.0, 2.0]), median([1.0, math.inf])
    (2.0, 1.5, inf)
    """
    known = sorted(it for it in values if not math.isnan(it))
    if not known:
        return math.nan
    low, high = known[(len(known) - 1) // 2], known[len(known) // 2]
    if low == high:
        return low
    if math.isfinite(low) and math.isfinite(high):
        return round((low + high) / 2, 6)
    return high if math.isfinite(low) else low


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least a *share* of all do not exceed (nearest rank).

    >>> quantile([float(n) for n in range(1, 41)], 0.95)
    38.0
    """
    known = sorted(it for it in values if not math.isnan(it))
    return known[max(math.ceil(round(share * len(known), 9)), 1) - 1] if known else math.nan


def interval_rank(n: int, alpha: float = ALPHA) -> int | None:
    """Return the rank, from 1, of the lower end of the interval among *n* values; None if they are too few.

    The interval from the k-th smallest to the k-th largest value misses the median with probability
    2 · P(Binomial(n, 1/2) < k) at most.

    >>> interval_rank(5), interval_rank(6), interval_rank(40)
    (None, 1, 14)
    """
    ways, rank = 0, 0
    limit = alpha / 2 * 2**n
    while rank < n:
        ways += math.comb(n, rank)
        if ways > limit:
            break
        rank += 1
    return rank or None


def estimate(differences: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    """Return the median of the differences and both ends of its interval; None for what is not known."""
    lowest = sorted(-math.inf if math.isnan(it) else it for it in differences)
    highest = sorted(math.inf if math.isnan(it) else it for it in differences)
    middle = (median(lowest), median(highest))
    change = middle[0] if differences and middle[0] == middle[1] else None
    rank = interval_rank(len(differences))
    if rank is None:
        return change, None, None
    blurred = any(map(math.isnan, differences))
    low, high = (None if blurred and math.isinf(end) else end for end in (lowest[rank - 1], highest[-rank]))
    return change, low, high


def verdict(better: str, differences: Sequence[float], low: float | None, high: float | None) -> str:
    """Return better or worse if the interval leaves 0 out, same if no seed differs, else unclear; note if neither."""
    if not any(it != 0 for it in differences if not math.isnan(it)):
        return "same"
    if better == "none":
        return "note"
    if low is not None and low > 0:
        return "better" if better == "higher" else "worse"
    if high is not None and high < 0:
        return "better" if better == "lower" else "worse"
    return "unclear"

"""Statistics against brute force: ranks, medians, the interval's coverage, and figures that were not back."""

import math
import statistics
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.experiment.metrics import METRICS, Metrics
from sim.experiment.paired import compare, difference, estimate, interval_rank, median, quantile, row, verdict
from sim.latency import draw

INF = math.inf
NAN = math.nan
FIGURES = st.integers(0, 10**9).map(lambda micros: micros / 1_000_000)


@given(st.lists(FIGURES, min_size=1, max_size=30))
def test_median_and_p95_are_those_of_the_definition(values):
    """The median is the standard library's; p95 is the least value that 95 % do not exceed."""
    assert median(values) == pytest.approx(statistics.median(values), abs=1e-6)
    reached = [value for value in values if sum(it <= value for it in values) >= 0.95 * len(values) - 1e-9]
    assert quantile(values, 0.95) == min(reached)


@pytest.mark.parametrize("n", range(1, 13))
def test_rank_is_the_largest_that_keeps_the_promise(n):
    """Over all ways in which n values may lie about the median, the interval misses it in at most 5 %."""
    ways = [sum(signs) for signs in product((0, 1), repeat=n)]  # how many lie below the median

    def misses(rank):
        return sum(below < rank or n - below < rank for below in ways) / len(ways)

    rank = interval_rank(n)
    allowed = [r for r in range(1, n // 2 + 1) if misses(r) <= 0.05]
    assert rank == (max(allowed) if allowed else None)


def test_below_six_pairs_there_is_no_interval():
    """Five equal differences do not make a 95 % interval."""
    assert estimate([1.0] * 5) == (1.0, None, None)
    assert estimate([1.0] * 6) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("n", [6, 11, 40])
@pytest.mark.parametrize("shape", ["skewed", "rounded"])
def test_interval_covers_the_median_as_often_as_it_says(n, shape):
    """In 2,000 samples of a skewed law the interval holds the median in at least 95 %, less three standard errors."""
    at = {"skewed": lambda u: -math.log(1 - u), "rounded": lambda u: float(round(-4 * math.log(1 - u)))}[shape]
    true, trials = at(0.5), 2_000
    hits = 0
    for trial in range(trials):
        _, low, high = estimate([at(draw(trial, "coverage", shape, "sample", n, str(k))) for k in range(n)])
        hits += low is not None and high is not None and low <= true <= high
    assert hits / trials >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / trials)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1.0, INF], INF), ([1.0, 2.0, INF], 2.0), ([1.0, 2.0, INF, INF], INF), ([INF], INF), ([NAN, 3.0], 3.0)],
)
def test_what_was_not_back_is_ordered_and_never_averaged(values, expected):
    """A median between a figure and "not back" is "not back", not half of it."""
    assert median(values) == expected


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        ([-INF] * 8, (-INF, -INF, -INF)),
        ([2.0] * 7 + [INF], (2.0, 2.0, INF)),
        ([NAN] * 8, (None, None, None)),
        ([2.0] * 39 + [NAN], (2.0, 2.0, 2.0)),
        ([1.0, 2.0, 3.0, NAN], (None, None, None)),
    ],
)
def test_a_pair_of_which_nothing_is_known_may_be_anything(differences, expected):
    """An unknown difference counts as low for the lower end and as high for the upper end."""
    assert estimate(differences) == expected


@given(st.lists(st.one_of(FIGURES, st.just(INF)), min_size=1, max_size=12))
def test_an_unknown_difference_never_narrows_the_interval(values):
    """Whatever the unknown pair was, the interval that it would have given lies within the one reported."""
    _, low, high = estimate([*values, NAN])
    for guess in (-INF, -1.0, 0.5, INF):
        _, true_low, true_high = estimate([*values, guess])
        assert low is None or (true_low is not None and low <= true_low)
        assert high is None or (true_high is not None and high >= true_high)


@pytest.mark.parametrize(
    ("better", "differences", "low", "high", "word"),
    [
        ("lower", [-1.0] * 8, -1.0, -1.0, "better"),
        ("lower", [1.0] * 8, 1.0, INF, "worse"),
        ("higher", [1.0] * 8, 1.0, 1.0, "better"),
        ("higher", [-1.0] * 8, -2.0, -1.0, "worse"),
        ("none", [6.0] * 8, 6.0, 6.0, "note"),
        ("lower", [0.0] * 8, 0.0, 0.0, "same"),
        ("lower", [NAN] * 8, None, None, "same"),
        ("lower", [0.0] * 7 + [1.0], 0.0, 0.0, "unclear"),
        ("lower", [1.0] * 5, None, None, "unclear"),
    ],
)
def test_verdicts(better, differences, low, high, word):
    """A verdict needs an interval that leaves 0 out; one seed that differs is not "same"."""
    assert verdict(better, differences, low, high) == word


def test_differences_are_exact_to_the_microsecond():
    """0.3 − 0.1 is 0.2, and what is not back on both sides is not 0."""
    assert difference(0.1, 0.3) == 0.2
    assert math.isnan(difference(INF, INF))
    assert difference(INF, 1.0) == -INF


def measured(seed, **values):
    return Metrics(seed, 2, 60.0, {name: values.get(name, 0.0) for name in METRICS})


def test_pairs_must_be_of_one_seed():
    """Sides with other seeds are a mistake, not a comparison."""
    with pytest.raises(AssertionError, match="one seed"):
        compare([measured(1)], [measured(2)])


def test_a_metric_that_does_not_arise_has_no_row():
    """Without a published port there is no row about ports."""
    rows = compare([measured(1, remote_dark=NAN)], [measured(1, remote_dark=NAN)])
    assert [it.metric for it in rows] == [name for name in METRICS if name != "remote_dark"]


def test_a_row_counts_the_runs_that_were_not_back():
    """Two of eight runs that were not back are counted, and the median is of the ordered figures."""
    base = [measured(seed, remote_dark=1.0) for seed in range(8)]
    other = [measured(seed, remote_dark=INF if seed < 2 else 3.0) for seed in range(8)]
    found = row("remote_dark", METRICS["remote_dark"], base, other)
    assert (found.other.beyond, found.other.median, found.other.p95) == (2, 3.0, INF)
    assert (found.change, found.low, found.high, found.rose, found.fell) == (2.0, 2.0, INF, 8, 0)
    assert found.verdict == "worse"

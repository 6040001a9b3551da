"""Fit a distribution to a sample, choose one, and say how good it is.

Tried are a lognormal (two parameters, maximum likelihood on logarithms), one with a shift (three: the shift from three
quantiles, the others by maximum likelihood) and straight lines between quantiles. Chosen is the first that
a Kolmogorov-Smirnov test does not reject at 5 %, in that order: the fewest parameters that the data allow. Since the
parameters come from the same data, tables of the test do not hold; its p-value comes from a parametric bootstrap: of
REPEATS samples of the same size, each fitted anew. Of held-out rows the classical p-value holds. Leaves out ties and
censored rows. Source [K]: Stephens, JASA 69, 1974; Stute, González Manteiga and Presedo Quindimil, Metrika 40, 1993
(bootstrap); Aitchison and Brown, The Lognormal Distribution, 1957 (shift from quantiles).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, floor, log, sqrt
from random import Random
from statistics import fmean, median, pstdev

from sim.durations import NORMAL, Distribution, Fixed, LogNormal, Quantiles
from sim.views.calibration import Fit, HeldOut

REPEATS = 199  # so that p-values are multiples of 0.005
SEED = 1
REJECTED = 0.05
FEWEST = 5  # rows
FEW = 20  # below this quantiles would be the rows themselves
SHARES = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0)
REPORTED = (0.05, 0.25, 0.5, 0.75, 0.95)
DIGITS = 4  # of a distribution's parameters: tenths of µs; differences between C libraries are far smaller

Values = Sequence[float]
Fitter = Callable[[Values], Distribution]


def quantile(ordered: Values, share: float) -> float:
    """Return a quantile of rising values, with straight lines between them (type 7 of Hyndman and Fan).

    >>> quantile([1.0, 2.0, 4.0], 0.75)
    3.0
    """
    place = share * (len(ordered) - 1)
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


# -- distributions ----------------------------------------------------------------------------------


def lognormal(values: Values) -> Distribution:
    """Fit two parameters; values that are all the same are fixed."""
    logs = [log(value) for value in values]
    return _rounded(fmean(logs), pstdev(logs), 0.0)


def shifted(values: Values) -> Distribution:
    """Fit three parameters; a sample that is not skewed to the right has no shift."""
    ordered = sorted(values)
    low, middle, high = (quantile(ordered, share) for share in (0.05, 0.5, 0.95))
    below = low + high - 2 * middle
    shift = (low * high - middle * middle) / below if below > 1e-9 * middle else 0.0
    shift = min(shift, ordered[0] - 0.05 * (middle - ordered[0]))
    if shift < -10 * middle or ordered[0] == middle:
        shift = 0.0
    logs = [log(value - shift) for value in values]
    return _rounded(fmean(logs), pstdev(logs), shift)


def quantiles(values: Values) -> Distribution:
    """Take the sample's own quantiles."""
    ordered = sorted(values)
    return Quantiles(SHARES, tuple(round(quantile(ordered, share), DIGITS) for share in SHARES))


def _rounded(mean: float, spread: float, shift: float) -> Distribution:
    if spread < 1e-9:
        return Fixed(round(exp(mean) + shift, DIGITS))
    return LogNormal(round(exp(mean), DIGITS), round(spread, DIGITS + 1), round(shift, DIGITS))


CANDIDATES: tuple[tuple[str, Fitter, int], ...] = (
    ("lognormal", lognormal, 2),
    ("shifted lognormal", shifted, 3),
)


# -- how far ----------------------------------------------------------------------------------------


def share_below(distribution: Distribution, value: float) -> float:
    """Return the share of all that lies at or below a value."""
    if isinstance(distribution, LogNormal):
        above = value - distribution.shift
        return NORMAL.cdf(log(above / distribution.median) / distribution.sigma) if above > 0 else 0.0
    low, high = 0.0, 1.0
    if value >= distribution.at(1.0):
        return 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if distribution.at(middle) <= value else (low, middle)
    return low


def distance(values: Values, distribution: Distribution) -> float:
    """Return the Kolmogorov-Smirnov distance of a sample to a distribution."""
    count, far = len(values), 0.0
    for place, value in enumerate(sorted(values)):
        below = share_below(distribution, value)
        far = max(far, (place + 1) / count - below, below - place / count)
    return far


def distance_of_two(one: Values, other: Values) -> float:
    """Return the Kolmogorov-Smirnov distance of two samples.

    >>> distance_of_two([1.0, 2.0], [1.5, 3.0])
    0.5
    """
    first, second = sorted(one), sorted(other)
    i = j = 0
    far = 0.0
    while i < len(first) and j < len(second):
        at = min(first[i], second[j])
        while i < len(first) and first[i] <= at:
            i += 1
        while j < len(second) and second[j] <= at:
            j += 1
        far = max(far, abs(i / len(first) - j / len(second)))
    return far


def classical(far: float, count: int) -> float:
    """Return the p-value of a distance to a distribution that owes nothing to the sample (Stephens' form).

    >>> round(classical(0.136, 100), 3)
    0.045
    """
    root = sqrt(count)
    x = (root + 0.12 + 0.11 / root) * far
    if x < 0.2:
        return 1.0
    total = sum((-1.0) ** (k - 1) * exp(-2 * k * k * x * x) for k in range(1, 101))
    return min(max(2 * total, 0.0), 1.0)


def bootstrapped(far: float, distribution: Distribution, fit: Fitter, count: int) -> float:
    """Return how often a sample of the distribution itself, fitted anew, lies as far from its fit."""
    dice = Random(SEED)
    farther = 0
    for _ in range(REPEATS):
        sample = [max(distribution.at(dice.random()), 1e-6) for _ in range(count)]
        farther += distance(sample, fit(sample)) >= far
    return (farther + 1) / (REPEATS + 1)


# -- the choice -------------------------------------------------------------------------------------


def fits(values: Values) -> tuple[tuple[Fit, ...], Fit]:
    """Return what was tried, and the fit that is chosen. All values are above 0."""
    tried = []
    for name, fit, parameters in CANDIDATES:
        found = fit(values)
        far = distance(values, found)
        if isinstance(found, Fixed):
            tried.append(Fit("fixed", found, 1, 0.0, None))
            return tuple(tried), tried[-1]
        p = bootstrapped(far, found, fit, len(values))
        tried.append(Fit(name, found, parameters, far, p))
        if p >= REJECTED:
            return tuple(tried), tried[-1]
    if len(values) < FEW:
        return tuple(tried), max(tried, key=lambda it: it.p or 0.0)
    found = quantiles(values)
    tried.append(Fit("quantiles", found, len(SHARES), distance(values, found), None))
    return tuple(tried), tried[-1]


def held_out(values: Values, chosen: Fit) -> HeldOut | None:
    """Fit every second row alone and hold it against the others; None where there are too few."""
    if len(values) < FEW:
        return None
    known, new = values[::2], values[1::2]
    fit = {"lognormal": lognormal, "shifted lognormal": shifted}.get(chosen.name, quantiles)
    found = fit(known)
    far = distance(new, found)
    ordered = sorted(new)
    errors = [found.at(share) / quantile(ordered, share) - 1 for share in (0.5, 0.95)]
    return HeldOut(len(new), far, classical(far, len(new)), errors[0], errors[1])


def quantile_errors(values: Values, chosen: Fit) -> tuple[tuple[float, float], ...]:
    """Return by how much the distribution's quantiles are off, as parts of the sample's."""
    ordered = sorted(values)
    return tuple((share, chosen.distribution.at(share) / quantile(ordered, share) - 1) for share in REPORTED)


def spread(values: Values) -> tuple[float, float, float]:
    """Return median, p95 and standard deviation."""
    ordered = sorted(values)
    mean = fmean(ordered)
    variance = sum((value - mean) ** 2 for value in ordered) / max(len(ordered) - 1, 1)
    return median(ordered), quantile(ordered, 0.95), sqrt(variance)

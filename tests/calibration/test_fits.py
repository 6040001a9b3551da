"""Fits find what a sample was made from, and say how sure that is."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.calibration.fits import (
    classical,
    distance,
    distance_of_two,
    fits,
    held_out,
    lognormal,
    quantile,
    quantiles,
    share_below,
    shifted,
)
from sim.durations import Distribution, Fixed, LogNormal, Quantiles, Uniform, scaled

DISTRIBUTIONS: tuple[Distribution, ...] = (
    LogNormal(20.0, 0.3),
    LogNormal(5.0, 0.8, shift=12.0),
    Quantiles((0.0, 0.4, 0.6, 1.0), (10.0, 12.0, 30.0, 33.0)),
    Uniform(3.0, 9.0),
)


def sample(of: Distribution, count: int, seed: int = 1) -> list[float]:
    """Return values of a distribution."""
    dice = Random(seed)
    return [of.at(dice.random()) for _ in range(count)]


@pytest.mark.parametrize("of", DISTRIBUTIONS)
@given(u=st.floats(0.001, 0.999))
def test_a_share_below_is_the_inverse_of_a_quantile(of: Distribution, u: float) -> None:
    """What lies below the value at a share is that share."""
    assert share_below(of, of.at(u)) == pytest.approx(u, abs=1e-9)


@pytest.mark.parametrize("of", DISTRIBUTIONS)
@given(u=st.floats(0, 0.999), factor=st.floats(0.1, 10), plus=st.floats(0, 50))
def test_a_scaled_distribution_is_that_of_scaled_values(of: Distribution, u: float, factor: float, plus: float) -> None:
    """Scaling a distribution and then drawing is drawing and then scaling."""
    assert scaled(of, factor, plus).at(u) == pytest.approx(of.at(u) * factor + plus)


@given(st.lists(st.floats(0.1, 1e5), min_size=2, max_size=30), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_rise(values: list[float], one: float, other: float) -> None:
    """A larger share has no smaller value, and the ends are the sample's."""
    ordered = sorted(values)
    low, high = sorted((one, other))
    assert quantile(ordered, low) <= quantile(ordered, high) * (1 + 1e-12)
    assert (quantile(ordered, 0.0), quantile(ordered, 1.0)) == (ordered[0], ordered[-1])


@pytest.mark.parametrize(
    ("of", "name"),
    [(LogNormal(20.0, 0.3), "lognormal"), (LogNormal(5.0, 0.8, 30.0), "shifted lognormal"),
     (DISTRIBUTIONS[2], "quantiles"), (Fixed(4.0), "fixed")],
)  # fmt: skip
def test_the_simplest_that_is_not_rejected_is_chosen(of: Distribution, name: str) -> None:
    """A sample of each kind is told from the others, and its distribution is near."""
    values = sample(of, 400)
    tried, chosen = fits(values)
    assert chosen.name == name
    assert chosen is tried[-1]
    assert all(it.p is not None and it.p < 0.05 for it in tried[:-1])
    for share in (0.1, 0.5, 0.9):
        assert chosen.distribution.at(share) == pytest.approx(of.at(share), rel=0.08)


def test_parameters_are_found() -> None:
    """Maximum likelihood finds median and spread, quantiles the shift."""
    found = lognormal(sample(LogNormal(100.0, 0.2), 4000))
    assert isinstance(found, LogNormal)
    assert found.median == pytest.approx(100, rel=0.02)
    assert found.sigma == pytest.approx(0.2, rel=0.05)
    found = shifted(sample(LogNormal(10.0, 0.6, 50.0), 4000))
    assert isinstance(found, LogNormal)
    assert found.shift == pytest.approx(50, abs=1.5)
    assert found.median == pytest.approx(10, abs=1.5)


@pytest.mark.long
def test_p_values_are_those_of_their_hypothesis() -> None:
    """Of samples of a lognormal about one in twenty is rejected, as the level says; by tables hardly any would be."""
    samples = [sample(LogNormal(20.0, 0.3), 25, seed) for seed in range(100)]
    rejected = sum((fits(values)[0][0].p or 0.0) < 0.05 for values in samples)
    assert 2 <= rejected <= 10
    assert sum(classical(distance(values, lognormal(values)), 25) < 0.05 for values in samples) < rejected


def test_held_out_rows_are_not_fitted() -> None:
    """A second half that is different is rejected; one of the same kind is not."""
    same = sample(LogNormal(20.0, 0.3), 200)
    found = held_out(same, fits(same)[1])
    assert found is not None
    assert found.p > 0.05
    mixed = [value * (3 if place % 2 else 1) for place, value in enumerate(same)]
    other = held_out(mixed, fits(same)[1])
    assert other is not None
    assert other.p < 0.001
    assert held_out(same[:10], fits(same)[1]) is None


@settings(max_examples=30)
@given(st.lists(st.floats(0.5, 1e4), min_size=5, max_size=60))
def test_any_sample_can_be_fitted(values: list[float]) -> None:
    """Whatever the values are, each fitter gives a distribution that rises, and distances lie between 0 and 1."""
    fitters: tuple[Callable[[list[float]], Distribution], ...] = (lognormal, shifted, quantiles)
    for fit in fitters:
        found = fit(values)
        drawn = [found.at(u) for u in (0.0, 0.25, 0.5, 0.75, 0.999)]
        assert drawn == sorted(drawn)
        assert 0 <= distance(values, found) <= 1
    assert distance_of_two(values, values) == 0

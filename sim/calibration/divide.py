"""Divide what was measured of a phase among the ops that it consists of, so that the model's own phase is as measured.

A phase belongs to the ops that lengthen it: each op of the probe is made DELTA ms longer, one after the other, and the
model says which phases get longer, and by how much (draws are keyed, so nothing else changes). Ops that a finer phase
has claimed, and those between the chosen ones that the profile does not price, stay as they are and are the rest. What
is left of the measured distribution is divided by the shares that the ops have in the base profile, their work and wait
likewise; all ops of a phase share one draw, since only their sum was measured: how its spread divides is not known. The
rest moves if ops overlap, so the model is run again until it does not. Leaves out what contention
adds: the probe does one thing at a time. Source: the project's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import fmean, median, pvariance
from typing import NamedTuple

from msgspec.structs import replace

from sim.calibration.fits import DIGITS
from sim.calibration.model import Model
from sim.calibration.phases import Known
from sim.durations import Distribution, Duration, Fixed, LogNormal, Profile, Quantiles, Uniform, scaled
from sim.views.calibration import Share

DELTA = 2.0  # ms
SEEDS_OF_A_DELTA = 3
LENGTHENS = 0.5  # of the delta
ROUNDS = 6
NEAR = 0.002  # of the median
GRID = tuple((2 * n + 1) / 200 for n in range(100))


class PhaseRow(NamedTuple):
    """One row of a phase: how often it counts, and which share of the phase it takes."""

    row: str
    times: float
    share: float


def lengthened(model: Model, profile: Profile, phases: Sequence[Known]) -> dict[str, dict[str, float]]:
    """Return for each phase the rows that lengthen it, and how many times over."""
    before = model.took(profile, phases, SEEDS_OF_A_DELTA)
    rows = sorted({row for runs in before.values() for took in runs.values() for row in took.rows})
    found: dict[str, dict[str, float]] = {phase.name: {} for phase in phases}
    for row in rows:
        longer = profile | {row: replace(profile[row], wait=scaled(profile[row].wait, 1.0, DELTA))}
        after = model.took(longer, phases, SEEDS_OF_A_DELTA)
        for phase in phases:
            old, new = before[phase.name], after[phase.name]
            both = old.keys() & new.keys()
            if both:
                times = median(new[seed].total - old[seed].total for seed in both) / DELTA
                if times >= LENGTHENS:
                    found[phase.name][row] = round(times)
    return found


def parts_of(rows: Mapping[str, float], profile: Profile, taken: set[str]) -> tuple[PhaseRow, ...]:
    """Return the rows of a phase that no finer one has, with their shares by the medians of the base profile."""
    free = {row: times for row, times in rows.items() if row not in taken}
    middles = {row: times * middle(profile[row]) for row, times in free.items()}
    whole = sum(middles.values())
    if not whole:
        return ()
    return tuple(PhaseRow(row, free[row], middles[row] / whole) for row in free)


def middle(duration: Duration) -> float:
    """Return what a row takes in the middle, in ms."""
    return duration.work.at(0.5) + duration.wait.at(0.5)


class FittedPhase(NamedTuple):
    """A phase that is fitted: its distribution, and the parts it is divided among."""

    phase: Known
    distribution: Distribution
    parts: tuple[PhaseRow, ...]
    mark: str


class Rest(NamedTuple):
    """What of a phase is not its parts': in the middle, in ms, and how much narrower it leaves the parts."""

    middle: float
    narrower: float


def divided(model: Model, base: Profile, targets: Sequence[FittedPhase], seeds: int) -> Profile:
    """Return the profile in which each phase of the model takes what its distribution says."""
    rests, profile = _rests(model, base, targets, seeds), base
    for _ in range(ROUNDS):
        profile = base | {row: it for target, rest in zip(targets, rests, strict=True)
                          for row, it in _rows(target, base, rest)}  # fmt: skip
        before, rests = rests, _rests(model, profile, targets, seeds)
        if all(
            abs(new.middle - old.middle) <= NEAR * target.distribution.at(0.5)
            for new, old, target in zip(rests, before, targets, strict=True)
        ):
            break
    return profile


def _rests(model: Model, profile: Profile, targets: Sequence[FittedPhase], seeds: int) -> list[Rest]:
    """Return what of each phase is not its parts': other ops, less what overlaps."""
    found = model.took(profile, [target.phase for target in targets], seeds)
    return [
        _rest(target.distribution, [
            took.total - sum(part.times * fmean(took.rows[part.row]) for part in target.parts)
            for took in found[target.phase.name].values()
        ])
        for target in targets
    ]  # fmt: skip


def _rest(whole: Distribution, rests: Sequence[float]) -> Rest:
    """Return what is to be taken off a distribution, so that with these rests added it has its own median again.

    Its spread is narrowed by what the rests vary (variances add up), to no less than half.
    """
    grid = [whole.at(u) for u in GRID]
    varies = pvariance(grid)
    narrower = sqrt(max(1 - pvariance(rests) / varies, 0.25)) if varies else 1.0
    middle_ = whole.at(0.5)
    sums = [middle_ + narrower * (value - middle_) + rest for value in grid for rest in rests]
    return Rest(median(sums) - middle_, narrower)


def _rows(target: FittedPhase, base: Profile, rest: Rest) -> list[tuple[str, Duration]]:
    """Return the rows of a phase of which the rest is not theirs."""
    left = scaled(target.distribution, rest.narrower, target.distribution.at(0.5) * (1 - rest.narrower) - rest.middle)
    rows = []
    for part in target.parts:
        old, mine = base[part.row], part.share / part.times
        work = old.work.at(0.5) / middle(old)
        rows.append((part.row, replace(
            old,
            work=_kept(scaled(left, mine * work)),
            wait=_kept(scaled(left, mine * (1 - work))),
            mark=f"{target.mark}, share {part.share:.3g}",
            together=target.phase.name,
            repeats=round(part.times),
        )))  # fmt: skip
    return rows


def _kept(it: Distribution) -> Distribution:
    """Return a distribution in the digits of a file, without times below 0."""
    match it:
        case Fixed(value=value):
            return Fixed(max(round(value, DIGITS), 0.0))
        case Uniform(low=low, high=high):
            return Uniform(max(round(low, DIGITS), 0.0), max(round(high, DIGITS), 0.0))
        case LogNormal(median=at, sigma=sigma, shift=shift):
            return (
                LogNormal(round(at, DIGITS), round(sigma, DIGITS + 1), round(shift, DIGITS))
                if round(at, DIGITS)
                else Fixed(0.0)
            )
        case Quantiles(shares=shares, values=values):
            kept = tuple(max(round(value, DIGITS), 0.0) for value in values)
            return Quantiles(shares, kept) if any(kept) else Fixed(0.0)


def shares(parts: Sequence[PhaseRow]) -> tuple[Share, ...]:
    """Return the parts as they are told."""
    return tuple(Share(part.row, part.share) for part in parts)

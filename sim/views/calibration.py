"""What a calibration has found: plain data for the table, the JSON and the figure.

Times are ms. Source: `sim.calibration`.
"""

from __future__ import annotations

import msgspec

from sim.durations import Distribution


class Fit(msgspec.Struct, frozen=True):
    """One distribution tried on a sample. *ks* is its greatest distance to it, *p* by parametric bootstrap.

    *p* is None where nothing can be tested: quantiles run through the sample itself.
    """

    name: str
    distribution: Distribution
    parameters: int
    ks: float
    p: float | None


class Sample(msgspec.Struct, frozen=True):
    """What was measured of a phase, and where: *values* in the order of the file, *date* as YYYY-MM-DD."""

    phase: str
    values: tuple[float, ...]
    file: str
    column: str
    date: str = ""


class HeldOut(msgspec.Struct, frozen=True):
    """Every second row against a distribution fitted to the others: nothing of them went into it."""

    n: int
    ks: float
    p: float
    median_error: float
    p95_error: float


class Share(msgspec.Struct, frozen=True):
    """A row of the profile, and which part of its phase it takes by the shares that the base profile has."""

    row: str
    share: float


class Modelled(msgspec.Struct, frozen=True):
    """What the model gives for a phase with the fitted profile, over *n* seeds; errors are parts of the measured."""

    n: int
    median: float
    p95: float
    sd: float
    ks: float
    median_error: float
    p95_error: float


class Phase(msgspec.Struct, frozen=True):
    """One phase that was measured. *chosen* and *shares* are empty where it was compared alone: *why* says so."""

    name: str
    about: str
    sample: Sample
    median: float
    p95: float
    sd: float
    tried: tuple[Fit, ...] = ()
    chosen: Fit | None = None
    quantile_errors: tuple[tuple[float, float], ...] = ()
    held_out: HeldOut | None = None
    shares: tuple[Share, ...] = ()
    modelled: Modelled | None = None
    why: str = ""


class Load(msgspec.Struct, frozen=True):
    """So many starts at once, measured and from the model. *used* says what went into the profile; empty: nothing."""

    phase: str
    at_once: int
    n: int
    file: str
    median: float
    p95: float
    rate: float | None
    model_median: float
    model_p95: float
    model_rate: float
    used: str = ""


class Demand(msgspec.Struct, frozen=True):
    """How much core time a start takes, by the rate at which starts fill *cores* cores; *own_s* is waited for."""

    phase: str
    at_once: int
    cores: int
    rate: float
    demand_s: float
    own_s: float
    factor: float
    file: str


class Calibration(msgspec.Struct, frozen=True):
    """Everything that was found. *left_out* says of columns why they are not used, *warnings* what weakens the rest."""

    name: str
    base: str
    design: str
    phases: tuple[Phase, ...]
    loads: tuple[Load, ...] = ()
    demand: Demand | None = None
    left_out: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()

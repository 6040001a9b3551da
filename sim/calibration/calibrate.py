"""Calibrate: samples in, a profile out, and how good it is.

Phases are fitted where one start goes on at a time. What many starts at once take is never fitted to a curve, since
contention comes from cores, locks and workers. One number of it is measured, if there are rows of more starts at once
than cores: the core time that a start needs in all, threads included, by the rate at which starts fill the cores
(service demand law); the other loads are held out. Leaves out fitting locks. Source: Denning and Buzen, Computing
Surveys 10(3), 1978 [K].
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean, median
from typing import NamedTuple

from msgspec.structs import replace

from sim.calibration.cells import Cell, Read
from sim.calibration.divide import FittedPhase, PhaseRow, divided, lengthened, parts_of, shares
from sim.calibration.fits import FEW, distance_of_two, fits, held_out, quantile, quantile_errors, spread
from sim.calibration.model import Model
from sim.calibration.phases import AT_COLUMN, BY_NAME, LOADED, PHASES, Known
from sim.durations import Profile
from sim.errors import InputError, Problem
from sim.latency import PROFILES
from sim.views.calibration import Calibration, Demand, Fit, Load, Modelled, Phase, Sample

ROUNDS = 4
MISSED = 0.1  # of the median
LEAST_BUSY = 0.5  # of the starts that are said to go on at once
MOST_CORES = 8.0  # that one start may keep busy
Told = Callable[[str], None]


class Effort(NamedTuple):
    """So many seeds: to divide the phases, of each load, and to hold the profile against what was measured."""

    divide: int = 40
    load: int = 5
    last: int = 200


class CalibrationRequest(NamedTuple):
    """What to make: the profile's name, the design and the base whose shares hold, cores, the load that gives demand.

    *demand* 0 takes the highest load above the number of cores, None none.
    """

    name: str
    design: str
    base: str
    cores: int = 2
    demand: int | None = 0
    effort: Effort = Effort()


def calibrate(
    fitted: Read, checked: Read, asked: CalibrationRequest, tell: Told = lambda _: None
) -> tuple[Calibration, Profile]:
    """Fit a profile to what was measured, and hold it against all of it; *checked* is held against it alone.

    Raises InputError where no row is of one start at a time.
    """
    loads = _loads(fitted, checked)
    _check_demand(loads, asked)
    model, base, effort = Model(asked.design, asked.cores), PROFILES[asked.base], asked.effort
    samples = _samples(fitted)
    if not samples:
        what = "no row is of one start at a time: only such are fitted"
        raise InputError([Problem(_files(fitted), what, "Give them, too; --load says which column holds the number.")])
    known = [phase for phase in PHASES if phase.name in samples]
    tell("which ops lengthen which phase")
    targets, phases, warnings = _fitted(known, samples, lengthened(model, base, known), asked, tell)
    tell("dividing the phases among ops")
    profile = divided(model, base, targets, effort.divide) if targets else base
    demand = _demand(model, profile, targets, loads, asked, tell)
    if demand is not None:
        busier = divided(model, _busier(base, targets, demand.factor), targets, effort.divide)
        said = _from(demand)
        profile = {row: replace(it, mark=it.mark + said) if it.cores != 1 else it for row, it in busier.items()}
    final = model.took(profile, known, effort.last)
    phases = [replace(it, modelled=_modelled(it, [took.total for took in final[it.name].values()])) for it in phases]
    tell("many starts at once")
    found = Calibration(
        asked.name,
        asked.base,
        asked.design,
        tuple(phases),
        tuple(_load(model, profile, key, cells, demand, effort.load) for key, cells in loads.items()),
        demand,
        (*fitted.left_out, *checked.left_out),
        (*fitted.warnings, *checked.warnings, *_with_client(fitted), *warnings, *_missed(phases), *_paused(loads)),
    )
    return found, profile


def _files(read: Read) -> str:
    return ", ".join(dict.fromkeys(it.file for it in read.columns)) or "shimulator calibrate"


def _fitted(
    known: Sequence[Known],
    samples: Mapping[str, Sample],
    longer: Mapping[str, dict[str, float]],
    asked: CalibrationRequest,
    tell: Told,
) -> tuple[list[FittedPhase], list[Phase], list[str]]:
    """Fit each phase, and give its ops to it that no finer one has; return what is to be divided, and what to tell."""
    targets: list[FittedPhase] = []
    phases: list[Phase] = []
    warnings: list[str] = []
    taken: set[str] = set()
    for phase in known:
        tell(f"fitting {phase.name}")
        sample = samples[phase.name]
        tried, chosen = fits(sample.values)
        parts = parts_of(longer[phase.name], PROFILES[asked.base], taken)
        why = "" if parts else _why_not(longer[phase.name], asked)
        if parts:
            taken |= {part.row for part in parts}
            mark = f"M {sample.file}: {sample.column}, n = {len(sample.values)}, {sample.date}: {phase.name}"
            targets.append(FittedPhase(phase, chosen.distribution, parts, mark))
            warnings += _weak(phase.name, len(sample.values), chosen)
        phases.append(_phase(phase.name, phase.about, sample, tried, chosen, why, parts))
    return targets, phases, warnings


def _samples(read: Read) -> dict[str, Sample]:
    """Return the sample of each phase, of rows in which one start goes on at a time; files add up."""
    found: dict[str, Sample] = {}
    for column in read.columns:
        values = tuple(cell.value for cell in column.cells if cell.at_once == 1)
        if not values:
            continue
        old = found.get(column.phase)
        if old is None:
            found[column.phase] = Sample(column.phase, values, _base_name(column.file), column.column, column.date)
        else:
            file, said = f"{old.file} and {_base_name(column.file)}", old.column
            both = said if said == column.column else f"{said} and {column.column}"
            found[column.phase] = replace(old, values=old.values + values, file=file, column=both)
    return found


def _base_name(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _why_not(rows: Mapping[str, float], asked: CalibrationRequest) -> str:
    """Say why a phase is compared alone."""
    none = f"no op of {asked.base} lengthens it on {asked.design}"
    return "its ops belong to finer phases: a check of those" if rows else none


def _with_client(read: Read) -> list[str]:
    """Say which columns hold the time of the command, which is outside of the model."""
    known = [it for it in read.columns if "wall" in re.split("[-_]", it.column)]
    return [f"{it.phase}: {it.column} holds docker(1)'s own time" for it in known]


def _weak(name: str, count: int, chosen: Fit) -> list[str]:
    found = []
    if count < FEW:
        found.append(f"{name}: {count} rows say little about a tail; p95 is nearly their largest")
    if chosen.p is not None and chosen.p < 0.05:
        found.append(
            f"{name}: every distribution is rejected (p = {chosen.p:.3f}), and {count} rows are few for quantiles"
        )
    return found


def _missed(phases: Sequence[Phase]) -> list[str]:
    """Say which phases the model cannot bring to what was measured."""
    return [
        f"{it.name}: what of it is not fitted (polls, timers, other ops) takes longer in the model than all of it here"
        for it in phases
        if it.modelled is not None and not it.why and it.modelled.median_error > MISSED
    ]


def _phase(
    name: str, about: str, sample: Sample, tried: tuple[Fit, ...], chosen: Fit, why: str, parts: Sequence[PhaseRow]
) -> Phase:
    middle, p95, sd = spread(sample.values)
    return Phase(
        name, about, sample, middle, p95, sd, tried, chosen,
        quantile_errors(sample.values, chosen), held_out(sample.values, chosen), shares(parts), None, why,
    )  # fmt: skip


def _modelled(phase: Phase, totals: Sequence[float]) -> Modelled | None:
    if not totals:
        return None
    middle, p95, sd = spread(totals)
    far = distance_of_two(phase.sample.values, totals)
    return Modelled(len(totals), middle, p95, sd, far, middle / phase.median - 1, p95 / phase.p95 - 1)


# -- many at once -----------------------------------------------------------------------------------

Key = tuple[str, int, str]  # phase, how many at once, file


def _loads(fitted: Read, checked: Read) -> dict[Key, list[Cell]]:
    """Return the rows of many starts at once; of files that are only checked those of one, too."""
    found: dict[Key, list[Cell]] = {}
    for read, least in ((fitted, 2), (checked, 1)):
        for column in read.columns:
            for cell in column.cells:
                if column.phase in LOADED and cell.at_once >= least:
                    found.setdefault((column.phase, cell.at_once, column.file), []).append(cell)
    return dict(sorted(found.items()))


def rate_of(cells: Sequence[Cell]) -> float | None:
    """Return starts per second, from the first request to the last answer; None if nobody wrote down when.

    Nor is there one if fewer than half as many starts went on as are said (Little's law): there were long pauses.
    """
    begins = [cell.at for cell in cells if cell.at is not None]
    if len(begins) < len(cells) or len(cells) < 2:
        return None
    last = max(at + cell.value / 1e3 for at, cell in zip(begins, cells, strict=True))
    rate = len(cells) / (last - min(begins))
    went_on = rate * fmean(cell.value for cell in cells) / 1e3
    return rate if went_on >= LEAST_BUSY * cells[0].at_once else None


def _paused(loads: Mapping[Key, Sequence[Cell]]) -> list[str]:
    """Say which loads have no rate although every row says when it began."""
    return [
        f"{phase}: the rows of {at_once} at once have long pauses or are of several series: no rate, no core time of it"
        for (phase, at_once, _), cells in loads.items()
        if len(cells) > 1 and all(cell.at is not None for cell in cells) and rate_of(cells) is None
    ]


def _able(loads: Mapping[Key, Sequence[Cell]], asked: CalibrationRequest) -> list[Key]:
    """Return the loads whose rate says how much core time a start needs: full cores, and known begins."""
    return [key for key in loads if key[0] == "start" and key[1] > asked.cores and rate_of(loads[key])]


def _check_demand(loads: Mapping[Key, Sequence[Cell]], asked: CalibrationRequest) -> None:
    """Refuse a load that gives no rate. Raises InputError with those that do."""
    able = sorted({key[1] for key in _able(loads, asked)})
    if not asked.demand or asked.demand in able:
        return
    there = sorted({key[1] for key in loads if key[0] == "start"})
    if asked.demand not in there:
        what = f"no row of start is of {asked.demand} at once"
    elif asked.demand <= asked.cores:
        what = f"{asked.demand} starts at once do not fill {asked.cores} cores"
    else:
        what = f"rows of {asked.demand} at once lack {AT_COLUMN}, or have long pauses: there is no rate"
    loads_said = f"There are: {', '.join(map(str, there)) or 'none'}"
    hint = f"{loads_said}; with a rate, above {asked.cores} cores: {', '.join(map(str, able)) or 'none'}."
    raise InputError([Problem(f"--demand {asked.demand}", what, hint)])


def _demand(
    model: Model,
    profile: Profile,
    targets: Sequence[FittedPhase],
    loads: dict[Key, list[Cell]],
    asked: CalibrationRequest,
    tell: Told,
) -> Demand | None:
    """Return how many cores a start keeps busy, so that the model starts as many a second as were measured."""
    fitted = any(BY_NAME[it.phase.name].step.startswith("start") for it in targets)
    if asked.demand and not fitted:
        what = "no phase of a start is fitted, whose core time it would give"
        raise InputError([Problem(f"--demand {asked.demand}", what, "Give rows of one start at a time, too.")])
    if asked.demand is None or not fitted:
        return None
    able = [key for key in _able(loads, asked) if not asked.demand or key[1] == asked.demand]
    if not able:
        return None
    key = max(able, key=lambda it: it[1])
    rate = rate_of(loads[key])
    assert rate is not None
    tell(f"core time of a start, by {key[1]} at once")

    factor = 1.0
    for _ in range(ROUNDS):  # full cores give as many starts a second as there are core seconds for
        busy = _busier(profile, targets, factor)
        mine = fmean(run[-1] for run in model.started(busy, key[1], len(loads[key]), False, asked.effort.load))
        factor = min(max(factor * mine / rate, 1.0), MOST_CORES)
    factor = round(factor, 2)
    own = sum(it.times * profile[it.row].work.at(0.5) for target in targets if target.phase.name.startswith("start")
              for it in target.parts) / 1e3  # fmt: skip
    return Demand(key[0], key[1], asked.cores, rate, factor * own, own, factor, _base_name(key[2]))


def _busier(profile: Profile, targets: Sequence[FittedPhase], factor: float) -> Profile:
    """Return a profile in which the work of a start keeps *factor* cores busy."""
    mine = [
        part.row for target in targets if BY_NAME[target.phase.name].step.startswith("start") for part in target.parts
    ]
    return profile | {row: replace(profile[row], cores=factor) for row in mine}


def _from(demand: Demand) -> str:
    return f"; cores: {demand.file}, {demand.at_once} at once, {demand.rate:.2f} starts/s on {demand.cores} cores"


def _load(model: Model, profile: Profile, key: Key, cells: Sequence[Cell], demand: Demand | None, seeds: int) -> Load:
    phase, at_once, file = key
    runs = model.started(profile, at_once, len(cells), LOADED[phase], seeds)
    mine = sorted(it for run in runs for it in run[:-1])
    theirs = sorted(cell.value for cell in cells)
    used = demand is not None and (demand.phase, demand.at_once, demand.file) == (phase, at_once, _base_name(file))
    return Load(
        phase, at_once, len(cells), _base_name(file), median(theirs), quantile(theirs, 0.95), rate_of(cells),
        median(mine), quantile(mine, 0.95), fmean(run[-1] for run in runs), "its rate gave the core time" * used,
    )  # fmt: skip

"""What is asked of the model: runs that several rows share, and what is read off them.

Each is a plain function of designs, profiles, loads and seeds. Source: the rows that use them.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from statistics import fmean, median, pvariance

from msgspec.structs import replace

from sim.calibration.cells import Terms
from sim.calibration.fits import quantile
from sim.calibration.model import Model, Took
from sim.calibration.phases import BY_NAME
from sim.calibration.reading import read_all
from sim.designs import DESIGNS, Design
from sim.durations import Profile
from sim.experiment.run import Run, run_scenario
from sim.facts import EngineEvent, StepDone, StepTaken
from sim.kernel.events import Execed, Exited
from sim.latency import PROFILES
from sim.scenario import load
from tests.measures import answered, happened

ROOT = Path(__file__).parents[2]
DATA = ROOT / "docs" / "measurements"
SEEDS = 20
SEEDS_OF_A_LOAD = 5


# -- what was measured ------------------------------------------------------------------------------


@cache
def rows_of(file: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a CSV file of the measurements."""
    with (DATA / file).open(encoding="utf-8", newline="") as text:
        return tuple(csv.DictReader(text))


def column(file: str, name: str, **where: str) -> list[float]:
    """Return the numbers of a column, of rows in which fields have these words."""
    rows = (row for row in rows_of(file) if all(row[key] == value for key, value in where.items()))
    return [float(row[name]) for row in rows if row[name]]


@cache
def samples(*files: str) -> dict[str, tuple[float, ...]]:
    """Return what the files say of each phase, in ms, of starts one by one."""
    read = read_all([(name, (DATA / name).read_text(encoding="utf-8"), "") for name in files], Terms())
    found: dict[str, tuple[float, ...]] = {}
    for it in read.columns:
        found[it.phase] = found.get(it.phase, ()) + tuple(cell.value for cell in it.cells if cell.at_once == 1)
    return found


def measured_rate(mode: str, at_once: int) -> float:
    """Return starts per second of parallel.csv, from the first request to the last answer."""
    rows = [it for it in rows_of("parallel.csv") if (it["mode"], it["parallelism"]) == (mode, str(at_once))]
    ends = [float(it["t0_unix"]) + float(it["api_start_s"]) for it in rows]
    return len(rows) / (max(ends) - min(float(it["t0_unix"]) for it in rows))


# -- profiles ---------------------------------------------------------------------------------------


def profile(name: str) -> Profile:
    """Return a bundled profile."""
    return PROFILES[name]


# -- one by one -------------------------------------------------------------------------------------


@cache
def _took(name: str, design: str, phase: str) -> tuple[Took, ...]:
    found = Model(design, 2).took(profile(name), [BY_NAME[phase]], 100)
    return tuple(found[phase].values())


def phase(name: str, of: str, share: float = 0.5, design: str = "docker-26") -> Callable[[], float]:
    """Return a question: the quantile of a phase, in ms."""
    return lambda: quantile(sorted(it.total for it in _took(name, design, of)), share)


def variation(name: str, of: str, design: str = "docker-26") -> float:
    """Return the coefficient of variation of a phase."""
    totals = [it.total for it in _took(name, design, of)]
    return float(pvariance(totals) ** 0.5 / fmean(totals))


def drawn(name: str, of: str, rows: Sequence[str], design: str) -> float:
    """Return what some ops of a phase take together, in ms on average."""
    return fmean(sum(sum(it.rows.get(row, ())) for row in rows) for it in _took(name, design, of))


# -- many at once -----------------------------------------------------------------------------------


@cache
def _started(name: str, design: str, cores: int, at_once: int, count: int, port: bool) -> tuple[tuple[float, ...], ...]:
    runs = Model(design, cores).started(profile(name), at_once, count, port, SEEDS_OF_A_LOAD)
    return tuple(tuple(run) for run in runs)


def starts(
    name: str, at_once: int, count: int, *, share: float = 0.5, port: bool = False, design: str = "docker-26",
    cores: int = 2,
) -> Callable[[], float]:  # fmt: skip
    """Return a question: how long a start takes when so many people start containers one by one, in ms."""
    return lambda: quantile(
        sorted(it for run in _started(name, design, cores, at_once, count, port) for it in run[:-1]), share
    )


def rate(
    name: str, at_once: int, count: int, *, port: bool = False, design: str = "docker-26", cores: int = 2
) -> Callable[[], float]:
    """Return a question: starts per second."""
    return lambda: fmean(run[-1] for run in _started(name, design, cores, at_once, count, port))


def last_to_first(name: str, at_once: int, design: str, cores: int) -> float:
    """Return how many times the quickest of so many starts at once the slowest takes."""
    runs = _started(name, design, cores, at_once, at_once, False)
    return fmean(max(run[:-1]) / min(run[:-1]) for run in runs)


@cache
def rounds(name: str, design: str, cores: int, people: int, count: int) -> tuple[float, float, float, float]:
    """Return rounds of run, stop and rm per second of so many people, and the mean of each in ms.

    Between run and stop is a top: a signal that comes before the program has its handler is lost, and the stop takes
    10 s.
    """
    steps = []
    for person in range(people):
        mine = range(person, count, people)
        commands = ", ".join(f"run -d --name c{n} w, top c{n}, stop c{n}, rm c{n}" for n in mine)
        steps.append(f"  - {{id: p{person}, at: 60s, docker: [{commands}]}}")
    text = (f"host: {{begin: 'off', cores: {cores}}}\nengine: {{design: {design}, profile: {name}}}\n"
            "steps:\n  - {systemctl: start docker}\n" + "\n".join(steps) + "\n")  # fmt: skip
    found = run(text)
    ids = [step.id for terminal in found.scenario.setup.terminals for step in terminal if step.id.startswith("p")]
    taken = {it.event.id: it.at or 0 for it in found.trace if isinstance(it.event, StepTaken)}
    done = {it.event.id: it.at or 0 for it in found.trace if isinstance(it.event, StepDone)}
    lengths: dict[str, list[float]] = {"run": [], "stop": [], "rm": []}
    for terminal in found.scenario.setup.terminals:
        for step in terminal:
            if step.id in done and step.id in ids and step.text.split()[1] in lengths:
                lengths[step.text.split()[1]].append((done[step.id] - taken[step.id]) / 1e3)
    whole = (max(done[it] for it in ids) - min(taken[it] for it in ids)) / 1e6
    return count / whole, fmean(lengths["run"]), fmean(lengths["stop"]), fmean(lengths["rm"])


# -- scenarios --------------------------------------------------------------------------------------


@cache
def run(text: str, seed: int = 1) -> Run:
    """Run a scenario's text; rows share runs."""
    return run_scenario(load("asked.yaml", text), seed)


def middle(of: Callable[[Run], float], text: str, seeds: int = SEEDS) -> Callable[[], float]:
    """Return a question: the median over seeds of what is measured of a run."""
    return lambda: median(of(run(text, seed)) for seed in range(1, seeds + 1))


def took(step: str) -> Callable[[Run], float]:
    """Measure how long a step's user waits, in s."""
    return lambda found: answered(found, step)


def gap(of: Callable[[Run], list[float]], until: Callable[[Run], list[float]], nth: int = 0) -> Callable[[Run], float]:
    """Measure the time from the first of some moments to the *nth* of others that is not before it, in s."""

    def read(found: Run) -> float:
        begin = of(found)[0]
        return [it for it in until(found) if it >= begin][nth] - begin

    return read


def begins(program: str) -> Callable[[Run], list[float]]:
    """Say when a program is executed."""
    return lambda found: happened(found, Execed, program)


def ends(program: str) -> Callable[[Run], list[float]]:
    """Say when a program ends."""
    return lambda found: happened(found, Exited, program)


def at(second: float) -> Callable[[Run], list[float]]:
    """Say a moment from t = 0."""
    return lambda found: [second]


def pause(n: int, container: str = "al") -> Callable[[Run], float]:
    """Measure the time from the nth `die` of a container to its next `start`, in s."""

    def read(found: Run) -> float:
        times = {
            word: [(it.at or 0) / 1e6 for it in found.trace if isinstance(it.event, EngineEvent)
                   and (it.event.action, it.event.container) == (word, container)]
            for word in ("die", "start")
        }  # fmt: skip
        return times["start"][n + 1] - times["die"][n]

    return read


# -- other backoffs ---------------------------------------------------------------------------------


@contextmanager
def kubelet(first_s: float) -> Iterator[str]:
    """Lend containerd-cri with another first pause of its kubelet."""
    cri = DESIGNS["containerd-cri"]
    traits = replace(cri.traits, first_backoff=round(first_s * 1e6))
    programs = tuple(cri.programs.values())
    DESIGNS["asked"] = Design("asked", "another first pause", "KEP-4603", programs, traits, cri.engine)
    try:
        yield "asked"
    finally:
        del DESIGNS["asked"]


@cache
def crash_starts(first_s: float, containers: int, until: str) -> tuple[float, ...]:
    """Return when pods whose program ends at once begin it, in s from the first one, with a first pause of so long."""
    one = "image: w, restart: always, x-payload: {exits: {code: 1, after: 1ms}}"
    services = ", ".join(f"w{n}: {{{one}}}" for n in range(containers))
    text = ("host: {begin: boot, cores: 16}\nengine: {design: containerd-cri}\n"
            f"services: {{{services}}}\nuntil: {until}\n")  # fmt: skip
    scenario = load("asked.yaml", text)
    with kubelet(first_s) as design:
        setup = replace(scenario.setup, engine=replace(scenario.setup.engine, design=design))
        found = run_scenario(replace(scenario, setup=setup), 1)
    times = [(it.at or 0) / 1e6 for it in found.trace if isinstance(it.event, Execed)
             and it.event.image.program == "payload" and it.event.image.argv[-1:] != ("init",)]  # fmt: skip
    return tuple(it - times[0] for it in times)


def restarts(first_s: float) -> float:
    """Return how often one container is started within 30 min of its first start, that one too."""
    return float(sum(it <= 1800 for it in crash_starts(first_s, 1, "32m")))


def busiest(first_s: float, window_s: float = 10.0) -> float:
    """Return the most starts of 110 containers within a window."""
    times = crash_starts(first_s, 110, "150s")
    return float(max(sum(begin <= it < begin + window_s for it in times) for begin in times))

"""The fault matrix: each design with each fault, with live-restore and without, run and put into words.

A fault is written as each design needs it: killing the engine means dockerd, or crio, or a command of podman. One that
a design has nothing for (containerd's service where dockerd forks containerd) has no cell. Leaves out faults of two
parts, and faults within a start. Source: designs §0 (F1 to F12); the words of a cell: `sim.experiment.aspects`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from sim import parts
from sim.designs import DESIGNS, Design
from sim.drive.follow import driver_of
from sim.engine.setup import Setup
from sim.errors import InputError, Problem, nearest
from sim.experiment.aspects import RunAspects, read_cell
from sim.experiment.executors import Lanes
from sim.experiment.faulted import fault_setting
from sim.experiment.own_host import check_own, own_settings, own_step, own_title, read_own
from sim.experiment.replicate import Progress, spread
from sim.faults.kind import Row
from sim.scenario import Scenario
from sim.scenario.engines import design_of
from sim.scenario.words import Refusal
from sim.views.fault_cells import ASPECTS, Cell, FaultRow, Matrix

SCENARIO = "fault-matrix"
STEPS = ("exec", "fault", "leave", "probe")  # `look` may be left out
HARMLESS = "kill payload/web"  # every design has it
CONTAINERS = ("web", "deaf", "chat", "job")
Reader = Callable[[Sequence[str]], Scenario]


OWN_ROWS: dict[str, Row] = {
    "F1": Row("kill -9 of the engine"),
    "F2": Row("restart of the engine's service"),
    "F3": Row("kill -9 of containerd"),
    "F4": Row("restart of containerd.service"),
    "F4s": Row("stop of containerd.service, then its start"),
    "F5": Row("kill -9 of a shim or conmon"),
    "F6": Row("kill -9 of web's docker-proxy"),
    "F7": Row("kill -9 of web's process", HARMLESS),
    "F8": Row("reboot", "reboot"),
    "F8p": Row("power cut", "power_loss"),
    "F9": Row("the host has no memory left", "oom host"),
    "F9c": Row("web reaches its memory limit", "oom web"),
    "F10": Row("restart of journald", '{"host": {"journald": "restart"}}'),
    "F11": Row("the disk is full", '{"host": {"fill_disk": true}}'),
    "F12": Row("the engine's package is installed again"),
}
FAULTS: parts.TableOfParts[Row] = parts.TableOfParts("faults", "ROWS", OWN_ROWS)
"""By number: these, then what kinds of faults offer."""


def way_of(fault: str, design: Design) -> str:
    """Return how a fault is written for a design, "" if it has nothing for it.

    >>> way_of("F6", DESIGNS["docker-1.13"]), way_of("F4", DESIGNS["docker-1.13"])
    ('kill proxy/web', '')
    """
    return FAULTS[fault].step or design.engine.faults(design).get(fault, "")


class CellRequest(NamedTuple):
    """One cell to be computed: its setup, or None where the design has no such fault."""

    cell: Cell
    setup: Setup | None


def designs_asked(words: str | None) -> list[Design]:
    """Return the designs that `--design A,B` names, all of them for None. Raises InputError."""
    if words is None:
        return list(DESIGNS.values())
    found, problems = [], []
    for name in words.split(","):
        try:
            found.append(design_of(name.strip()))
        except Refusal as refusal:
            problems.append(Problem(f"--design {name[:40]}", refusal.what.removesuffix("."), refusal.hint))
    if problems:
        raise InputError(problems)
    return list(dict.fromkeys(found))


def faults_asked(words: str | None) -> list[str]:
    """Return the rows of `FAULTS` that `--faults F1,F5` names, all of them for None. Raises InputError."""
    names = list(FAULTS) if words is None else [part.strip() for part in words.split(",")]
    known = {name.lower(): name for name in FAULTS}
    problems = [
        Problem(f"--faults {name[:40]}", "this is no fault of the matrix",
                f"{nearest(name, FAULTS)} Valid: {', '.join(FAULTS)}.".strip())
        for name in names if name.lower() not in known
    ]  # fmt: skip
    if problems:
        raise InputError(problems)
    return list(dict.fromkeys(known[name.lower()] for name in names))


def asked_cells(reader: Reader, designs: Iterable[Design], faults: Sequence[str]) -> list[CellRequest]:
    """Return the cells of some designs and faults, with and without live-restore where there is any."""
    base = reader(())
    own = is_own(base)
    if own:
        check_own(base)
    found = []
    for design in designs:
        restores = (False, True) if design.traits.live_restore else (None,)
        for live_restore in restores:
            if not own:  # what the file has wrong is not the fault's; a host of one's own may be about one engine
                reader((fault_setting(base, HARMLESS), *_settings(design.name, live_restore)))
            for fault in faults:
                step = own_step(way_of(fault, design)) if own else way_of(fault, design)
                cell = Cell(design.name, live_restore, fault, step)
                found.append(_asked(reader, base, cell) if step else CellRequest(cell, None))
    return found


def _asked(reader: Reader, base: Scenario, cell: Cell) -> CellRequest:
    """Return a cell with its setup; where the model refuses the fault on the design, with what it says."""
    settings = _settings(cell.design, cell.live_restore)
    try:
        fault = own_settings(base, cell.step) if is_own(base) else (fault_setting(base, cell.step),)
        return CellRequest(cell, reader((*fault, *settings)).setup)
    except InputError as error:
        return CellRequest(replace(cell, refused=error.problems[0].what), None)


def _settings(design: str, live_restore: bool | None) -> tuple[str, ...]:
    restores = () if live_restore is None else (f"engine.daemon.live-restore={json.dumps(live_restore)}",)
    return f"engine.design={design}", *restores


def is_own(base: Scenario) -> bool:
    """Return whether a file is a host of somebody's own: it lacks what the matrix's own words are about."""
    steps = {step.id for terminal in base.setup.terminals for step in terminal}
    services = {service.name for service in base.setup.services}
    return not (services >= set(CONTAINERS) and steps >= set(STEPS))


def matrix(
    reader: Reader,
    designs: Iterable[Design],
    faults: Sequence[str],
    seeds: int = 1,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
    lanes: Lanes | None = None,
) -> Matrix:
    """Run every cell with seeds 1 to *seeds* and return the matrix. Raises InputError."""
    base, asked = reader(()), asked_cells(reader, designs, faults)
    own = is_own(base)
    setups = [one.setup for one in asked if one.setup is not None]
    tasks = [(place, seed) for place in range(len(setups)) for seed in range(1, seeds + 1)]
    runs = spread(partial(_run, tuple(setups), own), tasks, jobs, progress, lanes)
    found = iter([runs[at : at + seeds] for at in range(0, len(runs), seeds)])
    cells = tuple(one.cell if one.setup is None else _cell(one.cell, next(found)) for one in asked)
    title = own_title if own else str
    rows = tuple(FaultRow(name, title(FAULTS[name].title)) for name in faults)
    window_s, containers = max((run.window_s for run in runs), default=0.0), len(base.setup.services)
    return Matrix(base.name, base.title, rows, cells, seeds, window_s, own, containers if own else 0)


def _run(setups: Sequence[Setup], own: bool, task: tuple[int, int]) -> RunAspects:
    place, seed = task
    trace = driver_of(setups[place], seed).run()
    return read_own(trace) if own else read_cell(trace)


def _cell(cell: Cell, runs: Sequence[RunAspects]) -> Cell:
    """Return the cell of some runs: the word of most of them, of equally many the worse; medians of times."""
    words, unlike = {}, []
    for name, aspect in ASPECTS.items():
        counts = Counter(run.words[name] for run in runs)
        order = {word: place for place, word in enumerate(aspect.words)}
        words[name] = max(counts, key=lambda word: (counts[word], order.get(word, -1)))
        if len(counts) > 1:
            unlike.append(name)
    middle = (len(runs) - 1) // 2
    seconds = {name: sorted(run.seconds[name] for run in runs)[middle] for name in runs[0].seconds}
    ended = {word: sorted(run.counts[word] for run in runs)[middle] for word in runs[0].counts}
    return replace(cell, words=words, seconds=seconds, runs=len(runs), unlike=tuple(unlike), counts=ended)

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
    _check(base)
    found = []
    for design in designs:
        restores = (False, True) if design.traits.live_restore else (None,)
        for live_restore in restores:
            harmless = fault_setting(base, HARMLESS)
            reader((harmless, *_settings(design.name, live_restore)))  # what the file has wrong is not the fault's
            for fault in faults:
                step = way_of(fault, design)
                cell = Cell(design.name, live_restore, fault, step)
                found.append(_asked(reader, base, cell) if step else CellRequest(cell, None))
    return found


def _asked(reader: Reader, base: Scenario, cell: Cell) -> CellRequest:
    """Return a cell with its setup; where the model refuses the fault on the design, with what it says."""
    settings = _settings(cell.design, cell.live_restore)
    try:
        return CellRequest(cell, reader((fault_setting(base, cell.step), *settings)).setup)
    except InputError as error:
        return CellRequest(replace(cell, refused=error.problems[0].what), None)


def _settings(design: str, live_restore: bool | None) -> tuple[str, ...]:
    restores = () if live_restore is None else (f"engine.daemon.live-restore={json.dumps(live_restore)}",)
    return f"engine.design={design}", *restores


def _check(base: Scenario) -> None:
    """Refuse a file that lacks what the words of a cell are about."""
    steps = {step.id for terminal in base.setup.terminals for step in terminal}
    services = {service.name for service in base.setup.services}
    lacking = [f"container {name}" for name in CONTAINERS if name not in services]
    lacking += [f"step {name}" for name in STEPS if name not in steps]
    if lacking:
        hint = f"Begin with a copy of the bundled {SCENARIO}, whose names it needs."
        raise InputError([Problem(base.source, f"no {lacking[0]} for the fault matrix", hint)])


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
    setups = [one.setup for one in asked if one.setup is not None]
    tasks = [(place, seed) for place in range(len(setups)) for seed in range(1, seeds + 1)]
    runs = spread(partial(_run, tuple(setups)), tasks, jobs, progress, lanes)
    found = iter([runs[at : at + seeds] for at in range(0, len(runs), seeds)])
    cells = tuple(one.cell if one.setup is None else _cell(one.cell, next(found)) for one in asked)
    rows = tuple(FaultRow(name, FAULTS[name].title) for name in faults)
    return Matrix(base.name, base.title, rows, cells, seeds, max((run.window_s for run in runs), default=0.0))


def _run(setups: Sequence[Setup], task: tuple[int, int]) -> RunAspects:
    place, seed = task
    return read_cell(driver_of(setups[place], seed).run())


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
    return replace(cell, words=words, seconds=seconds, runs=len(runs), unlike=tuple(unlike))

"""What a command may be given: a scenario, a bundled name, a run's folder, a trace, a table, standard input."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sim.errors import InputError, Problem
from sim.experiment.run import Run, run_scenario
from sim.scenario import Scenario, load
from sim.trace import Trace
from sim.tracefile import read

TRACE, RESOLVED, RESULT, TREES, MARK = "trace.jsonl", "scenario.resolved.yaml", "result.json", "trees.txt", ".shimsim"


def scenario_of(name: str, settings: Sequence[str] = ()) -> Scenario:
    """Read a scenario; - is standard input."""
    if name == "-":
        return load("stdin.yaml", sys.stdin.read(), tuple(settings))
    return load(name, settings=tuple(settings))


def run_of(name: str, seed: int = 1, settings: Sequence[str] = ()) -> Run:
    """Return the run that *name* stands for: read back from a folder or trace, else made from a scenario."""
    path = Path(name)
    folder = path if path.is_dir() else path.parent
    if path.is_dir() or path.suffix == ".jsonl":
        if settings:
            raise InputError([Problem("--set", "a run that is over cannot be changed", "Give its scenario instead.")])
        return _stored(folder, path / TRACE if path.is_dir() else path)
    return run_scenario(scenario_of(name, settings), seed)


def _stored(folder: Path, file: Path) -> Run:
    if not file.exists():
        raise InputError([Problem(str(file), "there is no such trace", "shimsim run writes runs/NAME/.")])
    trace = read_trace(file)
    resolved = folder / RESOLVED
    if resolved.exists():
        return Run(load(str(resolved)), trace)
    return Run(_bare_scenario(trace), trace)


def read_trace(file: Path) -> Trace:
    """Read a trace file. Raises InputError."""
    with file.open("rb") as lines:
        return read(lines, str(file))[0]


def _bare_scenario(trace: Trace) -> Scenario:
    """Make a scenario of a trace alone: no expectations, the names that its setup has."""
    from sim.scenario.instants import Names

    setup = trace.setup
    ids = tuple(step.id for terminal in setup.terminals for step in terminal)
    names = {service.name: service.name for service in setup.services}
    known: Any = Names(ids, names, setup.host.epoch, setup.host.tz_minutes)
    return Scenario("", "trace", "", setup, (), (), (), known, (), names, {})

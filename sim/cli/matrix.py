"""shimulator whatif --matrix: each design with each fault, in a table of codes, or of every word."""

from __future__ import annotations

import argparse
import json
from time import perf_counter

from sim.cli.files import scenario_of
from sim.cli.out import progress, say, say_json
from sim.cli.status import HOLDS
from sim.cli.store import check_ours, folder_of, store
from sim.errors import InputError, Problem
from sim.experiment.comparable import OWN
from sim.experiment.executors import Lanes, cores, opened
from sim.experiment.matrix import SCENARIO, Reader, designs_asked, faults_asked, matrix
from sim.experiment.replicate import Progress
from sim.render.matrix_text import matrix_csv, matrix_json, matrix_text
from sim.views.fault_cells import Matrix
from sim.writing import Content

FIGURE, TABLE, RESULT = "matrix.png", "matrix.csv", "matrix.json"
NOT_ASKED = {"zip": "--zip", "window": "--window", "metrics": "--metric", "precision": "--precision", "most": "--most"}


def main(options: argparse.Namespace) -> int:
    """Run the cells that are asked for, and print them."""
    _check(options)
    folder = None if options.no_save else folder_of(options.output, f"{reader_of(options)(()).name}.matrix")
    if folder is not None:
        check_ours(folder)
    bar = progress("fault matrix", options.quiet or options.json or options.csv)
    began = perf_counter()
    with opened(cores() if options.jobs is None else options.jobs, options.cluster) as lanes:
        found = matrix_of(options, bar, lanes)
    took = perf_counter() - began
    files = {} if folder is None else _files(found)
    if folder is not None:
        store(folder, files)
    _say(found, options, took, () if folder is None else (f"{folder}/:", *files))
    return HOLDS


def reader_of(options: argparse.Namespace) -> Reader:
    """Return what reads the file under settings: the bundled one if none is given."""
    file = options.file[0] if options.file else SCENARIO
    profile = (f"engine.profile={options.profile.removesuffix(OWN)}{OWN}",) if options.profile else ()
    return lambda settings: scenario_of(file, (*options.settings, *profile, *settings))


def matrix_of(options: argparse.Namespace, bar: Progress | None, lanes: Lanes) -> Matrix:
    """Run the cells that are asked for on an executor that is open. Raises InputError."""
    designs, faults = designs_asked(options.design), faults_asked(options.faults)
    return matrix(reader_of(options), designs, faults, options.seeds or 1, progress=bar, lanes=lanes)


def _check(options: argparse.Namespace) -> None:
    problems = [
        Problem(option, "a matrix does not take it", "--design, --faults, --set and --seeds are for it.")
        for name, option in NOT_ASKED.items()
        if getattr(options, name)
    ]
    if len(options.file) > 1:
        problems.append(Problem(options.file[1], "a matrix is of one file", f"Without any it is of {SCENARIO}."))
    if problems:
        raise InputError(problems)


def _files(found: Matrix) -> dict[str, Content]:
    from sim.render.matrix_figure import matrix_png

    return {
        FIGURE: matrix_png(found),
        TABLE: matrix_csv(found),
        RESULT: json.dumps(matrix_json(found), indent=2) + "\n",
    }


def _say(found: Matrix, options: argparse.Namespace, took: float, written: tuple[str, ...]) -> None:
    if options.json:
        say_json(matrix_json(found))
    elif options.csv:
        say(matrix_csv(found), end="")
    elif not options.quiet:
        say(matrix_text(found, took_s=took, written=written, detail=options.explain), end="")

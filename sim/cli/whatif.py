"""shimsim whatif: the file as it stands against a changed setting, paired by seed."""

from __future__ import annotations

import argparse
import json
import sys
from time import perf_counter

from sim.cli import HOLDS
from sim.cli.files import scenario_of
from sim.cli.out import progress, say, say_json
from sim.cli.store import folder_of, store
from sim.errors import InputError, Problem
from sim.experiment.whatif import whatif
from sim.render.compare_figure import compare_png
from sim.render.whatif_text import to_csv, to_json, whatif_text

FIGURE, TABLE, RESULT = "compare.png", "table.csv", "result.json"


def main(options: argparse.Namespace) -> int:
    """Run the pairs, compare, report."""
    if options.seeds < 1:
        raise InputError([Problem("--seeds", f"{options.seeds} is no number of runs", "Give 1 or more; 6 for intervals.")])
    text = sys.stdin.read() if options.file == "-" else None
    began = perf_counter()
    found = whatif(
        "stdin.yaml" if options.file == "-" else options.file,
        tuple(options.settings),
        options.seeds,
        options.jobs,
        text=text,
        progress=progress(f"2 x {options.seeds} runs", options.quiet),
    )
    took = perf_counter() - began
    written: tuple[str, ...] = ()
    if not options.no_save:
        name = scenario_of(options.file).name if options.file != "-" else "stdin"
        folder = folder_of(options.output, f"{name}.whatif")
        report = json.dumps(to_json(found), indent=2) + "\n"
        store(folder, {FIGURE: compare_png(found), TABLE: to_csv(found), RESULT: report})
        written = tuple(f"{folder}/{file}" for file in (FIGURE, TABLE, RESULT))
    if options.json:
        say_json(to_json(found))
    elif not options.quiet:
        say(whatif_text(found, took_s=took, written=written), end="")
    return HOLDS

"""shimsim run --seeds N: in how many seeds each expectation holds."""

from __future__ import annotations

import argparse

from sim.cli import FAILS, HOLDS
from sim.cli.out import progress, say, say_json
from sim.errors import InputError, Problem
from sim.experiment.seeds import over_seeds
from sim.render.clean import printable
from sim.render.registry import VIEWS
from sim.scenario import Scenario
from sim.scenario.verdict import Verdict, evaluate
from sim.trace import Trace
from sim.tracefile import SCHEMA_VERSION
from sim.views.comparison import Held
from sim.views.table import Table


def main(options: argparse.Namespace, scenario: Scenario) -> int:
    """Run the seeds and count."""
    if options.seeds < 1:
        raise InputError([Problem("--seeds", f"{options.seeds} is no number of seeds", "Give 1 or more.")])
    if not scenario.expectations:
        raise InputError([Problem(scenario.source, "there is no expectation to count", "Write some under expect:.")])
    bar = progress(f"{options.seeds} seeds", options.quiet)
    seeds = range(1, options.seeds + 1)
    found = over_seeds(scenario, seeds, judge, jobs=options.jobs, progress=bar)
    if options.json:
        rows = [
            {"expected": h.text, "line": h.line, "held": h.held, "of": h.of, "first_failing_seed": h.first_failing}
            for h in found
        ]
        say_json({"schema_version": SCHEMA_VERSION, "seeds": options.seeds, "expectations": rows})
    else:
        for row in found:
            _say(row, options.quiet)
        good = sum(row.held == row.of for row in found)
        say(f"{good} of {len(found)} hold in all {options.seeds} seeds")
    return HOLDS if all(row.held == row.of for row in found) else FAILS


def judge(scenario: Scenario, trace: Trace) -> tuple[Verdict, ...]:
    """Evaluate the expectations of one run."""
    return evaluate(scenario, trace, show)


def show(table: Table, view: str, root: int) -> str:
    """Draw a tree for an expectation."""
    return VIEWS[view](table, root)


def _say(row: Held, quiet: bool) -> None:
    good = row.held == row.of
    if good and quiet:
        return
    tail = "" if good else f", fails at --seed {row.first_failing}"
    say(printable(f"  {'✓' if good else '✗'} {row.text}: {row.held}/{row.of}{tail}"))

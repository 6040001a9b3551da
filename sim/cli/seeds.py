"""shimulator run --seeds N: in how many seeds each expectation holds, and which seed to look at."""

from __future__ import annotations

import argparse

from sim.cli.out import progress, say, say_json
from sim.cli.status import status_of
from sim.errors import InputError, Problem
from sim.experiment.seeds import over_seeds
from sim.render.registry import VIEWS
from sim.render.run_text import listed
from sim.scenario import Scenario
from sim.scenario.verdict import Verdict, evaluate
from sim.trace import Trace
from sim.tracefile import SCHEMA_VERSION
from sim.views.comparison import Held
from sim.views.table import Table


def main(options: argparse.Namespace, scenario: Scenario) -> int:
    """Run the seeds and count."""
    if not scenario.expectations:
        raise InputError([Problem(scenario.source, "there is no expectation to count", "Write some under expect:.")])
    if options.live is not None:
        raise InputError([Problem("--live", "many seeds have no clock to follow", "Leave --live or --seeds out.")])
    bar = progress(f"{options.seeds} seeds", options.quiet or options.json)
    found = over_seeds(scenario, range(1, options.seeds + 1), judge, jobs=options.jobs, progress=bar)
    if options.json:
        rows = [as_json(row, options.seeds) for row in found]
        assumed = list(scenario.assumptions)
        head = {"schema_version": SCHEMA_VERSION, "seeds": options.seeds}
        say_json({**head, "expectations": rows, "assumptions": assumed})
    else:
        _say(found, options)
        for line in () if options.quiet else listed("Assumed", tuple(scenario.assumptions)):
            say(line)
    return status_of(held_in_all(row) for row in found)


def held_in_all(row: Held) -> bool | None:
    """Return the verdict over all seeds; None is undetermined."""
    return False if row.failed else None if row.undetermined else True


def judge(scenario: Scenario, trace: Trace) -> tuple[Verdict, ...]:
    """Evaluate the expectations of one run."""
    return evaluate(scenario, trace, show)


def show(table: Table, view: str, root: int) -> str:
    """Draw a tree for an expectation."""
    return VIEWS[view](table, root)


def as_json(row: Held, seeds: int) -> dict[str, object]:
    """Return how one expectation fared."""
    return {
        "at": row.label,
        "expected": row.text,
        "line": row.line,
        "held": row.held,
        "failed": row.failed,
        "undetermined": row.undetermined,
        "of": seeds,
        "first_failing_seed": row.first_failing,
        "worst_seed": row.worst,
        "found": row.detail,
    }


def _say(found: tuple[Held, ...], options: argparse.Namespace) -> None:
    for row in found:
        if row.held < options.seeds or not options.quiet:
            say(_line(row, options.seeds))
    good = sum(row.held == options.seeds for row in found)
    if good < len(found) or not options.quiet:
        say(f"{good} of {len(found)} hold in all {options.seeds} seeds")


def _line(row: Held, seeds: int) -> str:
    mark = "✗" if row.failed else "✓" if row.held == seeds else "?"
    unknown = f", undetermined in {row.undetermined}" if row.undetermined else ""
    worst = f", {row.detail} at --seed {row.worst}" if row.failed else ""
    return f"  {mark} {row.label}: {row.text}: {row.held}/{seeds}{unknown}{worst}"

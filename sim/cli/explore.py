"""shimsim explore, in its first form: every order of events, counted."""

from __future__ import annotations

import argparse
from time import perf_counter

from sim.cli import HOLDS, UNDETERMINED
from sim.cli.files import scenario_of
from sim.cli.out import say, say_json
from sim.drive.explore import COMPLETE, explore
from sim.tracefile import SCHEMA_VERSION


def main(options: argparse.Namespace) -> int:
    """Explore and say what was found."""
    scenario = scenario_of(options.file, options.settings)
    began = perf_counter()
    found = explore(scenario.setup, limit_states=options.limit, untimed=options.untimed)
    seconds = perf_counter() - began
    if options.json:
        say_json({
            "schema_version": SCHEMA_VERSION,
            "verdict": found.verdict,
            "states": found.states,
            "transitions": found.transitions,
            "depth": found.depth,
            "ends": len(found.terminal),
            "seconds": round(seconds, 2),
        })  # fmt: skip
    elif not options.quiet:
        say(f"{found.verdict}: {found.states} states, {found.transitions} transitions, depth {found.depth}, "
            f"{len(found.terminal)} ends, {seconds:.1f} s")  # fmt: skip
        timers = "timers at any time" if options.untimed else "timers ring only where nothing else can happen"
        say(f"Bound: the scenario's own steps, no faults but them; {timers}.")
    return HOLDS if found.verdict == COMPLETE else UNDETERMINED

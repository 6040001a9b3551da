"""shimsim explore, in its first form: every order of events, counted."""

from __future__ import annotations

import argparse
from time import perf_counter

from sim.cli import HOLDS, UNDETERMINED
from sim.cli.files import scenario_of
from sim.cli.out import counter, say, say_json
from sim.drive.explore import COMPLETE, SOUND_IF, explore
from sim.tracefile import SCHEMA_VERSION

TIMERS = {
    True: "timers at any time.",
    False: f"timers ring only where nothing else can happen.\n{SOUND_IF}",
}


def main(options: argparse.Namespace) -> int:
    """Explore and say what was found."""
    scenario = scenario_of(options.file, options.settings)
    began = perf_counter()
    count = counter("states", options.quiet or options.json)
    found = explore(scenario.setup, limit_states=options.limit, untimed=options.untimed, progress=count)
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
            "not_checked": len(scenario.expectations),
        })  # fmt: skip
    elif not options.quiet:
        say(f"{found.verdict}: {found.states} states, {found.transitions} transitions, depth {found.depth}, "
            f"{len(found.terminal)} ends, {seconds:.1f} s")  # fmt: skip
        say(f"Bound: the scenario's own steps, no faults but them; {TIMERS[options.untimed]}")
        if scenario.expectations:
            say("Expectations are not checked by explore yet; run checks them.")
    return HOLDS if found.verdict == COMPLETE else UNDETERMINED

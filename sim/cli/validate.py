"""shimsim validate: everything that is wrong with scenario files, or the schema for editors."""

from __future__ import annotations

import argparse

from sim.cli import HOLDS, WRONG
from sim.cli.out import note, say, say_json
from sim.errors import InputError, Problem
from sim.scenario import json_schema, load_all
from sim.tracefile import SCHEMA_VERSION


def main(options: argparse.Namespace) -> int:
    """Check each file; status 2 if any is wrong."""
    if options.schema:
        say_json(json_schema())
        return HOLDS
    if not options.file:
        raise InputError([Problem("shimsim validate", "no file is given", "Give scenarios, or --schema.")])
    found: list[Problem] = []
    for name in options.file:
        try:
            scenarios = load_all(name)
        except InputError as error:
            found += error.problems
            continue
        if not options.json:
            for scenario in scenarios:
                services, steps = len(scenario.setup.services), sum(len(t) for t in scenario.setup.terminals)
                say(f"{name}: good: {services} containers, {steps} steps, {len(scenario.expectations)} expectations")
    if options.json:
        rows = [{"where": p.where, "what": p.what, "hint": p.hint} for p in found]
        say_json({"schema_version": SCHEMA_VERSION, "valid": not found, "problems": rows})
    elif found:
        note(str(InputError(found)))
    return WRONG if found else HOLDS

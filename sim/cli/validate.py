"""shimulator validate: everything that is wrong with scenario files, or the schema for editors."""

from __future__ import annotations

import argparse
from pathlib import Path

from sim.cli.files import STDIN, is_stdin, stdin_name, stdin_text
from sim.cli.foreign import refuse_compose, told
from sim.cli.out import note, say, say_json
from sim.cli.status import HOLDS, WRONG
from sim.errors import InputError, Problem
from sim.scenario import Scenario, json_schema, load_all
from sim.scenario.words import counted
from sim.tracefile import SCHEMA_VERSION


def main(options: argparse.Namespace) -> int:
    """Check each file; status 2 if any is wrong."""
    if options.schema:
        say_json(json_schema())
        return HOLDS
    if not options.file:
        raise InputError([Problem("shimulator validate", "no file is given", "Give scenarios, or --schema.")])
    found: list[Problem] = []
    for name in options.file:
        try:
            if not is_stdin(name):
                refuse_compose(Path(name))
            scenarios = load_all(stdin_name(name), stdin_text()) if is_stdin(name) else load_all(name)
        except InputError as error:
            found += told(error.problems)
            continue
        for scenario in scenarios if not options.json else ():
            which = f" ({scenario.name})" if len(scenarios) > 1 else ""
            say(f"{STDIN if is_stdin(name) else name}{which}: good: {_size(scenario)}")
    if options.json:
        rows = [{"where": p.where, "what": p.what, "hint": p.hint} for p in found]
        say_json({"schema_version": SCHEMA_VERSION, "valid": not found, "problems": rows})
    elif found:
        note(str(InputError(found)))
    return WRONG if found else HOLDS


def _size(scenario: Scenario) -> str:
    """Say how much stands in a scenario."""
    steps = sum(len(terminal) for terminal in scenario.setup.terminals)
    parts = ((len(scenario.setup.services), "container"), (steps, "step"), (len(scenario.expectations), "expectation"))
    return ", ".join(counted(number, word) for number, word in parts)

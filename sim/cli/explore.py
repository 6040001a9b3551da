"""shimulator explore: every order of events, and every fault within a budget."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from sim.cli.files import scenario_of
from sim.cli.out import say, say_json, width
from sim.cli.status import FAILS, HOLDS, UNDETERMINED
from sim.cli.store import check_ours, folder_of, store
from sim.cli.trouble import explain
from sim.drive.explore import Limits
from sim.experiment.asking import asked_of, budget, property_named
from sim.experiment.exploring import explored, unmodelled, with_faults
from sim.render.exploration_text import exploration_text, verdicts_text
from sim.tracefile import SCHEMA_VERSION
from sim.views.exploration import DOES_NOT_APPLY, VIOLATED, Explored
from sim.views.exploration import HOLDS as GOOD

RESULT = "result.json"


def main(options: argparse.Namespace) -> int:
    """Explore, say what was found, keep the stories; a fault of the model is told after all that was found."""
    scenario = scenario_of(options.file, options.settings)
    if options.faults is not None or options.between is not None:
        scenario = with_faults(scenario, budget(scenario, options.faults, options.between))
    properties = asked_of(scenario, options.properties, lambda text: property_named(scenario, text))
    faults: list[Exception] = []
    folder = None if options.no_save else folder_of(options.output, f"{scenario.name}.explore")
    if folder is not None:
        check_ours(folder)
    found = explored(
        scenario,
        properties,
        limits=Limits(options.limit, options.seconds, options.memory),
        untimed=options.untimed,
        full=options.full,
        jobs=options.jobs or os.cpu_count() or 1,
        progress=_progress(options.quiet or options.json),
        coverage=options.coverage,
        failed=faults.append,
    )
    _clear(options)
    files = {f"{it.name}{end}": text for it in found.findings if it.story for end, text in _texts(it)}
    if folder is not None and files:
        store(folder, {**files, RESULT: json.dumps(result(found), indent=2) + "\n"})
    _report(found, options, f"{folder}/: {' '.join(files)} {RESULT}" if folder is not None and files else "")
    return explain(faults[0]) if faults else status_of(found)


def status_of(found: Explored) -> int:
    """Return the exit status that the verdicts mean: what does not apply counts only where nothing else was asked."""
    verdicts = {finding.verdict for finding in found.findings}
    if VIOLATED in verdicts:
        return FAILS
    if not found.complete or verdicts - {GOOD, DOES_NOT_APPLY} or verdicts == {DOES_NOT_APPLY}:
        return UNDETERMINED
    return HOLDS


def _report(found: Explored, options: argparse.Namespace, written: str) -> None:
    if options.json:
        say_json(result(found))
    elif not options.quiet:
        say(exploration_text(found, width=width(), written=written), end="")
        if not found.findings:
            say("No property is asked for: --property V3, --property all, or properties: in the file.")
        if "all" in options.properties:
            asked = {it.name for it in found.findings if it.verdict != DOES_NOT_APPLY}
            say("Not modelled: " + "; ".join(f"{name} ({why})" for name, why in unmodelled() if name in asked) + ".")
    else:
        say(verdicts_text(found, width()), end="")
        say("" if found.complete else found.verdict, end="" if found.complete else "\n")


def _texts(finding: Any) -> list[tuple[str, str]]:
    return [(".yaml", finding.scenario), (".txt", finding.story)]


def result(found: Explored) -> dict[str, Any]:
    """Return what was found as one JSON object."""
    return {"schema_version": SCHEMA_VERSION, **msgspec.to_builtins(found)}


# -- progress ---------------------------------------------------------------------------------------


def _progress(quiet: bool) -> Callable[[int, int, float], None] | None:
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        return None

    def show(states: int, frontier: int, rate: float) -> None:
        sys.stderr.write(f"\r\x1b[K{states:,} states, {frontier:,} in the frontier, {rate:,.0f} steps/s\r")
        sys.stderr.flush()

    return show


def _clear(options: argparse.Namespace) -> None:
    if _progress(options.quiet or options.json) is not None:
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()

"""shimulator whatif FILE --sensitivity: which assumption the answer hangs on."""

from __future__ import annotations

import argparse
import json
from time import perf_counter

from sim.cli.files import scenario_of
from sim.cli.out import note, progress, say, say_json
from sim.cli.status import HOLDS, INTERRUPTED
from sim.cli.store import check_ours, folder_of, store
from sim.errors import InputError, Problem
from sim.experiment.executors import cores, opened
from sim.experiment.faulted import fault_setting
from sim.experiment.sensitivity import SEEDS, sensitivity
from sim.experiment.whatif import Terms
from sim.render.sensitivity_text import sensitivity_json, sensitivity_text
from sim.scenario import Scenario

RESULT = "sensitivity.json"
NOT_ASKED = {"matrix": "--matrix", "zip": "--zip", "csv": "--csv", "metrics": "--metric", "precision": "--precision",
             "most": "--most"}  # fmt: skip


def main(options: argparse.Namespace) -> int:
    """Vary each assumption of one file and print what moves."""
    scenario = asked_scenario(options)
    folder = None if options.no_save else folder_of(options.output, f"{scenario.name}.sensitivity")
    if folder is not None:
        check_ours(folder)
    began = perf_counter()
    bar = progress(f"{scenario.name}, sensitivity", options.quiet or options.json)
    with opened(cores() if options.jobs is None else options.jobs, options.cluster) as lanes:
        found = sensitivity(scenario, options.seeds or SEEDS, progress=bar, lanes=lanes)
    took = perf_counter() - began
    if folder is not None:
        store(folder, {RESULT: json.dumps(sensitivity_json(found), indent=2) + "\n"})
    if options.json:
        say_json(sensitivity_json(found))
    elif not options.quiet:
        written = () if folder is None else (f"{folder}/:", RESULT)
        say(sensitivity_text(found, took_s=took, written=written, detail=options.explain), end="")
    if found.ended:
        note(f"shimulator: {found.ended}")
        return INTERRUPTED
    return HOLDS


def asked_scenario(options: argparse.Namespace) -> Scenario:
    """Read the file under the settings, the design, the fault and the profile that are asked for. Raises InputError."""
    problems = [
        Problem(option, "--sensitivity does not take it", "--set, --design, --faults, --window, --seeds are for it.")
        for name, option in NOT_ASKED.items()
        if getattr(options, name)
    ]
    if len(options.file) != 1:
        hint = "Name one scenario, as in shimulator whatif document --sensitivity."
        problems.append(Problem("--sensitivity", f"it is of one file, not of {len(options.file)}", hint))
    if problems:
        raise InputError(problems)
    (file,) = options.file
    settings = [*options.settings, *([f"engine.design={options.design}"] if options.design else [])]
    settings += Terms(profile=options.profile or "", window=tuple(options.window or ()) or None).settings()
    if options.faults:
        settings.insert(0, fault_setting(scenario_of(file, ()), options.faults))
    return scenario_of(file, settings)

"""shimulator whatif: files as they are against other settings, designs and faults, run by run on the same seeds."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from time import perf_counter
from typing import Any

from msgspec.structs import replace

from sim.cli.files import files_of, scenario_of, scenarios_of
from sim.cli.out import note, progress, say, say_json
from sim.cli.status import HOLDS, INTERRUPTED
from sim.cli.store import check_ours, folder_of, store
from sim.errors import InputError, Problem
from sim.experiment.executors import Lanes, cores, opened
from sim.experiment.own import own_metric
from sim.experiment.question import Question, answers, asked_for, questions
from sim.experiment.replicate import WORTH_A_POOL
from sim.experiment.rss import rss_of, size_text
from sim.experiment.whatif import Terms
from sim.render.run_text import listed
from sim.render.whatif_rows import rows_csv, rows_json, rows_text
from sim.render.whatif_text import SCHEMA_VERSION, to_csv, to_json, whatif_text
from sim.scenario.asked import Asked
from sim.views.comparison import WhatIf
from sim.writing import Content

FIGURE, SPREAD, MAP, TABLE, RESULT = "compare.png", "distributions.png", "faults.png", "table.csv", "result.json"
IN_FULL = 3  # alternatives that get a table each


def main(options: argparse.Namespace) -> int:
    """Run both sides of each question and compare; or fill the fault matrix."""
    if options.sensitivity:
        from sim.cli.sensitivity import main as rank

        return rank(options)
    if options.matrix:
        from sim.cli.matrix import main as fill

        return fill(options)
    asked = asked_questions(options)
    several = len({question.base.source for question in asked}) > 1
    name = "files" if several else asked[0].base.name
    folder = None if options.no_save else folder_of(options.output, f"{name}.whatif")
    if folder is not None:
        check_ours(folder)
    began = perf_counter()
    found = answered(asked, options)
    took = perf_counter() - began
    files = {} if folder is None else _files(found)
    if folder is not None:
        store(folder, files)
    _say(found, options, took, () if folder is None else (f"{folder}/:", *files))
    cut = next((it.ended for it in found if it.ended.startswith("interrupted")), "")
    if cut or len(found) < len(asked):
        note(f"shimulator: {cut}; {len(found)} of {len(asked)} comparisons")
        return INTERRUPTED
    return HOLDS


def asked_questions(options: argparse.Namespace) -> list[Question]:
    """Read all that is asked, before anything is run."""
    if not options.file:
        hint = "Name a scenario, as in shimulator whatif document --set host.cores=1; --matrix needs none."
        raise InputError([Problem("whatif", "there is no file to compare", hint)])
    asked = asked_for(options.settings, options.design, options.faults, zip_=options.zip)
    asked = _with(asked, options)
    own = tuple(own_metric(words) for words in options.metrics)
    terms = Terms(jobs=options.jobs, own=own, profile=options.profile or "")
    problems: list[Problem] = []
    found: list[Question] = []
    files = [file for name in options.file for file in files_of(name)]
    for file in files:
        try:
            for one in _scenarios(file) if len(files) > 1 else [file]:
                found += questions(partial(scenario_of, one), asked, terms)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    if not all(question.alternatives for question in found):
        hint = "Write --set PATH=VALUE, like --set engine.daemon.live-restore=true, --design NAME, or a whatif: block."
        raise InputError([Problem("--set", "nothing is changed", hint)])
    return found


def _scenarios(file: str) -> list[str]:
    """Return the names of a file's scenarios; of a file with one its own."""
    count = len(scenarios_of(file))
    return [file] if count == 1 else [f"{file}#{place}" for place in range(1, count + 1)]


def _with(asked: Asked, options: argparse.Namespace) -> Asked:
    """Add the options that are no settings."""
    window = tuple(options.window) if options.window else None
    return replace(asked, window=window, seeds=options.seeds, precision=options.precision, most=options.most)


def answered(asked: Sequence[Question], options: argparse.Namespace, lanes: Lanes | None = None) -> list[WhatIf]:
    """Run each question on an executor: one that is open, or its own."""

    def bar(words: str) -> Callable[[int, int], None] | None:
        return progress(words, options.quiet or options.json or options.csv)

    jobs = 1 if _few(asked) else cores() if options.jobs is None else options.jobs
    found: list[WhatIf] = []
    with opened(jobs, options.cluster) if lanes is None else nullcontext(lanes) as open_lanes:
        asked = [question.within(open_lanes) for question in asked]
        try:
            found.extend(answers(asked, bar))
        except KeyboardInterrupt:
            if not found:
                raise
    return found


def _few(asked: Sequence[Question]) -> bool:
    """Say whether all runs are over before a pool has started."""
    runs = sum(len(it.terms.numbers()) * (1 + len(it.others)) for it in asked)
    return runs < WORTH_A_POOL and all(it.terms.precision is None for it in asked)


# -- what is left ----------------------------------------------------------------------------------


def _files(found: Sequence[WhatIf]) -> dict[str, Content]:
    from sim.render.compare_figure import compare_png
    from sim.render.spread_figure import spread_png

    files: dict[str, Content] = {}
    if len(found) == 1:
        for place, _ in enumerate(found[0].variants[:IN_FULL]):
            files[FIGURE.replace(".", f"-{place + 1}.") if place else FIGURE] = compare_png(found[0], place)
        files[SPREAD] = spread_png(found[0])
    else:
        from sim.render.fault_figure import map_png

        files[MAP] = map_png(found)
    files[TABLE] = to_csv(found[0]) if len(found) == 1 else rows_csv(found)
    return {**files, RESULT: json.dumps(_json(found), indent=2) + "\n"}


def _json(found: Sequence[WhatIf]) -> dict[str, Any]:
    if len(found) == 1:
        return to_json(found[0])
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "whatifs",
        **rows_json(found),
        "whatifs": [to_json(it) for it in found],
    }


def _say(found: Sequence[WhatIf], options: argparse.Namespace, took: float, written: tuple[str, ...]) -> None:
    if options.json:
        say_json(_json(found))
    elif options.csv:
        say(rows_csv(found), end="")
    elif not options.quiet:
        if len(found) == 1 and (options.explain or len(found[0].variants) <= IN_FULL):
            say(whatif_text(found[0], took_s=took, written=written, detail=options.explain), end="")
        else:
            say(rows_text(found, took_s=took, written=written), end="")
        if options.explain:
            say("\n".join(_explained(found)))


def _explained(found: Sequence[WhatIf]) -> list[str]:
    prices = [f"{price.text} [{price.mark} {price.source}]" for it in found for v in it.variants for price in v.prices]
    assumed = dict.fromkeys(text for it in found for text in (*it.assumptions, it.unmeasured))
    designs = dict.fromkeys(design for it in found for design in it.designs)
    sizes = [f"{design}: {program} {size_text(rss)}" for design in designs for program, rss in rss_of(design).items()]
    return [
        *listed("Assumed", tuple(assumed)),
        *listed("Prices", tuple(dict.fromkeys(prices))),
        *listed("Memory", tuple(sizes)),
    ]

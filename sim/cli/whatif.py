"""shimsim whatif: the file as it is against one with other settings, run by run on the same seeds."""

from __future__ import annotations

import argparse
import json
from time import perf_counter

from sim.cli import HOLDS
from sim.cli.files import is_stdin, scenario_of, stdin_text
from sim.cli.out import progress, say, say_json
from sim.cli.store import check_ours, folder_of, store
from sim.experiment.whatif import whatif
from sim.render.run_text import listed
from sim.render.whatif_text import to_csv, to_json, whatif_text
from sim.views.comparison import WhatIf

FIGURE, TABLE, RESULT = "compare.png", "table.csv", "result.json"


def main(options: argparse.Namespace) -> int:
    """Run both sides and compare."""
    scenario = scenario_of(options.file)
    folder = None if options.no_save else folder_of(options.output, f"{scenario.name}.whatif")
    if folder is not None:
        check_ours(folder)
    began = perf_counter()
    found = _compare(options, scenario.source)
    took = perf_counter() - began
    if folder is not None:
        from sim.render.compare_figure import compare_png

        files: dict[str, str | bytes] = {FIGURE: compare_png(found), TABLE: to_csv(found)}
        store(folder, {**files, RESULT: json.dumps(to_json(found), indent=2) + "\n"})
    if options.json:
        say_json(to_json(found))
    elif not options.quiet:
        written = () if folder is None else (f"{folder}/:", FIGURE, TABLE, RESULT)
        say(whatif_text(found, took_s=took, written=written), end="")
        if options.explain:
            say("\n".join(_explained(found)))
    return HOLDS


def _compare(options: argparse.Namespace, source: str) -> WhatIf:
    """Compare; both sides of each pair count as one of the bar's runs each."""
    bar = progress(f"{2 * options.seeds} runs", options.quiet or options.json)
    text = stdin_text() if is_stdin(options.file) else None
    return whatif(source, options.settings, options.seeds, options.jobs, text=text, progress=bar)


def _explained(found: WhatIf) -> list[str]:
    prices = [f"{price.text} [{price.mark} {price.source}]" for v in found.variants for price in v.prices]
    return listed("Assumed", (*found.assumptions, found.unmeasured)) + listed("Prices", tuple(prices))

"""shimulator report: one run as a page of its own, with a slider through its time."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from sim.cli.files import run_of
from sim.cli.out import begun, say, say_json
from sim.cli.status import status_of
from sim.errors import InputError, Problem
from sim.experiment.report import report
from sim.tracefile import SCHEMA_VERSION
from sim.writing import write_whole

ENDINGS = (".html", ".htm")


def main(options: argparse.Namespace) -> int:
    """Write the page; the status says whether the expectations hold."""
    output = Path(options.output)
    _check(output)
    run = run_of(options.file, options.seed, options.settings)
    summary = run.summary(pictures=False)
    page = report(run, run.timeline(None, options.start, options.stop), summary, _again(options))
    write_whole(output, page)
    size = len(page.encode())
    holds = [verdict.holds for verdict in summary.verdicts]
    if options.json:
        say_json({
            "schema_version": SCHEMA_VERSION, "file": options.output, "bytes": size, "expected": len(holds),
            "held": holds.count(True),
        })  # fmt: skip
    else:
        expected = f", {holds.count(True)} of {len(holds)} hold" if holds else ""
        say(f"{options.output}: {size / 1e6:.1f} MB{expected}; open it in a browser")
    return status_of([*holds, *begun(run.trace)])


def _check(output: Path) -> None:
    """Refuse a place where no page can stand, before anything is run."""
    if output.is_dir():
        raise InputError([Problem(str(output), "this is a folder", "Give the name of a file.")])
    if output.suffix.lower() not in ENDINGS:
        what = f"{output.suffix!r} is no page" if output.suffix else "what it is to be is not said"
        raise InputError([Problem(str(output), what, "Give a name that ends in .html.")])
    if not output.parent.is_dir():
        raise InputError([Problem(str(output), f"there is no folder {output.parent}", "Make it, or write elsewhere.")])


def _again(options: argparse.Namespace) -> str:
    """Return the command line that makes the page again."""
    words = ["shimulator", "report", options.file, "--seed", str(options.seed)]
    words += [word for setting in options.settings for word in ("--set", setting)]
    words += [f"--from={options.start}"] if options.start else []
    words += [f"--to={options.stop}"] if options.stop else []
    return shlex.join([*words, "-o", Path(options.output).name])

"""shimsim plot: the timeline of one run, or of two above each other."""

from __future__ import annotations

import argparse
from pathlib import Path

from sim.cli import HOLDS
from sim.cli.files import run_of
from sim.cli.out import say, say_json
from sim.errors import InputError, Problem
from sim.experiment.run import Run
from sim.render.timeline import timeline
from sim.tracefile import SCHEMA_VERSION
from sim.views.timeline import TimelineData, timeline_data

Window = tuple[int, int]


def main(options: argparse.Namespace) -> int:
    """Draw the picture."""
    if len(options.file) > 2:
        raise InputError([Problem("shimsim plot", f"{len(options.file)} files are too many", "Give one or two.")])
    folder = Path(options.output).parent
    if not folder.is_dir():
        raise InputError([Problem(options.output, f"there is no folder {folder}", "Make it, or write elsewhere.")])
    runs = [run_of(name, options.seed, options.settings) for name in options.file]
    drawn = timeline([_data(run, options) for run in runs], options.output)
    if options.json:
        say_json({"schema_version": SCHEMA_VERSION, "file": options.output, "drawn": str(drawn)})
    else:
        say(f"{options.output}: {drawn}")
    return HOLDS


def _data(run: Run, options: argparse.Namespace) -> TimelineData:
    """Gather what one run shows; with --from or --to only that window."""
    window: Window | None = None
    if options.start or options.stop:
        origin = run.trace.origin
        start = run.moment(options.start) - origin if options.start else 0
        stop = (run.moment(options.stop) if options.stop else run.trace.end) - origin
        if stop <= start:
            raise InputError([Problem("--from/--to", "the picture would end before it begins", "Swap the two.")])
        window = (start, stop)
    return timeline_data(run.trace, title=run.scenario.title or run.scenario.name, window=window)

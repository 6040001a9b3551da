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

FORMATS = (".png", ".svg", ".pdf")
Window = tuple[int, int]


def main(options: argparse.Namespace) -> int:
    """Draw the picture."""
    if len(options.file) > 2:
        raise InputError([Problem("shimsim plot", f"{len(options.file)} files are too many", "Give one or two.")])
    _check(Path(options.output))
    runs = [run_of(name, options.seed, options.settings) for name in options.file]
    drawn = timeline([_data(run, options) for run in runs], options.output)
    if options.json:
        say_json({"schema_version": SCHEMA_VERSION, "file": options.output, "drawn": str(drawn)})
    else:
        say(f"{options.output}: {drawn}")
    return HOLDS


def _check(output: Path) -> None:
    """Refuse a place where no picture can stand, before anything is run."""
    if output.suffix.lower() not in FORMATS:
        what = f"{output.suffix!r} is no kind of picture" if output.suffix else "what kind of picture is not said"
        raise InputError([Problem(str(output), what, f"Valid endings: {', '.join(FORMATS)}.")])
    if output.is_dir():
        raise InputError([Problem(str(output), "this is a folder", "Give the name of a file.")])
    if not output.parent.is_dir():
        raise InputError([Problem(str(output), f"there is no folder {output.parent}", "Make it, or write elsewhere.")])


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

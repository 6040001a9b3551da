"""shimulator plot: the timeline of one run, or of two above each other; with --tree the tree at a moment or two."""

from __future__ import annotations

import argparse
from collections.abc import Sized
from pathlib import Path

from sim.cli.files import run_of
from sim.cli.out import say, say_json
from sim.cli.status import HOLDS
from sim.errors import InputError, Problem
from sim.experiment.pictures import timeline_picture, tree_picture
from sim.experiment.run import Run
from sim.tracefile import SCHEMA_VERSION

FORMATS = (".png", ".svg", ".pdf")


def main(options: argparse.Namespace) -> int:
    """Draw the picture."""
    _check(options)
    runs = _runs(options)
    if options.tree:
        picture = tree_picture(runs, options.moments)
    else:
        window = {"start": options.start, "stop": options.stop}
        picture = timeline_picture([run.timeline(**window, by=options.by) for run in runs])
    try:
        said = picture.save(options.output)
    except OSError as error:
        why = (error.strerror or "no reason is given").lower()
        raise InputError([Problem(options.output, f"it cannot be written: {why}", "Write elsewhere.")]) from None
    if options.json:
        say_json({"schema_version": SCHEMA_VERSION, "file": options.output, "drawn": said})
    else:
        say(f"{options.output}: {said}")
    return HOLDS


def _check(options: argparse.Namespace) -> None:
    """Refuse what cannot be drawn, and a place where no picture can stand, before anything is run."""
    output, pictures = Path(options.output), len(options.file) * len(options.seeds)
    if pictures > 2:
        many = f"{_count(options.file, 'file')}" + (f" with {len(options.seeds)} seeds" if options.seeds[1:] else "")
        hint = "Give one or two files, or one and two seeds."
        raise InputError([Problem("shimulator plot", f"{many} are too many", hint)])
    if output.is_dir():
        raise InputError([Problem(str(output), "this is a folder", "Give the name of a file.")])
    if output.suffix.lower() not in FORMATS:
        what = f"{output.suffix!r} is no kind of picture" if output.suffix else "what kind of picture is not said"
        raise InputError([Problem(str(output), what, f"Valid endings: {', '.join(FORMATS)}.")])
    if not output.parent.is_dir():
        raise InputError([Problem(str(output), f"there is no folder {output.parent}", "Make it, or write elsewhere.")])
    if options.tree and (options.start or options.stop):
        raise InputError([Problem("--from/--to", "a tree is of a moment", "Give --at, or leave --tree out.")])
    if options.tree and options.by != "container":
        raise InputError([Problem("--by", "a tree has no lanes", "Leave --by out, or --tree.")])
    if options.moments and not options.tree:
        raise InputError([Problem("--at", "a timeline is of a stretch of time", "Give --from and --to, or --tree.")])
    if len(options.moments) * pictures > 2:
        what = f"{len(options.moments)} moments of {_count(range(pictures), 'run')} are too many"
        raise InputError([Problem("--at", what, "Give two moments of one run, or one moment of two runs.")])


def _count(of: Sized, word: str) -> str:
    return f"{len(of)} {word}{'s' * (len(of) != 1)}"


def _runs(options: argparse.Namespace) -> list[Run]:
    runs = []
    for name in options.file:
        for seed in options.seeds:
            run = run_of(name, seed, options.settings)
            if len(options.seeds) > 1 and run.trace.seed != seed:
                what = f"a run that is over has its seed, {run.trace.seed}"
                raise InputError([Problem("--seed", what, "Give its scenario instead.")])
            runs.append(run)
    return runs

"""shimsim plot: the timeline of one run, or of two above each other; with --tree the tree at a moment or two."""

from __future__ import annotations

import argparse
from pathlib import Path

from sim.cli import HOLDS
from sim.cli.files import run_of
from sim.cli.out import say, say_json
from sim.errors import InputError, Problem
from sim.experiment.run import Run, first_fault
from sim.tracefile import SCHEMA_VERSION
from sim.views.timeline import timeline_data
from sim.views.timeline_parts import TimelineData

FORMATS = (".png", ".svg", ".pdf")
Window = tuple[int, int]


def main(options: argparse.Namespace) -> int:
    """Draw the picture."""
    _check(options)
    runs = _runs(options)
    drawn = _tree(runs, options) if options.tree else _timeline(runs, options)
    if options.json:
        say_json({"schema_version": SCHEMA_VERSION, "file": options.output, "drawn": drawn})
    else:
        say(f"{options.output}: {drawn}")
    return HOLDS


def _check(options: argparse.Namespace) -> None:
    """Refuse what cannot be drawn, and a place where no picture can stand, before anything is run."""
    output, pictures = Path(options.output), len(options.file) * len(options.seeds)
    if pictures > 2:
        many = f"{len(options.file)} files" + (f" with {len(options.seeds)} seeds" if len(options.seeds) > 1 else "")
        hint = "Give one or two files, or one and two seeds."
        raise InputError([Problem("shimsim plot", f"{many} are too many", hint)])
    if output.suffix.lower() not in FORMATS:
        what = f"{output.suffix!r} is no kind of picture" if output.suffix else "what kind of picture is not said"
        raise InputError([Problem(str(output), what, f"Valid endings: {', '.join(FORMATS)}.")])
    if output.is_dir():
        raise InputError([Problem(str(output), "this is a folder", "Give the name of a file.")])
    if not output.parent.is_dir():
        raise InputError([Problem(str(output), f"there is no folder {output.parent}", "Make it, or write elsewhere.")])
    if options.tree and (options.start or options.stop):
        raise InputError([Problem("--from/--to", "a tree is of a moment", "Give --at, or leave --tree out.")])
    if options.moments and not options.tree:
        raise InputError([Problem("--at", "a timeline is of a stretch of time", "Give --from and --to, or --tree.")])
    if len(options.moments) * pictures > 2:
        what = f"{len(options.moments)} moments of {pictures} run{'s' * (pictures != 1)} are too many"
        raise InputError([Problem("--at", what, "Give two moments of one run, or one moment of two runs.")])


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


# -- the timeline -----------------------------------------------------------------------------------


def _timeline(runs: list[Run], options: argparse.Namespace) -> str:
    from sim.render.timeline import timeline

    return str(timeline([_data(run, options) for run in runs], options.output))


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
    return timeline_data(run.trace, title=run.scenario.title or run.scenario.name, window=window, by=options.by)


# -- the process tree -------------------------------------------------------------------------------


def _tree(runs: list[Run], options: argparse.Namespace) -> str:
    """Draw one tree, or two with what became of each process between them."""
    from sim.render.tree_figure import tree_picture
    from sim.views.forest import compared, forest

    moments = options.moments or _about_the_fault(runs)
    names = [run.scenario.title or run.scenario.name for run in runs]
    if len(runs) == 2 and names[0] == names[1]:
        names = [f"{name}, seed {run.trace.seed}" for name, run in zip(names, runs, strict=True)]
    titles = [f"{name}: {at}" if len(runs) == 2 else at for name in names for at in moments]
    trees = [forest(run.tree(at), title) for (run, at), title in zip(
        ((run, at) for run in runs for at in moments), titles, strict=True)]  # fmt: skip
    if len(trees) == 2:
        trees = list(compared(*trees, by_pid=len(runs) == 1))
    return tree_picture(trees, options.output, about=_about(runs, names))


def _about_the_fault(runs: list[Run]) -> list[str]:
    """Choose moments as a report does: just before and just after the first fault, of two runs the later one alone."""
    fault = first_fault(runs[0].scenario)
    if fault is None:
        return ["end"]
    before, after = f"{fault.id}-1s", f"{fault.id}+500ms"
    return [after] if len(runs) == 2 else [before, after]


def _about(runs: list[Run], names: list[str]) -> str:
    engine = runs[0].trace.setup.engine
    seeds = dict.fromkeys(str(run.trace.seed) for run in runs)
    title = f"{names[0]} · " if len(runs) == 1 else ""
    return f"{title}{engine.design} · seed {' and '.join(seeds)} · latency profile {engine.profile}"

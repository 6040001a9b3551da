"""shimulator designs: the engines that are modelled, what differs between two, and their programs as statecharts."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from sim.cli.files import run_of
from sim.cli.out import say, say_json
from sim.cli.status import HOLDS
from sim.designs import DESIGNS, Design, names_of
from sim.engine.setup import EngineSetup
from sim.errors import InputError, Problem, nearest
from sim.experiment.run import Run
from sim.render.clean import printable
from sim.render.statechart import drawn, statechart
from sim.render.statechart_text import dot, mermaid
from sim.scenario.engines import design_of
from sim.scenario.words import Refusal
from sim.tracefile import SCHEMA_VERSION
from sim.views.coverage import STEP, coverage, steps_at
from sim.views.design_differences import differences
from sim.views.reached import Reached, reached_in
from sim.views.statechart import Chart, charts
from sim.writing import Content, write_whole

T = TypeVar("T")
FOLDER = "statecharts"
Draw = Callable[..., Content]
FORMATS: Mapping[str, tuple[str, Draw]] = {  # name -> ending, how it is drawn
    "png": ("png", partial(statechart, format="png")),
    "svg": ("svg", partial(statechart, format="svg")),
    "mermaid": ("mmd", mermaid),
    "dot": ("dot", dot),
}
TEXTS = ("mermaid", "dot")


def main(options: argparse.Namespace) -> int:
    """List the designs, say what differs between two, or draw one."""
    if len(options.name) > 2 or (options.statecharts and len(options.name) > 1):
        hint = "Give one design, or without --statecharts two." if options.statecharts else "Give one design, or two."
        raise InputError([Problem("shimulator designs", f"{len(options.name)} designs are too many", hint)])
    if options.statecharts:
        return _draw(options)
    for option in ("program", "format", "reached", "output"):
        if getattr(options, option) is not None:
            said = {"format": "--as", "output": "-o"}.get(option, f"--{option}")
            raise InputError([Problem(said, "this is of statecharts", "Add --statecharts, or leave it out.")])
    chosen = [_design(name) for name in options.name]
    if len(chosen) == 2:
        _compare(chosen[0], chosen[1], options.json)
    else:
        _list(chosen or list(DESIGNS.values()), options.json)
    return HOLDS


def _design(name: str) -> Design:
    """Return the design that a name stands for. Raises InputError with the nearest."""
    try:
        return design_of(name)
    except Refusal as refusal:
        raise InputError([Problem("shimulator designs", refusal.what.rstrip("."), refusal.hint)]) from None


def _list(designs: Sequence[Design], json: bool) -> None:
    if json:
        rows = [
            {
                "name": design.name,
                "title": design.title,
                "source": design.source,
                "programs": list(design.programs),
                "tree": design.traits.tree,
                "versions": names_of(design.name),
            }
            for design in designs
        ]
        say_json({"schema_version": SCHEMA_VERSION, "designs": rows})
        return
    for design in designs:
        ops = sum(len(procedure.ops) for procedure in design.procedures.values())
        say(f"{design.name:<14} {design.title}")
        if names_of(design.name) not in ([], [design.name]):
            say(f"{'':<14} versions: {', '.join(names_of(design.name))}")
        say(f"{'':<14} tree: {design.traits.tree}")
        say(f"{'':<14} programs: {', '.join(design.programs)}")
        say(f"{'':<14} {len(design.procedures)} procedures, {ops} ops")
        say(f"{'':<14} source: {design.source}")


def _compare(one: Design, other: Design, json: bool) -> None:
    """Say what differs between two designs."""
    rows = differences(one, other)
    if json:
        found = [msgspec.to_builtins(row) for row in rows]
        say_json({"schema_version": SCHEMA_VERSION, "designs": [one.name, other.name], "differences": found})
        return
    if not rows:
        same = "they are the same row" if one is other else "nothing differs that is modelled"
        say(f"{one.name} and {other.name}: {same}")
    wide = max(len(one.name), len(other.name)) + 2
    for row in rows:
        say(row.what + (f"  ({row.source})" if row.source else ""))
        say(f"  {one.name:<{wide}}{row.one}")
        say(f"  {other.name:<{wide}}{row.other}")


# -- statecharts ------------------------------------------------------------------------------------


def _draw(options: argparse.Namespace) -> int:
    """Draw each program of a design, or print one that is text."""
    ending, draw = _known("format", options.format or "png", FORMATS, "--as")
    design = _named(options)
    programs = [options.program] if options.program else list(design.programs)
    _known("program", programs[0], design.programs, f"--program ({design.name})")
    _check(Path(options.output or FOLDER))
    reached, about = None, f"{design.name} ({design.title})"
    if options.reached is not None:
        reached, by = _reached(run_of(options.reached), design)
        about += f" · {by}"
    every = {program: charts(design, reached, program) for program in programs}
    if options.format in TEXTS and options.output is None and len(programs) == 1 and not options.json:
        text = draw(every[programs[0]], about=about)
        assert isinstance(text, str)
        say(text, end="")
        return HOLDS
    names = {program: f"{program}.{ending}" for program in programs}
    folder = Path(options.output or FOLDER)
    _write(folder, {names[program]: draw(every[program], about=about) for program in programs})
    _tell([(str(folder / names[program]), every[program]) for program in programs], design, reached, options.json)
    return HOLDS


def _named(options: argparse.Namespace) -> Design:
    """Return the design that is named, or that of a scenario that names none."""
    return _design(options.name[0]) if options.name else DESIGNS[EngineSetup().design]


def _known(noun: str, name: str, known: Mapping[str, T], where: str = "shimulator designs") -> T:
    """Return what *name* stands for. Raises InputError with the nearest spelling and all that are valid."""
    if name not in known:
        hint = f"{nearest(name, known)} Valid: {', '.join(known)}.".lstrip()
        raise InputError([Problem(where, f"there is no {noun} {name!r}", hint)])
    return known[name]


def _check(folder: Path) -> None:
    """Refuse a place where no folder can be, before anything is run or drawn."""
    for path in (folder, *folder.parents):
        if path.exists() and not path.is_dir():
            raise InputError([Problem(str(path), "this is no folder", "Choose another with -o.")])


def _reached(run: Run, design: Design) -> tuple[Reached, str]:
    """Return what a run reached, and which run it was."""
    engine = run.trace.setup.engine.design
    if engine != design.name:
        what = f"it is a run of {engine}, not of {design.name}"
        raise InputError([Problem(f"--reached {run.scenario.name}", what, f"Draw {engine}, or give another run.")])
    return reached_in(run.trace), f"reached by {printable(run.scenario.name)}, seed {run.trace.seed}"


def _write(folder: Path, files: Mapping[str, Content]) -> None:
    """Write files, those of the same names replaced. What fails takes the ones that it wrote with it."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    written: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            written.append(folder / name)
            write_whole(written[-1], content)
    except BaseException:
        if made:  # nobody else's
            for path in written:
                path.unlink(missing_ok=True)
            for path in made:
                if path.is_dir():
                    path.rmdir()
        raise


def _tell(files: Iterable[tuple[str, Sequence[Chart]]], design: Design, reached: Reached | None, json: bool) -> None:
    """Say what was written, in one line a file."""
    told = [{"file": file, "drawn": str(drawn(shown))} for file, shown in files]
    if not json:
        say("\n".join(f"{one['file']}: {one['drawn']}" for one in told))
        return
    rows = [] if reached is None else coverage(design, steps_at(design, reached))
    steps = [msgspec.to_builtins(row) for row in rows if row.kind == STEP]
    say_json({
        "schema_version": SCHEMA_VERSION,
        "design": design.name,
        "files": told,
        "coverage": None if reached is None else steps,
    })  # fmt: skip

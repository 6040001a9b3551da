"""shimulator init: a scenario to begin with, commented, made from Compose files or from what a host prints."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sim.cli.out import say
from sim.cli.status import HOLDS
from sim.errors import InputError, Problem
from sim.scenario import init_from_compose, starter
from sim.scenario.compose.images import OWN
from sim.writing import write_whole

OUT = "host.yaml"
STDOUT = "-"


def main(options: argparse.Namespace) -> int:
    """Write the scenario; a file that exists is kept."""
    if options.collector:
        from sim.intake.collector import collector

        say(collector(), end="")
        return HOLDS
    out, inputs = _out_and_inputs(options)
    path = Path(out)
    if out != STDOUT:
        _check(path, options.force, inputs)
    text, summary = _made(options, out, inputs)
    if out == STDOUT:
        say(text, end="")
        return HOLDS
    write_whole(path, text)
    say(f"wrote {path}: {summary}")
    say(f"next: shimulator run {path}")
    return HOLDS


def _out_and_inputs(options: argparse.Namespace) -> tuple[str, list[str]]:
    """Return the file to write and the inputs: the first word is the file where it can be one."""
    first, *rest = options.file or [""]
    if first == STDOUT or Path(first).suffix in (".yaml", ".yml") or (first and not rest and _is_out(Path(first))):
        return first, [*rest, *options.inputs]
    inputs = [*options.file, *options.inputs]
    if not inputs and not options.compose and not options.live:
        hint = "Write shimulator init my.yaml, or shimulator init my.yaml INPUT."
        raise InputError([Problem("shimulator init", "no file is named", hint)])
    return OUT, inputs


def _is_out(path: Path) -> bool:
    """Return whether a word without suffix names what to write: a new file, or a pipe or device that is there."""
    if path.exists():
        return not path.is_file() and not path.is_dir()
    return not path.suffix


def _made(options: argparse.Namespace, out: str, inputs: list[str]) -> tuple[str, str]:
    """Return the text of the scenario and what is said of it."""
    files = [*options.compose, *inputs]
    if not files and not options.live:
        return starter(), "a starter"
    from sim.intake import are_compose, scenario_from

    if not options.live and (not inputs or are_compose(inputs)):
        return _of_compose(options, files, out)
    from sim.cli.files import stdin_bytes

    return scenario_from(
        files,
        stdin=stdin_bytes() if STDOUT in inputs else b"",
        live=options.live,
        design=options.design,
        keep_values=options.keep_values,
        name=OUT if out == STDOUT else out,
        stack=_stack(options),
    )


def _of_compose(options: argparse.Namespace, files: list[str], out: str) -> tuple[str, str]:
    """Return the scenario of Compose files, with what holds today, and what is said of it."""
    from sim.experiment.first import with_expectations
    from sim.intake.redaction import redacted

    text, summary = init_from_compose(
        files,
        "" if out == STDOUT else Path(out).parent,
        design=options.design,
        keep_values=options.keep_values,
        redact=redacted,
        link=options.link,
        **_stack(options),
    )
    return with_expectations(text, "scenario.yaml" if out == STDOUT else out), summary


def _stack(options: argparse.Namespace) -> dict[str, Any]:
    """Return what was said of the Compose files."""
    return {
        "env_files": options.env_file,
        "profiles": options.profile,
        "project": options.project_name,
        "images": [place for place in options.images or [OWN] if place != "none"],
    }


def _check(path: Path, force: bool, inputs: list[str]) -> None:
    """Refuse a place where no file can stand, and a file that is there."""
    if path.is_dir():
        raise InputError([Problem(str(path), "this is a folder", "Give the name of a file, such as my.yaml.")])
    if path.exists() and not force:
        hint = "Choose another name, or --force."
        if not inputs:
            hint += f" To read it: shimulator init my.yaml {path}"
        raise InputError([Problem(str(path), "this file exists already", hint)])
    if not path.parent.is_dir():
        raise InputError([Problem(str(path), f"there is no folder {path.parent}", "Make it, or write elsewhere.")])

"""shimulator init: a scenario to begin with, commented, or made from Compose files."""

from __future__ import annotations

import argparse
from pathlib import Path

from sim.cli.out import say
from sim.cli.status import HOLDS
from sim.errors import InputError, Problem
from sim.scenario import init_from_compose, starter
from sim.scenario.compose.images import OWN
from sim.writing import write_whole


def main(options: argparse.Namespace) -> int:
    """Write the scenario; a file that exists is kept."""
    path = Path(options.file)
    if options.file != "-":
        _check(path, options.force)
    text, summary = _of_compose(options) if options.compose else (starter(), "a starter")
    if options.file == "-":
        say(text, end="")
        return HOLDS
    write_whole(path, text)
    say(f"wrote {path}: {summary}")
    say(f"next: shimulator run {path}")
    return HOLDS


def _of_compose(options: argparse.Namespace) -> tuple[str, str]:
    """Return the scenario of Compose files, with what holds today, and what is said of it."""
    from sim.experiment.first import with_expectations

    images = [place for place in options.images or [OWN] if place != "none"]
    text, summary = init_from_compose(
        options.compose,
        "" if options.file == "-" else Path(options.file).parent,
        env_files=options.env_file,
        profiles=options.profile,
        project=options.project_name,
        design=options.design,
        images=images,
        keep_values=options.keep_values,
        link=options.link,
    )
    return with_expectations(text, "scenario.yaml" if options.file == "-" else options.file), summary


def _check(path: Path, force: bool) -> None:
    """Refuse a place where no file can stand, and a file that is there."""
    if path.is_dir():
        raise InputError([Problem(str(path), "this is a folder", "Give the name of a file, such as my.yaml.")])
    if path.exists() and not force:
        raise InputError([Problem(str(path), "this file exists already", "Choose another name, or --force.")])
    if not path.parent.is_dir():
        raise InputError([Problem(str(path), f"there is no folder {path.parent}", "Make it, or write elsewhere.")])

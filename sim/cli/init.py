"""shimulator init: a scenario to begin with, commented, or made from a Compose file."""

from __future__ import annotations

import argparse
from pathlib import Path

from sim.cli.out import say
from sim.cli.status import HOLDS
from sim.errors import InputError, Problem
from sim.scenario import init_from_compose, starter
from sim.writing import write_whole


def main(options: argparse.Namespace) -> int:
    """Write the scenario; a file that exists is kept."""
    path = Path(options.file)
    if options.file != "-":
        _check(path, options.force)
    folder = "" if options.file == "-" else path.parent
    made = (starter(), "a starter") if options.compose is None else init_from_compose(options.compose, folder)
    text, summary = made
    if options.file == "-":
        say(text, end="")
        return HOLDS
    write_whole(path, text)
    say(f"wrote {path}: {summary}")
    say(f"next: shimulator run {path}")
    return HOLDS


def _check(path: Path, force: bool) -> None:
    """Refuse a place where no file can stand, and a file that is there."""
    if path.is_dir():
        raise InputError([Problem(str(path), "this is a folder", "Give the name of a file, such as my.yaml.")])
    if path.exists() and not force:
        raise InputError([Problem(str(path), "this file exists already", "Choose another name, or --force.")])
    if not path.parent.is_dir():
        raise InputError([Problem(str(path), f"there is no folder {path.parent}", "Make it, or write elsewhere.")])

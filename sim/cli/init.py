"""shimsim init: a scenario to begin with, commented, or made from a Compose file."""

from __future__ import annotations

import argparse
from pathlib import Path

from sim.cli import HOLDS
from sim.cli.out import say
from sim.errors import InputError, Problem
from sim.scenario import init_from_compose, starter


def main(options: argparse.Namespace) -> int:
    """Write the scenario; a file that exists is kept."""
    text, summary = (starter(), "a starter") if options.compose is None else init_from_compose(options.compose)
    if options.file == "-":
        say(text, end="")
        return HOLDS
    path = Path(options.file)
    if path.exists() and not options.force:
        raise InputError([Problem(str(path), "this file exists already", "Choose another name, or --force.")])
    path.write_text(text, encoding="utf-8")
    say(f"wrote {path}: {summary}")
    say(f"next: shimsim run {path}")
    return HOLDS

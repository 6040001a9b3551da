"""shimsim show: what ps, pstree, docker ps or docker events print at a moment."""

from __future__ import annotations

import argparse
from pathlib import Path

from sim.cli import HOLDS
from sim.cli.files import run_of
from sim.cli.out import carries_lines, say, say_json
from sim.errors import InputError, Problem
from sim.experiment.run import check_view
from sim.render.registry import VIEWS
from sim.tracefile import SCHEMA_VERSION


def main(options: argparse.Namespace) -> int:
    """Print one view."""
    check_view(options.view)
    view = "pstree-ascii" if options.view == "pstree" and not carries_lines() else options.view
    text = _of_table(options, view) if _is_table(options.file) else _of_run(options, view)
    if options.json:
        say_json({"schema_version": SCHEMA_VERSION, "view": options.view, "at": options.at or "end", "text": text})
    else:
        say(text, end="")
    return HOLDS


def _is_table(name: str) -> bool:
    return Path(name).suffix == ".json"


def _of_run(options: argparse.Namespace, view: str) -> str:
    return run_of(options.file, options.seed, options.settings).show(view, options.at, options.root)


def _of_table(options: argparse.Namespace, view: str) -> str:
    from sim.views.table import load_table

    if view not in VIEWS:
        valid = f"Valid: {', '.join(VIEWS)}."
        raise InputError([Problem("--as", f"{view} needs a run; a table has processes only", valid)])
    if options.at:
        raise InputError([Problem("--at", "a table is one moment", "Leave it out.")])
    table = load_table(options.file)
    root = options.root or "1"
    if not root.isdigit():
        raise InputError([Problem("--root", f"{root!r} is no pid", "A table has no roles; give a number.")])
    return VIEWS[view](table, int(root))

"""shimsim show: what ps, pstree, docker and other commands print at a moment."""

from __future__ import annotations

import argparse

from sim.cli import HOLDS
from sim.cli.files import run_of, table_of
from sim.cli.out import carries_lines, say, say_json
from sim.errors import InputError, Problem
from sim.experiment.run import check_view
from sim.render.registry import VIEWS
from sim.tracefile import SCHEMA_VERSION
from sim.views.table import Table


def main(options: argparse.Namespace) -> int:
    """Print one view."""
    check_view(options.view)
    view = "pstree-ascii" if options.view == "pstree" and not carries_lines() and not options.json else options.view
    table = table_of(options.file)
    if table is not None:
        text, at = _of_table(table, options, view), None
    else:
        text, at = _of_run(options, view)
    if options.json:
        say_json({
            "schema_version": SCHEMA_VERSION,
            "view": options.view,
            "at": None if table is not None else options.at or "end",
            "at_s": at,
            "text": text,
        })  # fmt: skip
    else:
        say(text, end="")
    return HOLDS


def _of_run(options: argparse.Namespace, view: str) -> tuple[str, float]:
    """Return the text and its moment in seconds from t = 0."""
    if options.root and view not in VIEWS:
        hint = f"Leave it out, or take one of these views: {', '.join(VIEWS)}."
        raise InputError([Problem("--root", f"{view} shows no processes", hint)])
    run = run_of(options.file, options.seed, options.settings)
    at = run.moment(options.at)
    return run.show(view, at, options.root, options.of), (at - run.trace.origin) / 1_000_000


def _of_table(table: Table, options: argparse.Namespace, view: str) -> str:
    if view not in VIEWS:
        valid = f"Valid: {', '.join(VIEWS)}."
        raise InputError([Problem("--as", f"{view} needs a run; a table has processes only", valid)])
    for option, given in (("--at", options.at), ("--set", options.settings), ("--of", options.of)):
        if given:
            raise InputError([Problem(option, "a table is one moment and no scenario", "Leave it out.")])
    root = options.root or "1"
    pids = {row.pid for row in table.procs}
    if options.root and (not root.isdecimal() or int(root) not in pids):
        hint = "A table has no roles; give a pid."
        raise InputError([Problem("--root", f"the table has no pid {root[:40]!r}", hint)])
    return VIEWS[view](table, int(root))

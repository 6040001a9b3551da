"""shimulator show: what ps, pstree, docker and other commands print at a moment; tree or run for other tools."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sim.cli.files import run_of, table_of
from sim.cli.out import carries_lines, say, say_json
from sim.cli.status import HOLDS
from sim.cli.store import check_ours, store
from sim.errors import InputError, Problem
from sim.experiment.viewing import all_views, check_view
from sim.render.procfs import procfs_files
from sim.render.registry import VIEWS, help_rows
from sim.tracefile import SCHEMA_VERSION
from sim.views.table import Table
from sim.writing import write_whole

VIEW_OF = {".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".graphml": "graphml", ".json": "perfetto"}
TEXT = ("", ".txt")
FOLDER = "procfs"
EXAMPLES = """
examples:
  shimulator show document --at kill+500ms
  shimulator show document --at kill+5s --as docker-inspect --of grafana
  shimulator show document --at kill-1s -o tree.dot
  shimulator show document -o run.json
  shimulator show document --at kill-1s --as procfs -o proc
"""


def main(options: argparse.Namespace) -> int:
    """Print one view, or write it to a file."""
    if options.view == FOLDER:
        return _folder(options)
    output = None if options.output in (None, "-") else Path(options.output)
    name = _view_of(output) if options.view is None else options.view
    if output is not None:
        _check_place(output)
    onto_ascii = name == "pstree" and output is None and not options.json and not carries_lines()
    view = "pstree-ascii" if onto_ascii else name
    table = table_of(options.file)
    if table is not None:
        text, at, rows = _of_table(table, options, view), None, None
    else:
        text, at, rows = _of_run(options, view)
    if output is not None:
        write_whole(output, text)
    if options.json:
        say_json({
            "schema_version": SCHEMA_VERSION,
            "view": name,
            "at": None if table is not None else options.at or "end",
            "at_s": at,
            "text": text if output is None else None,
            "rows": rows if output is None else None,
            "file": None if output is None else str(output),
        })  # fmt: skip
    elif output is not None:
        say(f"{output}: {name}, {len(text.encode()):,} bytes")
    else:
        say(text, end="")
    return HOLDS


def _folder(options: argparse.Namespace) -> int:
    """Write the processes of a moment as a folder like /proc."""
    if options.output in (None, "-") or options.root or options.of:
        hint = "Write -o DIR, a folder that is not there yet, without --root and --of."
        raise InputError([Problem("--as procfs", "a folder of all processes is written", hint)])
    folder = Path(options.output)
    check_ours(folder)
    table, at = table_of(options.file), None
    if table is None:
        run = run_of(options.file, options.seed, options.settings)
        moment = run.moment(options.at)
        table, at = run.story(moment).table(), (moment - run.trace.origin) / 1_000_000
    store(folder, procfs_files(table))
    if options.json:
        say_json({
            "schema_version": SCHEMA_VERSION, "view": FOLDER, "at": None if at is None else options.at or "end",
            "at_s": at, "text": None, "rows": None, "file": str(folder),
        })  # fmt: skip
    else:
        say(f"{folder}/: {len(table.procs)} processes, for psutil.PROCFS_PATH or over /proc (docs/views.md)")
    return HOLDS


def listed() -> str:
    """Return the views that there are, as `--help` lists them, and examples."""
    rows = [*help_rows(), ("folder", f"{FOLDER}: what psutil, ps and pstree read in /proc, with -o DIR")]
    width = max(len(group) for group, _ in rows)
    lines = (f"  {group:{width}}  {names}" for group, names in rows)
    return "\n".join(["views (--as):", *lines, EXAMPLES])


def _view_of(output: Path | None) -> str:
    """Return the view that a file's ending means. Raises InputError for one that means none."""
    if output is None or output.suffix in TEXT:
        return "pstree"
    if output.suffix.lower() not in VIEW_OF:
        hint = f"Give --as VIEW, or one of {', '.join(VIEW_OF)}; shimulator plot draws pictures."
        raise InputError([Problem(str(output), f"{output.suffix!r} does not say what to show", hint)])
    return VIEW_OF[output.suffix.lower()]


def _check_place(path: Path) -> None:
    """Refuse a place where no file can stand, before anything is run."""
    if path.is_dir():
        raise InputError([Problem(str(path), "this is a folder", "Give the name of a file, such as tree.dot.")])
    if not path.parent.is_dir():
        raise InputError([Problem(str(path), f"there is no folder {path.parent}", "Make it, or write elsewhere.")])


def _of_run(options: argparse.Namespace, view: str) -> tuple[str, float, list[dict[str, Any]] | None]:
    """Return the text, its moment in seconds from t = 0, and the same as rows if JSON is to have them."""
    if options.root and view not in VIEWS:
        hint = f"Leave it out, or take one of these views: {', '.join(VIEWS)}."
        raise InputError([Problem("--root", f"{view} shows no processes", hint)])
    run = run_of(options.file, options.seed, options.settings, lambda design: check_view(view, design))
    at = run.moment(options.at)
    text = run.show(view, at, options.root, options.of)
    return text, (at - run.trace.origin) / 1_000_000, run.view_rows(view, at) if options.json else None


def _of_table(table: Table, options: argparse.Namespace, view: str) -> str:
    if view not in VIEWS:
        what = f"{view} needs a run; a table has" if view in all_views() else f"there is no view {view!r}; a table has"
        raise InputError([Problem("--as", f"{what} processes only", f"Valid: {', '.join(VIEWS)}.")])
    for option, given in (("--at", options.at), ("--set", options.settings), ("--of", options.of)):
        if given:
            raise InputError([Problem(option, "a table is one moment and no scenario", "Leave it out.")])
    root = options.root or "1"
    pids = {row.pid for row in table.procs}
    if options.root and (not root.isdecimal() or int(root) not in pids):
        hint = "A table has no roles; give a pid."
        raise InputError([Problem("--root", f"the table has no pid {root[:40]!r}", hint)])
    return VIEWS[view](table, int(root))

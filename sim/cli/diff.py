"""shimulator diff: what differs between two moments, of runs or of tables. Exit status 0: nothing; 1: something."""

from __future__ import annotations

import argparse
from pathlib import Path

from sim.cli.files import is_stdin, run_of, stdin_text, table_of
from sim.cli.out import say, say_json
from sim.cli.status import FAILS, HOLDS
from sim.errors import InputError, Problem
from sim.experiment.run import Run
from sim.render.diff_text import diff_json, diff_text
from sim.tracefile import SCHEMA_VERSION
from sim.views.diff import Moment, difference, of_story, of_table
from sim.views.table import Table
from sim.views.table_text import is_ps, parse_ps

PEEK = 100_000  # characters in which a header of ps must stand


def main(options: argparse.Namespace) -> int:
    """Print what differs between two moments."""
    runs: dict[str, Run] = {}
    one, other = (_moment(word, options, runs) for word in (options.one, options.other))
    found = difference(one, other)
    if options.json:
        say_json({"schema_version": SCHEMA_VERSION, **diff_json(found)})
    else:
        say(diff_text(found))
    return HOLDS if found.empty else FAILS


def split(word: str) -> tuple[str, str | None]:
    """Return a file and the moment that is asked of it; a file whose name has an @ is one without a moment.

    >>> split("document@kill+2s"), split("document")
    (('document', 'kill+2s'), ('document', None))
    """
    file, mark, instant = word.rpartition("@")
    if not mark or Path(word).exists():
        return word, None
    if not file or not instant:
        hint = "Write FILE@INSTANT, such as document@kill-1s."
        raise InputError([Problem(f"'{word[:60]}'", "a file and a moment are asked for", hint)])
    return file, instant


def _moment(word: str, options: argparse.Namespace, runs: dict[str, Run]) -> Moment:
    file, instant = split(word)
    table = _table(file)
    if table is not None:
        if instant is not None:
            raise InputError([Problem(f"'{word[:60]}'", "a table is one moment", f"Write {file} alone.")])
        return of_table(table, file)
    if file not in runs:
        runs[file] = run_of(file, options.seed, options.settings)
    return of_story(runs[file].story(runs[file].moment(instant)), word if instant else f"{file}@end", file)


def _table(file: str) -> Table | None:
    """Return the process table that a file holds, in JSON or as ps prints it; None if it is something else."""
    found = table_of(file)
    if found is not None:
        return found
    if is_stdin(file):
        text = stdin_text()
        return parse_ps(text, "stdin") if is_ps(text[:PEEK]) else None
    path = Path(file)
    if not path.is_file() or path.suffix in (".yaml", ".yml", ".jsonl"):
        return None
    try:
        text = path.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise InputError([Problem(file, f"the file cannot be read: {error.strerror}", "Check the path.")]) from None
    return parse_ps(text, file) if is_ps(text[:PEEK]) else None

"""A process table from what `ps` has printed: any columns, if the header names PID and PPID and commands come last.

A forest's lines before a command are dropped, and so is everything above the header. Leaves out tables without a
header, and the times of processes, which most forms of ps round. Source: procps-ng 4.0, ps(1), STANDARD FORMAT
SPECIFIERS.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from sim.errors import InputError, Problem
from sim.views.table import Meta, ProcessRow, Table

COMMANDS = frozenset({"COMMAND", "CMD", "ARGS"})
FOREST = re.compile(r"^[| ]*\\_ ")
DAY = re.compile(r"[A-Z][a-z]{2}")  # lstart is five words: Tue Nov 24 00:00:00 2026
NUMBERS = {"PID": "pid", "PPID": "ppid", "PGID": "pgid", "PGRP": "pgid", "SID": "sid", "SESS": "sid"}
LARGEST = 4_194_304  # Linux's largest pid_max
TIMES = ("start_ticks", "utime", "stime", "vsize", "rss")


def is_ps(text: str) -> bool:
    """Return whether a text looks like a table of ps.

    >>> is_ps("$ ps -e\\n  PID  PPID CMD\\n    1     0 init\\n"), is_ps("services: {web: {}}")
    (True, False)
    """
    return _header(text.splitlines()[:50]) is not None


def _header(lines: list[str]) -> int | None:
    for number, line in enumerate(lines):
        words = line.split()
        if "PID" in words and words[-1] in COMMANDS:
            return number
    return None


def parse_ps(text: str, name: str) -> Table:
    """Read a table; *name* stands for the file in what InputError says, which has every line that is no row.

    >>> table = parse_ps("PID PPID COMMAND\\n1 0 init\\n7 1  \\\\_ dockerd -H fd://\\n", "ps.txt")
    >>> [(row.pid, row.ppid, row.comm, row.args) for row in table.procs][1]
    (7, 1, 'dockerd', ('dockerd', '-H', 'fd://'))
    """
    lines = text.splitlines()
    first = _header(lines)
    if first is None:
        hint = "Give what `ps -axjf`, `ps -ef` or `ps -eo pid,ppid,args` prints, with its header."
        raise InputError([Problem(name, "no header of ps stands in it", hint)])
    columns = lines[first].split()
    if "PPID" not in columns:
        hint = "Take `ps -axjf`, `ps -ef` or `ps -eo pid,ppid,args`."
        raise InputError([Problem(f"{name}:{first + 1}:1", "the table has no column PPID", hint)])
    rows, problems = [], []
    for number, line in enumerate(lines[first + 1 :], first + 2):
        row = _row(line, columns)
        if isinstance(row, ProcessRow):
            rows.append(row)
        elif line.strip():
            problems.append(Problem(f"{name}:{number}:1", row, "Take the line out, or paste the table again."))
    problems += _twice(rows, name)
    if problems:
        raise InputError(problems[:20])
    return Table(Meta(btime=0, now=0), tuple(rows))


def _row(line: str, columns: list[str]) -> ProcessRow | str:
    """Return a row, or what is wrong with it."""
    words = line.split(None, len(columns) - 1)
    if "STARTED" in columns:
        words = _joined(line, columns)
    if len(words) < len(columns) - 1:
        return f"{len(words)} columns where the header has {len(columns)}"
    found = dict(zip(columns, words, strict=False))
    numbers = {field: found[column] for column, field in NUMBERS.items() if column in found}
    wrong = [f"{value[:20]!r} is no process number" for value in numbers.values() if not _is_number(value)]
    if wrong:
        return wrong[0]
    pid = int(numbers["pid"])
    command = FOREST.sub("", _rest(line, columns, found))
    args = _words(command)
    return ProcessRow(
        pid=pid,
        ppid=int(numbers["ppid"]),
        pgid=int(numbers.get("pgid", pid)),
        sid=int(numbers.get("sid", pid)),
        comm=args[0].rpartition("/")[2].strip("[]") if args else "",
        args=() if command.startswith("[") else args,
        threads=_threads(found),
        state=(found.get("STAT") or found.get("S") or "S")[0],
        unknown=(*TIMES, *(() if "NLWP" in found or "THCNT" in found else ("threads",))),
    )


def _joined(line: str, columns: list[str]) -> list[str]:
    """Return the words of a line of which one column is a date of five words."""
    words, found = line.split(), []
    for column in columns[:-1]:
        size = 5 if column == "STARTED" and words and DAY.fullmatch(words[0]) else 1
        found.append(" ".join(words[:size]))
        words = words[size:]
    return [*found, " ".join(words)]


def _rest(line: str, columns: list[str], found: dict[str, str]) -> str:
    """Return the last column with the blanks that stand in it."""
    command = found.get(columns[-1], "")
    return command if "STARTED" in columns else command.rstrip()


def _words(command: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return tuple(command.split())


def _threads(found: dict[str, str]) -> int:
    """Return how many threads there are beside the main one; 0 where the table does not say."""
    text = found.get("NLWP", found.get("THCNT", "1"))
    return int(text) - 1 if _is_number(text) and int(text) > 0 else 0


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text[:12]) <= LARGEST


def _twice(rows: list[ProcessRow], name: str) -> Iterator[Problem]:
    seen: set[int] = set()
    for row in rows:
        if row.pid in seen:
            yield Problem(name, f"pid {row.pid} stands twice in the table", "Give one table for each moment.")
        seen.add(row.pid)

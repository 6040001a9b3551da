"""Read what was measured, as samples of phases: columns of CSV files, or `docker events --format '{{json .}}'`.

All problems of all files are told at once, with line and column. Leaves out: other separators than the comma, and
thousands separators. Source: RFC 4180; docker events(1).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import NamedTuple

from sim.calibration.fits import FEWEST
from sim.calibration.phases import AT_COLUMN, BY_NAME, DEFAULTS, EVENTS, LOAD_COLUMN, LOADED, NO_OP, Default
from sim.errors import InputError, Problem, nearest

UNITS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3, "sec": 1e3, "seconds": 1e3, "min": 60e3}
CELL = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([a-zµ]*)\s*\Z")
MOST_PROBLEMS = 8  # of one column
LEAST_MS = 0.001
APART = 200.0  # neighbouring values so many times apart, with a tenth of all on both sides: two units
EVENT_PAUSE_S = 120  # between create and start: longer, and people stood between


class Wanted(NamedTuple):
    """A phase and the column, or difference of columns, that measures it: `start=total_ms`, `start=end_s-begin_s`."""

    phase: str
    column: str
    where: tuple[str, str] | None = None


class Cell(NamedTuple):
    """One row's value of a phase: ms, the line it stands in, how many starts there were at once, when it began (s)."""

    value: float
    line: int
    at_once: int
    at: float | None


class Column(NamedTuple):
    """All values of one phase in one file."""

    phase: str
    file: str
    column: str
    cells: tuple[Cell, ...]
    date: str


class Read(NamedTuple):
    """What files gave, and which of their columns are not used, with the reason."""

    columns: tuple[Column, ...]
    left_out: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


class Terms(NamedTuple):
    """How to read: *wanted* instead of the columns that are known by name, rows in which *where* holds, units.

    *load* is the column that says how many starts there were at once; *phases* are those that are looked for.
    """

    wanted: tuple[Wanted, ...] = ()
    where: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    load: str = LOAD_COLUMN
    date: str = ""
    phases: frozenset[str] = frozenset(BY_NAME)


def read_all(files: Iterable[tuple[str, str, str]], terms: Terms) -> Read:
    """Read files, each as name, text and the date of the file. Raises InputError with every problem of all."""
    problems: list[Problem] = []
    columns: list[Column] = []
    left_out: list[tuple[str, str]] = []
    warnings: list[str] = []
    for name, text, date in files:
        if text.lstrip().startswith("{"):
            found = _events(name, text, problems)
        else:
            found = _csv(name, text, terms, problems, left_out, warnings)
        columns += [it._replace(date=terms.date or it.date or date) for it in found]
    if problems:
        raise InputError(problems)
    return Read(tuple(columns), tuple(left_out), tuple(warnings))


# -- CSV --------------------------------------------------------------------------------------------


def _csv(
    name: str, text: str, terms: Terms, problems: list[Problem], left_out: list[tuple[str, str]], warnings: list[str]
) -> list[Column]:
    """Return the columns of a CSV file that stand for phases."""
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    header = [it.strip() for it in rows[0]] if rows else []
    if not any(header):
        problems.append(Problem(f"{name}:1:1", "the file is empty", "It begins with the names of its columns."))
        return []
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        problems.append(Problem(f"{name}:1:1", "the columns are not separated by commas", "Write a,b,c."))
        return []
    lines = [(number, row) for number, row in enumerate(rows[1:], 2) if any(it.strip() for it in row)]
    for number, row in lines:
        if len(row) != len(header):
            what = f"this row has {len(row)} fields, the first line {len(header)}"
            problems.append(Problem(f"{name}:{number}:1", what, "Quote fields that hold a comma."))
            return []
    table = [(number, dict(zip(header, map(str.strip, row), strict=True))) for number, row in lines]
    table = _chosen(name, header, table, terms, problems)
    wanted = _wanted(name, header, table, terms, problems, left_out)
    found = [_column(name, header, table, it, terms, problems, warnings) for it in wanted]
    return [it for it in found if it is not None and it.cells]


Table = list[tuple[int, dict[str, str]]]


def _chosen(name: str, header: Sequence[str], table: Table, terms: Terms, problems: list[Problem]) -> Table:
    """Return the rows in which each `--where` holds."""
    for column, value in terms.where:
        if column not in header:
            problems.append(_no_column(name, column, header))
            return []
        kept = [row for row in table if row[1][column] == value]
        if table and not kept:
            there = ", ".join(sorted({row[1][column] for row in table})[:8])
            problems.append(Problem(f"{name}:1:1", f"no row has {column}={value}", f"There are: {there}."))
        table = kept
    return table


def _no_column(name: str, column: str, header: Sequence[str]) -> Problem:
    hint = f"{nearest(column, header)} It has {', '.join(header[:30])}.".strip()
    return Problem(f"{name}:1:1", f"there is no column {column[:60]!r}", hint)


def _wanted(
    name: str, header: Sequence[str], table: Table, terms: Terms, problems: list[Problem],
    left_out: list[tuple[str, str]],
) -> list[Wanted]:  # fmt: skip
    """Return what is asked for, else the columns that are known by name."""
    if terms.wanted:
        found = []
        for it in terms.wanted:
            missing = [part for part in it.column.split("-") if part not in header] if it.column not in header else []
            problems += [_no_column(name, part, header) for part in missing]
            found += [] if missing else [it]
        return found
    chosen: dict[str, Default] = {}
    for known in DEFAULTS:
        if not _is_there(known, header) or known.phase not in terms.phases | NO_OP.keys():
            continue
        if known.phase in NO_OP:
            left_out.append((f"{name}: {known.column}", NO_OP[known.phase]))
        else:
            chosen.setdefault(known.phase, known)
    if not chosen and table:
        defaults = ", ".join(dict.fromkeys(it.column for it in DEFAULTS))
        hint = f"Say which: --phase start={header[-1]}. Phases: {', '.join(BY_NAME)}. Known by name: {defaults}."
        problems.append(Problem(f"{name}:1:1", "no column is known to be a phase", hint))
    return [Wanted(*known) for known in chosen.values()]


def _is_there(default: Default, header: Sequence[str]) -> bool:
    return all(part in header for part in default.column.split("-"))


def _column(
    name: str, header: Sequence[str], table: Table, wanted: Wanted, terms: Terms, problems: list[Problem],
    warnings: list[str],
) -> Column | None:  # fmt: skip
    """Return one phase's values; note what is wrong with any of them."""
    if wanted.where is not None and wanted.where[0] in header:
        table = [row for row in table if row[1][wanted.where[0]] == wanted.where[1]]
    elif wanted.where is not None and wanted.where[1] == "port":
        return None
    if wanted.phase not in LOADED:  # the finer ones are fitted alone, where one start goes on at a time
        table = [row for row in table if _whole(row[1].get(terms.load, "")) == 1]
    names = [wanted.column] if wanted.column in header else wanted.column.split("-")
    wrong = _without_unit(name, names, table, terms.unit)
    if wrong:
        problems += wrong
        return None
    cells: list[Cell] = []
    suffixes: dict[str, list[str]] = defaultdict(list)
    for number, row in table:
        if not all(row[it] for it in names):
            continue  # not measured of this row
        places = [f"{name}:{number}:{_start(row, header.index(it))}" for it in names]
        parts = [_number(row[it], it, at, terms.unit, suffixes) for it, at in zip(names, places, strict=True)]
        bad = [it for it in parts if isinstance(it, Problem)]
        wrong += bad
        if bad:
            continue
        value = parts[0] - sum(parts[1:])  # type: ignore[operator, arg-type]
        if value < 0:
            wrong.append(_negative(places[0], wanted, value))
            continue
        cells.append(Cell(max(value, LEAST_MS), number, _whole(row.get(terms.load, "")), _float(row.get(AT_COLUMN))))
    values = [it.value for it in cells]
    place = f"{name}:1:{_start(dict(zip(header, header, strict=True)), header.index(names[0]))}"
    if len(suffixes) > 1:
        said = ", ".join(f"{len(at)} in {unit or 'no unit'}" for unit, at in sorted(suffixes.items()))
        place = min(suffixes.values(), key=len)[0]
        wrong.append(Problem(place, f"{names[0]} has mixed units: {said}", "Give every row the same."))
    elif not wrong and (two := _two_units(cells)):
        place = f"{name}:{two[1]}:{_start(dict(table)[two[1]], header.index(names[0]))}"
        wrong.append(Problem(place, f"{wanted.column} has mixed units: {two[0]}", "Give every row the same."))
    wrong = _few(wrong)
    if not wrong and not values:
        if terms.wanted:
            wrong.append(Problem(place, f"{wanted.column} has no numbers", "Name another column with --phase."))
    elif not wrong and len(values) < FEWEST:
        what = f"{wanted.column} has {len(values)} row{'s' * (len(values) > 1)}, too few to fit {wanted.phase}"
        wrong.append(Problem(place, what, f"{FEWEST} are the least, 20 say something, 100 are good."))
    problems += wrong
    return Column(wanted.phase, name, wanted.column, tuple(cells), _date(cells))


def _without_unit(name: str, names: Sequence[str], table: Table, unit: str) -> list[Problem]:
    """Refuse columns that say their unit neither by name nor in every field."""
    found = []
    for column in names:
        bare = [row[column] for _, row in table if row[column] and row[column][-1].isdigit()]
        if bare and not (unit or unit_of(column)):
            hint = f"Name the column {column}_ms, or say --unit ms. Units: {', '.join(UNITS)}."
            found.append(Problem(f"{name}:1:1", f"the unit of {column} is not known", hint))
    return found


def _few(wrong: list[Problem]) -> list[Problem]:
    """Return problems of one column, of many the first ones."""
    if len(wrong) <= MOST_PROBLEMS:
        return wrong
    more = len(wrong) - MOST_PROBLEMS + 1
    return [*wrong[: MOST_PROBLEMS - 1], Problem(wrong[MOST_PROBLEMS - 1].where, f"and {more} more like these", "")]


def _start(row: dict[str, str], place: int) -> int:
    """Return at which character of its line a field begins; blanks and quotes about fields are not counted."""
    return 1 + sum(len(field) + 1 for field in list(row.values())[:place])


def _negative(place: str, wanted: Wanted, value: float) -> Problem:
    what = f"{wanted.column} is {value:g} ms, and no phase takes less than nothing"
    hint = "Give the later moment first, as in end_s-begin_s." if "-" in wanted.column else "Leave such rows out."
    return Problem(place, what, hint)


def _number(text: str, column: str, where: str, unit: str, suffixes: dict[str, list[str]]) -> float | Problem:
    """Return a cell in ms, or what is wrong with it."""
    found = CELL.match(text)
    if not found:
        return Problem(where, f"{column} is {text[:40]!r}, no number", "Write 12.5, or leave the field empty.")
    suffixes[found[2]].append(where)
    said = found[2] or unit or unit_of(column)
    if said not in UNITS:
        return Problem(where, f"{said[:10]!r} is no unit of time", f"Units: {', '.join(UNITS)}.")
    return float(found[1]) * UNITS[said]


def unit_of(column: str) -> str:
    """Return the unit that a column's name ends with; those of the measurements are seconds.

    >>> unit_of("total_ms"), unit_of("api_start_s"), unit_of("d_shim_fork"), unit_of("total")
    ('ms', 's', 's', '')
    """
    last = column.rpartition("_")[2]
    if last in UNITS and "_" in column:
        return last
    return "s" if column.startswith("d_") else ""


def _two_units(cells: Sequence[Cell]) -> tuple[str, int] | None:
    """Say that a part of the values is a thousand times the rest, and the first line of the fewer ones."""
    ordered = sorted(cell.value for cell in cells)
    for place in range(max(1, len(ordered) // 10), len(ordered) - len(ordered) // 10):
        if ordered[place] > APART * ordered[place - 1]:
            low, high = median(ordered[:place]), median(ordered[place:])
            few_are_low = 2 * place <= len(ordered)
            line = next(cell.line for cell in cells if (cell.value < ordered[place]) is few_are_low)
            return f"{place} rows about {low:g} ms, {len(ordered) - place} about {high:g} ms", line
    return None


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 10_000 else 1


def _float(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _date(cells: Sequence[Cell]) -> str:
    """Return the day on which the first row was measured, if the rows say so."""
    known = [it.at for it in cells if it.at is not None]
    return day(min(known)) if known and 0 < min(known) < 1e11 else ""


def day(seconds: float) -> str:
    """Return a unix time's day, UTC.

    >>> day(0)
    '1970-01-01'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


# -- events -----------------------------------------------------------------------------------------


def _events(name: str, text: str, problems: list[Problem]) -> list[Column]:
    """Return the phases between events of one container."""
    found: dict[str, list[Cell]] = defaultdict(list)
    before: dict[str, tuple[str, float]] = {}
    counted = 0
    for number, action, container, at in _said(name, text, problems):
        counted += 1
        if container in before:
            first, since = before[container]
            phase = EVENTS.get((first, action))
            if phase is not None and at < since:
                what = f"{action} comes {since - at:g} s before the {first} of the same container"
                problems.append(Problem(f"{name}:{number}:1", what, "Give the lines in the order of their times."))
            elif phase is not None and (first != "create" or at - since < EVENT_PAUSE_S):
                found[phase].append(Cell(max((at - since) * 1e3, LEAST_MS), number, 1, since))
        if (action == "kill" and before.get(container, ("",))[0] == "kill") or action == "destroy":
            before[container] = ("killed", at)  # a second signal: the time limit of the stop lies between
        elif action not in ("die", "oom") or before.get(container, ("",))[0] != "kill":
            before[container] = (action, at)
    columns = []
    for (first, second), phase in EVENTS.items():
        cells = tuple(found.get(phase, ()))
        if 0 < len(cells) < FEWEST:
            what = f"{first} is followed by {second} {len(cells)} times, too few to fit {phase}"
            problems.append(Problem(f"{name}:{cells[-1].line}:1", what, f"{FEWEST} are the least."))
        elif cells:
            columns.append(Column(phase, name, f"{first} → {second}", cells, _date(cells)))
    if not columns and not problems:
        pairs = ", ".join(f"{first} → {second}" for first, second in EVENTS)
        what = f"no pair of events in {counted} lines says how long something took"
        problems.append(Problem(f"{name}:1:1", what, f"Pairs of one container: {pairs}."))
    return columns


def _said(name: str, text: str, problems: list[Problem]) -> Iterator[tuple[int, str, str, float]]:
    """Yield line, action, container and time in s of each event of a container."""
    wrong: list[Problem] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            it = json.loads(line)
        except json.JSONDecodeError as error:
            hint = "Record them with docker events --format '{{json .}}'."
            wrong.append(Problem(f"{name}:{number}:{error.colno}", f"not JSON: {error.msg.lower()}", hint))
            continue
        try:
            if it.get("Type", "container") != "container":
                continue
            container = it.get("Actor", {}).get("ID") or it["id"]
            at = it["timeNano"] / 1e9 if "timeNano" in it else float(it["time"])
            yield number, str(it.get("Action") or it["status"]).partition(":")[0], str(container), at
        except (AttributeError, KeyError, TypeError, ValueError):
            what = "this is no event of docker: it lacks Action, Actor.ID or timeNano"
            wrong.append(Problem(f"{name}:{number}:1", what, "Record with docker events --format '{{json .}}'."))
    problems += _few(wrong)

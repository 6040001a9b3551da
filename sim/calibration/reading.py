"""Read what was measured, as samples of phases: columns of CSV files, or events of docker.

All problems of all files are told at once, with line and column. Leaves out: other separators than the comma, and
thousands separators. Source: RFC 4180.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from sim.calibration.cells import LEAST_MS, Cell, PhaseColumn, Read, Terms, Wanted, day_of, few, is_moment
from sim.calibration.events import events, is_events
from sim.calibration.fits import FEWEST
from sim.calibration.phases import AT_COLUMN, BY_NAME, DEFAULTS, LOAD_COLUMN, LOADED, NO_OP, Default
from sim.errors import InputError, Problem, nearest
from sim.scenario.profiles import LONGEST

UNITS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3, "sec": 1e3, "seconds": 1e3, "min": 60e3}
CELL = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([a-zµ]*)\s*\Z")
WHOLE = re.compile(r"(\d{1,9})(?:\.0*)?\Z", re.ASCII)
MOST_AT_ONCE = 10_000
APART = 200.0  # neighbouring values so many times apart, with a tenth of all on both sides: two units


def read_all(files: Iterable[tuple[str, str, str]], terms: Terms) -> Read:
    """Read files, each as name, text and the date of the file. Raises InputError with every problem of all."""
    problems: list[Problem] = []
    columns: list[PhaseColumn] = []
    left_out: list[tuple[str, str]] = []
    for name, text, date in files:
        if is_events(text):
            found = events(name, text, problems)
        else:
            found = _csv(name, text, terms, problems, left_out)
        columns += [it._replace(date=terms.date or it.date or date) for it in found]
    if problems:
        raise InputError(problems)
    return Read(tuple(columns), tuple(left_out), ())


# -- CSV --------------------------------------------------------------------------------------------


def _csv(
    name: str, text: str, terms: Terms, problems: list[Problem], left_out: list[tuple[str, str]]
) -> list[PhaseColumn]:
    """Return the columns of a CSV file that stand for phases."""
    rows = _rows(name, text, problems)
    if rows is None:
        return []
    header = [it.strip() for it in rows[0][1]] if rows else []
    if not any(header):
        problems.append(Problem(f"{name}:1:1", "the file is empty", "It begins with the names of its columns."))
        return []
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        problems.append(Problem(f"{name}:1:1", "the columns are not separated by commas", "Write a,b,c."))
        return []
    for place, column in enumerate(header):
        if column and column in header[:place]:
            at = 1 + sum(len(it) + 1 for it in header[:place])
            hint = "Give each column a name of its own."
            problems.append(Problem(f"{name}:1:{at}", f"there are two columns {column[:60]!r}", hint))
            return []
    lines = [(number, row) for number, row in rows[1:] if any(it.strip() for it in row)]
    if not lines:
        what = "no row stands below the names of the columns"
        problems.append(Problem(f"{name}:1:1", what, "Write one for each thing that was measured."))
        return []
    for number, row in lines:
        if len(row) != len(header):
            what = f"this row has {len(row)} fields, the first line {len(header)}"
            problems.append(Problem(f"{name}:{number}:1", what, "Quote fields that hold a comma."))
            return []
    table = [(number, dict(zip(header, map(str.strip, row), strict=True))) for number, row in lines]
    table = _chosen(name, header, table, terms, problems)
    problems += _wrong_moments(name, header, table)
    loads = _loads(name, header, table, terms, problems)
    wanted = _wanted(name, header, table, terms, problems, left_out)
    found = [_column(name, header, table, it, terms, loads, problems) for it in wanted]
    return [it for it in found if it is not None and it.cells]


def _rows(name: str, text: str, problems: list[Problem]) -> list[tuple[int, list[str]]] | None:
    """Return the rows of a file, each with the line in which it begins; None if the file is no CSV."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=None), strict=True)
    rows: list[tuple[int, list[str]]] = []
    begins = 1
    try:
        for row in reader:
            rows.append((begins, row))
            begins = reader.line_num + 1
    except csv.Error as error:
        problems.append(Problem(f"{name}:{begins}:1", *_no_csv(str(error))))
        return None
    return rows


def _no_csv(said: str) -> tuple[str, str]:
    """Return what is wrong and a hint, for what the csv module *said*."""
    if "end of data" in said:
        return "a quote in this row is not closed", 'Close it; a quote within quotes is written "".'
    if "field limit" in said:
        what = f"a field of this row has more than {csv.field_size_limit()} characters"
        return what, "Close its quote, if it has one."
    if "expected after" in said:
        return "a field of this row goes on after its closing quote", 'A quote within quotes is written "".'
    return f"not CSV: {said}", ""


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
    name: str, header: Sequence[str], table: Table, wanted: Wanted, terms: Terms, loads: dict[int, int],
    problems: list[Problem],
) -> PhaseColumn | None:  # fmt: skip
    """Return one phase's values; note what is wrong with any of them."""
    if wanted.where is not None and wanted.where[0] in header:
        table = [row for row in table if row[1][wanted.where[0]] == wanted.where[1]]
    elif wanted.where is not None and wanted.where[1] == "port":
        return None
    if wanted.phase not in LOADED:  # the finer ones are fitted alone, where one start goes on at a time
        table = [row for row in table if loads.get(row[0], 1) == 1]
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
        cells.append(Cell(max(value, LEAST_MS), number, loads.get(number, 1), _moment(row)))
    values = [it.value for it in cells]
    place = f"{name}:1:{_start(dict(zip(header, header, strict=True)), header.index(names[0]))}"
    if len(suffixes) > 1:
        said = ", ".join(f"{len(at)} in {unit or 'no unit'}" for unit, at in sorted(suffixes.items()))
        place = min(suffixes.values(), key=len)[0]
        wrong.append(Problem(place, f"{names[0]} has mixed units: {said}", "Give every row the same."))
    elif not wrong and (two := _two_units(cells)):
        place = f"{name}:{two[1]}:{_start(dict(table)[two[1]], header.index(names[0]))}"
        wrong.append(Problem(place, f"{wanted.column} has mixed units: {two[0]}", "Give every row the same."))
    wrong = few(wrong)
    if not wrong and not values:
        if terms.wanted:
            wrong.append(Problem(place, f"{wanted.column} has no numbers", "Name another column with --phase."))
    elif not wrong and len(values) < FEWEST:
        what = f"{wanted.column} has {len(values)} row{'s' * (len(values) > 1)}, too few to fit {wanted.phase}"
        wrong.append(Problem(place, what, f"{FEWEST} are the least, 20 say something, 100 are good."))
    problems += wrong
    return PhaseColumn(wanted.phase, name, wanted.column, tuple(cells), day_of(cells))


def _without_unit(name: str, names: Sequence[str], table: Table, unit: str) -> list[Problem]:
    """Refuse columns that say their unit neither by name nor in every field."""
    found = []
    for column in names:
        bare = [row[column] for _, row in table if row[column] and row[column][-1].isdigit()]
        if bare and not (unit or unit_of(column)):
            hint = f"Name the column {column}_ms, or say --unit ms. Units: {', '.join(UNITS)}."
            found.append(Problem(f"{name}:1:1", f"the unit of {column} is not known", hint))
    return found


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
    value = float(found[1]) * UNITS[said]
    if abs(value) > LONGEST:
        hint = f"A profile holds times up to {LONGEST:.0f} ms. Is the unit right?"
        return Problem(where, f"{column} is {value:g} ms, longer than anything that is modelled", hint)
    return value


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


def _loads(name: str, header: Sequence[str], table: Table, terms: Terms, problems: list[Problem]) -> dict[int, int]:
    """Return how many starts there were at once, by line; a table without such a column is of one at a time."""
    column = terms.load or LOAD_COLUMN
    if column not in header:
        if terms.load:
            problem = _no_column(name, column, header)
            hint = f"{problem.hint} Where one start goes on at a time, it is a column of 1, or there is no --load."
            problems.append(Problem(problem.where, problem.what, hint))
        return {}
    found: dict[int, int] = {}
    wrong: list[Problem] = []
    for number, row in table:
        load = WHOLE.match(row[column])
        if load and 0 < int(load[1]) <= MOST_AT_ONCE:
            found[number] = int(load[1])
            continue
        what = f"{column} is {row[column][:40]!r}, no number of starts at once"
        place = f"{name}:{number}:{_start(row, header.index(column))}"
        wrong.append(Problem(place, what, f"Write a whole number from 1 to {MOST_AT_ONCE}; 1 is one at a time."))
    problems += few(wrong)
    return found


def _wrong_moments(name: str, header: Sequence[str], table: Table) -> list[Problem]:
    """Refuse numbers that cannot say when a row was measured."""
    found = []
    for number, row in table:
        at = _moment(row)
        if at is not None and not is_moment(at):
            what = f"{AT_COLUMN} is {row[AT_COLUMN][:40]!r}, no unix time"
            place = f"{name}:{number}:{_start(row, header.index(AT_COLUMN))}"
            found.append(Problem(place, what, "Write seconds since 1970, or leave the field empty."))
    return few(found)


def _moment(row: dict[str, str]) -> float | None:
    """Return when a row was measured, as it says; None where it does not."""
    try:
        return float(row[AT_COLUMN])
    except (KeyError, ValueError):
        return None

"""What is read of measurements: values with their lines, columns of them, and how they are asked for.

Leaves out how they are read (`sim.calibration.reading`, `sim.calibration.events`).
Source: none; values of this package.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sim.calibration.phases import BY_NAME
from sim.errors import Problem

MOST_PROBLEMS = 8  # of one column
LEAST_MS = 0.001
LATEST_S = 1e10  # of unix time, either way: there a float still tells moments LEAST_MS apart


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


class PhaseColumn(NamedTuple):
    """All values of one phase in one file."""

    phase: str
    file: str
    column: str
    cells: tuple[Cell, ...]
    date: str


class Read(NamedTuple):
    """What files gave, and which of their columns are not used, with the reason."""

    columns: tuple[PhaseColumn, ...]
    left_out: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


class Terms(NamedTuple):
    """How to read: *wanted* instead of the columns that are known by name, rows in which *where* holds, units.

    *load* is the column that says how many starts there were at once, by default LOAD_COLUMN where there is one;
    *phases* are those that are looked for.
    """

    wanted: tuple[Wanted, ...] = ()
    where: tuple[tuple[str, str], ...] = ()
    unit: str = ""
    load: str = ""
    date: str = ""
    phases: frozenset[str] = frozenset(BY_NAME)


def few(wrong: list[Problem]) -> list[Problem]:
    """Return problems of one column, of many the first ones."""
    if len(wrong) <= MOST_PROBLEMS:
        return wrong
    more = len(wrong) - MOST_PROBLEMS + 1
    return [*wrong[: MOST_PROBLEMS - 1], Problem(wrong[MOST_PROBLEMS - 1].where, f"and {more} more like these", "")]


def day_of(cells: Sequence[Cell]) -> str:
    """Return the day on which the first row was measured, if the rows say so."""
    known = [it.at for it in cells if it.at is not None]
    return day(min(known)) if known and 0 < min(known) < 1e11 else ""


def is_moment(seconds: float) -> bool:
    """Return whether a number can be a unix time; one that is not finite cannot."""
    return abs(seconds) <= LATEST_S


def day(seconds: float) -> str:
    """Return a unix time's day, UTC.

    >>> day(0)
    '1970-01-01'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")

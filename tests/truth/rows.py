"""What was seen of real engines: a folder an experiment, in it what was done and a row for each thing that was seen.

`scenario.yaml` is what was done, in the scenario language, without `expect:`. `rows.csv` has a line for each fact,
with the columns of `Row`. Leaves out how rows are judged (`kinds`, `judge`). Source: docs/truth.md, which says how to
add one.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "experiments"
MARKS = {
    "predicted": "the model was not made from it",
    "fitted": "a profile was made from it: never counts as a prediction",
    "unsayable": "the scenario language, or a kind of row, is missing for it: not asked, counted apart",
}
NUMBERS = ("command s", "seconds", "dark s", "pid gap")  # kinds whose rows need a tolerance
LOOP = "loop"  # the tolerance of events of a crash loop: the same words, and about as many ends


class Row(NamedTuple):
    """One fact of a real engine; the fields are the columns of rows.csv, but for the experiment.

    *kind* is a name of `kinds.KINDS`; *moment* an instant, `INSTANT since INSTANT` or `INSTANT..INSTANT`. *tolerance*
    is `LOW..HIGH` around a number, and *spread* says what it was taken from: repeats, never the model. *happened* says
    whether the row tells of a change. Rows with one *cause* follow from one rule. *source* is the recording's file.
    """

    kind: str
    subject: str
    moment: str
    expected: str
    tolerance: str
    spread: str
    happened: str
    cause: str
    mark: str
    engine: str
    source: str
    experiment: str

    @property
    def key(self) -> str:
        """Return what names the row in right.txt."""
        words = (self.experiment, self.kind, self.subject, self.moment)
        return " | ".join(words) + (f" | {self.expected}" if self.kind == "text" else "")

    @property
    def bounds(self) -> tuple[float, float]:
        """Return the lowest and the highest value that agrees."""
        low, _, high = self.tolerance.partition("..")
        return float(low), float(high)

    @property
    def instants(self) -> tuple[str, str]:
        """Return both instants of `A since B` or `A..B`; the second is empty where there is one alone."""
        for sign in (" since ", ".."):
            first, found, second = self.moment.partition(sign)
            if found:
                return first.strip(), second.strip()
        return self.moment, ""


COLUMNS = Row._fields[:-1]


class Experiment(NamedTuple):
    """A folder: its name, what was done, and what was seen."""

    name: str
    scenario: str
    rows: tuple[Row, ...]


def experiments(folder: Path = FOLDER) -> Iterator[Experiment]:
    """Read all folders, in the order of their names. Raises ValueError with file and line."""
    for path in sorted(it for it in folder.iterdir() if it.is_dir()):
        yield read(path)


def read(path: Path) -> Experiment:
    """Read one folder. Raises ValueError with file and line."""
    scenario = (path / "scenario.yaml").read_text(encoding="utf-8")
    if re.search(r"^expect:", scenario, re.MULTILINE):
        raise ValueError(f"{path / 'scenario.yaml'}: what is expected stands in rows.csv")
    with (path / "rows.csv").open(encoding="utf-8", newline="") as text:
        lines = csv.DictReader(text, strict=True)
        if tuple(lines.fieldnames or ()) != COLUMNS:
            raise ValueError(f"{path / 'rows.csv'}:1: the columns are {','.join(COLUMNS)}")
        rows = tuple(_row(path, lines.line_num, cells) for cells in lines)
    keys = [row.key for row in rows]
    twice = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    if twice:
        raise ValueError(f"{path / 'rows.csv'}: two rows are about one thing: {twice[0]}")
    return Experiment(path.name, scenario, rows)


def _row(path: Path, line: int, cells: dict[str, str]) -> Row:
    where = f"{path / 'rows.csv'}:{line}"
    if None in cells or None in cells.values():
        raise ValueError(f"{where}: there are {len(COLUMNS)} columns")
    row = Row(**{key: cell.strip() for key, cell in cells.items()}, experiment=path.name)
    wrong = _wrong(row)
    if wrong:
        raise ValueError(f"{where}: {wrong}")
    return row


def _wrong(row: Row) -> str:
    """Return what is wrong with a row, or nothing."""
    if row.mark not in MARKS:
        return f"mark {row.mark!r}: one of {', '.join(MARKS)}"
    if row.happened not in ("yes", "no"):
        return f"happened {row.happened!r}: yes or no"
    if not (row.engine and row.source):
        return "which engine and version, and where it was recorded, is missing"
    if row.mark == "unsayable":
        return "" if row.cause else "the cause says what is missing"
    if (row.kind in NUMBERS or row.tolerance) and not row.spread:
        return "the spread says which repeats the tolerance was taken from"
    if row.kind in NUMBERS:
        low, high = row.bounds
        if not low <= float(row.expected) <= high:
            return f"{row.expected} is not within its own tolerance, {row.tolerance}"
    return ""

"""The tables of source branches: NAME.csv, a row each branch of the functions that functions.csv names.

A row has the branch as `branches` finds it, and either the op that takes it in the model (`procedure.op`, of the design
that `design_of` says) or the reason why none does. A reason begins with a word of `REASONS`; what is particular may
follow a colon.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from tests.source.branches import Branch, branches, has

FOLDER = Path(__file__).parent
DESIGN = "docker-1.13"  # where no other is named
LATER = {  # table -> the design that has its ops
    "containerd-1.7": "docker-26",
    "docker-26.1.5-daemon": "docker-26",
    "podman-5.4": "podman",
}
REASONS = {  # how a reason begins -> what it says
    "other platform": "Windows and Solaris, or a kernel without what every host here has",
    "only logs": "the engine writes a line to its own log and goes on",
    "passes on": "an error on its way to a branch that has an op, or a look-up that decides nothing by itself",
    "bad input": "what a request or a setting may be refused for before anything happens; a scenario refuses it itself",
    "told by a view": "words of docker ps and docker inspect, which a view makes from the same state",
    "cannot happen": "no world of the model, or no run of the engine itself, comes here",
    "not modelled": "a part of the engine that the model leaves out: swarm, checkpoints, plugins, links, full disks …",
    "missing": "decides an outcome and ought to be modelled",
}


@dataclass(frozen=True)
class Row:
    """A branch, and what stands for it in the model."""

    file: str
    function: str
    line: int
    kind: str
    op: str
    reason: str

    @property
    def place(self) -> tuple[str, str, int, str]:
        """Where the branch stands in the source, and its kind."""
        return self.file, self.function, self.line, self.kind

    @property
    def why(self) -> str:
        """How the reason begins."""
        return self.reason.partition(":")[0]

    @property
    def what(self) -> str:
        """What the reason tells beside that."""
        return self.reason.partition(":")[2].strip()


@dataclass(frozen=True)
class Listed:
    """The functions of one file that a table has the branches of."""

    table: str
    tag: str
    file: str
    functions: frozenset[str]


def listed() -> list[Listed]:
    """Return which functions of which files the tables are about."""
    with (FOLDER / "functions.csv").open(encoding="utf-8", newline="") as file:
        return [
            Listed(it["table"], it["tag"], it["file"], frozenset(it["functions"].split()))
            for it in csv.DictReader(file)
        ]


def tables() -> list[str]:
    """Return the names of the tables."""
    return sorted({it.table for it in listed()})


def design_of(table: str) -> str:
    """Return the design whose ops a table names."""
    return LATER.get(table, DESIGN)


def path(table: str) -> Path:
    """Return the file of a table."""
    return FOLDER / f"{table}.csv"


def read(table: str) -> list[Row]:
    """Return the rows of a table."""
    with path(table).open(encoding="utf-8", newline="") as opened:
        rows = list(csv.reader(opened))[1:]
    return [Row(file, function, int(line), *rest) for file, function, line, *rest in rows]


def write(table: str, rows: Iterable[Row]) -> None:
    """Write a table."""
    with path(table).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [it.name for it in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def found(table: str, source: Callable[[str, str], bytes]) -> list[Branch]:
    """Return the branches that a table should have; *source* reads a file at a tag."""
    return [
        branch
        for it in sorted(listed(), key=lambda it: it.file)
        if it.table == table
        for branch in branches(it.file, source(it.tag, it.file), it.functions)
    ]


def anew(table: str, branches: Iterable[Branch]) -> list[Row]:
    """Return the rows for *branches*, with what the table says of those that it has already."""
    old = {it.place: it for it in read(table)} if path(table).exists() else {}
    return [old.get(it.place, Row(*it.place, op="", reason="")) for it in branches]


def place_of(table: str, places: Iterable[Path]) -> Path | None:
    """Return the first of *places* that has the files of a table; None if none has."""
    files = [it for it in listed() if it.table == table]
    return next((place for place in places if all(has(place, it.tag, it.file) for it in files)), None)

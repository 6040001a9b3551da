"""The fault matrix as plain data: what each fault makes of a container on each design, in a few words and figures.

A cell's words are those of `ASPECTS`; "–" says that the question does not arise. Times are in seconds, `inf` is "not
back when the window closed". Leaves out how words are found (`sim.experiment.matrix`) and printed (`sim.render`).
Source: the columns of the fault tables in designs §2 to §5.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

NONE = "–"  # there is no such fault, or nothing to ask


class Aspect(NamedTuple):
    """One question of a cell: its heading, what it asks, and its words, the worst last."""

    head: str
    meaning: str
    words: tuple[str, ...]


EXITS = ("exact", "wrong", "lost", "never")  # as the engine tells it: another code, 255 or -1, not at all
ASPECTS: dict[str, Aspect] = {
    "now": Aspect("at once", "the process of web, half a second after the fault", ("lives", "dies")),
    "end": Aspect("later", "its process when the fault is over: the same, a new one, none", ("same", "new", "none")),
    "deaf": Aspect("deaf", "the same of a program that does not hear TERM", ("same", "new", "none")),
    "exit": Aspect("exit", "exit code of the process that ran, once it ends", EXITS),
    "left": Aspect("left", "exit code of a program that leaves by itself just after the fault", EXITS),
    "remote": Aspect("remote", "the published port for clients elsewhere", ("open", "gap", "dark")),
    "loopback": Aspect("loopback", "for clients on the host by 127.0.0.1", ("open", "gap", "dark")),
    "container": Aspect("bridge", "for containers, by the host's address", ("open", "gap", "dark")),
    "api": Aspect("API", "whether the engine answers", ("up", "gap", "dark")),
    "view": Aspect("engine", "what it says of all containers, when the fault is over and after the next death",
                   ("right", "silent", "wrong")),
    "log": Aspect("log", "what becomes of what chat prints: it flows, waits, or is lost", ("flows", "stalls", "lost")),
    "exec": Aspect("exec", "a session of docker exec in web", ("kept", "cut")),
    "next": Aspect("next", "whether a later death of web is followed by a start", ("again", "nothing")),
}  # fmt: skip


class Cell(msgspec.Struct, frozen=True):
    """What one fault does on one design: *step* is how the fault was written, "" if the design has none such,
    *refused* why the model has no rule for it there.

    *words* has a word for each aspect; *seconds* the longest time that ports of each class and the API were dark.
    *unlike* are the aspects in which some of *runs* runs had another word. *counts* says of a host of one's own how
    many containers kept their process (same), have a new one, or none.
    """

    design: str
    live_restore: bool | None
    fault: str
    step: str = ""
    words: dict[str, str] = {}
    seconds: dict[str, float] = {}
    refused: str = ""
    runs: int = 0
    unlike: tuple[str, ...] = ()
    counts: dict[str, int] = {}

    @property
    def row(self) -> str:
        """Return the name of the cell's row."""
        return row_name(self.design, self.live_restore)


class FaultRow(msgspec.Struct, frozen=True):
    """One fault of the matrix, in words."""

    name: str
    title: str


class Matrix(msgspec.Struct, frozen=True):
    """The matrix: rows are designs, with and without live-restore where there is any; columns are faults.

    *own*: it is of somebody's own host with so many *containers*, and not of the one that was made for it.
    """

    name: str
    title: str
    faults: tuple[FaultRow, ...]
    cells: tuple[Cell, ...]
    seeds: int
    window_s: float
    own: bool = False
    containers: int = 0

    @property
    def rows(self) -> tuple[str, ...]:
        """Return the names of the rows in order."""
        return tuple(dict.fromkeys(cell.row for cell in self.cells))

    def cell(self, row: str, fault: str) -> Cell:
        """Return the cell of a row and a fault; raise KeyError if there is none."""
        for cell in self.cells:
            if (cell.row, cell.fault) == (row, fault):
                return cell
        raise KeyError((row, fault))


def row_name(design: str, live_restore: bool | None) -> str:
    """Return what a row is called: the design, with +LR where live-restore is on.

    >>> row_name("docker-26", True), row_name("docker-26", False), row_name("podman", None)
    ('docker-26 +LR', 'docker-26', 'podman')
    """
    return f"{design} +LR" if live_restore else design

"""A program: its procedures, and what it does with signals."""

from __future__ import annotations

from sim.engine.procedure import Procedure
from sim.kernel.signals import Signal


class Program:
    """A program of a design; *handlers* pairs signals with the names of its procedures.

    *counts* names what it counts up and compares with itself alone, so that no limit is ever reached: memory as
    `PROGRAM.KEY`, a variable as `PROCEDURE.NAME`, files by path or glob, and `message KIND` for the number in its data.

    >>> Program("proxy", (), handlers={"TERM": "close"}).handlers
    (('TERM', 'close'),)
    """

    def __init__(
        self,
        name: str,
        procedures: tuple[Procedure, ...],
        handlers: dict[Signal, str] | None = None,
        ignored: frozenset[Signal] = frozenset(),
        counts: frozenset[str] = frozenset(),
    ) -> None:
        self.name, self.procedures = name, procedures
        self.handlers = tuple((handlers or {}).items())
        self.ignored, self.counts = ignored, counts

    def with_tables(self, *tables: Procedure, without: tuple[str, ...] = ()) -> Program:
        """Return this program with *tables* in place of those of the same names, or besides; *without* some."""
        mine = {table.name: table for table in (*self.procedures, *tables) if table.name not in without}
        return Program(self.name, tuple(mine.values()), dict(self.handlers), self.ignored, self.counts)

    def __repr__(self) -> str:
        return f"Program({self.name!r})"

"""A program: its procedures, and what it does with signals."""

from __future__ import annotations

from collections.abc import Callable

from sim.engine.procedure import Procedure
from sim.kernel.signals import Signal
from sim.world import World


class Program:
    """A program of a design; *handlers* pairs signals with the names of its procedures.

    *stalls_as* is what a report calls it among those that a fault may stall, such as "daemon"; "" if none stalls it.
    *cleans_up* says whether a process of it that works will end what lives of a container whose shim has died; None if
    that is no business of the program.

    >>> Program("proxy", (), handlers={"TERM": "close"}).handlers
    (('TERM', 'close'),)
    """

    def __init__(
        self,
        name: str,
        procedures: tuple[Procedure, ...],
        handlers: dict[Signal, str] | None = None,
        ignored: frozenset[Signal] = frozenset(),
        *,
        stalls_as: str = "",
        cleans_up: Callable[[World, str], bool] | None = None,
    ) -> None:
        self.name, self.procedures = name, procedures
        self.handlers = tuple((handlers or {}).items())
        self.ignored = ignored
        self.stalls_as = stalls_as
        self.cleans_up = cleans_up

    def with_tables(self, *tables: Procedure, without: tuple[str, ...] = ()) -> Program:
        """Return this program with *tables* in place of those of the same names, or besides; *without* some."""
        mine = {table.name: table for table in (*self.procedures, *tables) if table.name not in without}
        return Program(
            self.name,
            tuple(mine.values()),
            dict(self.handlers),
            self.ignored,
            stalls_as=self.stalls_as,
            cleans_up=self.cleans_up,
        )

    def __repr__(self) -> str:
        return f"Program({self.name!r})"

"""A program: its procedures, what it does with signals, whose child it lives as, and whether a fault may stall it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.engine.procedure import Procedure
from sim.kernel.records import INIT, Pid
from sim.kernel.signals import Signal
from sim.world import World

PID_1 = "init"  # the program of PID 1


class Program:
    """A program of a design; *handlers* pairs signals with the names of its procedures.

    *home* is the program whose child it lives as while nothing has gone wrong: `init` for what systemd starts and for
    what daemonizes on purpose (its first parent leaves as soon as it has started it). "" is an errand's, or a child's
    of a container, which is at home wherever it was started, but never under PID 1.

    *stalls_as* is what a report calls it among those that a fault may stall, such as "daemon"; "" if none stalls it.
    *cleans_up* says whether a process of it that works will end what lives of a container whose shim has died; None if
    that is no business of the program.

    *counts* names what it counts up and compares with itself alone, so that no limit is ever reached: memory as
    `PROGRAM.KEY`, a variable as `PROCEDURE.NAME`, files by path or glob, and `message KIND` for the number in its data.

    >>> Program("proxy", (), handlers={"TERM": "close"}, home="dockerd").handlers
    (('TERM', 'close'),)
    """

    def __init__(
        self,
        name: str,
        procedures: tuple[Procedure, ...],
        handlers: dict[Signal, str] | None = None,
        ignored: frozenset[Signal] = frozenset(),
        *,
        home: str = "",
        stalls_as: str = "",
        cleans_up: Callable[[World, str], bool] | None = None,
        counts: frozenset[str] = frozenset(),
    ) -> None:
        self.name, self.procedures, self.home = name, procedures, home
        self.handlers = tuple((handlers or {}).items())
        self.ignored, self.counts = ignored, counts
        self.stalls_as = stalls_as
        self.cleans_up = cleans_up

    def with_tables(self, *tables: Procedure, without: tuple[str, ...] = ()) -> Program:
        """Return this program with *tables* in place of those of the same names, or besides; *without* some."""
        mine = {table.name: table for table in (*self.procedures, *tables) if table.name not in without}
        return self._like(procedures=tuple(mine.values()))

    def under(self, home: str) -> Program:
        """Return this program as a design has it in which it lives as the child of another."""
        return self._like(home=home)

    def _like(self, **fields: Any) -> Program:
        mine = {**vars(self), "handlers": dict(self.handlers), **fields}
        return Program(**mine)

    def __repr__(self) -> str:
        return f"Program({self.name!r})"


def home_of(world: World, pid: Pid) -> str:
    """Return whose child a process lives as by the design that it belongs to; "" if that is not said."""
    program = world.design.of(world, pid).programs.get(world.host.procs[pid].image.program)
    return "" if program is None else str(program.home)


def is_orphan(world: World, pid: Pid) -> bool:
    """Return whether PID 1 has a process that lives elsewhere by its design: the parent that it had has died."""
    return world.host.procs[pid].ppid == INIT and home_of(world, pid) != PID_1

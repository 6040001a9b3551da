"""A program: its procedures, what it does with signals, and whose child it lives as."""

from __future__ import annotations

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

    >>> Program("proxy", (), handlers={"TERM": "close"}, home="dockerd").handlers
    (('TERM', 'close'),)
    """

    def __init__(
        self,
        name: str,
        procedures: tuple[Procedure, ...],
        handlers: dict[Signal, str] | None = None,
        ignored: frozenset[Signal] = frozenset(),
        home: str = "",
    ) -> None:
        self.name, self.procedures, self.home = name, procedures, home
        self.handlers = tuple((handlers or {}).items())
        self.ignored = ignored

    def with_tables(self, *tables: Procedure, without: tuple[str, ...] = ()) -> Program:
        """Return this program with *tables* in place of those of the same names, or besides; *without* some."""
        mine = {table.name: table for table in (*self.procedures, *tables) if table.name not in without}
        return Program(self.name, tuple(mine.values()), dict(self.handlers), self.ignored, self.home)

    def under(self, home: str) -> Program:
        """Return this program as a design has it in which it lives as the child of another."""
        return Program(self.name, self.procedures, dict(self.handlers), self.ignored, home)

    def __repr__(self) -> str:
        return f"Program({self.name!r})"


def home_of(world: World, pid: Pid) -> str:
    """Return whose child a process lives as by the design that it belongs to; "" if that is not said."""
    program = world.design.of(world, pid).programs.get(world.host.procs[pid].image.program)
    return "" if program is None else str(program.home)


def is_orphan(world: World, pid: Pid) -> bool:
    """Return whether PID 1 has a process that lives elsewhere by its design: the parent that it had has died."""
    return world.host.procs[pid].ppid == INIT and home_of(world, pid) != PID_1

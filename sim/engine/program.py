"""A program: its procedures, what it does with signals, and its role on the host."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from msgspec.structs import replace

from sim.engine.procedure import Procedure
from sim.engine.role import Kind, Role
from sim.kernel.records import INIT, Pid
from sim.kernel.signals import Signal
from sim.world import World

ERRAND = Role(kind=Kind.ERRAND, brief=True)


class Reader(NamedTuple):
    """A goroutine of a program that takes a queue's messages of all containers one after the other."""

    goroutine: str
    queue: str


class Program:
    """A program of a design; *handlers* pairs signals with the names of its procedures.

    *role* says what it is to its host. *cleans_up* says whether a process of it that works will end what lives of a
    container whose shim has died; None if that is no business of the program. *is_done* returns whether a process of it
    has seen the end of what it held, and holds nothing more; None if it leaves at once then. *readers* are loops that
    let containers wait for one another. *counts* names what it counts up and compares with itself alone, so that no
    limit is ever reached: memory as `PROGRAM.KEY`, a variable as `PROCEDURE.NAME`, files by path or glob, and
    `message KIND` for the number in its data.

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
        role: Role = ERRAND,
        cleans_up: Callable[[World, str], bool] | None = None,
        is_done: Callable[[World, Pid], bool] | None = None,
        readers: tuple[Reader, ...] = (),
        counts: frozenset[str] = frozenset(),
    ) -> None:
        self.name, self.procedures, self.role = name, procedures, role
        self.handlers = tuple((handlers or {}).items())
        self.ignored, self.counts = ignored, counts
        self.cleans_up, self.is_done, self.readers = cleans_up, is_done, readers

    def with_tables(self, *tables: Procedure, without: tuple[str, ...] = ()) -> Program:
        """Return this program with *tables* in place of those of the same names, or besides; *without* some."""
        mine = {table.name: table for table in (*self.procedures, *tables) if table.name not in without}
        return self._like(procedures=tuple(mine.values()))

    def with_role(self, **fields: Any) -> Program:
        """Return this program in a role that differs in *fields*: whose child it is on another host, what it weighs."""
        return self._like(role=replace(self.role, **fields))

    def under(self, home: str) -> Program:
        """Return this program as a design has it in which it lives as the child of another."""
        return self.with_role(home=home)

    def _like(self, **fields: Any) -> Program:
        mine = {**vars(self), "handlers": dict(self.handlers), **fields}
        return Program(**mine)

    def __repr__(self) -> str:
        return f"Program({self.name!r})"


@cache
def readers_of(design: Any) -> tuple[tuple[str, Reader], ...]:
    """Return with their programs the loops of a design by which containers wait for one another.

    What is farthest from people comes first. A version may do without a loop of the program that it shares with others:
    then it has no such procedure.
    """
    programs = sorted(design.programs.values(), key=lambda program: -program.role.order)
    found = ((program.name, reader) for program in programs for reader in program.readers)
    return tuple((name, reader) for name, reader in found if f"{name}.{reader.goroutine}" in design.procedures)


def home_of(world: World, pid: Pid) -> str:
    """Return whose child a process lives as by the design that it belongs to; "" if that is not said."""
    program = world.design.of(world, pid).programs.get(world.host.procs[pid].image.program)
    return "" if program is None else str(program.role.home)


def is_at_home_under_init(world: World, pid: Pid) -> bool:
    """Return whether a process lives as a child of PID 1 by its design."""
    return home_of(world, pid) == world.host.procs[INIT].image.program


def adopts(world: World, pid: Pid) -> bool:
    """Return whether a process starts the engine's units and gets its orphans: PID 1, or a subreaper of the host."""
    if pid == INIT:
        return True
    process = world.host.procs.get(pid)
    if process is None or not process.subreaper:
        return False
    role = world.design.roles.get(process.image.program)
    return role is not None and role.kind is Kind.STRANGER


def is_orphan(world: World, pid: Pid) -> bool:
    """Return whether PID 1 or the subreaper of the host has a process that lives elsewhere by its design."""
    return adopts(world, world.host.procs[pid].ppid) and not is_at_home_under_init(world, pid)

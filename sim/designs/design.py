"""A design: an engine, programs by name, what it has of words and numbers, and where its facts come from."""

from __future__ import annotations

from functools import cached_property

from sim.engine import paths
from sim.engine.engine import PLAIN, Engine
from sim.engine.procedure import Procedure
from sim.engine.program import Program
from sim.engine.role import SUPERVISOR, Kind, Role, Stage
from sim.engine.traits import Traits
from sim.engines.host.systemd.program import Systemd
from sim.engines.host.systemd.unit import UnitFile
from sim.kernel import syscalls
from sim.kernel.records import Pid
from sim.world import Turn, World

PLAIN_TRAITS = Traits()


class Design:
    """The programs of an engine, and all their procedures by full name."""

    def __init__(
        self,
        name: str,
        title: str,
        source: str,
        programs: tuple[Program, ...],
        traits: Traits = PLAIN_TRAITS,
        engine: Engine = PLAIN,
    ) -> None:
        self.name, self.title, self.source, self.traits, self.engine = name, title, source, traits, engine
        self.releases: dict[str, Design] = {name: self}  # the versions that a host gets; one, unless it is upgraded
        self.programs = {program.name: program for program in programs}
        found = [program.units for program in programs if isinstance(program, Systemd)]
        self.units: dict[str, UnitFile] = dict(found[0]) if found else {}
        self.procedures: dict[str, Procedure] = {p.name: p for program in programs for p in program.procedures}
        self.roles: dict[str, Role] = {program.name: program.role for program in programs}
        self.stages: dict[str, Stage] = {it.name: it for role in self.roles.values() for it in role.stages}
        self.holders = tuple(name for name, role in self.roles.items() if role.kind is Kind.HOLDER and not role.brief)

    @cached_property
    def runtime_roots(self) -> tuple[str, ...]:
        """Return the folders in which the runtimes of a host's versions keep the states of containers."""
        return tuple(dict.fromkeys(design.traits.runtime_root for design in self.releases.values()))

    def of_kind(self, *kinds: Kind) -> tuple[str, ...]:
        """Return the roles of some kinds, in the order in which lists have them.

        >>> from sim.designs import DESIGNS
        >>> DESIGNS["docker-1.13"].of_kind(Kind.DAEMON, Kind.GUEST)
        ('dockerd', 'containerd', 'journald')
        """
        mine = [(role.order, name) for name, role in self.roles.items() if role.kind in kinds]
        return tuple(name for _, name in sorted(mine))

    def meant_by(self, role: str) -> tuple[str, ...]:
        """Return the programs that the role of a target stands for: a supervisor is whoever holds a container."""
        if role in self.stages:
            return self.stages[role].programs
        return self.holders if role == SUPERVISOR else (role,)

    def of(self, world: World, pid: Pid) -> Design:
        """Return the design that a process of *world* belongs to."""
        return self

    def installed(self, world: World) -> Design:
        """Return the design whose files are on the disk."""
        return self

    def install(self, turn: Turn, version: str) -> None:
        """Put another version's files on the disk."""
        syscalls.write_file(turn, paths.INSTALLED, version)

    def owner(self, world: World, program: str, path: str) -> Design | None:
        """Return the design that a program's file on the disk is of; None if no file is called *path*."""
        found = self.programs.get(program)
        return None if found is None or self.traits.words.lacks(found.role.words, path) else self

    def unit_files(self, world: World) -> dict[str, UnitFile]:
        """Return by name the unit files that are on the disk."""
        return self.units

    def containerd_io(self, world: World) -> Design | None:
        """Return the design whose containerd.service there is; None if there is none."""
        return self if self.traits.containerd_unit is not None else None

    def named(self, world: World, pid: Pid, procedure: str) -> str:
        """Return the full name of a procedure of the design that a process belongs to."""
        return procedure

    def programs_with(self, *programs: Program, without: tuple[str, ...] = ()) -> tuple[Program, ...]:
        """Return the programs with others in place of those of the same names, or besides; *without* some."""
        mine = {name: program for name, program in self.programs.items() if name not in without}
        return tuple((mine | {program.name: program for program in programs}).values())

    def like(self, name: str, title: str, source: str, *programs: Program) -> Design:
        """Return this design with other *programs* in place of those of the same names."""
        return Design(name, title, source, self.programs_with(*programs), self.traits, self.engine)

    def __repr__(self) -> str:
        return f"Design({self.name!r})"

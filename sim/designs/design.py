"""A design: programs by name, what it has of words and numbers, and where its facts come from."""

from __future__ import annotations

from sim.designs.vocabulary import DOCKER, Vocabulary
from sim.engine.procedure import Procedure
from sim.engine.program import Program
from sim.engine.traits import DOCKER_1_13, Traits
from sim.kernel.records import Pid
from sim.world import World


class Design:
    """The programs of an engine, and all their procedures by full name."""

    def __init__(
        self,
        name: str,
        title: str,
        source: str,
        programs: tuple[Program, ...],
        traits: Traits = DOCKER_1_13,
        vocabulary: Vocabulary = DOCKER,
    ) -> None:
        self.name, self.title, self.source, self.traits, self.vocabulary = name, title, source, traits, vocabulary
        self.programs = {program.name: program for program in programs}
        self.procedures: dict[str, Procedure] = {p.name: p for program in programs for p in program.procedures}

    def of(self, world: World, pid: Pid) -> Design:
        """Return the design that a process of *world* belongs to."""
        return self

    def installed(self, world: World) -> Design:
        """Return the design whose files are on the disk."""
        return self

    def owner(self, world: World, program: str, path: str) -> Design | None:
        """Return the design that a program's file on the disk is of; None if no file is called *path*."""
        return self if program in self.programs and not self.traits.words.lacks(program, path) else None

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

    def __repr__(self) -> str:
        return f"Design({self.name!r})"

"""A design: programs by name, and where its facts come from."""

from __future__ import annotations

from sim.engine.procedure import Procedure
from sim.engine.program import Program


class Design:
    """The programs of an engine, and all their procedures by full name."""

    def __init__(self, name: str, title: str, source: str, programs: tuple[Program, ...]) -> None:
        self.name, self.title, self.source = name, title, source
        self.programs = {program.name: program for program in programs}
        self.procedures: dict[str, Procedure] = {p.name: p for program in programs for p in program.procedures}

    def __repr__(self) -> str:
        return f"Design({self.name!r})"

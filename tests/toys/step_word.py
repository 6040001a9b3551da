"""A word of steps in one file: `swap_out: NAME` freezes a container's program, as a host short of memory may."""

from __future__ import annotations

from typing import Any

from sim.engine.setup import OwnCommand
from sim.kernel import syscalls
from sim.predicates import programs
from sim.scenario.instants import Names
from sim.scenario.step_word import StepWord
from sim.scenario.words import Refusal, shown


class SwapOut(OwnCommand, frozen=True, tag=True):
    """The pages of a container's program are on disk: it stands still until somebody continues it."""

    container: str

    def act(self, g: Any) -> None:
        """Stop the program; there is none in a container that does not run."""
        found = programs(g.world, self.container)
        for process in found:
            syscalls.kill(g.turn, process.pid, "STOP")
        if not found:
            g["error"] = f"{self.container}: no program to swap out"

    def harms(self) -> bool:
        """Return that a program that stands still serves nobody."""
        return True

    def noun(self) -> str:
        """Return the subject of a finding."""
        return f"swapping out {self.container}"


def read(value: object, names: Names) -> SwapOut:
    """Read the name of a container."""
    if not isinstance(value, str):
        raise Refusal(f"{shown(value)} is not a container.", "Write swap_out: NAME.")
    return SwapOut(names.container(value))


WORD = StepWord("swap_out", read, SwapOut, {"type": "string", "description": "a container whose program stands still"})

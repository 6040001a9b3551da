"""The limits of a search, and a look at them while it goes on: what has ended it, or that nothing has."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import msgspec

from sim.engine.goroutine import ModelFault

COMPLETE = "COMPLETE"

Progress = Callable[[int, int, float], None]  # states, frontier, steps a second


class Limits(msgspec.Struct, frozen=True):
    """How far a search goes: states in all, seconds, megabytes of one process."""

    states: int = 2_000_000
    seconds: float = 600.0
    megabytes: int = 8_000


class SearchLimits:
    """The limits of a search while it goes on."""

    def __init__(self, limits: Limits, progress: Progress | None) -> None:
        self.limits, self.progress = limits, progress
        self.began = monotonic()
        self.verdict = COMPLETE
        self.depth, self.peak = -1, 0
        self.fault: Exception | None = None

    def enter(self, layer: int) -> None:
        """Note that a layer of so many states begins."""
        self.depth, self.peak = self.depth + (layer > 0), max(self.peak, layer)

    def failed(self, fault: Exception) -> None:
        """Keep the fault that ends the search."""
        self.fault, self.verdict = fault, f"UNDETERMINED (a fault in the model: {words_of(fault)})"

    def late(self) -> bool:
        return monotonic() - self.began > self.limits.seconds

    def over(self, states: int, megabytes: int) -> bool:
        """Return whether a limit is reached, and note which; *megabytes* are of the largest process."""
        limits = self.limits
        if states >= limits.states:
            self.verdict = f"UNDETERMINED (limit of {limits.states} states)"
        elif self.late():
            self.verdict = f"UNDETERMINED (limit of {limits.seconds:g} s)"
        elif megabytes > limits.megabytes:
            self.verdict = f"UNDETERMINED (limit of {limits.megabytes} MB)"
        return self.verdict != COMPLETE

    def tell(self, states: int, frontier: int, steps: int) -> None:
        if self.progress is not None:
            self.progress(states, frontier, steps / max(monotonic() - self.began, 1e-3))


def words_of(fault: Exception) -> str:
    """Return what went wrong; the model's own faults speak for themselves."""
    return str(fault) if isinstance(fault, ModelFault) else f"{type(fault).__name__}: {fault}"

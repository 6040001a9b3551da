"""What faults share: what a kind of fault is, those that are signals, and a row of the fault matrix.

Source: kill(2), signal(7).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from sim.engine.goroutine import deliver
from sim.kernel import syscalls
from sim.kernel.records import Pid
from sim.kernel.signals import Signal
from sim.world import Turn, World


class FaultKind(msgspec.Struct, frozen=True):
    """A kind of fault. *hits* says which processes it may befall; *free* that it takes nothing from the budget.

    *text* tells it as a sentence; `{stalling}` there stands for the design's programs that may stall. *signal* is what
    a person would send to a process for the same to happen, "" if no signal does it.
    """

    text: str
    hits: Callable[[World, Pid], bool]
    take: Callable[[Turn, Pid], None]
    free: str = ""
    signal: Signal = ""


def signalled(text: str, signal: Signal, hits: Callable[[World, Pid], bool], free: str = "") -> FaultKind:
    """Return the kind of fault that is a signal, which is taken at once if the process can take it now."""

    def take(turn: Turn, pid: Pid) -> None:
        syscalls.kill(turn, pid, signal)
        if signal in syscalls.deliverable(turn.host, pid):
            deliver(turn, pid, signal)

    return FaultKind(text, hits, take, free, signal)


def lives(world: World, pid: Pid) -> bool:
    """Return whether a process is alive, a zombie being dead."""
    return world.host.procs[pid].state != "Z"


class Row(NamedTuple):
    """A row of the fault matrix: what happens, and the step that does it; "" where each engine writes its own."""

    title: str
    step: str = ""

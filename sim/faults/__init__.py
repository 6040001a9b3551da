"""What the environment may do to a host: the explorer takes each wherever the budget of the setup lets it.

A kind of fault is a part (`sim.parts`): a module of this folder offers `KINDS`, and may offer `ROWS`, which are rows of
the fault matrix. A fault happens at once: between a KILL and the death of its process nobody could tell the difference.
PID 1 is left alone. Leaves out full disks, lost power, and pressure on memory other than a kill. Source: each kind's
own module.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sim import parts
from sim.engine.program import Program
from sim.engines.host.client import mark_name
from sim.facts import Marked
from sim.faults.kind import FaultKind, lives, signalled
from sim.kernel.records import INIT, Pid
from sim.kernel.signals import Signal
from sim.world import Turn, World

__all__ = [
    "FAULTS",
    "Fault",
    "FaultKind",
    "allowed",
    "befall",
    "counted",
    "fault_text",
    "faults_of",
    "kind_of",
    "lives",
    "signalled",
]


class Fault(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Something of the environment's befalls a process."""

    kind: str
    pid: Pid


FAULTS: parts.TableOfParts[FaultKind] = parts.TableOfParts("faults", "KINDS")
"""By name; *free* names the kind that must be in the budget for it."""


def fault_text(kind: str, programs: Iterable[Program]) -> str:
    """Return the sentence about a kind of fault on a host of these programs."""
    words = [*dict.fromkeys(program.role.stalls_as for program in programs if program.role.stalls_as)]
    stalling = "a " + " or ".join(filter(None, (", ".join(words[:-1]), *words[-1:]))) if words else "nothing"
    return FAULTS[kind].text.replace("{stalling}", stalling)


def kind_of(signal: Signal) -> str | None:
    """Return the kind of fault that a signal from outside is, if it is one."""
    return next((kind for kind, row in FAULTS.items() if row.signal == signal), None)


def counted(kind: str = "") -> str:
    """Return the name of the mark that counts faults of a kind, or all."""
    return f"fault:{kind}:"


def allowed(world: World) -> tuple[str, ...]:
    """Return the kinds that the budget and its window still let happen."""
    budget, marks = world.setup.faults, world.marks
    if not budget.total:
        return ()
    most = dict(budget.kinds) or {kind: budget.total for kind, row in FAULTS.items() if not row.free}
    kinds = tuple(kind for kind, row in FAULTS.items() if row.free in most)
    if marks.get(counted(), 0) >= budget.total or not _open(world):
        return kinds
    return (*(kind for kind, limit in most.items() if marks.get(counted(kind), 0) < limit), *kinds)


def _open(world: World) -> bool:
    """Return whether the moment from which faults may come has come, and that which ends them has not."""
    budget, marks = world.setup.faults, world.marks
    begun = budget.after is None or marks.get(mark_name(budget.after), 0) >= max(budget.after.nth, 1)
    ended = budget.before is not None and marks.get(mark_name(budget.before), 0) >= max(budget.before.nth, 1)
    return begun and not ended


def faults_of(world: World, pid: Pid, kinds: Iterable[str]) -> list[Fault]:
    """Return what may befall a process; PID 1 is left alone."""
    return [] if pid == INIT else [Fault(kind, pid) for kind in kinds if FAULTS[kind].hits(world, pid)]


def befall(turn: Turn, fault: Fault) -> None:
    """Let a fault happen, and count it."""
    row = FAULTS[fault.kind]
    if not row.free:
        for name in (counted(), counted(fault.kind)):
            turn.emit(Marked(name, turn.world.marks.get(name, 0) + 1))
    row.take(turn, fault.pid)

"""What the environment may do to a host: one table. The explorer takes each wherever the budget of the setup lets it.

A fault happens at once: between a KILL and the death of its process nobody could tell the difference. PID 1 is left
alone. A stalled process is one that a STOP has stopped, or one so slow that all timers overtake it; it may go on at any
time, for nothing from the budget. Which programs may stall stands beside each program (`Role.stalls_as`): those
that others wait for, and neither a container's own processes nor errands. Leaves out full disks, lost power, and
pressure on memory other than a kill. Source: kill(2), signal(7); engine-1.13 §23 T22, T23, T26, T30, T32, T43, T52,
T53.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from sim.engine.client import mark_name
from sim.engine.goroutine import deliver
from sim.engine.program import Program
from sim.facts import Marked
from sim.kernel import syscalls
from sim.kernel.records import INIT, Pid
from sim.kernel.signals import Signal
from sim.world import Turn, World


class Fault(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Something of the environment's befalls a process."""

    kind: str
    pid: Pid


class Kind(msgspec.Struct, frozen=True):
    """A kind of fault. *hits* says which processes it may befall; *free* that it takes nothing from the budget.

    *text* tells it as a sentence; `{stalling}` there stands for the design's programs that may stall. *signal* is what
    a person would send to a process for the same to happen, "" if no signal does it.
    """

    text: str
    hits: Callable[[World, Pid], bool]
    take: Callable[[Turn, Pid], None]
    free: str = ""
    signal: Signal = ""


def signalled(text: str, signal: Signal, hits: Callable[[World, Pid], bool], free: str = "") -> Kind:
    """Return the kind of fault that is a signal, which is taken at once if the process can take it now."""

    def take(turn: Turn, pid: Pid) -> None:
        syscalls.kill(turn, pid, signal)
        if signal in syscalls.deliverable(turn.host, pid):
            deliver(turn, pid, signal)

    return Kind(text, hits, take, free, signal)


def lives(world: World, pid: Pid) -> bool:
    """Return whether a process is alive, a zombie being dead."""
    return world.host.procs[pid].state != "Z"


def _can_stall(world: World, pid: Pid) -> bool:
    process = world.host.procs[pid]
    if process.state != "S" or "KILL" in process.pending:
        return False
    program: Program | None = world.design.of(world, pid).programs.get(process.image.program)
    return program is not None and bool(program.role.stalls_as)


def _stalled(world: World, pid: Pid) -> bool:
    process = world.host.procs[pid]
    return process.state == "T" and "KILL" not in process.pending


FAULTS: dict[str, Kind] = {
    "kill": signalled("a process gets SIGKILL and is gone", "KILL", lives),
    "stall": signalled("{stalling} stands still", "STOP", _can_stall),
    "resume": signalled("a process that stood still goes on", "CONT", _stalled, free="stall"),
}
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
    """Say whether the moment from which faults may come has come, and that which ends them has not."""
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

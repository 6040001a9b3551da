"""A fault in one file that no signal does: a process comes upon a fault of its own, and leaves with 70."""

from sim.faults.kind import FaultKind, lives
from sim.kernel import syscalls
from sim.kernel.records import Pid
from sim.world import Turn


def leave(turn: Turn, pid: Pid) -> None:
    syscalls.exit_process(turn, pid, 70)


KINDS = {"crash": FaultKind("a process comes upon a fault of its own and leaves", lives, leave)}

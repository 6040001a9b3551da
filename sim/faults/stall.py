"""A process stands still, and goes on at any time, for nothing from the budget.

It is one that a STOP has stopped, or one so slow that all timers overtake it. Which programs may stall stands beside
each program (`Role.stalls_as`): those that others wait for, and neither a container's own processes nor errands.
Source: signal(7); engine-1.13 §23 T30, T32, T43, T52, T53.
"""

from sim.engine.program import Program
from sim.faults.kind import signalled
from sim.kernel.records import Pid
from sim.world import World


def _can_stall(world: World, pid: Pid) -> bool:
    process = world.host.procs[pid]
    if not process.runs or "KILL" in process.pending:
        return False
    program: Program | None = world.design.of(world, pid).programs.get(process.image.program)
    return program is not None and bool(program.role.stalls_as)


def _stalled(world: World, pid: Pid) -> bool:
    process = world.host.procs[pid]
    return process.state == "T" and "KILL" not in process.pending


KINDS = {
    "stall": signalled("{stalling} stands still", "STOP", _can_stall),
    "resume": signalled("a process that stood still goes on", "CONT", _stalled, free="stall"),
}

"""What runc does besides for shims v2: a signal to the first process, delete --force, and the list of processes.

Source: runc kill.go, delete.go [K]; experiment d of the measurements [M].
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Exit, Label, Wait, reading
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.records import RuntimeState
from sim.engine.setup import S
from sim.engine.traits import traits
from sim.engines.containerd.runc import RUNC, delete, scope, start_threads
from sim.kernel import freezer, syscalls
from sim.world import Frame, World


def send_signal(g: Goroutine) -> int:
    """Send the signal to the first process; one that has ended is an error."""
    state = g.world.host.files.get(paths.runtime_state(service_of(g).id))
    runs = isinstance(state, RuntimeState) and g.world.host.alive(state.pid)
    return 0 if runs and isinstance(state, RuntimeState) and g.kill(state.pid, g["signal"]) else 1


def kill_rest(g: Goroutine) -> str | None:
    """Kill what is left in the container's scope; one that another version's runc has made is in another root."""
    g["pid"] = pid = getattr(g.world.host.files.get(paths.runtime_state(service_of(g).id)), "pid", None)
    if pid in g.world.host.procs and traits(g.world, pid).words.runc != traits(g.world, g.pid).words.runc:
        return "elsewhere"
    freezer.thaw(g.turn, scope(g))
    syscalls.kill_cgroup(g.turn, scope(g), "KILL")
    return None


@reading(lambda world, frame: (("proc", frame.local["pid"]),))
def first_gone(world: World, frame: Frame) -> bool:
    """Say whether kill(pid, 0) fails for the first process (asked every 100 ms, at most a hundred times)."""
    return frame.local["pid"] not in world.host.procs


def list_processes(g: Goroutine) -> int:
    """Tell which processes the container has; one that the runtime has no state of is an error."""
    return 0 if paths.runtime_state(service_of(g).id) in g.world.host.files else 1


PROGRAM = Program(
    "runc",
    (
        *RUNC.procedures,
        procedure("runc.signal", Do(start_threads), Exit(send_signal)),
        procedure("runc.ps", Do(start_threads), Exit(list_processes)),
        procedure(
            "runc.delete_force",
            Do(start_threads),
            Do(kill_rest, "elsewhere"),
            Wait(first_gone, within=10 * S, late="left"),
            Label("left"),
            Exit(delete),
            Label("elsewhere"),
            Exit(0),
        ),
    ),
    role=RUNC.role,
)

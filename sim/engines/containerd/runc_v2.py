"""What runc does besides for shims v2: a signal to the first process, delete --force, and the list of processes.

Source: runc v1.1.15 delete.go killContainer, libcontainer/container_linux.go 388-419 (Signal); experiment d, and 106
to 112 ms of a `delete --force` [M].
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Exit, Label, Sleep
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.records import RuntimeState
from sim.engine.setup import MS
from sim.engine.traits import traits
from sim.engines.containerd.runc import RUNC, delete, scope, start_threads
from sim.kernel import freezer, syscalls

LOOKS = 100
BETWEEN = 100 * MS


def send_signal(g: Goroutine) -> int:
    """Send the signal to the first process; one that has ended is an error. KILL thaws what is paused."""
    state = g.world.host.files.get(paths.runtime_state(service_of(g).id))
    runs = isinstance(state, RuntimeState) and g.world.host.alive(state.pid)
    if not (runs and isinstance(state, RuntimeState) and g.kill(state.pid, g["signal"])):
        return 1
    if g["signal"] == "KILL":
        thaw(g)
    return 0


def thaw(g: Goroutine) -> None:
    """Thaw the container for a KILL; older versions leave it frozen, so that with cgroup v1 the KILL has no effect."""
    if traits(g.world, g.pid).kill_thaws:
        freezer.thaw(g.turn, scope(g))


def kill_rest(g: Goroutine) -> str | None:
    """Kill what is left in the container's scope; one that another version's runc has made is in another root.

    Of one whose first process runs the end is waited for.
    """
    g["pid"] = pid = getattr(g.world.host.files.get(paths.runtime_state(service_of(g).id)), "pid", None)
    if pid in g.world.host.procs and traits(g.world, pid).words.runc != traits(g.world, g.pid).words.runc:
        return "elsewhere"
    runs = pid is not None and g.world.host.alive(pid)
    syscalls.kill_cgroup(g.turn, scope(g), "KILL")
    thaw(g)
    g["looks"] = 0
    return None if runs else "gone"


def look(g: Goroutine) -> str | None:
    """Look whether the first process runs still: a hundred times, with a pause before each; then it is an error."""
    g["looks"] = g["looks"] + 1
    if not g.world.host.alive(g["pid"]):
        return None
    return "again" if g["looks"] < LOOKS else "left"


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
            Do(kill_rest, "elsewhere", "gone"),
            Label("again"),
            Sleep("look_again", BETWEEN),
            Do(look, "again", "left"),
            Label("gone"),
            Exit(delete),
            Label("left"),
            Exit(1),
            Label("elsewhere"),
            Exit(0),
        ),
    ),
    role=RUNC.role,
)

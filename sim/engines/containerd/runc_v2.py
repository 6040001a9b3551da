"""What runc of 1.0.0-rc5 and later does: the control group first, a signal to the first process, delete --force, ps.

`create` moves the first stage into the container's group and only then tells it to go on: joining a group waits for
the kernel (a grace period of its lock), for 17 ms of the 24 that pass until the other stages are there. Source: runc
v1.1.15 libcontainer/process_linux.go 413-421, v1.0.0-rc4 246-263: after the stages; delete.go killContainer,
libcontainer/container_linux.go 388-419 (Signal) [S]; experiment d, and 106 to 112 ms of a `delete --force` [M].
"""

from __future__ import annotations

from sim.engine.containers import own_state, runtime_files, service_of
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Exit, Fork, Label, Reap, Sleep, Wait
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.setup import MS
from sim.engine.traits import traits
from sim.engines.containerd.runc import (
    CREATED,
    RUNC,
    begin_create,
    delete,
    living_init,
    scope,
    stage0,
    stage1,
    stage2_cloned,
    start_threads,
)
from sim.engines.host.execed import in_scope
from sim.kernel import freezer, syscalls

LOOKS = 100
BETWEEN = 100 * MS


def create_scope(g: Goroutine) -> None:
    """Move the first stage into a control group of the container's; the others are born there."""
    for stage in g.world.host.children.get(g.pid, ()):
        if g.world.host.alive(stage):
            syscalls.join_cgroup(g.turn, stage, scope(g))


STAGES = (
    Do(begin_create, "exists", "failed"),
    Fork(stage0),
    Do(create_scope),
    Reap(),
    Wait(stage2_cloned),
)
CREATE = procedure("runc.create", STAGES, CREATED)
STAGE0 = procedure(
    "runc.stage0",
    Wait(in_scope, "given_up"),
    Fork(stage1),
    Exit(0),
    Label("given_up"),
    Exit(1),
)


def send_signal(g: Goroutine) -> int:
    """Send the signal to the first process; one that has ended is an error. KILL thaws what is paused."""
    state = living_init(g)
    if state is None or not g.kill(state.pid, g["signal"]):
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
    files, own = g.world.host.files, own_state(g)
    g["pid"] = pid = getattr(files.get(own), "pid", None)
    if pid is None and any(it in files for it in runtime_files(g.world, service_of(g).id)):
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
    return 0 if own_state(g) in g.world.host.files else 1


PROGRAM = Program(
    "runc",
    (
        *(table for table in RUNC.procedures if table.name not in (CREATE.name, STAGE0.name)),
        CREATE,
        STAGE0,
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

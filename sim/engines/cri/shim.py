"""What is different where a pod has one shim: `shim start` finds it, it holds several containers, pause is the first.

The first container of a pod is its sandbox's pause, for which `shim start` makes the shim; for the next one it only
writes the address of the same socket. The shim leaves when it is asked to and holds no container any more. runc has no
hook of dockerd's to run. Leaves out as `sim.engines.containerd.shim_v2`. Source: designs §3.1 (grouping), §5.1 [S];
containerd runtime/v2/runc/manager, pause.c [K].
"""

from __future__ import annotations

from collections.abc import Iterable

from sim.engine import paths
from sim.engine.containers import exit_key, is_sandbox, service_of
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Do, Exit, Fork, Label, Reap, Return, Wait, reading, run
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.records import Task
from sim.engine.role import Kind, Role
from sim.engines.containerd import runc_v2, shim_command, shim_v2
from sim.engines.containerd.runc import payload_of, write_pid_file
from sim.engines.containerd.shim import output_copied, runc_delete
from sim.engines.containerd.shim_v2 import COPY_WAIT
from sim.engines.host.payload import exec_fifo_open
from sim.facts import Forgot, StateChanged
from sim.kernel import fifos, syscalls
from sim.kernel.records import Image
from sim.world import Frame, Key, World

# -- shim start --------------------------------------------------------------------------------------


def hand_address(g: Goroutine) -> int:
    """Write the address of the pod's shim; a sandbox must have one of its own."""
    if is_sandbox(g["c"]):
        return 1
    socket = shim_command.socket_of(g.world, g["c"])
    syscalls.write_file(g.turn, shim_command.address_file(service_of(g).id), socket)
    return 0


def has_pod(g: Goroutine) -> str | None:
    """Go on to make a shim for a sandbox alone: the shim that a container belongs to is gone."""
    return None if is_sandbox(g["c"]) else "gone"


SHIM_COMMAND = shim_command.PROGRAM.with_tables(
    procedure(
        "shim-command.start",
        Do(shim_command.start_command_threads, "exists"),
        Do(has_pod, "gone"),
        Fork(shim_command.shim, "shim_pid"),
        Do(shim_command.hand_socket, "gone"),
        Exit(0),
        Label("exists"),
        Exit(hand_address),
        Label("gone"),
        Exit(1),
    ),
)

# -- the shim ----------------------------------------------------------------------------------------


def _copied_reads(world: World, frame: Frame) -> Iterable[Key]:
    return () if is_sandbox(frame.local["c"]) else output_copied.reads(world, frame)


@reading(_copied_reads)
def copied(world: World, frame: Frame) -> bool | str:
    """Say whether all has been copied that the container has printed; pause prints nothing."""
    return is_sandbox(frame.local["c"]) or output_copied(world, frame)


def deleted(g: Goroutine) -> None:
    """Answer with the exit status, close the container's stdio, and forget it."""
    shim_v2.deleted(g)
    for stream in paths.STREAMS:
        fifo = fifos.fifo_of(g.world.host, g.pid, f"{paths.bundle(service_of(g).id)}/{stream}")
        if fifo is not None:
            fifos.close_fifo(g.turn, g.pid, fifo.path)
    for key in (exit_key(g.world, g["c"]), f"task/{g['c']}"):
        if g.recall(key) is not None:
            g.emit(Forgot(g.pid, key))


def begin_delete(g: Goroutine) -> str | None:
    """Refuse to delete what runs, unless it is to be killed; one that has never begun has nothing to wait for."""
    if g.recall(f"task/{g['c']}") is None:
        g.reply(g["request"].reply, Failure(f"container {service_of(g).id} not found: not found"))
        return "refused"
    return shim_v2.begin_delete(g)


def leave_if_empty(g: Goroutine) -> str | None:
    """Answer; leave if no container is left."""
    g.reply(g["request"].reply, True)
    memory = g.world.memory.get(g.pid, {})
    return "stay" if any(isinstance(value, Task) for value in memory.values()) else None


SHIM = shim_v2.PROGRAM.with_tables(
    procedure(
        "shim.delete",
        Do(begin_delete, "force", "refused"),
        Wait(copied, within=COPY_WAIT, late="copied"),
        Label("copied"),
        run(runc_delete),
        Label("deleted"),
        Do(deleted),
        Label("refused"),
        Return(),
        Label("force"),
        run(shim_command.runc_delete_force),
        Wait(shim_v2.init_reaped),
        Do(deleted),
    ),
    procedure("shim.shutdown", Do(leave_if_empty, "stay"), Exit(0), Label("stay")),
)

# -- runc and pause ----------------------------------------------------------------------------------


def kill_stage(g: Goroutine) -> None:
    """Give up: kill what was started, and wait for it: the shim lives on, and would not."""
    g["stage_pid"] = payload_of(g)
    if g["stage_pid"] is not None:
        g.kill(g["stage_pid"], "KILL")


RUNC = runc_v2.PROGRAM.with_tables(
    procedure(
        "runc.create",
        runc_v2.STAGES,
        Do(write_pid_file, "failed"),
        Exit(0),
        Label("failed"),
        Do(kill_stage),
        Reap("stage_pid"),
        Exit(1),
        Label("exists"),
        Exit(1),
    ),
)


def execute_pause(g: Goroutine) -> None:
    """Execve pause: it sleeps until it is told to leave."""
    service = service_of(g)
    handlers = (("INT", "leave"), ("TERM", "leave"))
    syscalls.execve(g.turn, g.pid, Image("pause", "pause", service.payload.argv, g["c"].partition("@")[0], handlers))
    g.emit(StateChanged(g["c"], "running"))


PAUSE = Program(
    "pause",
    (
        procedure(
            "pause.main", Wait(exec_fifo_open, "given_up"), Do(execute_pause), Return(), Label("given_up"), Exit(1)
        ),
        procedure("pause.leave", Exit(0)),
    ),
    role=Role(kind=Kind.SANDBOX, order=90, home="shim", target="container"),
)

"""What containerd hands on to a container's shim, and how it makes and deletes a task (`containerd.service`).

Source: containerd v1.7.24 runtime/v2/manager.go, shim.go; designs §3.1, §3.5 [S].
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import service_of
from sim.engine.goroutine import Failure, Goroutine, Spawn
from sim.engine.ops import Do, Fork, Label, Reap, Return, call
from sim.engine.procedure import Procedure, procedure
from sim.engine.records import Task
from sim.engines.containerd.shim_command import address_file, shim_command, socket_of
from sim.facts import Forgot, Message
from sim.kernel.records import Pid
from sim.world import Frame, World

TO_SHIM = {  # what containerd is asked -> what the shim is asked
    "CreateTask": "Create",
    "StartTask": "Start",
    "SignalTask": "Kill",
    "SignalExec": "KillExec",
    "AddProcess": "Exec",
    "StateTask": "State",
    "PauseTask": "Pause",
    "ResumeTask": "Resume",
    "UpdateTask": "Update",
    "DeleteTask": "Delete",
}
CLOSED = "ttrpc: closed: unknown"


def task_of(g: Goroutine) -> Task | None:
    """Return what containerd knows of the container in variable `c`."""
    task = g.recall(f"task/{g['c']}")
    assert task is None or isinstance(task, Task)
    return task


def shim_at(world: World, frame: Frame) -> Pid | None:
    """Find the container's shim."""
    return world.host.listeners.get(socket_of(world, frame.local["c"]))


def has_shim(world: World, name: str) -> bool:
    """Return whether containerd knows where a container's shim is: it cleans up after a shim that has gone."""
    return address_file(world.services[name].id) in world.host.files


# -- what is handed on ------------------------------------------------------------------------------


def must_know(g: Goroutine) -> str | None:
    """Refuse what is not known."""
    if task_of(g) is not None:
        return None
    g.reply(g["request"].reply, Failure(f"no running task found: task {service_of(g).id} not found: not found"))
    return "unknown"


def ask_shim(g: Goroutine) -> Message:
    """Hand the request on to the shim."""
    request = g["request"]
    return Message(TO_SHIM[request.kind], g["c"], g.frame.fid, request.data)


def answered(g: Goroutine) -> None:
    """Answer as the shim has answered."""
    g.reply(g["request"].reply, g["answer"])


def shim_lost(g: Goroutine) -> None:
    """Say that the shim has left before it answered."""
    g.reply(g["request"].reply, Failure(CLOSED))


FORWARD = procedure(
    "containerd.forward",
    Do(must_know, "unknown"),
    call("ttrpc", shim_at, ask_shim, lost="lost", failed="answered"),
    Label("answered"),
    Do(answered),
    Label("unknown"),
    Return(),
    Label("lost"),
    Do(shim_lost),
)

# -- create and delete ------------------------------------------------------------------------------


def must_be_new(g: Goroutine) -> str | None:
    """Refuse a container that has a task, or whose bundle nobody has removed after its shim."""
    identity, why = service_of(g).id, ""
    if task_of(g) is not None:
        why = f"task {identity}: already exists"
    elif address_file(identity) in g.world.host.files and (g.pid, f"watcher/{g['c']}") not in g.world.frames:
        why = f"failed to start shim: mkdir {paths.STATE}/{identity}: file exists: unknown"
    if why:
        g.reply(g["request"].reply, Failure(why))
    return "exists" if why else None


def start_shim(g: Goroutine) -> Spawn:
    """Run `shim start`."""
    return shim_command(g, "start")


def connect(g: Goroutine) -> str | None:
    """Keep the shim whose address the command has written, and watch its socket."""
    pid = g.world.host.listeners.get(socket_of(g.world, g["c"]))
    if pid is None:
        return "failed"
    g.remember(f"task/{g['c']}", Task(g["c"], pid, child=False))
    g.start("containerd.watcher", g["c"], c=g["c"], shim_pid=pid)
    return None


def task_created(g: Goroutine) -> None:
    """Keep the first process's pid, and answer with it."""
    task = task_of(g)
    if task is not None:
        g.remember(f"task/{g['c']}", replace(task, payload_pid=g["answer"]))
    answered(g)


def let_go(g: Goroutine) -> None:
    """Forget the task: what its shim does from now on is told to nobody."""
    if task_of(g) is not None:
        g.emit(Forgot(g.pid, f"task/{g['c']}"))


def give_up(g: Goroutine) -> None:
    """Keep what the shim said, and forget the task."""
    g["error"] = g["answer"] if isinstance(g["answer"], Failure) else Failure(CLOSED)
    let_go(g)


def not_created(g: Goroutine) -> None:
    """Answer with the error."""
    g.reply(g["request"].reply, g["error"] or Failure("failed to start shim: exit status 1: unknown"))


def shut_shim_down(g: Goroutine) -> Message:
    """Ask the shim to leave."""
    return Message("Shutdown", g["c"], g.frame.fid)


def create_table(*start: Any, gone: tuple[Any, ...] = ()) -> Procedure:
    """Return the creation of a task, with how the shim is started; label `failed` is for one that was not.

    *gone* is what follows a shim that ended at once.
    """
    return procedure(
        "containerd.create",
        Do(must_be_new, "exists"),
        *start,
        Do(connect, "failed"),
        call("ttrpc", shim_at, ask_shim, lost="refused"),
        Do(task_created),
        Label("exists"),
        Return(),
        Label("refused"),
        Do(give_up),
        call("ttrpc", shim_at, shut_shim_down, lost="failed"),
        Label("failed"),
        Do(not_created),
        Return(),
        gone,
    )


CREATE = create_table(Fork(start_shim), Reap(bad="failed"))


def task_deleted(g: Goroutine) -> None:
    """Answer with the exit status, and forget the task."""
    answered(g)
    let_go(g)


DELETE = procedure(
    "containerd.delete",
    Do(must_know, "unknown"),
    call("ttrpc", shim_at, ask_shim, lost="lost", failed="refused"),
    Do(task_deleted),
    call("ttrpc", shim_at, shut_shim_down, lost="gone"),
    Label("gone"),
    Label("unknown"),
    Return(),
    Label("refused"),
    Do(answered),
    Return(),
    Label("lost"),
    Do(shim_lost),
)

"""containerd's main loop: one task at a time from one queue, so that a slow one delays all others.

A task is about a container's first process, or about an exec'd one, whose name is then in variable `x`; the exit of a
container is told once the exits of its execs have been. Leaves out stats. The start queue is bounded: when
its ten places are taken the loop stands still. The queue of tasks has no bound here (2048 there): whoever sends to a
full one waits, which comes to the same. Source: C supervisor/*.go, containerd/main.go; engine-1.13 §2 step 8, §3.1 step
5, §15.
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.containers import payload_reads, service_of, task_key
from sim.engine.goroutine import Failure, Goroutine, Spawn
from sim.engine.ops import Do, Goto, Label, Push, Switch, Wait, reading, run
from sim.engine.procedure import procedure
from sim.engine.records import Task
from sim.engine.setup import S
from sim.engine.traits import traits
from sim.engines.containerd.event_log import publish
from sim.engines.containerd.runc import runc
from sim.facts import Forgot, Message
from sim.kernel import fifos, syscalls
from sim.kernel.records import INIT
from sim.world import Frame, World

WORKERS = 10
START_QUEUE = 10
REAP_LIMIT = 120 * S


def state_file(identity: str) -> str:
    """Return the file by which containerd keeps a container id, and finds it again when it begins."""
    return f"{paths.STATE}/{identity}/state.json"


def keeps(world: World, name: str) -> bool:
    """Return whether containerd keeps a container: it kills a program whose shim has died without a status."""
    return state_file(world.services[name].id) in world.host.files


def new_container(g: Goroutine) -> str | None:
    """Make the state folder and hand the start to a worker; a folder that exists is an error."""
    identity = service_of(g).id
    path = state_file(identity)
    if path in g.world.host.files:
        g.reply(g["task"].reply, Failure(f"mkdir {paths.STATE}/{identity}: file exists"))
        return "next"
    syscalls.write_file(g.turn, path, paths.bundle(identity))
    if g.world.running(g.pid, "containerd.worker") < WORKERS:
        g.start("containerd.worker", g["c"], c=g["c"], request=g["task"])
        return "next"
    return None


def signal(g: Goroutine) -> None:
    """Send the signal to the container's first process."""
    task = g.recall(f"task/{g['c']}")
    request = g["task"]
    if task is None or not task.payload_pid:
        g.reply(request.reply, Failure("containerd: container not found"))
    else:
        g.kill(task.payload_pid, request.data)
        g.reply(request.reply, True)


def signal_exec(g: Goroutine) -> None:
    """Send the signal to a process that was exec'd; one that is gone is an error."""
    request = g["task"]
    task = g.recall(f"task/{g['c']}/{request.data[0]}")
    found = task is not None and task.payload_pid and g.kill(task.payload_pid, request.data[1])
    g.reply(request.reply, True if found else Failure("containerd: process not found for container"))


def state(g: Goroutine) -> None:
    """Answer with the pid of the container's first process."""
    g.reply(g["task"].reply, g.recall(f"task/{g['c']}").payload_pid)


def no_state(g: Goroutine) -> None:
    """Hand on that the runtime has the container no more: its payload is dead, and its exit not processed (§21)."""
    why = f"get all pids for container: exit status 1: container {service_of(g).id} does not exist"
    g.reply(g["task"].reply, Failure(f"rpc error: code = 2 desc = {why}"))


def runc_state(g: Goroutine) -> Spawn:
    """Ask the runtime for the container's processes."""
    return runc(g, "state")


def begin_drop(g: Goroutine) -> None:
    """Begin with the container's first process: a start has failed."""
    if g["x"]:
        g["x"] = None


def drop_failed(g: Goroutine) -> None:
    """Forget a container whose start has failed; nobody is told."""
    if g.recall(f"task/{g['c']}") is not None:
        g.emit(Forgot(g.pid, f"task/{g['c']}"))
    g.cancel(f"watcher/{g['c']}")


# -- exits -----------------------------------------------------------------------------------------


def read_exit_status(g: Goroutine) -> str | None:
    """Read what the shim wrote; a shim that wrote nothing was killed, which counts as 255 if nothing else is known."""
    x = g["task"].data
    if x != g["x"]:
        g["x"] = x
    task = g.recall(f"task/{g['c']}/{x}" if x else f"task/{g['c']}")
    if task is None:
        return "next"  # a second notice of the same exit
    status = g.world.host.files.get(f"{paths.state(service_of(g).id, x or 'init')}/exitStatus")
    g["exit_status"] = 255 if status is None else status
    return "shim_killed" if status is None else None


def runc_delete(g: Goroutine) -> Spawn | None:
    """Remove the runtime's state once more; that it is gone already does not matter, and an exec'd process has none."""
    return None if g["x"] else runc(g, "delete")


def remove_state(g: Goroutine) -> None:
    """Remove the container's state folder, or that of an exec'd process."""
    identity, x = service_of(g).id, g["x"]
    inside = paths.state(identity, x or "init")
    if not x:
        syscalls.remove_file(g.turn, state_file(identity))
    for name in ("process.json", "pid", "exitStatus", "log.json"):
        syscalls.remove_file(g.turn, f"{inside}/{name}")
    for name in ("exit", "control"):
        fifos.unlink_fifo(g.turn, f"{inside}/{name}")


@reading(lambda world, frame: (("memory", frame.fid[0], task_key(frame.local)),))
def shim_reaped(world: World, frame: Frame) -> bool:
    """Return whether the shim has been waited for, and its orphan has gone, if it was containerd's own child.

    A delete waits without a limit (delete.go 26, process.go 424).
    """
    task = world.recall(frame.fid[0], task_key(frame.local))
    return task is None or task.reaped or not task.child


def forget(g: Goroutine) -> None:
    """Drop the container and tell the subscriber its exit status; with execs left, once they have been told."""
    key, c, x = task_key(g.frame.local), g["c"], g["x"]
    task: Task = g.recall(key)
    status = g["exit_status"] if task.status is None else task.status
    if status != g["exit_status"]:
        g["exit_status"] = status
    g.emit(Forgot(g.pid, key))
    if x:
        publish(g, Message("exec_exit", c, None, (x, status)))
        drop_exec(g, x)
    elif g.recall(f"execs/{c}"):
        g.start("containerd.last_exit", c, c=c, status=status)
    else:
        publish(g, Message("exit", c, None, status))


def drop_exec(g: Goroutine, x: str) -> None:
    """Note that the end of an exec'd process has been told."""
    key = f"execs/{g['c']}"
    left = tuple(other for other in g.recall(key, ()) if other != x)
    if left:
        g.remember(key, left)
    elif g.recall(key):
        g.emit(Forgot(g.pid, key))


@reading(lambda world, frame: (("memory", frame.fid[0], f"execs/{frame.local['c']}"),))
def execs_told(world: World, frame: Frame) -> bool:
    """Say whether the ends of all of the container's execs have been told."""
    return not world.recall(frame.fid[0], f"execs/{frame.local['c']}")


def tell_exit(g: Goroutine) -> None:
    """Tell the subscriber the container's exit status."""
    publish(g, Message("exit", g["c"], None, g["status"]))


LAST_EXIT = procedure("containerd.last_exit", Wait(execs_told), Do(tell_exit))


def notice_oom(g: Goroutine) -> None:
    """Read the eventfd of a container's control group: a task for the main loop."""
    g.send(g.pid, "tasks", Message("OOMTask", g["c"]))


def tell_oom(g: Goroutine) -> None:
    """Tell the subscriber that the kernel has killed within the container."""
    publish(g, Message("oom", g["c"]))


# -- a shim that was killed ------------------------------------------------------------------------


def orphan(g: Goroutine) -> str | None:
    """Find out what became of the payload of a shim that left no status (handleSigkilledShim, process.go 239-333).

    A child of containerd is left to its waiter, whose KILL a frozen payload does not take. Of an orphaned shim the
    payload is killed if it lives under PID 1; else its exit counts as 255, whether it has ended or not. The RHEL build
    thaws what is frozen: for an exec, too, the whole container; and it alone waits no longer than 2 min.
    """
    task: Task = g.recall(task_key(g.frame.local))
    payload = g.world.host.procs.get(task.payload_pid)
    thaws = traits(g.world, g.pid).thaws_orphans
    frozen = payload is not None and payload.frozen and thaws
    if task.child:
        return "frozen" if frozen else "waiter" if thaws else "for_ever"
    if payload is None or payload.image.container != g["c"]:  # gone, or another process that bears its number
        g["exit_status"] = 255
        return "delete"
    if payload.ppid != INIT:  # a subreaper's: it lives on, unknown (process.go 299, exit.go 20)
        g["exit_status"] = 255
        return "delete"
    if frozen:
        return "paused"
    kill_orphan(g)
    return None


def kill_orphan(g: Goroutine) -> None:
    """Send KILL to a payload, or an exec'd process, that has lost its shim."""
    g.kill(g.recall(task_key(g.frame.local)).payload_pid, "KILL")
    g["exit_status"] = 137


@reading(payload_reads)
def payload_gone(world: World, frame: Frame) -> bool:
    """Say whether kill(pid, 0) fails: the payload has been reaped (asked every 5 ms)."""
    task = world.recall(frame.fid[0], task_key(frame.local))
    return task is None or task.payload_pid not in world.host.procs


# -- the freezer ---------------------------------------------------------------------------------


def must_know(g: Goroutine) -> str | None:
    """Refuse what is not known."""
    if g.recall(f"task/{g['c']}") is not None:
        return None
    g.reply(g["task"].reply, Failure("containerd: container not found"))
    return "next"


def runc_pause(g: Goroutine) -> Spawn:
    """Freeze the container."""
    return runc(g, "pause")


def runc_resume(g: Goroutine) -> Spawn:
    """Thaw the container."""
    return runc(g, "resume")


def freezer_set(g: Goroutine) -> None:
    """Tell the subscriber, and answer dockerd."""
    publish(g, Message("paused" if g["task"].kind == "PauseTask" else "resumed", g["c"], None, 0))
    g.reply(g["task"].reply, True)


def runc_update(g: Goroutine) -> Spawn:
    """Set the container's limits."""
    return runc(g, "update", "--resources", "-")


def resources_set(g: Goroutine) -> None:
    """Answer dockerd."""
    g.reply(g["task"].reply, True)


def resources_refused(g: Goroutine) -> None:
    """Hand on what runc has said of a container that it has no more."""
    g.reply(g["task"].reply, Failure(f"rpc error: code = 2 desc = container {service_of(g).id} does not exist"))


def freezer_refused(g: Goroutine) -> None:
    """Hand on that runc has failed."""
    words = "paused" if g["task"].kind == "PauseTask" else "not paused"
    g.reply(g["task"].reply, Failure(f"rpc error: code = 2 desc = exit status 1: container {words}"))


LOOP = (
    Label("next"),
    Switch(
        "tasks",
        {
            "StartTask": "start",
            "SignalTask": "signal",
            "StateTask": "state",
            "ExitTask": "exit",
            "AddProcess": "exec",
            "SignalExec": "signal_exec",
            "OOMTask": "oom",
            "PauseTask": "pause",
            "ResumeTask": "resume",
            "UpdateTask": "update",
            "DeleteTask": "delete_failed",
        },
    ),
    Label("start"),
    Do(new_container, "next"),
    Push("start_tasks", "task", START_QUEUE),
    Goto("next"),
    Label("signal"),
    Do(signal),
    Goto("next"),
    Label("state"),
    Do(must_know, "next"),
    run(runc_state, bad="no_state"),
    Do(state),
    Goto("next"),
    Label("no_state"),
    Do(no_state),
    Goto("next"),
    Label("exit"),
    Do(read_exit_status, "next", "shim_killed"),
    Label("delete"),
    run(runc_delete),
    Do(remove_state),
    Wait(shim_reaped),
    Do(forget),
    Goto("next"),
    Label("shim_killed"),
    run(runc_state),
    Do(orphan, "frozen", "waiter", "delete", "paused", "for_ever"),
    Label("killed"),
    Wait(payload_gone),
    Goto("delete"),
    Label("frozen"),
    run(runc_resume),
    Label("waiter"),
    Wait(shim_reaped, within=REAP_LIMIT, late="delete"),
    Goto("delete"),
    Label("for_ever"),
    Wait(shim_reaped),
    Goto("delete"),
    Label("signal_exec"),
    Do(signal_exec),
    Goto("next"),
    Label("oom"),
    Do(tell_oom),
    Goto("next"),
    Label("paused"),
    run(runc_resume),
    Do(kill_orphan),
    Goto("killed"),
    Label("pause"),
    Do(must_know, "next"),
    run(runc_pause, bad="refused"),
    Do(freezer_set),
    Goto("next"),
    Label("resume"),
    Do(must_know, "next"),
    run(runc_resume, bad="refused"),
    Do(freezer_set),
    Goto("next"),
    Label("update"),
    Do(must_know, "next"),
    run(runc_update, bad="not_updated"),
    Do(resources_set),
    Goto("next"),
    Label("not_updated"),
    Do(resources_refused),
    Goto("next"),
    Label("delete_failed"),
    Do(begin_drop),
    run(runc_delete),
    Do(remove_state),
    Wait(shim_reaped),
    Do(drop_failed),
    Goto("next"),
    Label("refused"),
    Do(freezer_refused),
    Goto("next"),
)

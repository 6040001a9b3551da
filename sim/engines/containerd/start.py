"""containerd's start workers, and the two goroutines that watch each shim.

A worker forks the shim, polls for the pid file every 15 ms (at most `--start-timeout`, 2 min), and runs `runc start`.
Source: C runtime/container.go Start, supervisor/worker.go, monitor_linux.go; engine-1.13 §2 steps 9 and 16-18, §8.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import folder, payload_reads, pins, service_of, task_key
from sim.engine.goroutine import Failure, Goroutine, Spawn
from sim.engine.ops import Do, Fork, Goto, Label, Reap, Return, Wait, reading, receive
from sim.engine.procedure import procedure
from sim.engine.records import Task
from sim.engine.setup import S
from sim.engines.containerd.event_log import STARTED, log_event
from sim.engines.containerd.runc import runc
from sim.engines.containerd.shim import shim
from sim.facts import Message
from sim.kernel import fifos, syscalls
from sim.world import Frame, Key, World

START_TIMEOUT = 120 * S
TOO_LATE = "containerd: container did not start before the specified timeout"
NOT_STARTED = "containerd: container not started"  # by a shim that says nothing
SHIM_EXITED = "containerd: shim exited before container process was started"


def prepare(g: Goroutine) -> None:
    """Make the folder of the first process: process.json, the exit and control fifos, both held open."""
    folder = paths.state(service_of(g).id)
    syscalls.write_file(g.turn, f"{folder}/process.json", "init")
    for name, mode in (("exit", "r"), ("control", "rw")):
        fifos.mkfifo(g.turn, f"{folder}/{name}")
        fifos.open_fifo(g.turn, g.pid, f"{folder}/{name}", mode)


def watch_shim(g: Goroutine) -> None:
    """Remember the shim and start to wait for it."""
    g.remember(f"task/{g['c']}", Task(g["c"], g["shim_pid"]))
    g.start("containerd.waiter", g["c"], c=g["c"], shim_pid=g["shim_pid"])


def _pid_file(world: World, frame: Frame) -> tuple[Key, ...]:
    return (("file", f"{folder(world, frame)}/pid"), ("memory", frame.fid[0], task_key(frame.local)))


@reading(_pid_file)
def pid_file_or_shim_gone(world: World, frame: Frame) -> bool | str:
    """Say whether runc wrote the payload's pid, or the shim has left without."""
    if f"{folder(world, frame)}/pid" in world.host.files:
        return True
    task = world.recall(frame.fid[0], task_key(frame.local))
    return "shim_gone" if task is None or task.reaped else False


def watch_exit(g: Goroutine) -> None:
    """Keep the payload's pid and arm the exit fifo."""
    task: Task = g.recall(f"task/{g['c']}")
    payload = g.world.host.files[f"{paths.state(service_of(g).id)}/pid"]
    g.remember(f"task/{g['c']}", replace(task, payload_pid=payload))
    g.start("containerd.watcher", g["c"], c=g["c"])


def runc_start(g: Goroutine) -> Spawn:
    """Let the payload go on to its own program."""
    return runc(g, "start")


def _start_or_shim(world: World, frame: Frame) -> tuple[Key, ...]:
    return (("proc", frame.local["child_pid"]), ("memory", frame.fid[0], task_key(frame.local)))


@reading(_start_or_shim)
def runc_start_or_shim_gone(world: World, frame: Frame) -> bool | str:
    """Return whether `runc start` has ended, or the shim before it, without an exit status (process.go Start 479-496).

    A shim that leaves after its payload's regular end is no reason to give up.
    """
    if not world.host.alive(frame.local["child_pid"]):
        return True
    task = world.recall(frame.fid[0], task_key(frame.local))
    killed = task is not None and task.reaped and f"{folder(world, frame)}/exitStatus" not in world.host.files
    return "shim_exited" if killed else False


def kill_runc_start(g: Goroutine) -> None:
    """End `runc start`: nobody will write to the payload's fifo."""
    g["error"] = SHIM_EXITED
    g.kill(g["child_pid"], "KILL")


def runc_start_failed(g: Goroutine) -> None:
    """Keep how `runc start` has ended, and what it has printed."""
    status = g["status"]
    said = "" if status < 0 else "cannot start a container that has run and stopped\\n"
    g["error"] = f'{"signal: killed" if status < 0 else f"exit status {status}"}: "{said}"'


def started(g: Goroutine) -> None:
    """Answer dockerd with the payload's pid, and log the start (worker.go 82-99)."""
    task = g.recall(f"task/{g['c']}")
    if task is None:
        g.reply(g["request"].reply, Failure("containerd: container not found"))
    else:
        g.reply(g["request"].reply, task.payload_pid)
        log_event(g, Message(STARTED, g["c"], None, 0))


def kill_shim(g: Goroutine) -> None:
    """Give up on a start that takes too long."""
    g["error"] = TOO_LATE
    g.kill(g["shim_pid"], "KILL")


def failed(g: Goroutine) -> None:
    """Answer dockerd with an error, the runtime's own if it has logged one; the main loop drops the container."""
    logged = g.world.host.files.get(f"{paths.state(service_of(g).id)}/log.json")
    g.reply(g["request"].reply, Failure(g["error"] or (f"oci runtime error: {logged}" if logged else NOT_STARTED)))
    g["error"] = None
    g.send(g.pid, "tasks", Message("DeleteTask", g["c"]))


def next_start(g: Goroutine) -> str | None:
    """Take the next queued start, if there is one."""
    if not g.world.queue(g.pid, "start_tasks"):
        return "done"
    g["request"] = message = receive(g, "start_tasks")
    g["c"] = message.container
    return "begin"


WORKER = procedure(
    "containerd.worker",
    Label("begin"),
    Do(prepare),
    Fork(shim, "shim_pid", lambda world, frame: pins(world, frame).shim),
    Do(watch_shim),
    Wait(pid_file_or_shim_gone, "shim_gone", within=START_TIMEOUT, late="too_late"),
    Do(watch_exit),
    Fork(runc_start),
    Wait(runc_start_or_shim_gone, "shim_exited"),
    Reap(bad="not_started"),
    Do(started),
    Label("more"),
    Do(next_start, "done", "begin"),
    Label("done"),
    Return(),
    Label("too_late"),
    Do(kill_shim),
    Label("shim_gone"),
    Do(failed),
    Goto("more"),
    Label("shim_exited"),
    Do(kill_runc_start),
    Reap(),
    Goto("shim_gone"),
    Label("not_started"),
    Do(runc_start_failed),
    Goto("shim_gone"),
)

# -- watching a shim -------------------------------------------------------------------------------


def _exit_fifo(world: World, frame: Frame) -> str:
    return f"{folder(world, frame)}/exit"


@reading(lambda world, frame: (("fifo", _exit_fifo(world, frame)),))
def hung_up(world: World, frame: Frame) -> bool:
    """Say whether the shim has closed the exit fifo (EPOLLHUP)."""
    return fifos.hung_up(world.host, _exit_fifo(world, frame))


def notice_exit(g: Goroutine) -> None:
    """Put an exit task into the main loop's queue."""
    g.send(g.pid, "tasks", Message("ExitTask", g["c"], None, g["x"]))


WATCHER = procedure("containerd.watcher", Wait(hung_up), Do(notice_exit))


def orphaned(g: Goroutine) -> str | None:
    """After the shim was reaped: a payload that still runs has become an orphan, and is killed."""
    key = task_key(g.frame.local)
    task = g.recall(key)
    if task is None or task.shim_pid != g["shim_pid"]:
        return "gone"
    payload = g.world.host.procs.get(task.payload_pid)
    known = f"{folder(g.world, g.frame)}/exitStatus" in g.world.host.files
    if known or payload is None or payload.image.container != g["c"]:  # the start time would differ
        g.remember(key, replace(task, reaped=True))
        return "gone"
    g.kill(task.payload_pid, "KILL")
    return None


@reading(payload_reads)
def orphan_gone(world: World, frame: Frame) -> bool:
    """Say whether kill(pid, 0) fails for the orphan (asked every 5 ms)."""
    task = world.recall(frame.fid[0], task_key(frame.local))
    return task is None or task.payload_pid not in world.host.procs


def record_kill(g: Goroutine) -> None:
    """Keep 137 as the exit status."""
    key = task_key(g.frame.local)
    task = g.recall(key)
    if task is not None:
        g.remember(key, replace(task, reaped=True, status=137))


WAITER = procedure(
    "containerd.waiter",
    Reap("shim_pid"),
    Do(orphaned, "gone"),
    Wait(orphan_gone),
    Do(record_kill),
    Label("gone"),
)

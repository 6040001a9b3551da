"""containerd's part in an exec: AddProcess runs inside the main loop, which polls for the pid file as a worker does.

So a `runc exec` that is slow delays the exits and signals of all containers. Leaves out ResizePty and CloseStdin, and
that the end of a container removes the folders of its execs (each goes with its own end). Source: C
supervisor/add_process.go, exit.go, delete.go, runtime/container.go Exec; engine-1.13 §3.2, §3.3, §15.
"""

from __future__ import annotations

from typing import Any

from sim.engine import paths
from sim.engine.containers import folder, service_of, task_key
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Do, Fork, Goto, Label, Wait, reading
from sim.engine.records import Task
from sim.engine.traits import traits
from sim.engines.containerd import start
from sim.engines.containerd.exec_shim import exec_shim
from sim.engines.containerd.start import START_TIMEOUT, kill_shim
from sim.engines.containerd.tasks import drop_exec, remove_state
from sim.facts import Forgot
from sim.kernel import fifos, syscalls
from sim.kernel.records import INIT
from sim.world import Frame, Key, World

FAILED = "rpc error: code = 2 desc = oci runtime error: exec failed"


def add_process(g: Goroutine) -> str | None:
    """Make the folder of an exec'd process; a container that is not known is an error."""
    g["x"], argv = g["task"].data
    if g.recall(f"task/{g['c']}") is None:
        g.reply(g["task"].reply, Failure("containerd: container not found"))
        return "next"
    inside = paths.state(service_of(g).id, g["x"])
    syscalls.write_file(g.turn, f"{inside}/process.json", argv)
    for name, mode in (("exit", "r"), ("control", "rw")):
        fifos.mkfifo(g.turn, f"{inside}/{name}")
        fifos.open_fifo(g.turn, g.pid, f"{inside}/{name}", mode)
    return None


def watch_exec_shim(g: Goroutine) -> None:
    """Remember the process and its shim, and start to wait for that."""
    c, x = g["c"], g["x"]
    g.remember(f"task/{c}/{x}", Task(c, g["shim_pid"]))
    g.remember(f"execs/{c}", (*g.recall(f"execs/{c}", ()), x))
    g.start("containerd.waiter", f"{c}/{x}", c=c, x=x, shim_pid=g["shim_pid"])


def process_added(g: Goroutine) -> None:
    """Keep the process's pid, arm its exit fifo, and answer."""
    c, x = g["c"], g["x"]
    task: Task = g.recall(task_key(g.frame.local))
    pid: Any = g.world.host.files[f"{folder(g.world, g.frame)}/pid"]
    g.remember(f"task/{c}/{x}", Task(c, task.shim_pid, pid, reaped=task.reaped, status=task.status))
    no_longer_canceled(g)
    g.start("containerd.watcher", f"{c}/{x}", c=c, x=x)
    g.reply(g["task"].reply, pid)


def note_canceled(g: Goroutine) -> None:
    """Note that the deadline of a request has passed that waits, or whose shim has not come so far yet.

    Source: runtime/container.go createCmd 530-535; a containerd before that of 1.13 has no such branch.
    """
    c, x = g["c"], g["request"].data
    queue = (it for it in g.world.queue(g.pid, "tasks") if it.kind == "AddProcess" and it.container == c)
    waits = any(it.data[0] == x for it in queue)
    task = g.recall(f"task/{c}/{x}")
    if traits(g.world, g.pid).ends_late_execs and (waits or (task is not None and not task.payload_pid)):
        g.remember(f"canceled/{c}/{x}", True)


def _may_end(world: World, frame: Frame) -> tuple[Key, ...]:
    c, x = frame.local["c"], frame.local["x"]
    return (*start.pid_file_or_shim_gone.reads(world, frame), ("memory", frame.fid[0], f"canceled/{c}/{x}"))


@reading(_may_end)
def pid_file_or_shim_gone(world: World, frame: Frame) -> bool | str:
    """Return whether runc has written the process's pid, the shim has left without, or nobody waits any more."""
    found = start.pid_file_or_shim_gone(world, frame)
    canceled = world.recall(frame.fid[0], f"canceled/{frame.local['c']}/{frame.local['x']}")
    return "too_late" if found is False and canceled else found


def no_longer_canceled(g: Goroutine) -> None:
    """Forget that the request's deadline has passed: it is over."""
    key = f"canceled/{g['c']}/{g['x']}"
    if g.recall(key):
        g.emit(Forgot(g.pid, key))


def not_added(g: Goroutine) -> None:
    """Drop the process and answer with an error."""
    no_longer_canceled(g)
    remove_state(g)
    g.emit(Forgot(g.pid, task_key(g.frame.local)))
    drop_exec(g, g["x"])
    g.reply(g["task"].reply, Failure(FAILED))


ADD_PROCESS = (
    Label("exec"),
    Do(add_process, "next"),
    Fork(exec_shim, "shim_pid"),
    Do(watch_exec_shim),
    Wait(pid_file_or_shim_gone, "shim_gone", "too_late", within=START_TIMEOUT, late="too_late"),
    Do(process_added),
    Goto("next"),
    Label("too_late"),
    Do(kill_shim),
    Label("shim_gone"),
    Do(not_added),
    Goto("next"),
)


# -- restore ----------------------------------------------------------------------------------------


def stored_execs(g: Goroutine) -> tuple[tuple[str, str], ...]:
    """Return container and name of each exec'd process whose folder is there."""
    names = {service.id: name for name, service in g.world.services.items()}
    inside, end = paths.STATE + "/", "/process.json"
    files = g.world.host.files
    found = (path[len(inside) : -len(end)] for path in files if path.startswith(inside) and path.endswith(end))
    pairs = [place.partition("/")[::2] for place in found if not place.endswith("/init")]
    return tuple((names[identity], x) for identity, x in pairs)


def restore_execs(g: Goroutine) -> None:
    """Load what an earlier containerd has left: ended with a status, running under a living shim, or without one.

    One that has lost its shim is killed, and counts as 255 like a container in its place.
    """
    for c, x in stored_execs(g):
        inside = paths.state(g.world.services[c].id, x)
        pid: Any = g.world.host.files.get(f"{inside}/pid")
        if pid is None or g.recall(f"task/{c}") is None:
            for name in ("process.json", "pid", "exitStatus"):
                syscalls.remove_file(g.turn, f"{inside}/{name}")
            for name in ("exit", "control"):
                fifos.unlink_fifo(g.turn, f"{inside}/{name}")
            continue
        process = g.world.host.procs.get(pid)
        lives = process is not None and process.image.program == "exec" and process.image.container == c
        shim = process.ppid if process is not None and lives and process.ppid != INIT else 0
        g.remember(f"task/{c}/{x}", Task(c, shim, pid, child=False))
        g.remember(f"execs/{c}", (*g.recall(f"execs/{c}", ()), x))
        if shim and f"{inside}/exitStatus" not in g.world.host.files:
            for name, mode in (("exit", "r"), ("control", "rw")):
                fifos.open_fifo(g.turn, g.pid, f"{inside}/{name}", mode)
            g.start("containerd.watcher", f"{c}/{x}", c=c, x=x)
            continue
        if f"{inside}/exitStatus" not in g.world.host.files:
            g.kill(pid, "KILL") if lives else None
            syscalls.write_file(g.turn, f"{inside}/exitStatus", 255)
        g.remember("exited", (f"{c}/{x}", *g.recall("exited", ())))

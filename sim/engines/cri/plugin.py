"""containerd's CRI plugin: pods for a kubelet, by containerd's own tasks (`sim.engines.containerd.service`).

It is part of containerd and asks it within the process; sandboxes are in `sim.engines.cri.sandboxes`, commands in
`execs`. A container is a task more in the shim that its sandbox has. containerd itself reads what a container prints
and writes the log. Of an end it hears from the shim, as dockerd would, and deletes the task. That of a shim that has
gone is 255, and fails the first time, since the task is there still (`backoff`). Leaves out images, snapshots,
streaming, limits of time, pods without a network of their own, and the `shim delete` after an orderly end. Source:
designs §3.1, §5.1 [S]; containerd v1.7.24 pkg/cri/server/container_start.go, container_stop.go, events.go, restart.go.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import is_sandbox, sandbox, service_of
from sim.engine.engine import file_of
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Do, Goto, Label, Lock, Read, Return, Serve, Unlock, Wait, call, reading
from sim.engine.procedure import procedure
from sim.engines.containerd import requests, service
from sim.engines.containerd.boot import start_threads
from sim.engines.containerd.shim_command import address_file
from sim.engines.cri.backoff import BACK_OFF
from sim.engines.cri.execs import EXEC_SYNC
from sim.engines.cri.pods import Sandbox, sandbox_file
from sim.engines.cri.runtime import (
    NOT_STARTED,
    UNKNOWN,
    begin_container,
    container_of,
    container_stopped,
    ended,
    keep_sandbox,
    list_all,
    must_be_created,
    remove_container,
    remove_sandbox,
    sandbox_of,
    server,
    stop_timeout,
)
from sim.engines.cri.sandboxes import RUN_SANDBOX, STOP_SANDBOX
from sim.engines.cri.tasks import create_task, delete_task, kill_task, me, signal_task, start_task
from sim.engines.host import output
from sim.engines.host.daemon import answer, event, keep, refuse, succeed
from sim.facts import Message
from sim.kernel import fifos, syscalls
from sim.world import Frame, Key, World

# -- containers --------------------------------------------------------------------------------------


def open_stdio(g: Goroutine) -> None:
    """Make the folder of a container with its fifos, and read from them."""
    identity = service_of(g).id
    syscalls.write_file(g.turn, f"{paths.bundle(identity)}/config.json", g["c"])
    for stream in paths.STREAMS[1:]:
        if f"{paths.bundle(identity)}/{stream}" not in g.world.host.fifos:
            fifos.mkfifo(g.turn, f"{paths.bundle(identity)}/{stream}")
    read_stdio(g)


def read_stdio(g: Goroutine) -> None:
    """Open a container's fifos, and copy what comes to its log."""
    for stream in paths.STREAMS[1:]:
        path = f"{paths.bundle(service_of(g).id)}/{stream}"
        if path in g.world.host.fifos:
            fifos.open_fifo(g.turn, g.pid, path, "r")
    for log in service_of(g).payload.log:
        path = output.fifo_path(service_of(g), log.stream)
        local = {"c": g["c"], "stream": log.stream, "fifo": path, "held": 0}
        g.start("containerd.copy", f"{g['c']}/{log.stream}", **local)


def close_stdio(g: Goroutine) -> None:
    """Close a container's fifos and remove its folders; its shim goes on, and is not watched for it any more."""
    g.cancel(f"watcher/{g['c']}")
    syscalls.remove_file(g.turn, address_file(service_of(g).id))
    syscalls.remove_file(g.turn, f"{paths.bundle(service_of(g).id)}/config.json")
    for stream in paths.STREAMS[1:]:
        path = f"{paths.bundle(service_of(g).id)}/{stream}"
        fifos.close_fifo(g.turn, g.pid, path)
        fifos.unlink_fifo(g.turn, path)


def write_log(g: Goroutine) -> None:
    """Write what was read to the container's log file."""
    g["held"] = 0


COPY = procedure(
    "containerd.copy",
    Label("next"),
    Read("read_output", "fifo", output.COPY, "end"),
    Do(write_log),
    Goto("next"),
    Label("end"),
)


def _copies(world: World, frame: Frame) -> tuple[Key, ...]:
    c = frame.local["c"]
    return tuple(("frame", (frame.fid[0], f"copy/{c}/{log.stream}")) for log in world.services[c].payload.log)


@reading(_copies)
def logged(world: World, frame: Frame) -> bool:
    """Say whether all has been read that the container has printed."""
    return not any(fid in world.frames for _, fid in _copies(world, frame))


def started(g: Goroutine) -> None:
    """Note that it runs."""
    record, task = container_of(g), requests.task_of(g)
    if record is not None:
        pid = 0 if task is None else task.payload_pid
        keep(g, replace(record, running=True, started=True, pid=pid))
        event(g, "start")
    answer(g)


def not_started(g: Goroutine) -> None:
    """Note that it could not be started, and answer."""
    record, said = container_of(g), g["answer"]
    text = said.text if isinstance(said, Failure) else "failed to start containerd task: ttrpc: closed"
    if record is not None:
        keep(g, replace(record, started=True, exit_code=NOT_STARTED, error=text))
        event(g, "die", ("exitCode", str(NOT_STARTED)))
    close_stdio(g)
    refuse(g, text)


START_CONTAINER = procedure(
    "containerd.start_container",
    Lock("container/{c}"),
    Do(must_be_created, "refused"),
    Do(open_stdio),
    call("tasks", me, create_task, lost="failed"),
    call("tasks", me, start_task, lost="delete"),
    Do(started),
    Label("refused"),
    Unlock("container/{c}"),
    Return(),
    Label("delete"),
    call("tasks", me, delete_task, lost="failed"),
    Label("failed"),
    Do(not_started),
    Unlock("container/{c}"),
)


def begin_stop(g: Goroutine) -> str | None:
    """Go on to the stop signal; one that does not run is stopped, one without time gets KILL at once."""
    record = container_of(g)
    if record is None or not record.running:
        return "stopped"
    return None if g["request"].data else "kill"


STOP_CONTAINER = procedure(
    "containerd.stop_container",
    Do(begin_stop, "stopped", "kill"),
    call("tasks", me, signal_task, lost="signalled"),
    Label("signalled"),
    Wait(container_stopped, within=stop_timeout, late="kill"),
    Goto("stopped"),
    Label("kill"),
    call("tasks", me, kill_task, lost="killed"),
    Label("killed"),
    Wait(container_stopped),
    Label("stopped"),
    Do(succeed),
)

# -- ends --------------------------------------------------------------------------------------------


def whose_end(g: Goroutine) -> str | None:
    """Go on with the end of a container, of a pause or of a command; one that is known is told again to nobody."""
    x, code, pid = g["request"].data
    g["code"] = code
    if x:
        if g.recall(f"exec/{g['c']}/{x}") is not None:
            g.remember(f"exec/{g['c']}/{x}", code)
        return "known"
    if is_sandbox(g["c"]):
        found = sandbox_of(g)
        return None if found is not None and found.ready and pid in (found.pause_pid, 0) else "known"
    record = container_of(g)
    return None if record is not None and record.running and pid in (record.pid, 0) else "known"


def note_end(g: Goroutine) -> None:
    """Note the end."""
    found = sandbox_of(g)
    if not is_sandbox(g["c"]):
        close_stdio(g)
        ended(g, g["code"], "Error")
    elif found is not None:
        keep_sandbox(g, replace(found, ready=False, pause_pid=0))


TASK_EXIT = procedure(
    "containerd.task_exit",
    Lock("container/{c}"),
    Do(whose_end, "known"),
    call("tasks", me, delete_task, lost="gone"),
    Label("gone"),
    Wait(logged),
    Do(note_end),
    Label("known"),
    Unlock("container/{c}"),
)


def task_oom(g: Goroutine) -> None:
    """Note that the kernel has killed within the container."""
    record = container_of(g)
    if record is not None and record.running:
        keep(g, replace(record, oom_killed=True))
        event(g, "oom")


# -- begin -------------------------------------------------------------------------------------------


def find_tasks(g: Goroutine) -> None:
    """List the tasks that an earlier containerd has left: sandboxes, and containers."""
    names = (it for name in g.world.services for it in (sandbox(name), name))
    g["todo"], g["i"], g["ends"] = tuple(it for it in names if requests.has_shim(g.world, it)), 0, ()


def task_loaded(g: Goroutine) -> str | None:
    """Keep the first process's pid; note a task that has ended meanwhile."""
    pid, code = g["answer"]
    if pid and code is not None:
        g["ends"] = (*g["ends"], (g["c"], code, pid))
    asked = service.shim_loaded(g)
    if not pid:
        requests.let_go(g)  # the shim does not know it
    return asked


def recover(g: Goroutine) -> None:
    """Compare what the disk says with the tasks that are there: what is gone has ended with a code that nobody knows.

    A task with the status that its shim has kept is there only if another process of the container lives still: what
    has none was cleaned up as leaked before (restart.go 302-317, 348-354).
    """
    files: Any = g.world.host.files
    for name in g.world.services:
        g["c"] = name
        found, record = files.get(sandbox_file(g.world, name)), files.get(file_of(g.world, name))
        if isinstance(found, Sandbox):
            lives = g.recall(f"task/{sandbox(name)}") is not None
            g.remember(f"sandbox/{name}", found)
            if found.ready and not lives:
                keep_sandbox(g, replace(found, ready=False, pause_pid=0))
        if record is not None:
            g.remember(f"container/{name}", record)
            _recover_container(g, record)


def _recover_container(g: Goroutine, record: Any) -> None:
    if g.recall(f"task/{g['c']}") is not None:
        read_stdio(g)
    elif record.running:
        close_stdio(g)
        ended(g, UNKNOWN, "Unknown")


def serve(g: Goroutine) -> None:
    """Serve tasks and the CRI; handle the ends that nobody has been told of."""
    service.serve(g)
    g.remember("subscriber_pid", g.pid)
    g.start("containerd.api")
    g.start("containerd.events")
    g.start("containerd.retries")
    for name, code, pid in g["ends"]:
        if g.recall(f"task/{name}") is not None:
            g.send(g.pid, "events", Message("exit", name, None, (None, code, pid)))


MAIN = procedure(
    "containerd.main",
    Do(start_threads),
    Do(find_tasks),
    service.load_table(Do(task_loaded, "load"), clean_up=service.clean_up_after_shim),
    Do(recover),
    Do(serve),
)

PROGRAM = service.PROGRAM.with_tables(
    MAIN,
    server("containerd"),
    RUN_SANDBOX,
    STOP_SANDBOX,
    START_CONTAINER,
    STOP_CONTAINER,
    TASK_EXIT,
    EXEC_SYNC,
    COPY,
    *BACK_OFF,
    procedure("containerd.create_container", Do(begin_container, "refused"), Do(succeed), Label("refused")),
    procedure("containerd.remove_container", Do(remove_container)),
    procedure("containerd.remove_sandbox", Do(remove_sandbox)),
    procedure("containerd.list", Do(list_all)),
    procedure("containerd.task_oom", Do(task_oom)),
    procedure("containerd.events", Serve("events", {"exit": "task_exit", "oom": "task_oom"})),
)

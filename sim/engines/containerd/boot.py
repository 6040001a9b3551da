"""containerd begins: it listens first, then restores what earlier shims left, then serves.

The RHEL build opens its socket before the restore, and reports restored exits 1 s after its start, before any other
task. A stored payload whose shim died meanwhile is killed, and counts as 255 (the status is written with a verb that Go
does not know; 137 in 17.06). A state folder without a whole process.json or without a pid is deleted (RHEL, 17.06), and
what lives goes on unknown: earlier ones end for the one, and keep the other, so that its container cannot be started.
One whose bundle is gone is killed by 17.06. Source: C supervisor.restore, runtime.Load, loadProcess; the versions in
`sim.engine.traits`; engine-1.13 §7.3, §16.5; threads: 16 read off the document, when each began is not known [K].
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Exit, Goto, Label, Serve, Sleep, Wait, run
from sim.engine.procedure import procedure
from sim.engine.program import Program, Reader
from sim.engine.records import Task
from sim.engine.role import MB, Kind, Role, Rss
from sim.engine.traits import traits
from sim.engines.containerd.event_log import STARTED, last_event, subscribe
from sim.engines.containerd.execs import ADD_PROCESS, note_canceled, restore_execs
from sim.engines.containerd.start import WAITER, WATCHER, WORKER
from sim.engines.containerd.tasks import (
    LAST_EXIT,
    LOOP,
    keeps,
    notice_oom,
    payload_gone,
    remove_state,
    runc_delete,
    runc_resume,
    runc_state,
)
from sim.engines.host.daemon import open_socket
from sim.facts import Message, Received
from sim.kernel import fifos, syscalls
from sim.world import Frame, World


def start_threads(g: Goroutine) -> None:
    """Start the Go runtime's threads."""
    syscalls.start_threads(g.turn, g.pid, g.world.setup.engine.unverified.containerd_threads)


def open_grpc(g: Goroutine) -> None:
    """Open the gRPC socket with its health service."""
    open_socket(g, traits(g.world, g.pid).containerd_socket)


def listen(g: Goroutine) -> None:
    """Open the socket now, in a version that does so before it restores."""
    if traits(g.world, g.pid).listens_first:
        open_grpc(g)


def read_log(g: Goroutine) -> str | None:
    """Read the event log into memory and truncate the file; list the containers to restore.

    A line that was cut off is fatal: "unexpected EOF".
    """
    if paths.TORN_LINE in g.world.host.files:
        return "unexpected_eof"
    log: Any = g.world.host.files.get(paths.EVENTS_LOG, ())
    g.remember("log", log)
    g.remember("events", log[-1][0] if log else g.world.host.files.get(paths.EVENT_TS, 0))
    syscalls.write_file(g.turn, paths.EVENTS_LOG, ())
    inside, end = paths.STATE + "/", "/state.json"
    found = {path[len(inside) : -len(end)] for path in g.world.host.files if path.startswith(inside)}
    g["todo"] = tuple(name for name, service in g.world.services.items() if service.id in found)
    g["i"] = 0
    return None


def restore_next(g: Goroutine) -> str | None:
    """Load the next container: stopped with a status, running under a living shim, or without its shim."""
    if g["i"] == len(g["todo"]):
        restore_execs(g)
        if not traits(g.world, g.pid).listens_first:
            open_grpc(g)
        return "restored"
    g["c"] = c = g["todo"][g["i"]]
    g["i"] = g["i"] + 1
    identity, host = g.world.services[c].id, g.world.host
    folder, found = paths.state(identity), traits(g.world, g.pid)
    payload: Any = host.files.get(f"{folder}/pid")
    written = host.files.get(f"{folder}/process.json")
    if payload is None or not written:
        if found.drops_torn_state:
            remove_state(g)  # what lives goes on unknown
            return "restore"
        return "restore" if written or written is None else "unexpected_eof"
    if found.ends_ghosts and f"{paths.bundle(identity)}/config.json" not in host.files:
        process = host.procs.get(payload)
        if process is not None and process.image.container == c:  # the start time would differ
            g.kill(payload, "KILL")
        return "ghost"
    g.remember(f"task/{c}", Task(c, 0, payload, child=False))
    if f"{folder}/exitStatus" in host.files:
        g.remember("exited", (*g.recall("exited", ()), c))
        return "restore"
    return _reopen(g, c, folder, payload)


def _reopen(g: Goroutine, c: str, folder: str, payload: int) -> str | None:
    """Open the exit fifo again; a shim that died in the meantime shows by the payload's parent only."""
    host = g.world.host
    for name, mode in (("exit", "r"), ("control", "rw")):
        fifos.open_fifo(g.turn, g.pid, f"{folder}/{name}", mode)
    process = host.procs.get(payload)
    if process is None or process.image.container != c:  # gone, or another process that bears its number
        syscalls.write_file(g.turn, f"{folder}/exitStatus", 255)
        g.remember("exited", (*g.recall("exited", ()), c))
        return "restore"
    if process.ppid == 1:
        return None
    task: Task = g.recall(f"task/{c}")
    g.remember(f"task/{c}", replace(task, shim_pid=process.ppid))
    g.start("containerd.watcher", c, c=c)
    return "restore"


def is_paused(g: Goroutine) -> str | None:
    """Go by what the runtime says: a payload that is paused would not take the signal (the RHEL build asks)."""
    process = g.world.host.procs.get(g.recall(f"task/{g['c']}").payload_pid)
    frozen = process is not None and process.frozen
    return "thaw" if frozen and traits(g.world, g.pid).thaws_orphans else None


def kill_payload(g: Goroutine) -> None:
    """Kill a payload without a shim."""
    g.kill(g.recall(f"task/{g['c']}").payload_pid, "KILL")


def record_255(g: Goroutine) -> None:
    """Write the status that the next read cannot parse; in 17.06 it can."""
    code = traits(g.world, g.pid).restore_kill_code
    syscalls.write_file(g.turn, f"{paths.state(g.world.services[g['c']].id)}/exitStatus", code)
    g.remember("exited", (*g.recall("exited", ()), g["c"]))


def serve(g: Goroutine) -> str | None:
    """Register the API; go on at once if no restored exit has to be reported first."""
    g.remember("serving", True)
    g.start("containerd.streams")
    return None if g.recall("exited") else "next"


def report_restored(g: Goroutine) -> None:
    """Put the restored exits before all other tasks."""
    waiting = g.world.queue(g.pid, "tasks")
    for _ in waiting:
        g.emit(Received(g.pid, "tasks"))
    for process in g.recall("exited", ()):
        c, _, x = process.partition("/")
        g.send(g.pid, "tasks", Message("ExitTask", c, None, x or None))
    for message in waiting:
        g.send(g.pid, "tasks", message)
    g.remember("exited", ())


def restored_exits_after(world: World, frame: Frame) -> int:
    """Return how long the reporting of restored exits waits, in µs."""
    return traits(world, frame.fid[0]).restored_exits_after


MAIN = procedure(
    "containerd.main",
    Do(start_threads),
    Do(listen),
    Do(read_log, "unexpected_eof"),
    Label("restore"),
    Do(restore_next, "restored", "restore", "unexpected_eof", "ghost"),
    run(runc_state),
    Do(is_paused, "thaw"),
    Label("kill"),
    Do(kill_payload),
    Wait(payload_gone),
    Do(record_255),
    Goto("restore"),
    Label("restored"),
    Do(serve, "next"),
    Sleep("restored_exits", restored_exits_after),
    Do(report_restored),
    LOOP,
    Label("unexpected_eof"),
    Exit(1),
    ADD_PROCESS,
    Label("thaw"),
    run(runc_resume),
    Goto("kill"),
    Label("ghost"),
    run(runc_delete),
    Do(remove_state),
    Goto("restore"),
)

STREAMS = {"Events": "subscribe", "LastEvent": "last_event", "Cancel": "cancel"}

ROLE = Role(
    words="containerd", kind=Kind.GUEST, order=20, home="dockerd", target="host", stalls_as="daemon", slows=True,
    rss=Rss(round(26.9 * MB), "issue, moby#35910: docker 17.10, 7 shims; 41 to 46 MB in bucketbench's README"),
)  # fmt: skip
PROGRAM = Program(
    "containerd",
    (
        MAIN,
        WORKER,
        WATCHER,
        WAITER,
        LAST_EXIT,
        procedure("containerd.streams", Serve("streams", STREAMS)),
        procedure("containerd.subscribe", Do(subscribe)),
        procedure("containerd.last_event", Do(last_event)),
        procedure("containerd.cancel", Do(note_canceled)),
        procedure("containerd.oom", Do(notice_oom)),
        procedure("containerd.stop", Exit(0)),
    ),
    handlers={"TERM": "stop", "INT": "stop"},
    ignored=frozenset({"PIPE", "USR1"}),
    cleans_up=keeps,
    readers=(Reader("main", "tasks"),),
    counts=frozenset({
        "containerd.events", "containerd.log", paths.EVENTS_LOG, paths.EVENT_TS,
        "message exit", "message exec_exit", "message oom", "message paused", "message resumed", f"message {STARTED}",
    }),
    role=ROLE,
)  # fmt: skip

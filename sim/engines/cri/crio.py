"""crio: a CRI server that keeps out of the way: conmon holds each container, reads its output and writes its end down.

A sandbox is its network alone (drop_infra_ctr, the default [K]): there is no pause. A container is made with conmon and
`crun create`, and started by `crun start`; crio notices the exit file that conmon leaves, also one that came while crio
was down. Without conmon nobody leaves one: a stop that finds the process gone waits 5 s and writes 255 down; an end by
itself is never noticed. After a boot (no version file on /run) it forgets every container. Leaves out images, storage,
streaming, the watchdog, conmon before it has left crio's control group, ctr_stop_timeout (30 s at least: a kubelet
gives each stop a time of its own, which is taken as it is). Source: designs §4.3 [S]; cri-o
server/container_create.go, internal/oci/runtime_oci.go, internal/lib/restore.go [K].
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import pod, service_of
from sim.engine.engine import file_of
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Goto, Label, Lock, Reap, Return, Serve, Unlock, Wait, call, reading, run
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.setup import S
from sim.engines.conmon.crun import crun
from sim.engines.conmon.files import run_file
from sim.engines.cri.cni import address_in, bridge_add, bridge_del, portmap_add, portmap_del
from sim.engines.cri.crio_conmon import conmon, exit_file, group, group_keys
from sim.engines.cri.crio_execs import EXEC_SYNC
from sim.engines.cri.pods import sandbox_file
from sim.engines.cri.runtime import (
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
from sim.engines.cri.sandboxes import begin_sandbox, must_stop_container, sandbox_failed, stop_inner
from sim.engines.cri.tasks import me
from sim.engines.host import daemon
from sim.engines.host.daemon import answer, event, keep, open_for_all, refuse, succeed
from sim.facts import Forgot
from sim.kernel import syscalls
from sim.world import Frame, Key, World

CRIO = ("/usr/bin/crio",)
SOCKET = "unix:/var/run/crio/crio.sock"
VERSION = "/var/run/crio/version"  # gone with /run: the next crio knows that the host has booted
THREADS = 10  # of the Go runtime; not measured [A]
EXIT_FILE_WAIT = 5 * S  # six tries from 500 ms on, each 1.2 times as long [S]

# -- sandboxes ---------------------------------------------------------------------------------------


def sandbox_ready(g: Goroutine) -> None:
    """Note that the network is there, and answer."""
    found = sandbox_of(g)
    if found is not None:
        keep_sandbox(g, replace(found, ready=True, address=address_in(g.world, g["c"])))
    answer(g)


def sandbox_over(g: Goroutine) -> None:
    """Note that it is not there any more."""
    found = sandbox_of(g)
    if found is not None and found.ready:
        keep_sandbox(g, replace(found, ready=False))


RUN_SANDBOX = procedure(
    "crio.run_sandbox",
    Lock("sandbox/{c}"),
    Do(begin_sandbox, "refused"),
    run(bridge_add, bad="failed"),
    run(portmap_add),
    Do(sandbox_ready),
    Label("refused"),
    Unlock("sandbox/{c}"),
    Return(),
    Label("failed"),
    Do(sandbox_failed),
    Unlock("sandbox/{c}"),
)
STOP_SANDBOX = procedure(
    "crio.stop_sandbox",
    Do(must_stop_container, "empty"),
    call("cri", me, stop_inner, lost="empty"),
    Label("empty"),
    run(portmap_del),
    run(bridge_del),
    Do(sandbox_over),
    Do(succeed),
)

# -- create and start --------------------------------------------------------------------------------


def crun_delete(g: Goroutine) -> Spawn | None:
    """Remove what the runtime keeps of an earlier instance, and what is left of its processes."""
    there = paths.runtime_state(service_of(g).id) in g.world.host.files
    return crun(g, "delete", "--force") if there else None


def clear(g: Goroutine) -> None:
    """Remove the files of an earlier instance."""
    service = service_of(g)
    for path in (exit_file(service), *(run_file(service, name) for name in ("oom", "error", "conmon.pid"))):
        syscalls.remove_file(g.turn, path)
    g.remember(f"sync/{g['c']}", "starting")


def _word(world: World, frame: Frame) -> tuple[Key, ...]:
    c = frame.local["c"]
    pid = frame.fid[0]
    way = (("memory", pid, f"sync/{c}"), ("queue", pid, "sync"), ("running", pid, "crio.hear"))
    return (*way, *group_keys(world, world.services[c]))


@reading(_word)
def conmon_said(world: World, frame: Frame) -> bool | str:
    """Say whether conmon has written to the sync pipe; or that nobody is left who holds its other end."""
    c, host = frame.local["c"], world.host
    if world.recall(frame.fid[0], f"sync/{c}") != "starting":
        return True
    if world.queue(frame.fid[0], "sync") or world.running(frame.fid[0], "crio.hear"):
        return False  # a word is on its way
    members = (host.procs[pid] for pid in host.grouped.get(group(world, world.services[c]), ()))
    mine = (it for it in members if it.image.program == "conmon" and it.image.container == c)
    return False if any(it.alive for it in mine) else "conmon_gone"


def take_word(g: Goroutine) -> str | None:
    """Keep the payload's number, or the runtime's error."""
    message: Any = g.recall(f"sync/{g['c']}")
    g.emit(Forgot(g.pid, f"sync/{g['c']}"))
    if message.kind == "failed":
        g["error"] = message.data
        return "failed"
    record = container_of(g)
    if record is not None:
        keep(g, replace(record, pid=message.data[0]))
    return None


def conmon_lost(g: Goroutine) -> None:
    """Nothing has come through the sync pipe."""
    g.emit(Forgot(g.pid, f"sync/{g['c']}"))
    g["error"] = 'container create failed: conmon bytes "": readObjectStart: expect { or n'


def not_created(g: Goroutine) -> None:
    """Forget the container, and say why it could not be made."""
    g.emit(Forgot(g.pid, f"container/{g['c']}"))
    syscalls.remove_file(g.turn, file_of(g.world, g["c"]))
    event(g, "destroy")
    refuse(g, f"CreateContainerError: {g['error']}")


def hear(g: Goroutine) -> None:
    """Keep what conmon has said of a container that is being made; of commands nobody waits for it."""
    if g.recall(f"sync/{g['c']}") == "starting":
        g.remember(f"sync/{g['c']}", g["request"])


CREATE = procedure(
    "crio.create_container",
    Lock("container/{c}"),
    Do(begin_container, "refused"),
    run(crun_delete),
    Do(clear),
    Fork(conmon),
    Reap(),
    Wait(conmon_said, "conmon_gone"),
    Do(take_word, "failed"),
    Do(succeed),
    Label("refused"),
    Unlock("container/{c}"),
    Return(),
    Label("conmon_gone"),
    Do(conmon_lost),
    Label("failed"),
    Do(not_created),
    Unlock("container/{c}"),
)


def crun_start(g: Goroutine) -> Spawn:
    """Let the payload go on at its exec fifo."""
    return crun(g, "start")


def started(g: Goroutine) -> None:
    """Note that it runs, and look for its exit file from now on."""
    record = container_of(g)
    if record is not None:
        keep(g, replace(record, running=True, started=True))
        event(g, "start")
        g.start("crio.watch", g["c"], c=g["c"])
    answer(g)


START = procedure(
    "crio.start_container",
    Lock("container/{c}"),
    Do(must_be_created, "refused"),
    run(crun_start),
    Do(started),
    Label("refused"),
    Unlock("container/{c}"),
)

# -- ends --------------------------------------------------------------------------------------------


@reading(lambda world, frame: (("file", exit_file(world.services[frame.local["c"]])),))
def exit_file_there(world: World, frame: Frame) -> bool:
    """Say whether conmon has left the exit file (inotify on the folder)."""
    return exit_file(world.services[frame.local["c"]]) in world.host.files


def note_end(g: Goroutine) -> None:
    """Note the code that conmon has left, and that memory ran out."""
    service, files = service_of(g), g.world.host.files
    code: Any = files.get(exit_file(service), UNKNOWN)
    record = container_of(g)
    if record is not None and record.running and run_file(service, "oom") in files:
        keep(g, replace(record, oom_killed=True))
        event(g, "oom")
    ended(g, code)


WATCH = procedure("crio.watch", Wait(exit_file_there), Do(note_end))


def begin_stop(g: Goroutine) -> str | None:
    """Go on to the stop signal; one that does not run is stopped, one without time gets KILL at once."""
    record = container_of(g)
    if record is None or not record.running:
        return "stopped"
    g["old_pid"] = record.pid
    return None if g["request"].data else "kill"


def stop_signal(g: Goroutine) -> Spawn:
    """Send the stop signal."""
    signal = service_of(g).stop_signal or "TERM"
    return crun(g, "kill", signal, signal=signal)


def kill_signal(g: Goroutine) -> Spawn:
    """Send KILL; crio goes on doing so until the process is gone."""
    return crun(g, "kill", "KILL", signal="KILL")


def _gone_reads(world: World, frame: Frame) -> Iterable[Key]:
    return (*container_stopped.reads(world, frame), ("proc", frame.local["old_pid"]))


@reading(_gone_reads)
def process_gone(world: World, frame: Frame) -> bool:
    """Say whether the process is gone (asked every 100 ms), or its end is known."""
    return frame.local["old_pid"] not in world.host.procs or container_stopped(world, frame) is True


def end_unknown(g: Goroutine) -> None:
    """Note an end that nobody has written down."""
    g.cancel(f"watch/{g['c']}")
    ended(g, UNKNOWN)


STOP = procedure(
    "crio.stop_container",
    Do(begin_stop, "stopped", "kill"),
    run(stop_signal),
    Wait(process_gone, within=stop_timeout, late="kill"),
    Goto("gone"),
    Label("kill"),
    run(kill_signal),
    Wait(process_gone),
    Label("gone"),
    Wait(container_stopped, within=EXIT_FILE_WAIT, late="unknown"),
    Goto("stopped"),
    Label("unknown"),
    Do(end_unknown),
    Label("stopped"),
    Do(succeed),
)

# -- begin -------------------------------------------------------------------------------------------


def begin(g: Goroutine) -> None:
    """Start threads; after a boot forget every container and sandbox (crio wipe)."""
    syscalls.start_threads(g.turn, g.pid, THREADS)
    if VERSION not in g.world.host.files:
        for name in g.world.services:
            syscalls.remove_file(g.turn, file_of(g.world, name))
            syscalls.remove_file(g.turn, sandbox_file(g.world, name))
        syscalls.write_file(g.turn, VERSION, True)


def restore(g: Goroutine) -> None:
    """Read every record; one that ran has a process, or an exit file, or has ended with a code that nobody knows."""
    files: Any = g.world.host.files
    for name in g.world.services:
        g["c"] = name
        found, record = files.get(sandbox_file(g.world, name)), files.get(file_of(g.world, name))
        if found is not None:
            g.remember(f"sandbox/{name}", found)
        if record is None:
            continue
        g.remember(f"container/{name}", record)
        if not record.running:
            continue
        process = g.world.host.procs.get(record.pid)
        lives = process is not None and process.alive and process.image.container == pod(name)
        if lives or exit_file(service_of(g)) in files:
            g.start("crio.watch", name, c=name)
        else:
            ended(g, UNKNOWN)


def serve(g: Goroutine) -> None:
    """Open the socket, and serve."""
    open_for_all(g, "api", "sync")


def must_be_stopped(g: Goroutine) -> str | None:
    """Refuse a container that runs."""
    record = container_of(g)
    if record is not None and record.running:
        refuse(g, "container is in running state")
        return "refused"
    return None


def remove_files(g: Goroutine) -> None:
    """Forget a container that has ended, and its files."""
    clear(g)
    g.emit(Forgot(g.pid, f"sync/{g['c']}"))
    remove_container(g)


PROGRAM = Program(
    "crio",
    (
        procedure("crio.main", Do(begin), Do(restore), Do(serve)),
        server("crio"),
        procedure("crio.sync", Serve("sync", {"created": "hear", "failed": "hear"})),
        procedure("crio.hear", Do(hear)),
        RUN_SANDBOX,
        STOP_SANDBOX,
        CREATE,
        START,
        STOP,
        WATCH,
        EXEC_SYNC,
        procedure(
            "crio.remove_container",
            Do(must_be_stopped, "refused"),
            run(crun_delete),
            Do(remove_files),
            Label("refused"),
        ),
        procedure("crio.remove_sandbox", Do(remove_sandbox)),
        procedure("crio.list", Do(list_all)),
        procedure("crio.stop", Exit(0)),
    ),
    handlers={"TERM": "stop", "INT": "stop"},
    ignored=frozenset({"PIPE", "HUP"}),  # HUP reloads what no rule reads: crio.conf(5)
    role=daemon.role(order=30),
)

"""containerd 1.2 and later: no main loop; each request is a goroutine that hands it to the container's shim.

It forks `shim start` and waits for it, remembers the shim, and asks it by ttrpc. It keeps neither exit statuses nor
events: what a shim tells it goes to the subscriber that is there at that moment, and to nobody otherwise. A shim whose
socket closes is cleaned up after by `shim delete`, after every end of a container; of one that containerd had not let
go itself it tells that it has exited with 137. When it begins it looks up, one after the other, the shims that an
earlier containerd has left, before it serves. Since 1.7.0 it asks each which processes its container has, and ends one
that names none: the exit status is lost, and nobody is told. A `shim delete` of more than 5 s is given up, and so is a
shim that does not answer in that time as containerd begins: its container is deleted. Leaves out content, images and
snapshots, the limit of a shutdown, and a dial of a dead socket that takes 100 s (1.5 to 1.7).
Source: designs §3.1, §3.5, §3.6, §3.7 [S]; containerd v1.7.24 runtime/v2/shim_load.go 60-174, shim.go 150-193, 457-520.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Goto, Label, Reap, Return, Serve, Wait, call, reading, run
from sim.engine.procedure import Procedure, procedure
from sim.engine.program import Program, adopts
from sim.engine.records import Task
from sim.engine.role import MB, Kind, Rss
from sim.engine.setup import S
from sim.engine.traits import traits
from sim.engines.containerd.boot import open_grpc, start_threads
from sim.engines.containerd.requests import (
    CREATE,
    DELETE,
    FORWARD,
    TO_SHIM,
    connect,
    has_shim,
    let_go,
    shim_at,
    shut_shim_down,
    task_of,
)
from sim.engines.containerd.shim_command import address_file, shim_command, socket_of
from sim.engines.host import daemon
from sim.engines.host.daemon import tell_ready
from sim.facts import Forgot, Message
from sim.kernel import syscalls
from sim.world import Frame, World

KILLED, UNKNOWN = 137, 255
CLEANUP_LIMIT = LOAD_LIMIT = 5 * S

# -- a socket that closes ---------------------------------------------------------------------------


@reading(lambda world, frame: (("proc", frame.local["shim_pid"]),))
def shim_closed(world: World, frame: Frame) -> bool:
    """Say whether the shim has gone, and its socket with it."""
    return not world.host.alive(frame.local["shim_pid"])


def clean_up_after_shim(g: Goroutine) -> Spawn:
    """Run `shim delete`."""
    return shim_command(g, "delete")


def shim_forgotten(g: Goroutine) -> Task | None:
    """Forget where the shim was, and its task; return that unless containerd had let it go before."""
    syscalls.remove_file(g.turn, address_file(service_of(g).id))
    task = task_of(g)
    if task is None or task.shim_pid != g["shim_pid"]:
        return None
    let_go(g)
    return task


def shim_cleaned_up(g: Goroutine) -> None:
    """Forget the task; one that containerd had not let go has exited with 137."""
    task = shim_forgotten(g)
    if task is None:
        return
    pid = task.payload_pid if traits(g.world, g.pid).dead_shim_tells_pid else 0
    tell(g, Message("exit", g["c"], None, (None, KILLED, pid)))


@reading(lambda world, frame: (("proc", frame.local["child_pid"]),))
def clean_up_ended(world: World, frame: Frame) -> bool:
    """Return whether `shim delete` has ended."""
    return not world.host.alive(frame.local["child_pid"])


def kill_clean_up(g: Goroutine) -> None:
    """Give up `shim delete`: what it has begun goes on without it."""
    g.kill(g["child_pid"], "KILL")


def shim_not_cleaned_up(g: Goroutine) -> None:
    """Forget the task, and tell 255 without a pid; the bundle stays, in the way of the next task (shim.go 175).

    That of a task which was deleted before is removed with it, whatever becomes of `shim delete` (shim.go 401).
    """
    task = task_of(g)
    if task is None or task.shim_pid != g["shim_pid"]:
        syscalls.remove_file(g.turn, address_file(service_of(g).id))
        return
    let_go(g)
    tell(g, Message("exit", g["c"], None, (None, UNKNOWN, 0)))


WATCHER = procedure(
    "containerd.watcher",
    Wait(shim_closed),
    Fork(clean_up_after_shim),
    Wait(clean_up_ended, within=CLEANUP_LIMIT, late="too_long"),
    Reap(bad="failed"),
    Do(shim_cleaned_up),
    Return(),
    Label("too_long"),
    Do(kill_clean_up),
    Reap(),
    Label("failed"),
    Do(shim_not_cleaned_up),
)

# -- events -----------------------------------------------------------------------------------------


def subscribe(g: Goroutine) -> None:
    """Send events to this subscriber from now on; what came before it does not learn."""
    g.remember("subscriber_pid", g["request"].reply[0])
    g.reply(g["request"].reply, True)


def tell(g: Goroutine, event: Message) -> None:
    """Tell the subscriber, if there is one."""
    subscriber = g.recall("subscriber_pid")
    if subscriber is not None:
        g.send(subscriber, "events", event)


def hand_on(g: Goroutine) -> None:
    """Take an event from a shim, and hand it on."""
    event = g["request"]
    g.reply(event.reply, True)
    tell(g, Message(event.kind, event.container, None, event.data))


# -- begin ------------------------------------------------------------------------------------------


def find_shims(g: Goroutine) -> None:
    """List the containers that an earlier containerd has left; those of one that listens elsewhere are its own."""
    here = [name for name in g.world.services if has_shim(g.world, name)]
    mine = (None, traits(g.world, g.pid).containerd_socket)
    g["todo"], g["i"] = tuple(name for name in here if _tells(g.world, name) in mine), 0


def _tells(world: World, name: str) -> str | None:
    """Return the socket of the containerd that a container's shim tells of its end; None if the shim is gone."""
    shim = world.host.listeners.get(socket_of(world, name))
    return None if shim is None else traits(world, shim).containerd_socket


def load_next(g: Goroutine) -> str | None:
    """Connect to the next shim; one that nobody answers for is cleaned up after."""
    if g["i"] == len(g["todo"]):
        return "loaded"
    g["c"] = g["todo"][g["i"]]
    g["i"] = g["i"] + 1
    return None if connect(g) is None else "dead"


def ask_pid(g: Goroutine) -> Message:
    """Ask the shim for the first process."""
    return Message("State", g["c"], g.frame.fid)


def keep_answer(g: Goroutine) -> None:
    """Keep what the shim has answered."""
    g.remember(f"loading/{g['c']}", g["answer"])


LOAD = procedure(
    "containerd.load",
    call("ttrpc", shim_at, ask_pid, lost="lost"),
    Do(keep_answer),
    Label("lost"),
)


def begin_load(g: Goroutine) -> None:
    """Ask in a goroutine of its own, since the answer may be too late."""
    g["job"] = g.start("containerd.load", g["c"], c=g["c"])


@reading(lambda world, frame: (("frame", frame.local["job"]),))
def shim_answered(world: World, frame: Frame) -> bool:
    """Return whether the shim has answered, or is gone."""
    return frame.local["job"] not in world.frames


def take_answer(g: Goroutine) -> str | None:
    """Take the answer; one that is gone meanwhile is cleaned up after by its watcher."""
    key = f"loading/{g['c']}"
    g["answer"] = g.recall(key)
    if g["answer"] is None:
        return "load"
    g.emit(Forgot(g.pid, key))
    return None


def give_up_shim(g: Goroutine) -> None:
    """Give up a shim that does not answer in time: what it holds is deleted (shim.go 134-145, shim_load.go 144)."""
    g.cancel(f"load/{g['c']}")
    leaked(g)


def shim_loaded(g: Goroutine) -> str | None:
    """Keep the first process's pid; a containerd before 1.7.0 asks no more."""
    task = task_of(g)
    if task is not None:
        g.remember(f"task/{g['c']}", replace(task, payload_pid=g["answer"][0]))
    return unless_asked(g)


def unless_asked(g: Goroutine) -> str | None:
    """Go on with the next shim if this containerd does not ask which processes a container has."""
    return None if traits(g.world, g.pid).cleans_leaked_shims else "load"


def ask_processes(g: Goroutine) -> Message:
    """Ask the shim for all processes of the container."""
    return Message("Pids", g["c"], g.frame.fid)


def has_processes(g: Goroutine) -> str | None:
    """Keep a shim whose container has a process (shim_load.go 163)."""
    return "load" if g["answer"] else None


def leaked(g: Goroutine) -> None:
    """Give up a shim whose container has no process, or that cannot say: it was never added, so nobody is told."""
    g.cancel(f"watcher/{g['c']}")
    let_go(g)


def delete_leaked(g: Goroutine) -> Message:
    """Ask the shim to delete its task; the exit status that it answers with is dropped."""
    return Message("Delete", g["c"], g.frame.fid)


def remains_removed(g: Goroutine) -> None:
    """Forget a container whose shim is gone: nobody is told."""
    syscalls.remove_file(g.turn, address_file(service_of(g).id))


def serve(g: Goroutine) -> None:
    """Open the socket, and serve."""
    open_grpc(g)
    for name in ("tasks", "exits", "streams"):
        g.start(f"containerd.{name}")
    if adopts(g.world, g.world.host.procs[g.pid].ppid):  # a unit, and no child of dockerd
        tell_ready(g)


def _api() -> dict[str, str]:
    return dict.fromkeys(TO_SHIM, "forward") | {"CreateTask": "create", "DeleteTask": "delete"}


def load_table(*loaded: Any, clean_up: Callable[[Goroutine], Spawn]) -> tuple[Any, ...]:
    """Return how the shims on the list are looked up, up to label `loaded`; *loaded* keeps what one has answered.

    *clean_up* removes what a shim leaves behind.
    """
    return (
        Label("load"),
        Do(load_next, "loaded", "dead"),
        Do(begin_load),
        Wait(shim_answered, within=LOAD_LIMIT, late="too_late"),
        Do(take_answer, "load"),
        *loaded,
        call("ttrpc", shim_at, ask_processes, lost="leaked"),
        Do(has_processes, "load"),
        Label("leaked"),
        Do(leaked),
        call("ttrpc", shim_at, delete_leaked, lost="shut_down"),
        Label("shut_down"),
        call("ttrpc", shim_at, shut_shim_down, lost="dead"),
        Goto("dead"),
        Label("too_late"),
        Do(give_up_shim),
        Label("dead"),
        run(clean_up),
        Do(remains_removed),
        Goto("load"),
        Label("loaded"),
    )


def main_table(clean_up: Callable[[Goroutine], Spawn]) -> Procedure:
    """Return containerd's own begin, with what cleans up after a shim that is gone."""
    return procedure(
        "containerd.main",
        Do(start_threads),
        Do(find_shims),
        load_table(Do(shim_loaded, "load"), clean_up=clean_up),
        Do(serve),
    )


MAIN = main_table(clean_up_after_shim)

ROLE = daemon.role(
    kind=Kind.GUEST,
    home="dockerd",
    order=20,
    words="containerd",
    rss=Rss(round(60.5 * MB), "issue, containerd#2020: 57 to 64 MB, 1.0"),
)
PROGRAM = Program(
    "containerd",
    (
        MAIN,
        LOAD,
        procedure("containerd.tasks", Serve("tasks", _api())),
        procedure("containerd.exits", Serve("exits", {"exit": "hand_on", "oom": "hand_on"})),
        procedure("containerd.streams", Serve("streams", {"Events": "subscribe"})),
        FORWARD,
        CREATE,
        DELETE,
        WATCHER,
        procedure("containerd.subscribe", Do(subscribe)),
        procedure("containerd.hand_on", Do(hand_on)),
        procedure("containerd.stop", Exit(0)),
    ),
    handlers={"TERM": "stop", "INT": "stop"},
    ignored=frozenset({"PIPE", "USR1"}),
    cleans_up=has_shim,
    role=ROLE,
)

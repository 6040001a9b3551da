"""docker rename, update --restart, wait, ps, inspect, info, version, logs, events, attach: locks, and who is asked.

`ps` takes every container's lock in turn, so that one that starts or is stuck holds it up, until 17.07, which reads a
snapshot; `inspect` and `logs` take their own container's. `info` and `version` take none; `info` runs two programs for
their versions. An attached client, like one that reads events, is told of the next end. Leaves out what they print, the
ring of 64 events that `--since` reads, and a subscriber that does not read: clients are on another machine and always
do. Source: D daemon/rename.go, update.go, list.go, inspect.go, info.go, attach.go; engine-1.13 §3.2, §4, §13, §15.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from sim.engine.containers import service_of
from sim.engine.goroutine import Failure, Goroutine, Spawn
from sim.engine.ops import Do, Exit, Goto, Label, Lock, Return, Unlock, Wait, call, reading, run
from sim.engine.procedure import Procedure, procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engine.setup import Restart
from sim.engines.docker.dockerd.start import (
    answer,
    containerd_at,
    event,
    guarded,
    in_flight,
    record_of,
    rpc_error,
    update,
)
from sim.engines.docker.dockerd.stop import no_such
from sim.engines.docker.dockerd.waiting import begin_wait, stopped
from sim.facts import Message
from sim.kernel import syscalls
from sim.world import Frame, World

RUNC = "/usr/libexec/docker/docker-runc-current"
INIT = "/usr/libexec/docker/docker-init-current"


def must_exist(g: Goroutine) -> str | None:
    """Refuse a container that does not exist."""
    if record_of(g) is not None:
        return None
    answer(g, no_such(g["c"]))
    return "refused"


def done(g: Goroutine) -> None:
    """Answer."""
    answer(g)


# -- rename ----------------------------------------------------------------------------------------


def bearer(g: Goroutine, message: Message) -> Message | Failure:
    """Send a request to the container that bears the name now; what nobody bears does not exist."""
    record = g.recall(f"container/{message.container}") if message.container else None
    called = message.data[5] if isinstance(message.data, tuple) and len(message.data) > 5 else ""
    wanted = called or message.container
    if record is None or (record.called or message.container) == wanted:
        return message
    for name in g.world.services:
        other = g.recall(f"container/{name}")
        if other is not None and (other.called or name) == wanted:
            return replace(message, container=name)
    return no_such(wanted)


def name_of(g: Goroutine) -> str:
    """Return the name that the container bears."""
    record = record_of(g)
    return g["c"] if record is None else record.called or g["c"]


def rename(g: Goroutine) -> None:
    """Give the container another name, on disk as well, and say so; a name that somebody bears is refused."""
    record, (name,) = record_of(g), g["request"].data[3]
    if record is None:
        answer(g, no_such(g["c"]))
        return
    old = name_of(g)
    if name == old:
        answer(g, Failure("Renaming a container with the same name as its current name"))
        return
    for other, service in g.world.services.items():
        taken = g.recall(f"container/{other}")
        if taken is not None and (taken.called or other) == name:
            text = f'Conflict. The name "/{name}" is already in use by container {service.id}.'
            answer(g, Failure(f"Error when allocating new name: {text}"))
            return
    update(g, replace(record, called="" if name == g["c"] else name), disk=True)
    event(g, "rename", ("oldName", f"/{old}"))
    answer(g)


RENAME = procedure("dockerd.rename", Lock("container/{c}"), Do(rename), Unlock("container/{c}"))

# -- update ----------------------------------------------------------------------------------------


def update_request(g: Goroutine) -> str | None:
    """Change the policy of the live restart manager, its pause and its cancellation untouched, and on disk."""
    record = record_of(g)
    refusal = _not_updatable(g)
    if record is None or refusal:
        answer(g, no_such(g["c"]) if record is None else Failure(refusal))
        return "refused"
    name, most = g["request"].data[3]
    g["before"] = record.policy
    update(g, replace(record, policy=Restart(name, int(most))), disk=True)
    return None if record.running and not record.restarting else "not_running"


def _not_updatable(g: Goroutine) -> str:
    record, service = record_of(g), service_of(g)
    refused = f"Cannot update container {service.id}: "
    if record is not None and (record.removing or record.dead):
        return refused + 'Container is marked for removal and cannot be "update".'
    if service.auto_remove:
        return refused + "Restart policy cannot be updated because AutoRemove is enabled for the container"
    return ""


def update_task(g: Goroutine) -> Message:
    """Have the resources set anew, though they are the old ones."""
    return in_flight(g, Message("UpdateTask", g["c"], g.frame.fid))


def updated(g: Goroutine) -> None:
    """Say `update` and answer."""
    event(g, "update")
    answer(g)


def not_updated(g: Goroutine) -> None:
    """Go back to the policy of before, and say why."""
    why = g["answer"].text if isinstance(g["answer"], Failure) else rpc_error(g)
    record = record_of(g)
    if record is not None:
        update(g, replace(record, policy=g["before"]), disk=True)
    answer(g, Failure(f"Cannot update container {service_of(g).id}: {why}"))


def update_table(guard: Callable[..., list[Any]], lost: list[Any]) -> Procedure:
    """Return update's way; *guard* holds what containerd is asked within, *lost* is done first if it was lost."""
    return procedure(
        "dockerd.update",
        Lock("container/{c}"),
        Do(update_request, "refused", "not_running"),
        Unlock("container/{c}"),
        guard(call("tasks", containerd_at, update_task, lost="lost")),
        Do(updated),
        Return(),
        Label("lost"),
        lost,
        Do(not_updated),
        Return(),
        Label("not_running"),
        Do(updated),
        Label("refused"),
        Unlock("container/{c}"),
    )


UPDATE = update_table(guarded, [Unlock("libcontainerd/{c}")])

# -- what only reads -------------------------------------------------------------------------------


def list_all(g: Goroutine) -> None:
    """List the containers, newest first (here: the last of the file first)."""
    names = [name for name in g.world.services if g.recall(f"container/{name}") is not None]
    g["todo"] = tuple(reversed(names))


def list_next(g: Goroutine) -> str | None:
    """Go on with the next container's lock."""
    if not g["todo"]:
        return "listed"
    g["c"], *rest = g["todo"]
    g["todo"] = tuple(rest)
    return None


PS = procedure(
    "dockerd.ps",
    Do(list_all),
    Label("next"),
    Do(list_next, "listed"),
    Lock("container/{c}"),
    Unlock("container/{c}"),
    Goto("next"),
    Label("listed"),
    Do(done),
)

PS_OF_SNAPSHOT = procedure("dockerd.ps", Do(done))  # replica of what was written: v17.09.0-ce daemon/list.go 185

INSPECT = procedure(
    "dockerd.inspect", Do(must_exist, "refused"), Lock("container/{c}"), Do(done), Unlock("container/{c}"),
    Label("refused"),
)  # fmt: skip


def runc_version(g: Goroutine) -> Spawn:
    """Ask docker-runc for its version."""
    return Spawn("version", (RUNC, "--version"), local={"count": g.world.setup.engine.unverified.runc_threads})


def init_version(g: Goroutine) -> Spawn:
    """Ask docker-init for its version: a C program, it has no threads."""
    return Spawn("version", (INIT, "--version"), local={"count": 0})


INFO = procedure("dockerd.info", run(runc_version), run(init_version), Do(done))


def start_threads(g: Goroutine) -> None:
    """Start the program's threads."""
    syscalls.start_threads(g.turn, g.pid, g["count"])


VERSION_PROGRAM = Program(
    "version", (procedure("version.main", Do(start_threads), Exit(0)),), role=Role(kind=Kind.ERRAND, brief=True)
)

# -- what waits ------------------------------------------------------------------------------------


def follows(g: Goroutine) -> str | None:
    """Go on to wait for the container's end with `logs -f`: its logger is closed then."""
    if "follow" not in g["request"].data[3]:
        return "at_once"
    begin_wait(g)
    return None


LOGS = procedure(
    "dockerd.logs",
    Do(must_exist, "refused"),
    Lock("container/{c}"),
    Unlock("container/{c}"),
    Do(follows, "at_once"),
    Wait(stopped),
    Label("at_once"),
    Do(done),
    Label("refused"),
)


def wait_for_end(g: Goroutine) -> str | None:
    """Begin to wait for the end of a container that exists."""
    refused = must_exist(g)
    if refused is None:
        begin_wait(g)
    return refused


WAIT = procedure(
    "dockerd.wait",
    Do(wait_for_end, "refused"),
    Wait(stopped),
    Lock("container/{c}"),
    Do(done),
    Unlock("container/{c}"),
    Label("refused"),
)


@reading(lambda world, frame: ())
def never(world: World, frame: Frame) -> bool:
    """Say that this does not come: the connection ends with one of its ends."""
    return False


WATCH = procedure("dockerd.watch", Wait(never), Do(done))


def attach(g: Goroutine) -> None:
    """Say `attach`, and keep the client until the next end of the container."""
    record = record_of(g)
    if record is None:
        answer(g, no_such(g["c"]))
        return
    if g["request"].data[3] == ("attach",) and (record.paused or not record.running):
        how = "paused container, unpause it first" if record.paused else "stopped container, start it first"
        answer(g, Failure(f"You cannot attach to a {how}"))
        return
    key = f"attached/{g['c']}"
    g.remember(key, (*g.recall(key, ()), g["request"].reply))
    event(g, "attach")
    answer(g)


ATTACH = procedure("dockerd.attach", Do(attach))

"""A container's exit reaches dockerd: one reader of events for all, then per container state, network, restart policy.

Source: D libcontainerd handleEventStream, daemon/monitor.go StateChanged, restartmanager.go; engine-1.13 §3.1 steps 6
to 8, §4, §16.4.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Exit, Go, Goto, Label, Lock, Return, Unlock, Wait, call, reading, receive
from sim.engine.policies import wants_restart
from sim.engine.procedure import procedure
from sim.engine.records import Container
from sim.engine.setup import MS
from sim.engine.traits import traits
from sim.engines.docker.dockerd.attached import tell_attached
from sim.engines.docker.dockerd.execs import exec_exited
from sim.engines.docker.dockerd.health import stop_monitor
from sim.engines.docker.dockerd.network import release_network, unmap_ports
from sim.engines.docker.dockerd.output import AWAIT_OUTPUT
from sim.engines.docker.dockerd.pause import handle_pause
from sim.engines.docker.dockerd.start import (
    FORCED,
    containerd_at,
    drop_bundle,
    event,
    record_of,
    set_stopped,
    update,
)
from sim.engines.docker.dockerd.volumes import unmount_volumes
from sim.engines.docker.dockerd.waiting import wake
from sim.facts import Forgot, Message
from sim.kernel import syscalls
from sim.world import Frame, Key, World

FIRST_BACKOFF = 100 * MS


# -- the event stream ------------------------------------------------------------------------------


def _stream(world: World, frame: Frame) -> tuple[Key, ...]:
    pid = frame.fid[0]
    return (("queue", pid, "events"), ("memory", pid, "connection"))


@reading(_stream)
def event_or_break(world: World, frame: Frame) -> bool | str:
    """Say whether an event waits, or the stream has broken with its containerd."""
    pid = frame.fid[0]
    if world.queue(pid, "events"):
        return True
    return "broken" if world.recall(pid, "connection") != frame.local["peer_pid"] else False


def take_event(g: Goroutine) -> None:
    """Read one event."""
    g["task"] = message = receive(g, "events")
    g["c"] = message.container


def look_up(g: Goroutine) -> str | None:
    """See that libcontainerd knows the container, now that the lock is held; else the event ends here."""
    return None if g.recall(f"lib/{g['c']}") else "unknown"


def handle_other(g: Goroutine, kind: str, status: object) -> None:
    """Take an event that does not end the container."""
    if isinstance(status, tuple):
        exec_exited(g, *status)
    elif kind == "oom":
        g.remember(f"oom/{g['c']}", True)
        event(g, "oom")
    else:
        handle_pause(g, kind)


def handle_event(g: Goroutine) -> None:
    """Forget the container, remove its bundle, hand the exit on, and note how far the stream was read.

    One that a failed start has forgotten meanwhile ends all the same: nobody looks again (remote_unix.go 318-331).
    """
    number, status = g["task"].data
    if g["task"].kind != "exit":
        handle_other(g, g["task"].kind, status)
        syscalls.write_file(g.turn, paths.EVENT_TS, number)
        return
    oom = g.recall(f"oom/{g['c']}")
    if oom:
        g.emit(Forgot(g.pid, f"oom/{g['c']}"))
    drop_bundle(g)
    syscalls.write_file(g.turn, paths.EVENT_TS, number)
    if g.recall(f"restoring/{g['c']}"):
        g.remember(f"exit/{g['c']}", status)
    else:
        printed = bool(service_of(g).payload.log)
        procedure = "dockerd.state_exit_after_output" if printed else "dockerd.state_exit"
        g.start(procedure, g["c"], c=g["c"], status=status, **({"oom_killed": True} if oom else {}))


@reading(lambda world, frame: (("memory", frame.fid[0], "connection"),))
def connected(world: World, frame: Frame) -> bool:
    """Say whether the gRPC connection is ready."""
    return world.recall(frame.fid[0], "connection") is not None


def events_since(g: Goroutine) -> Message:
    """Ask for all events later than the last one handled."""
    return Message("Events", "", g.frame.fid, g.world.host.files.get(paths.EVENT_TS, 0))


def subscribed(g: Goroutine) -> None:
    """Note that the stream is open."""
    g.remember("subscribed", True)


def events_failed(g: Goroutine) -> str | None:
    """Give up when the transport is lost between the connection and the request: Events itself returns an error.

    While dockerd starts that ends it with 1; later the goroutine ends and says nothing: dockerd is deaf (T36).
    """
    return "deaf" if g.recall("subscribed") else None


EVENTS = procedure(
    "dockerd.events",
    Label("subscribe"),
    Wait(connected),
    call("streams", containerd_at, events_since, lost="subscribe", refused="unsent"),
    Do(subscribed),
    Label("next"),
    Wait(event_or_break, "broken"),
    Do(take_event),
    Lock("remote"),
    Do(look_up, "unknown"),
    Unlock("remote"),
    Lock("libcontainerd/{c}"),
    Do(handle_event),
    Unlock("libcontainerd/{c}"),
    Goto("next"),
    Label("unknown"),
    Unlock("remote"),
    Goto("next"),
    Label("broken"),
    Goto("subscribe"),
    Label("unsent"),
    Do(events_failed, "deaf"),
    Exit(1),
    Label("deaf"),
)

# -- the state change ------------------------------------------------------------------------------


def next_backoff(record: Container, cap: int | None = None, first: int = FIRST_BACKOFF) -> int:
    """Return the time before the next attempt, in µs: *first*, then doubled up to *cap*; a run of 10 s resets it."""
    if record.ran_long or not record.backoff:
        return FIRST_BACKOFF if record.ran_long else first
    return record.backoff * 2 if cap is None else min(record.backoff * 2, cap)


def _backoff(g: Goroutine, record: Container) -> int:
    found = traits(g.world, g.pid)
    return next_backoff(record, found.restart_cap, found.first_backoff)


def state_exit(g: Goroutine) -> str | None:
    """Ask the restart manager, believe that it has stopped or restarts, and say `die`."""
    record = record_of(g)
    if record is None:
        return "unknown"
    believe_end(g, ask_restart_manager(g, record))
    say_die(g)
    begin_pause(g)
    tell_end(g)
    return None if g.recall("controller") else "no_controller"


def ask_restart_manager(g: Goroutine, record: Container) -> Container:
    """Ask the restart manager, whose pause begins with the answer, and return the record with that pause."""
    g.cancel(f"uptime/{g['c']}")
    manual = bool(g.recall("shutting_down")) or record.manual
    g["again"] = not record.canceled and wants_restart(record, g["status"], manual)
    return replace(record, backoff=_backoff(g, record) if g["again"] else 0)


def believe_end(g: Goroutine, record: Container) -> None:
    """Believe, in memory alone, that the container has stopped or, if the restart manager said so, restarts."""
    stop_monitor(g)
    update(
        g,
        replace(
            record,
            running=g["again"],
            restarting=g["again"],
            paused=g["again"] and record.paused and traits(g.world, g.pid).pause_outlives_run,
            pid=0,
            exit_code=g["status"],
            oom_killed=bool(g["oom_killed"]),
            restart_count=record.restart_count + g["again"],  # now, not once it runs (monitor.go StateChanged)
        ),
        disk=False,
    )
    wake(g)  # SetRestarting, too, closes the channel that a stop waits on


def say_die(g: Goroutine) -> None:
    """Say `die`."""
    event(g, "die", ("exitCode", str(g["status"])))


def begin_pause(g: Goroutine) -> None:
    """Let the restart manager's pause begin, beside the rest of the exit."""
    if g["again"]:
        g.start("dockerd.restart", g["c"], c=g["c"])


def tell_end(g: Goroutine) -> None:
    """Answer the clients that are attached, with the exit code."""
    if g["again"] or not service_of(g).auto_remove:
        tell_attached(g, g["status"])


def clean_up(g: Goroutine) -> str | None:
    """Release the network (if its controller is up: not while the daemon boots), then unmount and write."""
    if g.recall("controller"):
        release_network(g)
    return keep_exit(g)


def keep_exit(g: Goroutine) -> str | None:
    """Unmount, and write the record to disk."""
    if g.recall("controller"):
        unmount_volumes(g)
    record = record_of(g)
    if record is not None:
        update(g, record, disk=True)
    kept = g["again"] or (record is not None and record.kept)
    return "auto_remove" if service_of(g).auto_remove and not kept and g.recall("controller") else None


AUTO_REMOVE = (  # after the lock was released
    Label("auto_remove"),
    Unlock("container/{c}"),
    Go("rm", "{c}", "c", request=FORCED),
)
EXIT = (
    Do(state_exit, "unknown", "no_controller"),
    unmap_ports(),
    Label("no_controller"),
    Do(clean_up, "auto_remove"),
    Label("unknown"),
    Unlock("container/{c}"),
    Return(),
    AUTO_REMOVE,
)
STATE_EXIT = procedure("dockerd.state_exit", Lock("container/{c}"), EXIT)
STATE_EXIT_AFTER_OUTPUT = procedure("dockerd.state_exit_after_output", Lock("container/{c}"), AWAIT_OUTPUT, EXIT)

# -- the restart manager ---------------------------------------------------------------------------


def backoff(world: World, frame: Frame) -> int:
    """Return how long the restart manager waits, in µs."""
    record = world.recall(frame.fid[0], f"container/{frame.local['c']}")
    return int(record.backoff) if record is not None else 0


@reading(lambda world, frame: (("memory", frame.fid[0], f"container/{frame.local['c']}"),))
def restart_canceled(world: World, frame: Frame) -> bool:
    """Say whether a stop has canceled the restart manager meanwhile."""
    record = world.recall(frame.fid[0], f"container/{frame.local['c']}")
    return record is None or record.canceled


def give_up_restart(g: Goroutine) -> None:
    """Believe that it has stopped, in memory alone (monitor.go: the error of a canceled wait leads to SetStopped)."""
    set_stopped(g)


@reading(lambda world, frame: (("frame", (frame.fid[0], "boot")),))
def startup_done(world: World, frame: Frame) -> bool:
    """Say whether the daemon's own start is over: a policy's attempt waits for that."""
    return (frame.fid[0], "boot") not in world.frames


RESTART = procedure(
    "dockerd.restart",
    Wait(restart_canceled, within=backoff, late="again"),
    Do(give_up_restart),
    Return(),
    Label("again"),
    Wait(startup_done),
    Go("start", "{c}", "c", why="policy", request=None),
)


def long_run(world: World, frame: Frame) -> int:
    """Return after how long a run lets the backoff start anew, in µs."""
    return traits(world, frame.fid[0]).restart_reset


def ran_long(g: Goroutine) -> None:
    """Note that this run has lasted so long that the backoff starts anew."""
    record = record_of(g)
    if record is not None and record.running:
        update(g, replace(record, ran_long=True), disk=False)

"""dockerd begins: what the disk says was running is asked of containerd, and stopped, or taken over (live-restore).

One container at a time asks, with the lock that the reader of events needs as well (`remote`): State, then the last
event of the container that containerd has stored. Since 1.12 that may be one which an earlier dockerd has handled: it
asks for what is later than the last handled one, and if there is none for all (here once, which comes to the same). One
that containerd does not know has ended, with the code of that event; if its last event is another one, that is asked
for again for 10 s; 255 if there is none. A signal that cannot be sent is only logged. Source: D
libcontainerd/client_linux.go 384-396, 400-451 getContainerLastEvent, 453-551 Restore; moby 1.11.2 setExited, 1.12.6
Restore; engine-1.13 §6 step 5, §15, §23 T47, T47b, T48.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Goto, Label, Lock, Return, Sleep, Unlock, Wait, call, reading
from sim.engine.procedure import procedure
from sim.engine.settings import daemon_of
from sim.engine.setup import MS, S
from sim.engine.traits import traits
from sim.engines.docker.dockerd.health import start_monitor
from sim.engines.docker.dockerd.output import begin_discard, begin_output
from sim.engines.docker.dockerd.pause import handle_pause
from sim.engines.docker.dockerd.start import containerd_at, drop_bundle, event, record_of, update
from sim.engines.host import storage
from sim.facts import Forgot, Message
from sim.kernel import fifos
from sim.world import Frame, World

TERM_WAIT = 10 * S
KILL_WAIT = 2 * S
LOOK = 100 * MS
LOOKS = 100  # in 10 s
UNKNOWN = 255
ASKS = {"any event": None, "exit, pause or resume": ("exit", "paused", "resumed")}  # without a limit in time


def state_task(g: Goroutine) -> Message:
    """Ask containerd for the container's state."""
    return Message("StateTask", g["c"], g.frame.fid)


def is_known(g: Goroutine) -> None:
    """Note that containerd has the container, and the process that it tells."""
    g["known"], g["payload_pid"] = True, g["answer"]


def last_event(g: Goroutine) -> Message:
    """Ask containerd for the container's last event; up to 1.11 of those that an earlier dockerd has not handled."""
    return Message("LastEvent", g["c"], g.frame.fid, ASKS.get(traits(g.world, g.pid).restore_asks, g["since"]))


def take_last(g: Goroutine) -> None:
    """Keep the kind of the last event, and the exit code that it tells."""
    last = g["answer"] if isinstance(g["answer"], Message) else Message("none", g["c"])
    g["last"] = last.kind
    g["status"] = last.data if last.kind == "exit" else traits(g.world, g.pid).unknown_exit


def look_again(g: Goroutine) -> str | None:
    """Go on to ask for the exit of a container that is not known, unless it has come or 10 s are over."""
    take_last(g)
    g["looks"] = (g["looks"] or 0) + 1
    return None if g["last"] == "exit" or g["looks"] >= LOOKS else "look"


def go_by_state(g: Goroutine) -> str | None:
    """Take what runs over, or stop what is left; then what waits in the fifos is thrown away."""
    take_last(g)
    if not g["known"]:
        waits = g["last"] not in ("none", "exit") and traits(g.world, g.pid).restore_asks == "any event"
        return "look" if waits else "unknown"
    if daemon_of(g.world, g.pid).live_restore:
        return "reattach"
    begin_discard(g)
    g["signal"] = "TERM"
    return None


def signal_task(g: Goroutine) -> Message:
    """Ask containerd to send the signal."""
    return Message("SignalTask", g["c"], g.frame.fid, g["signal"])


def _exit(world: World, frame: Frame) -> object:
    return world.recall(frame.fid[0], f"exit/{frame.local['c']}")


@reading(lambda world, frame: (("memory", frame.fid[0], f"exit/{frame.local['c']}"),))
def exit_known(world: World, frame: Frame) -> bool:
    """Say whether containerd's exit event has come."""
    return _exit(world, frame) is not None


def now_kill(g: Goroutine) -> None:
    """Go on with KILL."""
    g["signal"] = "KILL"


def take_exit(g: Goroutine) -> None:
    """Take the code that was told; one that has not ended by now is forgotten, and counts as 255."""
    status = _exit(g.world, g.frame)
    g["status"] = UNKNOWN if status is None else status


def is_restored(g: Goroutine) -> None:
    """Note that the restore of this container is over."""
    for key in (f"restoring/{g['c']}", f"exit/{g['c']}"):
        if g.recall(key) is not None:
            g.emit(Forgot(g.pid, key))


def restored_dead(g: Goroutine) -> None:
    """Believe that it has stopped, and say `die`; the network is released later."""
    record = record_of(g)
    assert record is not None
    is_restored(g)
    drop_bundle(g)
    stopped = replace(record, running=False, restarting=False, paused=False, pid=0, exit_code=g["status"])
    update(g, stopped, disk=True)
    event(g, "die", ("exitCode", str(g["status"])))


def reopen(g: Goroutine) -> None:
    """Open the fifos again, and go on to read what the container prints."""
    service = g.world.services[g["c"]]
    for stream, mode in zip(paths.STREAMS, ("w", "r", "r"), strict=True):
        path = f"{paths.bundle(service.id)}/{stream}"
        if path in g.world.host.fifos:
            fifos.open_fifo(g.turn, g.pid, path, mode)
    begin_output(g)


def reattach(g: Goroutine) -> None:
    """Reopen the fifos, believe that the process that containerd told runs, and say `start` again (SetRunning).

    A start that a policy had begun when the earlier dockerd ended is over with that. The times stay. If containerd's
    last event of it is a pause, or the end of one, that is said again, too. With a full disk the container is believed
    to run and nothing else: no log, no health checks, no event (monitor.go 102-110, client_linux.go 366-382).
    """
    record, written = record_of(g), not storage.full(g.world)
    assert record is not None
    if written:
        reopen(g)
    is_restored(g)
    g.remember("active", (*g.recall("active", ()), g["c"]))
    taken = replace(record, running=True, restarting=False, pid=g["payload_pid"], exit_code=0, started=True, error="")
    update(g, replace(taken, manual=False), disk=True)
    if not written:
        if not traits(g.world, g.pid).discards_kept:
            g.emit(Forgot(g.pid, f"lib/{g['c']}"))
        return
    start_monitor(g)
    event(g, "start")
    if g["last"] in ("paused", "resumed"):
        handle_pause(g, g["last"])


def discard_too(g: Goroutine) -> None:
    """Read the fifos a second time, to throw away: the RHEL build does so though it has just taken the container over.

    The log's reader has had them for itself until now, so that most of what has waited is logged (D client_linux.go
    506-519; upstream returns before).
    """
    if traits(g.world, g.pid).discards_kept:
        begin_discard(g)


RESTORE = procedure(
    "dockerd.restore",
    Lock("remote"),
    call("tasks", containerd_at, state_task, lost="asked"),
    Do(is_known),
    Label("asked"),
    call("streams", containerd_at, last_event, lost="told"),
    Label("told"),
    Do(go_by_state, "unknown", "reattach", "look"),
    call("tasks", containerd_at, signal_task, lost="signalled"),
    Label("signalled"),
    Unlock("remote"),
    Wait(exit_known, within=TERM_WAIT, late="kill"),
    Goto("ended"),
    Label("kill"),
    Do(now_kill),
    call("tasks", containerd_at, signal_task, lost="killed"),
    Label("killed"),
    Wait(exit_known, within=KILL_WAIT, late="ended"),
    Label("ended"),
    Lock("remote"),
    Do(take_exit),
    Label("unknown"),
    Do(restored_dead),
    Unlock("remote"),
    Return(),
    Label("look"),
    Sleep("look", LOOK),
    call("streams", containerd_at, last_event, lost="unknown"),
    Do(look_again, "look"),
    Goto("unknown"),
    Label("reattach"),
    Do(reattach),
    Do(discard_too),
    Unlock("remote"),
)

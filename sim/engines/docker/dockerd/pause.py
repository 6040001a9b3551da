"""docker pause and unpause, and the end of a paused container when the daemon shuts down.

The container lock is held until containerd's event has come, so that an event that is lost holds it for ever. Signals
through the API are refused while a container is paused. A paused container gets TERM from a daemon that shuts down,
then is thawed; that signal goes past `kill`: no event, no cancelled policy. Source: D daemon/pause.go, unpause.go,
daemon.go shutdownContainer, libcontainerd client_linux.go setState, container_unix.go handleEvent; engine-1.13 §3.2,
§5.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.containers import service_of
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Do, Go, Goto, Join, Label, Lock, Return, Unlock, Wait, call, reading
from sim.engine.procedure import procedure
from sim.engines.docker.dockerd.health import resume_monitor, stop_monitor
from sim.engines.docker.dockerd.start import answer, containerd_at, event, in_flight, record_of, rpc_error, update
from sim.engines.docker.dockerd.stop import no_such, signal_task
from sim.engines.docker.dockerd.waiting import begin_wait, stop_timeout, stopped, waits_for_ever
from sim.engines.host import storage
from sim.facts import Forgot, Message
from sim.world import Frame, World


def pause_request(g: Goroutine) -> str | None:
    """Refuse a container that cannot be paused, or that is not paused."""
    record, verb = record_of(g), g["request"].kind
    if record is None:
        answer(g, no_such(g["c"]))
        return "refused"
    container = f"Container {service_of(g).id}"
    if verb == "unpause":
        wrong = "" if record.paused else f"{container} is not paused"
    elif not record.running:
        wrong = f"{container} is not running"
    elif record.paused:
        wrong = f"{container} is already paused"
    else:
        wrong = f"{container} is restarting, wait until the container is running" if record.restarting else ""
    if wrong:
        answer(g, Failure(wrong))
    return "refused" if wrong else None


def freeze_task(g: Goroutine) -> Message:
    """Ask containerd to freeze or thaw the container (UpdateContainer)."""
    kind = "PauseTask" if g["request"].kind == "pause" else "ResumeTask"
    return in_flight(g, Message(kind, g["c"], g.frame.fid))


def expect_event(g: Goroutine) -> None:
    """Note that the event is waited for, before its reader can take it."""
    g.remember(f"pausing/{g['c']}", True)


@reading(lambda world, frame: (("memory", frame.fid[0], f"pausing/{frame.local['c']}"),))
def event_came(world: World, frame: Frame) -> bool:
    """Say whether containerd's event has been handled."""
    return world.recall(frame.fid[0], f"pausing/{frame.local['c']}") is None


def paused(g: Goroutine) -> None:
    """Answer a pause or unpause that is done."""
    answer(g)


def not_paused(g: Goroutine) -> None:
    """Answer with why it has not been done."""
    why = g["answer"].text if isinstance(g["answer"], Failure) else rpc_error(g)
    answer(g, Failure(f"Cannot {g['request'].kind} container {service_of(g).id}: {why}"))


PAUSE = procedure(
    "dockerd.pause",
    Lock("container/{c}"),
    Do(pause_request, "refused"),
    Lock("libcontainerd/{c}"),
    call("tasks", containerd_at, freeze_task, lost="lost"),
    Do(expect_event),
    Unlock("libcontainerd/{c}"),
    Wait(event_came),
    Do(paused),
    Label("refused"),
    Unlock("container/{c}"),
    Return(),
    Label("lost"),
    Unlock("libcontainerd/{c}"),
    Do(not_paused),
    Unlock("container/{c}"),
)


def handle_pause(g: Goroutine, kind: str) -> None:
    """Believe that the container is paused or goes on, write that to disk, say so, and let who asked go on.

    What a full disk does not take is not said (monitor.go 113-128). Leaves out that up to 1.12 nothing is written here.
    """
    record = record_of(g)
    if record is not None:
        update(g, replace(record, paused=kind == "paused"), disk=True)
        (stop_monitor if kind == "paused" else resume_monitor)(g)
        if not storage.full(g.world):
            event(g, "pause" if kind == "paused" else "unpause")
    if g.recall(f"pausing/{g['c']}"):
        g.emit(Forgot(g.pid, f"pausing/{g['c']}"))


# -- the daemon shuts down -------------------------------------------------------------------------


def term(g: Goroutine) -> None:
    """Go on with TERM, whatever STOPSIGNAL says."""
    g["signal"] = "TERM"


def unpause(g: Goroutine) -> None:
    """Thaw the container, so that it takes the signal."""
    g["job"] = g.start("dockerd.pause", g.frame.fid[1], c=g["c"], request=Message("unpause", g["c"]))


def thawed(g: Goroutine) -> str | None:
    """Give up on a container that could not be thawed; else wait for its end."""
    record = record_of(g)
    if record is None or record.paused:
        return "failed"
    begin_wait(g)
    return None


def kill(g: Goroutine) -> None:
    """Go on with KILL."""
    g["signal"] = "KILL"


STOP_PAUSED = procedure(
    "dockerd.stop_paused",
    Do(term),
    call("tasks", containerd_at, signal_task, lost="failed"),
    Do(unpause),
    Join("job"),
    Do(thawed, "failed"),
    Wait(stopped, within=stop_timeout, late="kill", unless=waits_for_ever),
    Go("stop", "{c}", "c", "request"),
    Return(),
    Label("kill"),
    Do(kill),
    call("tasks", containerd_at, signal_task, lost="killed"),
    Label("killed"),
    Wait(stopped),
    Goto("failed"),
    Label("failed"),
)

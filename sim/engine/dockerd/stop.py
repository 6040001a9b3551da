"""docker stop, kill and restart, and the stop of every container when the daemon shuts down.

A signal sent through the API cancels the restart manager: any signal where no STOPSIGNAL is set, else that one alone.
That containerd does not find the container is only logged, and waited for as if the signal had been sent. A paused
container takes none: a stop tries TERM, and KILL 2 s later, and gives up. Leaves out volumes, and that libcontainerd's
lock is held while a signal is on its way (it is for starts, execs and pauses): what it could delay is an event of the
same container that containerd has told before. Source: D daemon/stop.go, kill.go, restart.go; engine-1.13 §3.2, §15.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.containers import service_of
from sim.engine.dockerd.health import stop_monitor
from sim.engine.dockerd.start import UNAVAILABLE, answer, containerd_at, event, record_of, update
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Do, Go, Goto, Join, Label, Lock, Return, Unlock, Wait, call, reading
from sim.engine.procedure import procedure
from sim.engine.setup import S
from sim.facts import Message
from sim.kernel.signals import NUMBERS
from sim.world import Frame, World

UNSENT_WAIT = 2 * S
KILL_WAIT = 10 * S


def no_such(container: str) -> Failure:
    """Return the answer for a container that does not exist."""
    return Failure(f"No such container: {container}")


def stop_timeout(world: World, frame: Frame) -> int:
    """Return how long the container may take to stop, in µs: the request's time, or the container's own."""
    request = frame.local["request"]
    asked = request.data[1] if request is not None and isinstance(request.data, tuple) else None
    return int(world.services[frame.local["c"]].stop_timeout if asked is None else asked)


@reading(lambda world, frame: (("memory", frame.fid[0], f"container/{frame.local['c']}"),))
def stopped(world: World, frame: Frame) -> bool:
    """Say whether the daemon believes that it does not run (WaitStop)."""
    record = world.recall(frame.fid[0], f"container/{frame.local['c']}")
    return record is None or not record.running


def note_signal(g: Goroutine, signal: str) -> None:
    """Cancel the restart manager if the signal does so, remember the manual stop, say `kill`."""
    record, service = record_of(g), service_of(g)
    assert record is not None
    cancels = service.stop_signal is None or signal == service.stop_signal
    manual = record.manual if g.recall("shutting_down") else True
    update(g, replace(record, canceled=record.canceled or cancels, manual=manual), disk=False)
    event(g, "kill", ("signal", str(NUMBERS[signal])))


def begin_stop(g: Goroutine) -> str | None:
    """Send the stop signal to a container that runs; one that waits for its restart is only canceled."""
    record = record_of(g)
    if record is None:
        answer(g, no_such(g["c"]))
        return "refused"
    if record.restarting:
        update(g, replace(record, running=False, restarting=False, canceled=True), disk=False)
        return "canceled"
    if not record.running:
        answer(g)
        return "refused"
    if record.paused:
        return "paused"
    stop_monitor(g)
    g["signal"] = service_of(g).stop_signal or "TERM"
    note_signal(g, g["signal"])
    return None


def signal_task(g: Goroutine) -> Message:
    """Ask containerd to send the signal."""
    return Message("SignalTask", g["c"], g.frame.fid, g["signal"])


def begin_kill(g: Goroutine) -> str | None:
    """Say that KILL is sent, unless the container has stopped meanwhile."""
    record = record_of(g)
    if record is None or not record.running:
        return "done"
    g["signal"] = "KILL"
    note_signal(g, "KILL")
    return None


def kill_directly(g: Goroutine) -> str | None:
    """Send KILL to the stored pid, past containerd; no such process is taken for success (kill.go)."""
    record = record_of(g)
    if record is not None and record.pid and g.kill(record.pid, "KILL"):
        return None
    return "done"


def is_paused(g: Goroutine) -> str:
    """Return the words that refuse a signal to a paused container."""
    return f"Container {service_of(g).id} is paused. Unpause the container before stopping"


def still_paused(g: Goroutine) -> str | None:
    """Give up on a container that is paused still when KILL is tried; otherwise go on with that."""
    record = record_of(g)
    if record is None or not record.paused:
        return None
    answer(g, Failure(f"Cannot stop container {g['c']}: {is_paused(g)}"))
    return "refused"


def say_stopped(g: Goroutine) -> None:
    """Say `stop` and answer."""
    event(g, "stop")
    answer(g)


UNTIL_KILLED = (  # after KILL was sent: 10 s, then past containerd, then for ever
    Wait(stopped, within=KILL_WAIT, late="direct"),
    Goto("done"),
    Label("direct"),
    Do(kill_directly, "done"),
    Wait(stopped),
    Label("done"),
)

STOP = procedure(
    "dockerd.stop",
    Lock("container/{c}"),
    Do(begin_stop, "refused", "canceled", "paused"),
    Unlock("container/{c}"),
    call("tasks", containerd_at, signal_task, lost="unsent", failed="not_found"),
    Label("not_found"),
    Wait(stopped, within=stop_timeout, late="kill"),
    Goto("done"),
    Label("unsent"),
    Wait(stopped, within=UNSENT_WAIT, late="kill"),
    Goto("done"),
    Label("kill"),
    Do(begin_kill, "done"),
    call("tasks", containerd_at, signal_task, lost="unkilled"),
    Label("unkilled"),
    UNTIL_KILLED,
    Lock("container/{c}"),
    Label("canceled"),
    Do(say_stopped),
    Label("refused"),
    Unlock("container/{c}"),
    Return(),
    Label("paused"),
    Unlock("container/{c}"),
    Wait(stopped, within=UNSENT_WAIT, late="still_there"),
    Goto("done"),
    Label("still_there"),
    Lock("container/{c}"),
    Do(still_paused, "refused"),
    Unlock("container/{c}"),
    Goto("kill"),
)


# -- kill ------------------------------------------------------------------------------------------


def kill_request(g: Goroutine) -> str | None:
    """Send the signal that was asked for; only KILL is waited for."""
    record = record_of(g)
    if record is None or not record.running or record.restarting:
        answer(g, Failure(f"Cannot kill container: {g['c']}: Container {service_of(g).id} is not running"))
        return "refused"
    g["signal"] = g["request"].data[0] or "KILL"
    if record.paused:
        if g["signal"] == "KILL":
            return "paused"
        refuse_kill(g)
        return "refused"
    note_signal(g, g["signal"])
    return None


def refuse_kill(g: Goroutine) -> None:
    """Refuse a signal to a paused container."""
    answer(g, Failure(f"Cannot kill container: {g['c']}: {is_paused(g)}"))


def sent(g: Goroutine) -> str | None:
    """Answer at once for any signal but KILL."""
    if g["signal"] == "KILL":
        return None
    answer(g)
    return "sent"


def unsent(g: Goroutine) -> None:
    """Say that containerd could not be asked."""
    answer(g, Failure(f"Cannot kill container {g['c']}: rpc error: code = 14 desc = {UNAVAILABLE}"))


def killed(g: Goroutine) -> None:
    """Answer a kill that was waited for."""
    answer(g)


KILL = procedure(
    "dockerd.kill",
    Lock("container/{c}"),
    Do(kill_request, "refused", "paused"),
    Unlock("container/{c}"),
    call("tasks", containerd_at, signal_task, lost="unsent", failed="not_found"),
    Label("not_found"),
    Do(sent, "sent"),
    UNTIL_KILLED,
    Do(killed),
    Label("sent"),
    Return(),
    Label("unsent"),
    Do(unsent),
    Return(),
    Label("refused"),
    Unlock("container/{c}"),
    Return(),
    Label("paused"),
    Unlock("container/{c}"),
    Wait(stopped, within=UNSENT_WAIT, late="kill_refused"),
    Do(killed),
    Return(),
    Label("kill_refused"),
    Do(refuse_kill),
)


# -- restart ---------------------------------------------------------------------------------------


def must_exist(g: Goroutine) -> str | None:
    """Refuse a container that does not exist."""
    if record_of(g) is not None:
        return None
    answer(g, Failure(f"No such container: {g['c']}"))
    return "refused"


def stop_quietly(g: Goroutine) -> str | None:
    """Start a stop that answers nobody, with the time that the request gives; a paused container will refuse it."""
    record = record_of(g)
    if record is not None and record.paused:
        return "paused"
    quiet = Message("stop", g["c"], None, g["request"].data)
    g["job"] = g.start("dockerd.stop", g.frame.fid[1], c=g["c"], request=quiet)
    return None


def not_restarted(g: Goroutine) -> None:
    """Say that a paused container was not restarted."""
    answer(g, Failure(f"Cannot restart container {g['c']}: {is_paused(g)}"))


def say_restarted(g: Goroutine) -> None:
    """Say `restart`, if the start went well."""
    record = record_of(g)
    if record is not None and record.running:
        event(g, "restart")


RESTART_API = procedure(
    "dockerd.restart_api",
    Do(must_exist, "refused"),
    Do(stop_quietly, "paused"),
    Join("job"),
    Label("restart"),
    Go("start", "{c}", "c", "request", into="job", why="api"),
    Join("job"),
    Do(say_restarted),
    Label("refused"),
    Return(),
    Label("paused"),
    Wait(stopped, within=UNSENT_WAIT, late="not_restarted"),
    Goto("restart"),
    Label("not_restarted"),
    Do(not_restarted),
)

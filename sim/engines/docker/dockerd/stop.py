"""docker stop, kill and restart, and the stop of every container when the daemon shuts down.

A signal sent through the API (killWithSignal) holds the container's lock until containerd has answered, so that `ps`
waits with it. It cancels the restart manager: any signal where no STOPSIGNAL is set, else that one alone. Then `kill`
is said, also where containerd does not know the container; a containerd that cannot be reached is an error, and so is a
paused container. A stop tries TERM, and KILL 2 s after an error, and gives up at the second. A container that waits for
its restart gets no signal and says no `kill`. Leaves out that libcontainerd's lock is held while a signal is on its way
(it is for starts, execs and pauses): what it could delay is an event of the same container that containerd has told
before. Source: D daemon/stop.go, kill.go, restart.go, container/state.go WaitStop; engine-1.13 §3.2, §4, §15.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.containers import service_of
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Answered, Do, Entry, Go, Goto, Join, Label, Lock, Return, Unlock, Wait, call, reading
from sim.engine.procedure import procedure
from sim.engine.records import Container
from sim.engine.setup import S
from sim.engines.docker.dockerd.health import stop_monitor
from sim.engines.docker.dockerd.start import answer, containerd_at, event, record_of, unavailable, update
from sim.facts import Message
from sim.kernel.signals import NUMBERS
from sim.world import Frame, World

UNSENT_WAIT = 2 * S
KILL_WAIT = 10 * S
PREFIXES = {  # what the API says before the daemon's own words
    "stop": "Cannot stop container {}: ",
    "kill": "Cannot kill container {}: ",
    "restart": "Cannot restart container {}: ",
    "rm": "",
}


def no_such(container: str) -> Failure:
    """Return the answer for a container that does not exist."""
    return Failure(f"No such container: {container}")


def refuse(g: Goroutine) -> None:
    """Answer with why it cannot be done."""
    if g["request"] is not None:
        answer(g, Failure(PREFIXES[g["request"].kind].format(g["c"]) + g["error"]))


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


# -- a signal through the API ----------------------------------------------------------------------


def note_signal(g: Goroutine) -> str | None:
    """Cancel the restart manager if the signal does so, and remember the manual stop, in memory alone.

    A container that is paused or does not run refuses; one that waits for its restart gets no signal, and has stopped
    if its manager was canceled.
    """
    record, service = record_of(g), service_of(g)
    if record is None or not record.running or record.paused:
        paused = record is not None and record.paused
        why = "paused. Unpause the container before stopping" if paused else "not running"
        g["error"] = f"Container {service.id} is {why}"
        return "refused"
    return note(g, record, cancels=service.stop_signal is None or g["signal"] == service.stop_signal)


def note(g: Goroutine, record: Container, *, cancels: bool) -> str | None:
    """Remember a signal to a container that runs, and whether it cancels the restart manager."""
    manual = record.manual if g.recall("shutting_down") else True
    noted = replace(record, canceled=record.canceled or cancels, manual=manual)
    if not record.restarting:
        update(g, noted, disk=False)
        return None
    update(g, replace(noted, running=not cancels, restarting=not cancels), disk=False)
    return "noted"


def signal_task(g: Goroutine) -> Message:
    """Ask containerd to send the signal."""
    return Message("SignalTask", g["c"], g.frame.fid, g["signal"])


def say_kill(g: Goroutine) -> None:
    """Say `kill`."""
    event(g, "kill", ("signal", str(NUMBERS[g["signal"]])))


def unsent(g: Goroutine) -> None:
    """Keep that containerd could not be asked."""
    g["error"] = f"Cannot kill container {service_of(g).id}: rpc error: code = 14 desc = {unavailable(g)}"


SEND = (  # what was noted, with the lock held
    call("tasks", containerd_at, signal_task, lost="lost", failed="not_found"),
    Label("not_found"),
    Do(say_kill),
    Label("noted"),
    Unlock("container/{c}"),
)
REFUSED = (
    Label("lost"),
    Do(unsent),
    Label("refused"),
    Unlock("container/{c}"),
)


def kill_directly(g: Goroutine) -> str | None:
    """Send KILL to the stored pid, past containerd; no such process is taken for success, no pid is waited for."""
    record = record_of(g)
    return "gone" if record is None or (record.pid and not g.kill(record.pid, "KILL")) else None


def until_killed(*last: Entry) -> tuple[Entry, ...]:
    """Return the wait after KILL was sent: 10 s, then past containerd, then *last*; it ends with the lock held."""
    return (
        Label("until_killed"),
        Wait(stopped, within=KILL_WAIT, late="direct"),
        Goto("stopped"),
        Label("direct"),
        Lock("container/{c}"),
        Do(kill_directly, "gone"),
        Unlock("container/{c}"),
        *last,
        Label("stopped"),
        Lock("container/{c}"),
        Label("gone"),
    )


UNTIL_KILLED = until_killed(Label("until_stopped"), Wait(stopped))  # for ever

# -- stop ------------------------------------------------------------------------------------------


def begin_stop(g: Goroutine) -> str | None:
    """Begin with the stop signal; a container that does not run needs none (304)."""
    return choose_stop(g) or note_signal(g)


def choose_stop(g: Goroutine) -> str | None:
    """Choose the stop signal, and end the health checks; answer where there is nothing to stop."""
    record = record_of(g)
    if record is None:
        answer(g, no_such(g["c"]))
        return "over"
    if not record.running:
        answer(g)
        return "over"
    stop_monitor(g)
    g["stage"], g["signal"] = "stop", service_of(g).stop_signal or "TERM"
    return None


def give_up(g: Goroutine) -> str | None:
    """Give up when KILL was refused as well; otherwise wait, it may stop yet."""
    if g["stage"] != "force":
        return None
    refuse(g)
    return "end"


def insist(g: Goroutine) -> str | None:
    """Go on with KILL; one that was refused after the container's own time is only logged, and waited for."""
    if g["stage"] == "kill":
        return None
    g["stage"], g["signal"] = "force", "KILL"
    return "signal"


def sent(g: Goroutine) -> str | None:
    """Let the container have its time, unless that is over."""
    return "until_killed" if g["stage"] == "kill" else None


def begin_kill(g: Goroutine) -> None:
    """Go on with KILL: the container's time is over."""
    g["stage"], g["signal"] = "kill", "KILL"


def say_stopped(g: Goroutine) -> None:
    """Say `stop` and answer."""
    event(g, "stop")
    answer(g)


STOP = procedure(
    "dockerd.stop",
    Lock("container/{c}"),
    Do(begin_stop, "over", "refused", "noted"),
    Goto("send"),
    Label("signal"),
    Lock("container/{c}"),
    Do(note_signal, "refused", "noted"),
    Label("send"),
    SEND,
    Do(sent, "until_killed"),
    Wait(stopped, within=stop_timeout, late="kill"),
    Goto("stopped"),
    Label("kill"),
    Do(begin_kill),
    Goto("signal"),
    UNTIL_KILLED,
    Do(say_stopped),
    Label("over"),
    Unlock("container/{c}"),
    Return(),
    REFUSED,
    Do(give_up, "end"),
    Wait(stopped, within=UNSENT_WAIT, late="insist"),
    Goto("stopped"),
    Label("insist"),
    Do(insist, "signal"),
    Goto("until_stopped"),
    Label("end"),
)

# -- kill ------------------------------------------------------------------------------------------


def kill_request(g: Goroutine) -> str | None:
    """Send the signal that was asked for, KILL if none was; to a container that does not run it is an error."""
    record = record_of(g)
    if record is None:
        answer(g, no_such(g["c"]))
        return "over"
    g["signal"] = g["request"].data[0] or "KILL"
    if record.running:
        return note_signal(g)
    g["error"] = f"Container {service_of(g).id} is not running"
    refuse(g)
    return "over"


def refused(g: Goroutine) -> str | None:
    """Answer at once that a signal other than KILL was refused; what refuses KILL may stop yet."""
    if g["signal"] == "KILL":
        return None
    refuse(g)
    return "end"


def only_sent(g: Goroutine) -> str | None:
    """Answer at once for any signal but KILL."""
    if g["signal"] == "KILL":
        return None
    answer(g)
    return "end"


def killed(g: Goroutine) -> None:
    """Answer a kill that was waited for."""
    answer(g)


KILL = procedure(
    "dockerd.kill",
    Lock("container/{c}"),
    Do(kill_request, "over", "refused", "noted"),
    SEND,
    Do(only_sent, "end"),
    UNTIL_KILLED,
    Do(killed),
    Label("over"),
    Unlock("container/{c}"),
    Return(),
    REFUSED,
    Do(refused, "end"),
    Wait(stopped, within=UNSENT_WAIT, late="unkilled"),
    Goto("stopped"),
    Label("unkilled"),
    Do(refuse),
    Label("end"),
)


# -- for another verb ------------------------------------------------------------------------------


def ask_own(g: Goroutine, procedure: str, timeout: int | None) -> None:
    """Start a stop or a kill that answers this goroutine, with the words of its own verb."""
    g["peer_pid"] = g.pid
    request = Message(g["request"].kind, g["c"], g.frame.fid, (None, timeout, False, ()))
    g.start(f"dockerd.{procedure}", g.frame.fid[1], c=g["c"], request=request)


def hand_on(g: Goroutine) -> None:
    """Answer with what the other has said."""
    answer(g, g["answer"])


# -- restart ---------------------------------------------------------------------------------------


def stop_first(g: Goroutine) -> str | None:
    """Stop the container with the time that the request gives; meanwhile its end does not remove it (--rm)."""
    record = record_of(g)
    if record is None:
        answer(g, no_such(g["c"]))
        return "end"
    if service_of(g).auto_remove:
        update(g, replace(record, kept=True), disk=False)
    ask_own(g, "stop", g["request"].data[1])
    return None


def no_longer_kept(g: Goroutine) -> None:
    """Let the next end of a container of --rm remove it again."""
    record = record_of(g)
    if record is not None and record.kept:
        update(g, replace(record, kept=False), disk=True)


def say_restarted(g: Goroutine) -> None:
    """Say `restart`, if the start went well."""
    record = record_of(g)
    if record is not None and record.running:
        event(g, "restart")


RESTART_API = procedure(
    "dockerd.restart_api",
    Do(stop_first, "end"),
    Answered("stop", "not_stopped", "not_stopped"),
    Do(no_longer_kept),
    Go("start", "{c}", "c", "request", into="job", why="api"),
    Join("job"),
    Do(say_restarted),
    Return(),
    Label("not_stopped"),
    Do(no_longer_kept),
    Do(hand_on),
    Label("end"),
)

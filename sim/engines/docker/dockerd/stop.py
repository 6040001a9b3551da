"""docker stop and kill, and the stop of every container when the daemon shuts down.

A signal sent through the API (killWithSignal) holds the container's lock until containerd has answered, so that `ps`
waits with it. It cancels the restart manager: any signal where no STOPSIGNAL is set, else that one alone. Then `kill`
is said, also where containerd does not know the container; a containerd that cannot be reached is an error, and so is a
paused container. A stop tries TERM, and KILL 2 s after an error, and gives up at the second. A container that waits for
its restart gets no signal and says no `kill`. Each wait is for the next end of the container, also if its policy begins
to restart it then (`waiting`): a kill goes on to wait for one end more. Leaves out that libcontainerd's lock is held
while a signal is on its way (it is for starts, execs and pauses): what it could delay is an event of the same container
that containerd has told before. Source: D daemon/stop.go, kill.go, container/state.go WaitStop; engine-1.13 §3.2,
§4, §15.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from sim.engine.containers import service_of
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Do, Entry, Goto, Label, Lock, Return, Unlock, Wait, call
from sim.engine.procedure import procedure
from sim.engine.records import Container
from sim.engine.setup import S
from sim.engine.traits import traits
from sim.engines.docker.dockerd.health import stop_monitor
from sim.engines.docker.dockerd.start import answer, containerd_at, event, in_flight, record_of, rpc_error, update
from sim.engines.docker.dockerd.waiting import begin_wait, stop_timeout, stopped, waits_for_ever
from sim.facts import Message
from sim.kernel.signals import NUMBERS

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


# -- a signal through the API ----------------------------------------------------------------------


def note_signal(g: Goroutine) -> str | None:
    """Cancel the restart manager if the signal does so, and remember the manual stop.

    A container that is paused or does not run refuses; one that waits for its restart gets no signal (kill.go 57-110).
    """
    record, service = record_of(g), service_of(g)
    if record is None or not record.running or record.paused:
        paused = record is not None and record.paused
        why = "paused. Unpause the container before stopping" if paused else "not running"
        g["error"] = f"Container {service.id} is {why}"
        will_wait(g)
        return "refused"
    return note(g, record, cancels=cancels(g))


def cancels(g: Goroutine) -> bool:
    """Return whether the signal cancels the restart manager (kill.go 71-81)."""
    rule, own = traits(g.world, g.pid).canceled_by, service_of(g).stop_signal
    return own in (None, g["signal"]) or rule == "any signal" or (rule == "stop signal, KILL" and g["signal"] == "KILL")


def note(g: Goroutine, record: Container, *, cancels: bool) -> str | None:
    """Remember a signal to a container that runs, and whether it cancels the restart manager.

    That somebody has stopped it is also written, since 19.03: the next dockerd knows.
    """
    shuts_down = bool(g.recall("shutting_down"))
    noted = replace(record, canceled=record.canceled or cancels, manual=record.manual or not shuts_down)
    update(g, noted, disk=traits(g.world, g.pid).writes_signals and not shuts_down)
    if not record.restarting:
        return None
    will_wait(g)
    return "noted"


def will_wait(g: Goroutine) -> None:
    """Begin to wait for the end, while the lock is held, unless the signal is only to be sent."""
    if g["stage"] is not None or g["signal"] == "KILL":
        begin_wait(g)


def signal_task(g: Goroutine) -> Message:
    """Ask for the signal to be sent."""
    return in_flight(g, Message("SignalTask", g["c"], g.frame.fid, g["signal"]))


def say_kill(g: Goroutine) -> None:
    """Say `kill`."""
    g["in_flight"] = None
    event(g, "kill", ("signal", str(NUMBERS[g["signal"]])))
    will_wait(g)


def unsent(g: Goroutine) -> None:
    """Keep that the signal could not be asked for."""
    g["error"] = f"Cannot kill container {service_of(g).id}: {rpc_error(g)}"
    g["in_flight"] = None
    will_wait(g)


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
    """Send KILL to the stored pid itself, asking nobody; no such process is taken for success, no pid is waited for.

    A container that waits for its restart has no pid: nothing is sent (container_operations_unix.go 224-240).
    """
    record = record_of(g)
    g["last"] = True
    if record is None or (record.pid and not g.kill(record.pid, "KILL")):
        return "gone"
    begin_wait(g)
    return None


def waits_on(g: Goroutine) -> bool:
    """Begin the wait that follows the one of 10 s and has no limit, and return whether there is one (kill.go 140-147).

    A container whose policy has meanwhile begun to restart it counts as running: the next end of it is waited for.
    """
    if g["last"]:
        return False
    g["last"] = True
    return begin_wait(g)


KILL_DIRECTLY = (  # KILL was sent: wait for 10 s, then send it past containerd
    Label("until_killed"),
    Wait(stopped, within=KILL_WAIT, late="direct"),
    Goto("stopped"),
    Label("direct"),
    Lock("container/{c}"),
    Do(kill_directly, "gone"),
    Unlock("container/{c}"),
)


def until_killed(*last: Entry) -> tuple[Entry, ...]:
    """Return the wait after KILL was sent: 10 s, then past containerd, then *last*; it ends with the lock held."""
    return (
        *KILL_DIRECTLY,
        *last,
        Label("stopped"),
        Lock("container/{c}"),
        Label("gone"),
    )


def woken(go_on: str) -> tuple[Entry, ...]:
    """Return the way on if an end comes in the 2 s after a signal that could not be sent, with a wait for the next one.

    The policy may have begun to restart the container, which counts as running then (stop.go 63-72, kill.go 134-140).
    """
    return Lock("container/{c}"), Do(will_wait), Unlock("container/{c}"), Goto(go_on)


UNTIL_KILLED = until_killed(Wait(stopped))  # for ever
UNTIL_STOPPED = (  # of one that counts as running still, with the lock held
    Label("until_stopped"),
    Unlock("container/{c}"),
    Label("wait_on"),
    Wait(stopped),
    Goto("stopped"),
)

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
        g["last"] = True
        return None
    g["stage"], g["signal"] = "force", "KILL"
    return "signal"


def sent(g: Goroutine) -> str | None:
    """Let the container have its time, unless that is over."""
    return "until_killed" if g["stage"] == "kill" else None


def begin_kill(g: Goroutine) -> None:
    """Go on with KILL: the container's time is over."""
    g["stage"], g["signal"] = "kill", "KILL"


def say_stopped(g: Goroutine) -> str | None:
    """Say `stop` and answer; what the daemon stops as it shuts down it waits for without limit (daemon.go 800-807)."""
    if g["stage"] == "kill" and waits_on(g):
        return "until_stopped"
    event(g, "stop")
    answer(g)
    return "linger" if g["request"] is None and begin_wait(g) else None


def stop_signals(
    begin: Callable[[Goroutine], str | None],
    note: Callable[[Goroutine], str | None],
    send: Sequence[Entry | Sequence[Entry]],
) -> tuple[Entry | Sequence[Entry], ...]:
    """Return how a stop sends its signal, gives the container its time, and goes on with KILL.

    *begin* chooses and notes the first signal, *note* the second, with the lock held; *send* is the way to containerd.
    """
    return (
        Lock("container/{c}"),
        Do(begin, "over", "refused", "noted"),
        Goto("send"),
        Label("signal"),
        Lock("container/{c}"),
        Do(note, "refused", "noted"),
        Label("send"),
        *send,
        Do(sent, "until_killed"),
        Wait(stopped, within=stop_timeout, late="kill", unless=waits_for_ever),
        Goto("stopped"),
        Label("kill"),
        Do(begin_kill),
        Goto("signal"),
    )


STOP_REFUSED = (  # wait for 2 s, then try KILL; give up if that is refused as well
    REFUSED,
    Do(give_up, "end"),
    Wait(stopped, within=UNSENT_WAIT, late="insist"),
    woken("sent"),
    Label("insist"),
    Do(insist, "signal"),
)

STOP = procedure(
    "dockerd.stop",
    stop_signals(begin_stop, note_signal, (*SEND, Label("sent"))),
    UNTIL_KILLED,
    Do(say_stopped, "until_stopped", "linger"),
    Label("over"),
    Unlock("container/{c}"),
    Return(),
    STOP_REFUSED,
    Goto("wait_on"),
    UNTIL_STOPPED,
    Label("linger"),
    Unlock("container/{c}"),
    Wait(stopped),
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


def killed(g: Goroutine) -> str | None:
    """Answer a kill that was waited for."""
    if waits_on(g):
        return "until_stopped"
    answer(g)
    return None


KILL_REFUSED = (  # what refuses KILL is waited for, and is an error after 2 s
    REFUSED,
    Do(refused, "end"),
    Wait(stopped, within=UNSENT_WAIT, late="unkilled"),
    woken("until_killed"),
    Label("unkilled"),
    Do(refuse),
    Return(),
)

KILL = procedure(
    "dockerd.kill",
    Lock("container/{c}"),
    Do(kill_request, "over", "refused", "noted"),
    SEND,
    Do(only_sent, "end"),
    UNTIL_KILLED,
    Do(killed, "until_stopped"),
    Label("over"),
    Unlock("container/{c}"),
    Return(),
    KILL_REFUSED,
    UNTIL_STOPPED,
    Label("end"),
)


# -- for another verb ------------------------------------------------------------------------------


def ask_own(g: Goroutine, procedure: str, timeout: int | None) -> None:
    """Start a stop or a kill that answers this goroutine, with the words of its own verb."""
    g["peer_pid"] = g.pid
    request = Message(g["request"].kind, g["c"], g.frame.fid, (None, timeout, False, ()))
    g.start(f"dockerd.{procedure}", g.frame.fid[1], c=g["c"], request=request)

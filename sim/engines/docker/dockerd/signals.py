"""docker stop and kill against containerd 1.2 and later; `docker restart` and `rm` are those of 1.13, on top of them.

A paused container takes a signal and is thawed, of which `unpause` is said behind `kill`. That the task is not found
ends the container: its exit is waited for as long as a stop may take, then asked for. KILL that is lost is waited for
like one that was sent, and sent again past containerd; a stop ends with an error if that has no effect within its time.
Up to 19.03 it is as in `unsent`. Leaves out volumes. Source: moby v26.1.5 daemon/stop.go 60-137, kill.go 65-205;
designs §3.3, §3.6 [S]; measured in b and e [M].
"""

from __future__ import annotations

from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Entry, Goto, Label, Lock, Return, Unlock, Wait, call
from sim.engine.procedure import procedure
from sim.engine.traits import traits
from sim.engines.docker.dockerd.pause import handle_pause
from sim.engines.docker.dockerd.start import answer, containerd_at, event, record_of
from sim.engines.docker.dockerd.stop import (
    KILL_DIRECTLY,
    REFUSED,
    UNSENT_WAIT,
    choose_stop,
    no_such,
    note,
    only_sent,
    refuse,
    refused,
    say_kill,
    signal_task,
    stop_signals,
)
from sim.engines.docker.dockerd.waiting import begin_wait, stop_timeout, stopped, waits_for_ever
from sim.facts import Message
from sim.world import Frame, World

NOT_KILLED = "tried to kill container, but did not receive an exit event"

# -- a signal ---------------------------------------------------------------------------------------


def note_signal(g: Goroutine) -> str | None:
    """Cancel the restart manager if the signal does so, and remember the manual stop.

    One that waits for its restart gets no signal, and has stopped if its manager was canceled.
    """
    record = record_of(g)
    if record is None or not record.running:
        g["error"] = f"container {service_of(g).id} is not running"
        return "refused"
    return note(g, record, cancels=cancels(g))


def cancels(g: Goroutine) -> bool:
    """Return whether the signal is one after which no policy starts the container: KILL, or its stop signal."""
    wanted = service_of(g).stop_signal
    return wanted is None or g["signal"] in (wanted, "KILL")


def must_thaw(g: Goroutine) -> str | None:
    """Go on to thaw a container that is paused, so that it takes a signal that is to end it."""
    record = record_of(g)
    return None if record is not None and record.paused and cancels(g) else "thawed"


def resume_task(g: Goroutine) -> Message:
    """Ask containerd to thaw the container."""
    return Message("ResumeTask", g["c"], g.frame.fid)


def thaw(g: Goroutine) -> None:
    """Let the event that it goes on be handled: it waits for the container's lock, which this signal still holds."""
    g.start("dockerd.resumed", g["c"], c=g["c"])


def resumed(g: Goroutine) -> None:
    """Believe that it goes on, and say `unpause`, unless that is known (monitor.go ProcessEvent, EventResumed)."""
    record = record_of(g)
    if record is not None and record.paused:
        handle_pause(g, "resumed")


RESUMED = procedure("dockerd.resumed", Lock("container/{c}"), Do(resumed), Unlock("container/{c}"))


def look_for_exit(g: Goroutine) -> None:
    """Of a task that is not found nobody will tell an exit any more, unless one is on its way."""
    if (g.pid, f"end_unknown/{g['c']}") not in g.world.frames:
        _, waiter = g.start("dockerd.end_unknown", g["c"], c=g["c"], request=None)
        begin_wait(g, waiter)


def end_unknown(g: Goroutine) -> None:
    """End the container with the exit that containerd knows, or 255."""
    g.start("dockerd.state_exit", g["c"], c=g["c"], status=None)


END_UNKNOWN = procedure(
    "dockerd.end_unknown",
    Wait(stopped, within=stop_timeout, late="unknown"),
    Return(),
    Label("unknown"),
    Do(end_unknown),
)


def send(*not_found: Entry) -> tuple[Entry, ...]:
    """Return how what was noted is sent, with the lock held; *not_found* is done of a task that is not found."""
    return (
        *call("tasks", containerd_at, signal_task, lost="lost", failed="not_found"),
        Do(must_thaw, "thawed"),
        *call("tasks", containerd_at, resume_task, lost="thawed"),
        Do(thaw),
        Goto("thawed"),
        Label("not_found"),
        *not_found,
        Label("thawed"),
        Do(say_kill),
        Label("noted"),
        Unlock("container/{c}"),
    )


SEND = send(Do(look_for_exit))


def last_wait(world: World, frame: Frame) -> int:
    """Return how long a stop waits after its last KILL, in µs."""
    found = traits(world, frame.fid[0]).last_wait
    assert found is not None
    return found


def not_killed(g: Goroutine) -> None:
    """Say that it is not known to have ended."""
    g["error"] = NOT_KILLED
    refuse(g)


def until_killed(last: Wait) -> tuple[Entry, ...]:
    """Return the wait after KILL was sent, with its *last* part; who waits wakes without the lock (SetStopped)."""
    return (
        *KILL_DIRECTLY,
        last,
        Goto("stopped"),
        Label("gone"),
        Unlock("container/{c}"),
        Label("stopped"),
    )


UNTIL_KILLED = until_killed(Wait(stopped, within=last_wait, late="not_killed"))

# -- stop -------------------------------------------------------------------------------------------


def begin_stop(g: Goroutine) -> str | None:
    """Begin with the stop signal; a container that does not run needs none (304)."""
    return choose_stop(g) or note_signal(g)


def say_stopped(g: Goroutine) -> None:
    """Say `stop` and answer."""
    event(g, "stop")
    answer(g)


def insist(g: Goroutine) -> str | None:
    """Wait for what was refused once more with KILL; KILL that was lost is waited for."""
    return "until_killed" if g["stage"] == "kill" else None


STOP = procedure(
    "dockerd.stop",
    stop_signals(begin_stop, note_signal, SEND),
    UNTIL_KILLED,
    Do(say_stopped),
    Return(),
    Label("over"),
    Unlock("container/{c}"),
    Return(),
    REFUSED,
    Do(insist, "until_killed"),
    Wait(stopped, within=UNSENT_WAIT, late="kill", unless=waits_for_ever),
    Goto("stopped"),
    Label("not_killed"),
    Do(not_killed),
)

# -- kill -------------------------------------------------------------------------------------------


def kill_request(g: Goroutine) -> str | None:
    """Send the signal that was asked for, KILL if none was; to a container that does not run it is an error."""
    record = record_of(g)
    if record is None:
        answer(g, no_such(g["c"]))
        return "over"
    g["signal"] = g["request"].data[0] or "KILL"
    if record.running:
        return note_signal(g)
    g["error"] = f"container {service_of(g).id} is not running"
    refuse(g)
    return "over"


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
    Return(),
    Label("over"),
    Unlock("container/{c}"),
    Return(),
    REFUSED,
    Do(refused, "end"),
    Goto("until_killed"),
    Label("not_killed"),
    Do(not_killed),
    Label("end"),
)

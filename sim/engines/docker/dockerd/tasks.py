"""What dockerd asks containerd 1.2 and later for: create and start in two requests, execs, pause; and its events.

Events are read by one goroutine, which hands an exit on to one of its own. A stream that breaks is opened again once
containerd serves (asked every 100 ms); what was told meanwhile is lost, and nobody looks for it. An exit is matched by
container or, before 24.0, by pid, so that the exit of a shim that does not know its payload's is ignored. The handler
deletes the task (the shim leaves), waits 2 s for the output, takes the network down, and asks the policy. Who waits for
the end wakes once it is believed; since 23 `die` is said after the record was written, so that a stop says `stop`
first. Leaves out the 30 s that a delete may take, and that the policy is asked before the network is taken down.
Source: designs §3.2, §3.6, §3.7 [S]; moby v20.10.0 daemon/monitor.go 50-75, v26.1.5 68-118; experiment d [M].
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine.containers import service_of
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Do, Goto, Label, Lock, Return, Sleep, Unlock, Wait, call, reading, receive
from sim.engine.procedure import procedure
from sim.engine.setup import MS, S
from sim.engine.traits import traits
from sim.engines.containerd.requests import shim_at
from sim.engines.docker.dockerd.execs import ADD, config_key, exec_ended, exec_exited, exec_started, exec_table
from sim.engines.docker.dockerd.exit import (
    AUTO_REMOVE,
    ask_restart_manager,
    begin_pause,
    believe_end,
    connected,
    event_or_break,
    say_die,
    subscribed,
    tell_end,
)
from sim.engines.docker.dockerd.network import release_network, unmap_ports
from sim.engines.docker.dockerd.output import LOGGER_CLOSE, all_logged, stdio_ended, truncate_log
from sim.engines.docker.dockerd.pause import handle_pause, not_paused, pause_request, paused
from sim.engines.docker.dockerd.start import (
    containerd_at,
    drop_bundle,
    event,
    lost_words,
    record_of,
    start_table,
    update,
)
from sim.engines.docker.dockerd.verbs import update_table
from sim.engines.docker.dockerd.volumes import unmount_volumes
from sim.facts import Message
from sim.world import Frame, Key, World

SERVE_POLL = 100 * MS
OUTPUT_WAIT = 2 * S

# -- start ------------------------------------------------------------------------------------------


def create_task(g: Goroutine) -> Message:
    """Ask containerd for a task: a shim, and the container's first process at its exec fifo."""
    return Message("CreateTask", g["c"], g.frame.fid)


def is_leftover(g: Goroutine) -> str | None:
    """Go on to delete the task that a start has left which its dockerd did not live to see."""
    left = isinstance(g["answer"], Failure) and g["answer"].text.endswith("already exists")
    return None if left and not g["again"] else "lost"


def again(g: Goroutine) -> None:
    """Try once more."""
    g["again"] = True


def start_task(g: Goroutine) -> Message:
    """Ask containerd to let the first process go on."""
    return Message("StartTask", g["c"], g.frame.fid)


def start_refused(g: Goroutine) -> None:
    """Keep why the process was not started."""
    g["error"] = g["answer"].text if isinstance(g["answer"], Failure) else lost_words(g)


def delete_by_force(g: Goroutine) -> Message:
    """Ask containerd to kill and delete the task."""
    return Message("DeleteTask", g["c"], g.frame.fid, True)


START = start_table(
    [
        Label("create_task"),
        call("tasks", containerd_at, create_task, lost="lost", failed="not_created"),
        call("tasks", containerd_at, start_task, lost="not_started"),
        Goto("started"),
        Label("not_created"),
        Do(is_leftover, "lost"),
        call("tasks", containerd_at, delete_by_force, lost="deleted"),
        Label("deleted"),
        Do(again),
        Goto("create_task"),
        Label("not_started"),
        Do(start_refused),
        call("tasks", containerd_at, delete_by_force, lost="release"),
        Goto("release"),
        Label("started"),
    ],
    [],
)


def note_writers(g: Goroutine) -> str | None:
    """Note who writes a command's output: the process, which may have ended already, and its shim with its fifos."""
    g["process_pid"] = pid = g["answer"]
    g["shim_pid"] = shim_at(g.world, g.frame) or pid
    return exec_started(g)


def _writers(world: World, frame: Frame) -> tuple[Key, ...]:
    return (*config_key(world, frame), ("proc", frame.local["process_pid"]), ("proc", frame.local["shim_pid"]))


@reading(_writers)
def output_or_exec_ended(world: World, frame: Frame) -> bool | str:
    """Say whether the exit event was handled, or nobody is left who writes: end of file ends the session, too."""
    writes = any(world.host.alive(frame.local[name]) for name in ("process_pid", "shim_pid"))
    return True if not writes else exec_ended(world, frame)


EXEC = exec_table(list(ADD), [], [], note_writers, output_or_exec_ended)
UPDATE = update_table(lambda *entries: list(entries), [])

# -- events -----------------------------------------------------------------------------------------


def new_events(g: Goroutine) -> Message:
    """Ask for the events from now on."""
    return Message("Events", "", g.frame.fid)


def take_event(g: Goroutine) -> None:
    """Hand one event on; of a container that is not known nothing is done."""
    g["task"] = message = receive(g, "events")
    g["c"] = message.container
    record = record_of(g)
    if record is None:
        return
    if message.kind == "oom":
        update(g, replace(record, oom_killed=True), disk=True)
        event(g, "oom")
        return
    told: Any = message.data
    x, code, pid = told
    if x:
        exec_exited(g, x, code)
    elif traits(g.world, g.pid).exits_by == "container" or pid == record.pid:
        g.start("dockerd.state_exit", g["c"], c=g["c"], status=code)


EVENTS = procedure(
    "dockerd.events",
    Label("subscribe"),
    Wait(connected),
    call("streams", containerd_at, new_events, lost="broken"),
    Do(subscribed),
    Label("next"),
    Wait(event_or_break, "broken"),
    Do(take_event),
    Goto("next"),
    Label("broken"),
    Sleep("serve_poll", SERVE_POLL),
    Goto("subscribe"),
)

# -- an exit ----------------------------------------------------------------------------------------


def must_run(g: Goroutine) -> str | None:
    """Take no second exit of one run."""
    record = record_of(g)
    g["code"] = g["status"]
    g["told"] = g["code"] is not None
    return None if record is not None and record.running and not record.restarting else "unknown"


def delete_task(g: Goroutine) -> Message:
    """Ask containerd for the exit status, and to forget the task."""
    return Message("DeleteTask", g["c"], g.frame.fid)


def status_of_task(g: Goroutine) -> None:
    """Take the task's own exit status, if nobody has told one."""
    if g["code"] is None:
        (g["code"],) = g["answer"]
        g["told"] = True


def no_task(g: Goroutine) -> None:
    """Go by what was told; if nothing was, by what an absent task counts as (monitor.go handleContainerExit)."""
    if g["code"] is None:
        g["code"] = traits(g.world, g.pid).no_task_code


def cut_output(g: Goroutine) -> None:
    """Read no more of the output: somebody holds it open still."""
    for log in service_of(g).payload.log:
        g.cancel(f"copy/{g['c']}/{log.stream}")


def after_output(g: Goroutine) -> str | None:
    """Remove the fifos; up to 20.10 the end is believed now, since 23 once what the container had is given back."""
    drop_bundle(g)
    return None if traits(g.world, g.pid).die_after_record else "die_first"


def must_leave_network(g: Goroutine) -> str | None:
    """Take the network down if its controller is up, not while the daemon boots."""
    return None if g.recall("controller") else "no_controller"


def leave_network(g: Goroutine) -> None:
    """Take the container's network down."""
    release_network(g)


def keep_exit(g: Goroutine) -> str | None:
    """Unmount; go on to the record where the end is believed already."""
    if g.recall("controller"):
        unmount_volumes(g)
    return None if traits(g.world, g.pid).die_after_record else "believed"


def note_told(g: Goroutine, *, told: bool) -> None:
    """Note whether FinishedAt is the time that the shim told, or the one of now (state.go SetStopped)."""
    if told != g.recall(f"told/{g['c']}", False):
        g.remember(f"told/{g['c']}", told)


def ask_first(g: Goroutine) -> str | None:
    """Ask the restart manager: since 23 its pause runs while the network is taken down (v26.1.5 monitor.go 67-85)."""
    record = record_of(g)
    if record is None:
        return "unknown"
    g["status"] = g["code"]
    update(g, ask_restart_manager(g, record), disk=False)
    begin_pause(g)
    return None


def believe_exit(g: Goroutine) -> str | None:
    """Believe that it has stopped or restarts: whoever waits for that goes on. Up to 20.10 that is asked only now."""
    record = record_of(g)
    if record is None:
        return "unknown"
    g["oom_killed"], g["status"] = record.oom_killed, g["code"]
    note_told(g, told=g["told"])
    if traits(g.world, g.pid).die_after_record:
        believe_end(g, record)
    else:
        believe_end(g, ask_restart_manager(g, record))
        begin_pause(g)
    tell_end(g)
    return None


def write_exit(g: Goroutine) -> str | None:
    """Write the record to disk; since 23 `die` is said after that."""
    record = record_of(g)
    if record is not None:
        update(g, record, disk=True)
    if traits(g.world, g.pid).die_after_record:
        say_die(g)
    kept = g["again"] or (record is not None and record.kept)
    return "auto_remove" if service_of(g).auto_remove and not kept and g.recall("controller") else None


EXIT = procedure(
    "dockerd.state_exit",
    Lock("container/{c}"),
    Do(must_run, "unknown"),
    call("tasks", containerd_at, delete_task, lost="no_task"),
    Do(status_of_task),
    Goto("deleted"),
    Label("no_task"),
    Do(no_task),
    Label("deleted"),
    Wait(stdio_ended, within=OUTPUT_WAIT, late="cut"),
    Goto("read"),
    Label("cut"),
    Do(cut_output),
    Label("read"),
    Wait(all_logged, within=LOGGER_CLOSE, late="truncate"),
    Goto("logged"),
    Label("truncate"),
    Do(truncate_log),
    Label("logged"),
    Do(after_output, "die_first"),
    Do(ask_first, "unknown"),
    Label("clean_up"),
    Do(must_leave_network, "no_controller"),
    unmap_ports(),
    Do(leave_network),
    Label("no_controller"),
    Do(keep_exit, "believed"),
    Do(believe_exit, "unknown"),
    Label("believed"),
    Do(write_exit, "auto_remove"),
    Label("unknown"),
    Unlock("container/{c}"),
    Return(),
    Label("die_first"),
    Do(believe_exit, "unknown"),
    Do(say_die),
    Goto("clean_up"),
    AUTO_REMOVE,
)

# -- pause ------------------------------------------------------------------------------------------


def freeze(g: Goroutine) -> Message:
    """Ask for the container to be frozen or thawed."""
    return Message("PauseTask" if g["request"].kind == "pause" else "ResumeTask", g["c"], g.frame.fid)


def frozen(g: Goroutine) -> None:
    """Believe that it is paused, or goes on, and say so."""
    handle_pause(g, "paused" if g["request"].kind == "pause" else "resumed")


PAUSE = procedure(
    "dockerd.pause",
    Lock("container/{c}"),
    Do(pause_request, "refused"),
    call("tasks", containerd_at, freeze, lost="lost"),
    Do(frozen),
    Do(paused),
    Label("refused"),
    Unlock("container/{c}"),
    Return(),
    Label("lost"),
    Do(not_paused),
    Unlock("container/{c}"),
)

"""podman stop, kill, restart and rm.

A stop writes down that the container is stopping, by its user, lets go of the lock, sends the signal through crun, and
polls whether the process is there; after the timeout KILL, and 5 s more. Only then it looks for conmon, and waits 5 s
for its exit file; if conmon is gone nobody can tell the exit code, and what comes of that is the version's. Leaves out
dependencies, pods, volumes. Source: designs §4.2 [S]; podman v5.4.2, libpod/container_api.go 296-359 (StopWithTimeout,
Kill), container_internal.go 162-191 (waitForExitFileAndSync), 1375-1537 (stop, waitForConmonToExitAndSave), 1587-1640
(restartWithTimeout), 2500-2519 (checkReadyForRemoval); oci_conmon_common.go StopContainer; runtime_ctr.go 835-992
(removeContainer).
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Goto, Label, Wait, reading, run
from sim.engine.procedure import procedure
from sim.engine.setup import S
from sim.engines.conmon.crun import crun
from sim.engines.conmon.files import exit_file
from sim.engines.host.daemon import event
from sim.engines.podman.cleanup import REMOVE, removes_itself
from sim.engines.podman.common import BEGIN, CLEAN, LOCK, UNLOCK, asked, fail, no_such, refuse, succeed, teardown
from sim.engines.podman.ladder import IS_KNOWN, STAYS, version_of
from sim.engines.podman.pause import PAUSE, must_thaw, thaw, thawed
from sim.engines.podman.start import CREATE, FREE_STORAGE, START, UNDO, notify
from sim.engines.podman.state import NO_ROOM, UNKNOWN, conmon_of, load, save
from sim.engines.podman.states import IMPROPER, PAUSED, RUNNING, STOPPED, STOPPING, WITH_PROCESS, allows, moved
from sim.kernel.signals import NUMBERS
from sim.world import Frame, Key, World

KILL_WAIT = 5 * S
EXIT_FILE_WAIT = 5 * S
IGNORE = "-i"  # of `podman rm`: one that is not there is no error


# -- stop --------------------------------------------------------------------------------------------


def begin_stop(g: Goroutine) -> str | None:
    """Note that its user stops it, whatever it does; one that runs is stopping from now on.

    A paused one is not stopped, and refuses the cleanup that follows (abi/containers.go ContainerStop).
    """
    record = load(g)
    if record is None:
        g["error"] = no_such(g)
        return "not_stopped"
    stops = allows(record, "stop")
    if not save(g, replace(moved(record, STOPPING) if stops else record, manual=True)):
        return "not_stopped"
    if not stops and not allows(record, "clean up"):
        refuse(g, record, "clean up")
        return "not_stopped"
    g["payload_pid"] = record.pid if stops else None
    return None if stops else "told"


def has_grace(g: Goroutine) -> str | None:
    """Go on to KILL if there is no time to wait."""
    return None if _grace(g.world, g.frame) else "kill"


def stop_timeout(world: World, frame: Frame) -> int:
    """Return how long the container may take, in µs: the command's time, or the container's own."""
    return max(_grace(world, frame), 0)


def waits_for_ever(world: World, frame: Frame) -> bool:
    """Return whether a negative time has no end."""
    return _grace(world, frame) < 0 and version_of(world).endless_stop


def _grace(world: World, frame: Frame) -> int:
    given = frame.local["request"].data[1]
    return int(world.services[frame.local["c"]].stop_timeout if given is None else given)


def send_stop_signal(g: Goroutine) -> Spawn:
    """Send the stop signal."""
    return crun(g, "kill", service_of(g).stop_signal or "TERM", signal=service_of(g).stop_signal or "TERM")


def send_kill(g: Goroutine) -> Spawn:
    """Send KILL."""
    return crun(g, "kill", "KILL", signal="KILL")


@reading(lambda world, frame: (("proc", frame.local["payload_pid"]),))
def process_gone(world: World, frame: Frame) -> bool:
    """Return whether kill(pid, 0) finds no such process; a zombie is one, a thread of that number is left out."""
    return frame.local["payload_pid"] not in world.host.procs


def look_again(g: Goroutine) -> str | None:
    """See whether somebody knows how it ended; whether anybody will."""
    record, service = load(g), service_of(g)
    if g["error"] == NO_ROOM:
        return "not_stopped"
    if record is not None and g.world.host.exists(g["payload_pid"]):
        g["error"] = NOT_DEAD
        return "not_stopped"
    if record is None or record.state != STOPPING:
        return "told"
    event(g, "stop")  # only if nobody has told the end yet (container_internal.go 1449-1458): `died` comes after it
    if conmon_of(g.world, service) is not None:
        return None
    return "told" if version_of(g.world).conmon_dead == STAYS else "untold"


def _exit_file(world: World, frame: Frame) -> tuple[Key, ...]:
    return (("file", exit_file(world.services[frame.local["c"]])),)


@reading(_exit_file)
def exit_file_there(world: World, frame: Frame) -> bool:
    """Return whether conmon has left an exit file."""
    return exit_file(world.services[frame.local["c"]]) in world.host.files


def no_exit_file(g: Goroutine) -> None:
    """Write down that it has stopped, with a code that did not come in time (waitForExitFileAndSync)."""
    record = load(g)
    g["error"] = f"timed out waiting for file {exit_file(service_of(g))}"
    if record is not None and record.state in WITH_PROCESS:
        save(g, moved(record, STOPPED, exit_code=UNKNOWN))


def lose_code(g: Goroutine) -> str | None:
    """Write down that it has stopped with a code that nobody knows."""
    record = load(g)
    assert record is not None
    lost = moved(record, STOPPED, exit_code=UNKNOWN, told=True, error=DIED)
    if not save(g, lost):
        return "not_stopped"
    event(g, "die", ("exitCode", str(UNKNOWN)))
    return None


def tell_loss(g: Goroutine) -> str | None:
    """Give up with an error, which a stop keeps; rm -f goes on if its version knows it (runtime_ctr.go 922-926)."""
    removes = g["request"].kind not in ("stop", "restart", "kill")
    if removes and version_of(g.world).conmon_dead == IS_KNOWN:
        return None
    identity = service_of(g).id
    known = "conmon process killed" if version_of(g.world).conmon_dead == IS_KNOWN else "internal libpod error"
    g["error"] = f"container {identity} conmon exited prematurely, exit code could not be retrieved: {known}"
    if removes:
        g["error"] = f"cannot remove container {identity} as it could not be stopped: {g['error']}"
    record = load(g)
    if record is not None and g["request"].kind == "stop":
        save(g, replace(record, error=g["error"]))  # saveContainerError
    return "not_stopped"


DIED = "conmon died without writing exit file, container exit code could not be retrieved"
NOT_DEAD = "given PID did not die within timeout"
STOP = (
    Do(begin_stop, "not_stopped", "told"),
    UNLOCK,
    Do(has_grace, "kill"),
    run(send_stop_signal),
    Wait(process_gone, within=stop_timeout, late="kill", unless=waits_for_ever),
    Goto("gone"),
    Label("kill"),
    run(send_kill),
    Wait(process_gone, within=KILL_WAIT, late="gone"),
    Label("gone"),
    LOCK,
    Label("look"),
    Do(look_again, "told", "untold", "not_stopped"),
    Wait(exit_file_there, within=EXIT_FILE_WAIT, late="no_exit_file"),
    Goto("look"),
    Label("no_exit_file"),
    Do(no_exit_file),
    Goto("not_stopped"),
    Label("untold"),
    Do(lose_code, "not_stopped"),
    CLEAN,
    Do(tell_loss, "not_stopped"),
)
"""Ends at told, or what follows if rm -f goes on without a code, or at not_stopped, with the lock held."""


# -- kill, rm ----------------------------------------------------------------------------------------


def begin_kill(g: Goroutine) -> str | None:
    """Refuse a container that does not run."""
    record = load(g)
    if record is None or not allows(record, "kill"):
        refuse(g, record, "kill")
        return "not_killed"
    return None


def send_signal(g: Goroutine) -> Spawn:
    """Send the signal that was asked for."""
    return crun(g, "kill", signal_of(g), signal=signal_of(g))


def signal_of(g: Goroutine) -> str:
    """Return the signal that was asked for."""
    return str(asked(g)[0] or "KILL")


def killed(g: Goroutine) -> str | None:
    """Note that its user stops it, whatever the signal was; go on to wait for its end if it was KILL.

    Of a container without a conmon nobody tells the end: one that a stop has left stopping loses its code now, in a
    version that does so; any other stays as it is (container_internal.go 1461-1525).
    """
    record = load(g)
    if record is not None and not save(g, replace(record, manual=True)):
        return "not_killed"
    event(g, "kill", ("signal", str(NUMBERS[signal_of(g)])))
    if signal_of(g) != "KILL" or record is None:
        return "sent"
    if conmon_of(g.world, service_of(g)) is not None:
        return None
    g["payload_pid"] = record.pid
    return "untold" if record.state == STOPPING and version_of(g.world).conmon_dead != STAYS else "sent"


def no_process(g: Goroutine) -> None:
    """Note that there is no process to send a signal to (oci_conmon_common.go killContainer)."""
    g["error"] = f"sending signal to container {service_of(g).id}: {IMPROPER}"


def bring_up_to_date(g: Goroutine) -> None:
    """Take conmon's word of the end."""
    load(g)


def begin_restart(g: Goroutine) -> str | None:
    """Refuse what cannot be restarted; only one that runs is stopped first."""
    record = load(g)
    if record is None or not allows(record, "restart"):
        refuse(g, record, "restart")
        return "not_stopped"
    event(g, "restart")  # before anything is done (container_internal.go 1592)
    return None if record.state == RUNNING else "stopped"


def begin_rm(g: Goroutine) -> str | None:
    """Refuse a container that runs, unless it is to be stopped first, or killed where it is paused."""
    record, force = load(g), asked(g)[2]
    if record is None:
        g["error"] = no_such(g)
        return "ignored" if force or IGNORE in asked(g)[3] else "not_stopped"
    if not force and not allows(record, "rm"):
        refuse(g, record, "rm")
        return "not_stopped"
    if record.state == PAUSED:
        return "paused"
    return None if record.state in (RUNNING, STOPPING) else "told"


def must_replace(g: Goroutine) -> str | None:
    """Remove a container of the same name first (--replace), whatever it does."""
    record = load(g)
    if record is None:
        return "absent"
    if record.state == PAUSED:
        return "paused"
    return None if record.state in (RUNNING, STOPPING) else "told"


KILL_PAUSED = (  # of rm -f: what is paused is not stopped but killed (runtime_ctr.go 844-866)
    Label("paused"),
    Do(must_thaw, "lethal"),
    run(thaw, bad="not_stopped"),
    Do(thawed, "not_stopped"),
    Label("lethal"),
    run(send_kill, bad="unsent"),
    Wait(exit_file_there, within=EXIT_FILE_WAIT, late="no_exit_file"),
    Do(bring_up_to_date),
    Goto("told"),
    Label("unsent"),
    Do(no_process),
    Goto("not_stopped"),
)


STOP_PROCEDURES = (
    procedure(
        "podman.stop",
        BEGIN,
        LOCK,
        STOP,
        Label("not_stopped"),
        UNLOCK,
        Exit(fail),
        Label("told"),
        CLEAN,
        Do(removes_itself, "kept"),
        REMOVE,
        Label("kept"),
        UNLOCK,
        Exit(succeed),
    ),
    procedure(
        "podman.kill",
        BEGIN,
        LOCK,
        Do(begin_kill, "not_killed"),
        run(send_signal, bad="not_sent"),
        Do(killed, "not_killed", "sent", "untold"),
        Wait(exit_file_there, within=EXIT_FILE_WAIT, late="no_exit_file"),
        Do(bring_up_to_date),
        Label("sent"),
        UNLOCK,
        Exit(succeed),
        Label("not_sent"),
        Do(no_process),
        Goto("not_killed"),
        Label("untold"),
        Wait(process_gone, within=KILL_WAIT, late="lost"),
        Label("lost"),
        Do(lose_code, "not_stopped"),
        CLEAN,
        Do(tell_loss, "not_stopped"),
        Label("no_exit_file"),
        Do(no_exit_file),
        Label("not_stopped"),
        Label("not_killed"),
        UNLOCK,
        Exit(fail),
    ),
    procedure(
        "podman.restart",
        BEGIN,
        LOCK,
        Do(begin_restart, "not_stopped", "stopped"),
        STOP,
        Label("not_stopped"),
        Label("not_started"),
        UNLOCK,
        Exit(fail),
        Label("told"),
        run(teardown),
        Label("stopped"),
        START,
        UNLOCK,
        Exit(succeed),
        UNDO,
        Goto("not_started"),
    ),
    procedure(
        "podman.rm",
        BEGIN,
        LOCK,
        Do(begin_rm, "not_stopped", "told", "ignored", "paused"),
        STOP,
        Goto("told"),
        KILL_PAUSED,
        Label("told"),
        CLEAN,
        REMOVE,
        Label("ignored"),
        UNLOCK,
        Exit(succeed),
        Label("not_stopped"),
        UNLOCK,
        Exit(fail),
    ),
    procedure(
        "podman.run_unit",
        BEGIN,
        LOCK,
        Do(must_replace, "absent", "told", "paused"),
        STOP,
        Goto("told"),
        KILL_PAUSED,
        Label("told"),
        CLEAN,
        REMOVE,
        Label("absent"),
        CREATE,
        START,
        Do(notify),
        UNLOCK,
        Exit(succeed),
        UNDO,
        Label("not_started"),
        Goto("not_stopped"),
        Label("taken"),
        FREE_STORAGE,
        Label("not_stopped"),
        UNLOCK,
        Exit(fail),
    ),
    procedure("podman.pause", PAUSE),
    procedure("podman.unpause", PAUSE),
)

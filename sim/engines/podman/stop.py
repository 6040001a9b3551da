"""podman stop, kill, restart, rm, pause and unpause.

A stop writes down that the container was stopped by its user, lets go of the lock, sends the signal through crun, and
polls whether the process is there; after the timeout KILL, and 5 s more. Then it waits for conmon's exit file. If there
is no conmon any more there is no grace either, and nobody can tell the exit code: -1. Leaves out dependencies, pods and
volumes. Source: designs §4.2 [S]; libpod/container_internal.go stop, oci_conmon_common.go StopContainer [K].
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Goto, Label, Wait, reading, run
from sim.engine.procedure import procedure
from sim.engine.records import Container
from sim.engine.setup import S
from sim.engines.conmon.crun import crun
from sim.engines.conmon.files import exit_file, run_file
from sim.engines.host.daemon import event
from sim.engines.podman.common import BEGIN, CLEAN, LOCK, UNLOCK, asked, fail, no_such, succeed, teardown
from sim.engines.podman.start import CREATE, FREE_STORAGE, START, UNDO, notify, remove
from sim.engines.podman.state import NO_ROOM, UNKNOWN, conmon_of, load, save
from sim.kernel.signals import NUMBERS
from sim.world import Frame, Key, World

KILL_WAIT = 5 * S
IGNORE = "-i"  # of `podman rm`: one that is not there is no error


def improper(g: Goroutine, what: str, record: Container) -> None:
    """Keep the error of a container that is not in the state that a command needs."""
    state = "paused" if record.paused else "running" if record.running else "exited" if record.started else "created"
    g["error"] = f"{what}. {service_of(g).id} is in state {state}: container state improper"


# -- stop --------------------------------------------------------------------------------------------


def begin_stop(g: Goroutine) -> str | None:
    """Note that its user stops it, whatever it does; one that runs gets its signal, without conmon KILL at once."""
    record = load(g)
    if record is None:
        g["error"] = no_such(g)
        return "not_stopped"
    if record.paused:
        improper(g, "can only stop created or running containers", record)
        return "not_stopped"
    if not save(g, replace(record, manual=True)):
        return "not_stopped"
    if not record.running:
        return "told"
    g["payload_pid"] = record.pid
    return None


def has_grace(g: Goroutine) -> str | None:
    """Go on to KILL if there is no time to wait, or no conmon that would tell the end."""
    lives = conmon_of(g.world, service_of(g)) is not None
    return None if lives and stop_timeout(g.world, g.frame) else "kill"


def stop_timeout(world: World, frame: Frame) -> int:
    """Return how long the container may take, in µs: the command's time, or the container's own."""
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
    """Say whether kill(pid, 0) finds no such process; a zombie is one, a thread of that number is left out."""
    return frame.local["payload_pid"] not in world.host.procs


def look_again(g: Goroutine) -> str | None:
    """See whether somebody knows how it ended; whether anybody will."""
    record, service = load(g), service_of(g)
    if g["error"] == NO_ROOM:
        return "not_stopped"
    if record is None or not record.running:
        return "told"
    if g.world.host.exists(record.pid):
        g["error"] = f"container {service.id} did not die within timeout"
        return "not_stopped"
    return "untold" if conmon_of(g.world, service) is None else None


def _exit_file(world: World, frame: Frame) -> tuple[Key, ...]:
    service = world.services[frame.local["c"]]
    return (
        ("file", exit_file(service)),
        ("file", run_file(service, "conmon.pid")),
        ("proc", conmon_of(world, service)),
    )


@reading(_exit_file)
def exit_file_or_conmon_gone(world: World, frame: Frame) -> bool:
    """Say whether conmon has left an exit file, or is gone itself."""
    service = world.services[frame.local["c"]]
    return exit_file(service) in world.host.files or conmon_of(world, service) is None


def lose_code(g: Goroutine) -> str | None:
    """Write down that it has stopped with a code that nobody knows."""
    record = load(g)
    assert record is not None
    g["error"] = (
        f"container {service_of(g).id} conmon process missing, cannot retrieve exit code: conmon process killed"
    )
    if not save(g, replace(record, running=False, pid=0, exit_code=UNKNOWN, error=g["error"])):
        return "not_stopped"
    event(g, "die", ("exitCode", str(UNKNOWN)))
    return None


STOP = (
    Do(begin_stop, "not_stopped", "told"),
    UNLOCK,
    Do(has_grace, "kill"),
    run(send_stop_signal),
    Wait(process_gone, within=stop_timeout, late="kill"),
    Goto("gone"),
    Label("kill"),
    run(send_kill),
    Wait(process_gone, within=KILL_WAIT, late="gone"),
    Label("gone"),
    LOCK,
    Label("look"),
    Do(look_again, "told", "untold", "not_stopped"),
    Wait(exit_file_or_conmon_gone),
    Goto("look"),
    Label("untold"),
    Do(lose_code, "not_stopped"),
)
"""Ends at told, at untold and what follows, or at not_stopped, with the lock held."""


def stopped(g: Goroutine) -> None:
    """State that it was stopped, if it ran."""
    if g["payload_pid"]:
        event(g, "stop")


# -- kill, rm, pause ---------------------------------------------------------------------------------


def begin_kill(g: Goroutine) -> str | None:
    """Refuse a container that does not run."""
    record = load(g)
    if record is None or not record.running:
        g["error"] = no_such(g)
        if record is not None:
            improper(g, "can only kill running containers", record)
        return "not_killed"
    return None


def send_signal(g: Goroutine) -> Spawn:
    """Send the signal that was asked for."""
    signal = asked(g)[0] or "KILL"
    return crun(g, "kill", signal, signal=signal)


def killed(g: Goroutine) -> str | None:
    """Note that its user stops it, whatever the signal was."""
    record = load(g)
    if record is not None and not save(g, replace(record, manual=True)):
        return "not_killed"
    event(g, "kill", ("signal", str(NUMBERS[asked(g)[0] or "KILL"])))
    return None


def begin_rm(g: Goroutine) -> str | None:
    """Refuse a container that runs, unless it is to be stopped first."""
    record = load(g)
    if record is None:
        g["error"] = no_such(g)
        return "ignored" if IGNORE in asked(g)[3] else "not_stopped"
    if record.running and not asked(g)[2]:
        what = f"cannot remove container {service_of(g).id} as it is running"
        g["error"] = f"{what} - running or paused containers cannot be removed without force: container state improper"
        return "not_stopped"
    return None if record.running else "told"


def must_replace(g: Goroutine) -> str | None:
    """Remove a container of the same name first (--replace), whatever it does."""
    record = load(g)
    return "absent" if record is None else None if record.running else "told"


def begin_pause(g: Goroutine) -> str | None:
    """Refuse a container that does not run, or is paused already; for unpause one that is not."""
    record, wanted = load(g), g["request"].kind == "unpause"
    if record is None or not record.running or record.paused != wanted:
        g["error"] = no_such(g)
        if record is not None:
            improper(g, '"unpause" needs a paused container' if wanted else "can only pause running containers", record)
        return "not_paused"
    return None


def freeze(g: Goroutine) -> Spawn:
    """Freeze or thaw the container's scope."""
    return crun(g, "resume" if g["request"].kind == "unpause" else "pause")


def frozen(g: Goroutine) -> str | None:
    """Write it down."""
    record = load(g)
    paused = record is not None and record.running and g["request"].kind == "pause"
    if record is not None and not save(g, replace(record, paused=paused)):
        return "not_paused"
    event(g, g["request"].kind)
    return None


def restarted(g: Goroutine) -> None:
    """State that it was restarted."""
    event(g, "restart")


PAUSE = (
    BEGIN, LOCK, Do(begin_pause, "not_paused"), run(freeze, bad="not_paused"), Do(frozen, "not_paused"), UNLOCK,
    Exit(succeed), Label("not_paused"), UNLOCK, Exit(fail),
)  # fmt: skip
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
        Do(stopped),
        UNLOCK,
        Exit(succeed),
    ),
    procedure(
        "podman.kill",
        BEGIN,
        LOCK,
        Do(begin_kill, "not_killed"),
        run(send_signal),
        Do(killed, "not_killed"),
        UNLOCK,
        Exit(succeed),
        Label("not_killed"),
        UNLOCK,
        Exit(fail),
    ),
    procedure(
        "podman.restart",
        BEGIN,
        LOCK,
        STOP,
        Label("not_stopped"),
        Label("not_started"),
        UNLOCK,
        Exit(fail),
        Label("told"),
        run(teardown),
        START,
        Label("running"),
        Do(restarted),
        UNLOCK,
        Exit(succeed),
        UNDO,
        Goto("not_started"),
    ),
    procedure(
        "podman.rm",
        BEGIN,
        LOCK,
        Do(begin_rm, "not_stopped", "told", "ignored"),
        STOP,
        Label("told"),
        CLEAN,
        Do(remove, "not_stopped"),
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
        Do(must_replace, "absent", "told"),
        STOP,
        Label("told"),
        CLEAN,
        Do(remove, "not_stopped"),
        Label("absent"),
        CREATE,
        START,
        Do(notify),
        Label("running"),
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

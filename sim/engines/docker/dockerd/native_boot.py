"""How a dockerd up to 1.10 begins and ends: what an earlier one has left is killed; a stop takes 15 s at most.

A client that finds nobody listening wakes it (docker.socket). Its standard error goes to journald: once that has gone,
the next line ends it with SIGPIPE (a line for each request [K]). A disk without room lets none begin. Source: designs
§2 [S][I].
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import service_of
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Do, Exit, Label, Serve, Wait, reading
from sim.engine.procedure import Procedure, procedure
from sim.engine.records import JournalState
from sim.engine.settings import daemon_of
from sim.engine.setup import S
from sim.engine.traits import traits
from sim.engines.docker.dockerd.boot import boot_table
from sim.engines.docker.dockerd.exit import startup_done
from sim.engines.docker.dockerd.restore import is_restored
from sim.engines.docker.dockerd.shutdown import all_stopped, close_api, die, leave, leave_at_once, stop_all
from sim.engines.docker.dockerd.start import drop_bundle, record_of, update
from sim.engines.docker.dockerd.verbs import bearer
from sim.engines.host import output, storage
from sim.facts import Message
from sim.kernel import syscalls
from sim.kernel.records import INIT, Pid
from sim.world import Frame, World

KILLED = 137
GONE_WAIT = 10 * S  # container.WaitStop after the KILL of an orphan [K]


def begin_driver(g: Goroutine) -> str | None:
    """Begin to serve the daemon's own requests; a disk without room lets no daemon begin."""
    if storage.full(g.world):
        return "running"
    g.remember("connection", g.pid)
    g.remember("subscribed", True)
    note_stderr(g)
    g.start("dockerd.tasks")
    return None


def note_stderr(g: Goroutine) -> None:
    """Remember the journald that standard error is connected to, where the scenario has one."""
    journal = g.world.recall(INIT, output.JOURNALD)
    if isinstance(journal, JournalState):
        g.remember("stderr", journal.main_pid)


def kill_old(g: Goroutine) -> str | None:
    """Kill what an earlier dockerd has left, if its number and start time are still those that are stored."""
    record, procs = record_of(g), g.world.host.procs
    old = None if record is None else procs.get(record.pid)
    syscalls.remove_file(g.turn, paths.runtime_state(service_of(g).id, traits(g.world, g.pid).runtime_root))
    if old is None or not old.alive or (old.image.program, old.image.container) != ("payload", g["c"]):
        return "gone"
    g["old_pid"] = old.pid
    g.kill(old.pid, "KILL")
    return None


@reading(lambda world, frame: (("proc", frame.local["old_pid"]),))
def old_gone(world: World, frame: Frame) -> bool:
    """Say whether it is gone."""
    return not world.host.alive(frame.local["old_pid"])


def killed(g: Goroutine) -> None:
    """Believe that it has stopped, with 137 whatever there was."""
    record = record_of(g)
    is_restored(g)
    drop_bundle(g)
    if record is not None:
        stopped = replace(record, running=False, restarting=False, paused=False, pid=0, exit_code=KILLED)
        update(g, stopped, disk=True)


RESTORE = procedure(
    "dockerd.restore",
    Do(kill_old, "gone"),
    Wait(old_gone, within=GONE_WAIT, late="gone"),
    Label("gone"),
    Do(killed),
)
BOOT = boot_table(Do(begin_driver, "running"), events=())


def stop_containers(g: Goroutine) -> None:
    """Stop every container, all at once."""
    g.remember("shutting_down", True)
    g.cancel("api")
    stop_all(g)


def stderr_broken(world: World, pid: Pid) -> bool:
    """Say whether the journald that a daemon's standard error was connected to is gone."""
    journald = world.recall(pid, "stderr")
    return journald is not None and not world.host.alive(journald)


def log_request(g: Goroutine, message: Message) -> Message | Failure:
    """Write a line about a request to standard error, then take it."""
    if stderr_broken(g.world, g.pid):
        g.kill(g.pid, "PIPE")
    return bearer(g, message)


def api(table: dict[str, str]) -> Procedure:
    """Return the table that serves the API."""
    return procedure("dockerd.api", Serve("api", table, log_request))


# -- the end -----------------------------------------------------------------------------------------


def budget(world: World, frame: Frame) -> int:
    """Return how long the containers may take, in µs, whatever their own times are."""
    return int(daemon_of(world, frame.fid[0]).shutdown_timeout)


SHUTDOWN = procedure(
    "dockerd.shutdown",
    Do(close_api, "again", "forced", "untrapped"),
    Wait(startup_done),
    Do(stop_containers),
    Wait(all_stopped, within=budget, late="late"),
    Label("late"),
    Exit(leave),
    Label("forced"),
    Exit(leave_at_once),
    Label("untrapped"),
    Exit(die),
    Label("again"),
)
TABLES = (BOOT, RESTORE, SHUTDOWN)

"""podman: the program, a process for each command; exec, wait and ps are here, the rest in start.py and stop.py.

An exec has a conmon of its own, so that it needs nobody who holds the container. `ps` looks at every container, and
thereby brings every record up to date. Source: designs §4.1, §4.2 [S]; libpod/container_exec.go [K].
"""

from __future__ import annotations

from sim.engine.containers import service_of
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Do, Exit, Fork, Label, Reap, Wait, reading, receive
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engines.conmon.conmon import exec_conmon, exec_group
from sim.engines.conmon.files import exec_file
from sim.engines.host.daemon import event
from sim.engines.podman.cleanup import CLEANUP
from sim.engines.podman.common import BEGIN, LOCK, UNLOCK, answer, asked, fail, no_such, refuse, succeed
from sim.engines.podman.ladder import version_of
from sim.engines.podman.start import START_PROCEDURES
from sim.engines.podman.state import LEASES, NO_CODE, conmon_of, in_database, load, no_room, synced, synced_reads
from sim.engines.podman.states import CONFIGURED, CREATED, IN_RUNTIME, WITH_PROCESS, allows
from sim.engines.podman.stop import STOP_PROCEDURES
from sim.kernel import syscalls
from sim.kernel.records import Pid
from sim.world import Frame, Key, World

SESSIONS = 10_000

# -- exec --------------------------------------------------------------------------------------------


def begin_session(g: Goroutine) -> str | None:
    """Make an exec session; refuse a container that does not run, as far as anybody knows."""
    record, service = load(g), service_of(g)
    if record is None or not allows(record, "exec"):
        refuse(g, record, "exec")
        return "no_session"
    if no_room(g):
        return "no_session"
    files = g.world.host.files
    g["session"] = next(it for it in range(1, SESSIONS) if exec_file(service, it, "session") not in files)
    g["argv"] = asked(g)[3]
    syscalls.write_file(g.turn, exec_file(service, g["session"], "session"), True)
    event(g, f"exec_start: {' '.join(g['argv'])}")
    return None


def _word(world: World, frame: Frame) -> tuple[Key, ...]:
    name = exec_group(world, world.services[frame.local["c"]])
    members = (("proc", pid) for pid in world.host.grouped.get(name, ()))
    return (("queue", frame.fid[0], "sync"), ("cgroup", name), *members)


@reading(_word)
def session_said(world: World, frame: Frame) -> bool | str:
    """Say whether the session's conmon has written to the sync pipe, or no such conmon is left."""
    if world.queue(frame.fid[0], "sync"):
        return True
    host = world.host
    group = exec_group(world, world.services[frame.local["c"]])
    members = (host.procs[pid] for pid in host.grouped.get(group, ()))
    return False if any(it.alive and it.image.program == "exec-conmon" for it in members) else "session_lost"


def session_begun(g: Goroutine) -> str | None:
    """Go on to wait for its end, unless it is detached."""
    message = receive(g, "sync")
    if message.kind == "failed":
        g["error"] = f"{message.data} (exit code 127)"
        return "failed"
    assert isinstance(message.data, tuple)
    _, g["conmon_pid"] = message.data
    return "detached" if asked(g)[4] else None


def _end(world: World, frame: Frame) -> tuple[Key, ...]:
    path = exec_file(world.services[frame.local["c"]], frame.local["session"], "exit")
    return (("file", path), ("proc", frame.local["conmon_pid"]))


@reading(_end)
def session_over(world: World, frame: Frame) -> bool | str:
    """Say whether the session's conmon has left an exit file, or is gone without."""
    if exec_file(world.services[frame.local["c"]], frame.local["session"], "exit") in world.host.files:
        return True
    pid: Pid = frame.local["conmon_pid"]
    return False if world.host.alive(pid) else "session_lost"


def tell_code(g: Goroutine) -> int:
    """Leave with the process's code, and forget the session."""
    code = g.world.host.files.get(exec_file(service_of(g), g["session"], "exit"), 0)
    event(g, "exec_die", ("exitCode", str(code)))
    _forget(g)
    answer(g, Failure(f"exit code {code}") if code else True)
    return 0


def session_lost(g: Goroutine) -> None:
    """Nobody tells how the process ends."""
    g["error"] = "exec session: conmon process missing, cannot retrieve exit code (exit code 125)"


def _forget(g: Goroutine) -> None:
    for name in ("session", "pid", "exit"):
        syscalls.remove_file(g.turn, exec_file(service_of(g), g["session"], name))


def drop_session(g: Goroutine) -> int:
    """Forget a session that has come to nothing."""
    _forget(g)
    return fail(g)


EXEC = procedure(
    "podman.exec",
    BEGIN,
    LOCK,
    Do(begin_session, "no_session"),
    UNLOCK,
    Fork(exec_conmon),
    Reap(),
    Wait(session_said, "session_lost"),
    Do(session_begun, "detached", "failed"),
    Wait(session_over, "session_lost"),
    Exit(tell_code),
    Label("session_lost"),
    Do(session_lost),
    Label("failed"),
    Exit(drop_session),
    Label("detached"),
    Exit(succeed),
    Label("no_session"),
    UNLOCK,
    Exit(fail),
)

# -- wait, ps ----------------------------------------------------------------------------------------


def begin_wait(g: Goroutine) -> str | None:
    """Go on to wait for the end of its conmon, if it has one; refuse a container that is not there."""
    record = load(g)
    if record is None:
        g["error"] = no_such(g)
        return "no_code"
    g["conmon_pid"] = conmon_of(g.world, service_of(g))
    return None if record.state in IN_RUNTIME else "ended"


@reading(lambda world, frame: (("proc", frame.local["conmon_pid"]),))
def conmon_ended(world: World, frame: Frame) -> bool:
    """Return whether that conmon is gone, by a pidfd of it; until 5.2 its end is polled for."""
    return frame.local["conmon_pid"] not in world.host.procs


@reading(lambda world, frame: synced_reads(world, frame.local["c"]))
def not_running(world: World, frame: Frame) -> bool:
    """Return whether it has stopped, as far as anybody knows."""
    record = synced(world, frame.local["c"])
    return record is None or record.state not in WITH_PROCESS


def polls(g: Goroutine) -> str | None:
    """Go on to poll for the end where no pidfd of conmon's is known."""
    return None if version_of(g.world).wait_limit else "ended"


def wait_limit(world: World, frame: Frame) -> int:
    """Return how long a container without a conmon may take to be known as stopped, in µs."""
    return version_of(world).wait_limit


def must_have_code(g: Goroutine) -> str | None:
    """Refuse a container of which nobody has told a code; one that never ran left with 0."""
    record = load(g)
    if record is None or record.told or record.state in (CONFIGURED, CREATED):
        return None
    g["error"] = f"getting exit code of container {service_of(g).id} from DB: {NO_CODE}"
    return "no_code"


def look_at_all(g: Goroutine) -> int:
    """Bring every record up to date; fail if one cannot be."""
    for name in g.world.services:
        if in_database(name) in g.world.host.files:
            g["c"] = name
            load(g)
    return fail(g) if g["error"] else succeed(g)


PROGRAM = Program(
    "podman",
    (
        *START_PROCEDURES,
        *STOP_PROCEDURES,
        CLEANUP,
        EXEC,
        procedure(
            "podman.wait",
            BEGIN,
            Do(begin_wait, "no_code", "ended"),
            Wait(conmon_ended),
            Do(polls, "ended"),
            Wait(not_running, within=wait_limit, late="ended"),
            Label("ended"),
            Do(must_have_code, "no_code"),
            Exit(succeed),
            Label("no_code"),
            Exit(fail),
        ),
        procedure("podman.ps", BEGIN, Exit(look_at_all)),
    ),
    counts=frozenset({LEASES + "*/last"}),
    role=Role(kind=Kind.ERRAND, order=160, home="init", target="container", brief=True, slows=True),
)

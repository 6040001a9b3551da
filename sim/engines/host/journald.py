"""journald, as far as containers feel it: whoever logs waits while it does not read, and its sockets outlive it.

systemd holds the sockets, so that what is sent while journald is down waits there. It starts journald again at once if
it dies by itself (Restart=always, RestartSec=0 [K]). Left out: start on demand through the sockets, so that a journald
that a step has stopped stays so; the watchdog of its unit; what the sockets hold; dockerd's own lines, which are lost
after a restart, and containerd's SIGPIPE, which this build ignores. The process is there only if the scenario has to do
with it. Source: systemd-journald.service(8); engine-1.13 §10.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine.goroutine import Goroutine, Spawn, spawn
from sim.engine.ops import Do, Exit, Goto, Label, Wait, reading
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.records import JournalState
from sim.engine.role import Kind, Role
from sim.engine.setup import Journald, KillProcess, Setup
from sim.engines.host import output
from sim.facts import Remembered
from sim.kernel.records import INIT
from sim.world import Frame, Turn, World

ARGV = ("/usr/lib/systemd/systemd-journald",)
CGROUP = "/system.slice/systemd-journald.service"


def concerns(setup: Setup) -> bool:
    """Say whether a scenario has to do with journald: somebody logs to it, or a step names it."""
    if any(service.payload.log and service.log_driver == "journald" for service in setup.services):
        return True
    commands = [step.command for terminal in setup.terminals for step in terminal]
    return any(
        isinstance(it, Journald) or (isinstance(it, KillProcess) and it.target.role == "journald") for it in commands
    )


def state_of(world: World) -> JournalState:
    """Return what systemd knows of journald."""
    state = world.recall(INIT, output.JOURNALD)
    return state if isinstance(state, JournalState) else JournalState()


def begin(turn: Turn) -> None:
    """Let systemd start journald."""
    how = Spawn("journald", ARGV, comm="systemd-journal", new_session=True, cgroup=CGROUP)
    turn.emit(Remembered(INIT, output.JOURNALD, JournalState(spawn(turn, INIT, how))))


def _change(g: Goroutine, **fields: Any) -> None:
    g.remember(output.JOURNALD, replace(state_of(g.world), **fields))


def noticed(g: Goroutine) -> bool:
    """Say whether the reaped child was journald; one that nobody has stopped is started again."""
    state = state_of(g.world)
    if not state.main_pid or g["reaped_pid"] != state.main_pid:
        return False
    if state.stopped:
        _change(g, main_pid=0)
    else:
        begin(g.turn)
    return True


def take_job(g: Goroutine) -> str | None:
    """Stop journald, or go on to its start; *data* of the request is the verb."""
    verb, state = g["request"].data, state_of(g.world)
    if verb == "start":
        return "done" if state.main_pid else "start"
    _change(g, stopped=True)
    if state.main_pid:
        g.kill(state.main_pid, "TERM")
    return None


def kill_it(g: Goroutine) -> None:
    """Kill what has not left in time."""
    if state_of(g.world).main_pid:
        g.kill(state_of(g.world).main_pid, "KILL")


@reading(lambda world, frame: (("memory", INIT, output.JOURNALD),))
def journald_gone(world: World, frame: Frame) -> bool:
    """Say whether journald has been reaped."""
    return not state_of(world).main_pid


def stopped(g: Goroutine) -> str | None:
    """Go on with the start of a restart."""
    return None if g["request"].data == "restart" else "done"


def start_it(g: Goroutine) -> None:
    """Start journald, unless another job has: of two restarts given at once systemd makes one (systemd.unit(5))."""
    if not state_of(g.world).main_pid:
        begin(g.turn)


def job_done(g: Goroutine) -> None:
    """Answer."""
    g.reply(g["request"].reply, True)


def timeout_stop(world: World, frame: Frame) -> int:
    """Return how long journald may take to stop, in µs."""
    return int(world.setup.engine.unverified.journald_timeout_stop)


JOB = procedure(
    "init.job_journald",
    Do(take_job, "start", "done"),
    Wait(journald_gone, within=timeout_stop, late="kill"),
    Goto("gone"),
    Label("kill"),
    Do(kill_it),
    Wait(journald_gone),
    Label("gone"),
    Do(stopped, "done"),
    Label("start"),
    Do(start_it),
    Label("done"),
    Do(job_done),
)


STARTS = procedure("init.journald", Do(start_it))  # at the host's begin


def open_sockets(g: Goroutine) -> None:
    """Take the sockets over from systemd."""


PROGRAM = Program(
    "journald",
    (procedure("journald.main", Do(open_sockets)), procedure("journald.quit", Exit(0))),
    handlers={"TERM": "quit", "INT": "quit"},
    role=Role(kind=Kind.DAEMON, home="init", target="host", stalls_as="daemon"),
)

"""containerd-shim-runc-v2: a shim that containerd does not own; PID 1 is its parent (`containerd.shim_command`).

It starts its container through runc when it is asked to, reaps what is below it, keeps exit statuses until they are
deleted, and tells containerd of exits, which it tries again six times in 15 s. TERM and INT end it; whoever lives below
it goes on. It holds both ends of the stdio fifos. Leaves out terminals, several containers in one shim, time limits of
ttrpc, and that an exit of the first process is held back until those of execs are told. Source: designs §3.1, §3.6,
§3.7 [S]; the order of its children: experiments a and d of the measurements [M].
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import exec_of, exit_key, scope_of, service_of, shim_holder
from sim.engine.goroutine import Failure, Goroutine, Spawn
from sim.engine.ops import (
    Do,
    Exit,
    Fork,
    Goto,
    Label,
    Reap,
    ReapOrphans,
    Return,
    Serve,
    Wait,
    reading,
    run,
)  # fmt: skip
from sim.engine.procedure import Procedure, procedure
from sim.engine.program import Program
from sim.engine.records import Task
from sim.engine.role import MB, Rss
from sim.engine.setup import S
from sim.engines.containerd.publish import PUBLISH, publish
from sim.engines.containerd.runc import FIRST, not_found, runc
from sim.engines.containerd.shim import COPY, ROLE, output_copied, runc_create, runc_delete, runc_kill
from sim.engines.containerd.shim_command import runc_delete_force
from sim.engines.host import output
from sim.facts import StateChanged
from sim.kernel import fifos, syscalls
from sim.kernel.events import SubreaperSet
from sim.kernel.records import Image, Pid, code_of
from sim.world import Frame, World

COPY_WAIT = 10 * S


def set_up(g: Goroutine) -> None:
    """Become a subreaper, start threads, and serve."""
    syscalls.start_threads(g.turn, g.pid, g.world.setup.engine.unverified.shim_threads_before)
    g.emit(SubreaperSet(g.pid))
    g.start("shim.serve", c=g["c"])


def waited_for(image: Image) -> bool:
    """Say whether a goroutine waits for a child by its number: what was created, and runc, but for its stages."""
    return image.program in (*FIRST, "exec") or (image.program == "runc" and image.argv[-1] != "init")


MAIN = procedure(
    "shim.main",
    Do(set_up),
    Label("reap"),
    ReapOrphans(waited_for),
    Goto("reap"),
)

# -- create, start, delete --------------------------------------------------------------------------


def open_stdio(g: Goroutine) -> None:
    """Open both ends of the stdio fifos, and a pipe for each stream that the program prints on."""
    service = service_of(g)
    for stream in paths.STREAMS:
        path = f"{paths.bundle(service.id)}/{stream}"
        if path in g.world.host.fifos:
            fifos.open_fifo(g.turn, g.pid, path, "rw")
    for log in service.payload.log:
        fifos.pipe(g.turn, g.pid, output.pipe_path(service, log.stream), output.depth(log.write))


def created(g: Goroutine) -> str | None:
    """Wait for the first process from now on, copy what it prints, and answer with its pid."""
    service = service_of(g)
    if shim_holder(g.world, g["c"]) == g["c"]:  # the first container that it holds
        syscalls.start_threads(g.turn, g.pid, g.world.setup.engine.unverified.shim_threads_after)
    pid = g.world.host.files.get(f"{paths.state(service.id)}/pid")
    if not isinstance(pid, int):
        return "failed"
    g.remember(f"task/{g['c']}", Task(g["c"], g.pid, pid, child=False))
    for log in service.payload.log:
        local = {"c": service.name, "stream": log.stream, "held": 0, "fifo": output.fifo_path(service, log.stream)}
        g.start("shim.copy", log.stream, pipe=output.pipe_of(g.world, g.pid, service, log.stream), **local)
    g.start("shim.process", "init", c=service.name, process_pid=pid, x=None)
    _answer(g, pid)
    return None


def not_created(g: Goroutine) -> None:
    """Answer with what runc has logged."""
    logged = g.world.host.files.get(f"{paths.state(service_of(g).id)}/log.json", "")
    _, _, cause = str(logged).partition('caused "')
    quoted = cause[:-1].replace('\\"', '"')  # since runc 1.0 an error within an error is not quoted again
    why = f"unable to start container process: {quoted}" if cause else "exit status 1"
    text = f"failed to create shim task: OCI runtime create failed: runc create failed: {why}: unknown"
    _answer(g, Failure(f"failed to create task for container: {text}"))


def _answer(g: Goroutine, value: object) -> None:
    g.reply(g["request"].reply, value)


def first_of(g: Goroutine) -> Pid:
    """Return the pid of the container's first process; 0 if it has none."""
    task = g.recall(f"task/{g['c']}")
    return task.payload_pid if isinstance(task, Task) else 0


def runc_start(g: Goroutine) -> Spawn:
    """Let the payload go on to its own program."""
    return runc(g, "start", death_signal="KILL")


def payload_started(g: Goroutine) -> None:
    """Answer with the pid."""
    _answer(g, first_of(g))


def not_done(g: Goroutine) -> None:
    """Answer that runc has failed."""
    _answer(g, Failure("OCI runtime command failed: exit status 1: unknown"))


def begin_delete(g: Goroutine) -> str | None:
    """Refuse to delete what runs, unless it is to be killed."""
    if g.recall(exit_key(g.world, g["c"])) is not None:
        return None
    if g["request"].data and first_of(g):
        return "force"
    _answer(g, Failure(f"task {service_of(g).id} is not stopped: failed precondition"))
    return "refused"


@reading(lambda world, frame: (("memory", frame.fid[0], exit_key(world, frame.local["c"])),))
def init_reaped(world: World, frame: Frame) -> bool:
    """Say whether the first process has been reaped."""
    return world.recall(frame.fid[0], exit_key(world, frame.local["c"])) is not None


def deleted(g: Goroutine) -> None:
    """Answer with the exit status."""
    for name in ("pid", "log.json"):
        syscalls.remove_file(g.turn, f"{paths.state(service_of(g).id)}/{name}")
    _answer(g, (g.recall(exit_key(g.world, g["c"])),))


# -- exits ------------------------------------------------------------------------------------------


def process_exited(g: Goroutine) -> str | None:
    """Keep the code, or 128 + the signal; without a pid namespace of its own what is left is killed.

    The spec has the path of another one there, or none (containerd runtime/v2/runc/util.go ShouldKillAllOnExit).
    """
    g["code"] = code_of(g["status"])
    if g["x"]:
        syscalls.remove_file(g.turn, f"{paths.state(service_of(g).id, g['x'])}/pid")
        return "told"
    g.remember(exit_key(g.world, g["c"]), g["code"])
    g.emit(StateChanged(g["c"], "stopped"))
    return None if service_of(g).shares_pids else "told"


def tell_exit(g: Goroutine) -> None:
    """Tell containerd, in a goroutine of its own."""
    publish(g, "exit", (g["x"], g["code"], g["process_pid"]))


PROCESS = procedure(
    "shim.process",
    Reap("process_pid"),
    Do(process_exited, "told"),
    run(runc_kill),
    Label("told"),
    Do(tell_exit),
)


# -- signals, execs, the freezer ---------------------------------------------------------------------


def runc_signal(g: Goroutine) -> Spawn:
    """Send the signal through runc."""
    return runc(g, "kill", g["request"].data, main="signal", signal=g["request"].data, death_signal="KILL")


def done(g: Goroutine) -> None:
    """Answer."""
    _answer(g, True)


def no_process(g: Goroutine) -> None:
    """Answer that there is no such process."""
    _answer(g, Failure("process already finished: not found"))


def signal_exec(g: Goroutine) -> None:
    """Send a signal to an exec'd process."""
    x, signal = g["request"].data
    pid = g.recall(f"exec/{x}")
    if pid is not None and g.world.host.alive(pid) and g.kill(pid, signal):
        done(g)
    else:
        no_process(g)


def take_exec(g: Goroutine) -> None:
    """Note which process is wanted."""
    g["x"], g["argv"] = g["request"].data


def runc_exec(g: Goroutine) -> Spawn:
    """Start `runc exec`, which dies with the shim."""
    words = ("--process", f"{paths.state(service_of(g).id, g['x'])}/process.json", "--detach")
    return runc(g, "exec", *words, death_signal="KILL", x=g["x"], argv=g["argv"])


def exec_created(g: Goroutine) -> str | None:
    """Wait for the process from now on, and answer with its pid."""
    pid = g.world.host.files.get(f"{paths.state(service_of(g).id, g['x'])}/pid")
    if not isinstance(pid, int):
        return "failed"
    g.remember(f"exec/{g['x']}", pid)
    g.start("shim.process", g["x"], c=g["c"], process_pid=pid, x=g["x"])
    _answer(g, pid)
    return None


def not_execed(g: Goroutine) -> None:
    """Answer with an error, and which command is not there, if that is it."""
    path = g["argv"][0]
    why = f'exec: "{path}": {not_found(path)}: ' if exec_of(service_of(g), g["argv"]).missing else ""
    _answer(g, Failure(f"OCI runtime exec failed: exec failed: unable to start container process: {why}unknown"))


def runc_pause(g: Goroutine) -> Spawn:
    """Freeze the container."""
    return runc(g, "pause")


def runc_resume(g: Goroutine) -> Spawn:
    """Thaw the container."""
    return runc(g, "resume")


def runc_update(g: Goroutine) -> Spawn:
    """Set the container's limits."""
    return runc(g, "update", "--resources", "-")


def state(g: Goroutine) -> None:
    """Answer with the first process's pid, and its exit status if it has ended."""
    _answer(g, (first_of(g), g.recall(exit_key(g.world, g["c"]))))


def runc_ps(g: Goroutine) -> Spawn:
    """Ask the runtime for the processes of the container."""
    return runc(g, "ps", "--format", "json")


def processes(g: Goroutine) -> None:
    """Answer with the processes that are left in the container's control group."""
    group = g.world.host.grouped.get(scope_of(g.world, service_of(g)), ())
    _answer(g, tuple(sorted(pid for pid in group if g.world.host.alive(pid))))


def notice_oom(g: Goroutine) -> None:
    """Tell containerd that the kernel has killed within the container."""
    publish(g, "oom", None)


def shut_down(g: Goroutine) -> int:
    """Answer, and leave."""
    _answer(g, True)
    return 0


SERVED = {
    "Create": "create",
    "Start": "start",
    "Kill": "kill",
    "KillExec": "kill_exec",
    "Exec": "exec",
    "State": "state",
    "Pids": "pids",
    "Pause": "pause",
    "Resume": "resume",
    "Update": "update",
    "Delete": "delete",
    "Shutdown": "shutdown",
}


def _verb(
    name: str,
    how: Callable[[Goroutine], Spawn],
    after: Callable[[Goroutine], None] = done,
    failed: Callable[[Goroutine], None] = not_done,
) -> Procedure:
    """Return a procedure that runs runc and answers."""
    return procedure(f"shim.{name}", run(how, bad="failed"), Do(after), Return(), Label("failed"), Do(failed))


PROGRAM = Program(
    "shim",
    (
        MAIN,
        procedure("shim.serve", Serve("ttrpc", SERVED)),
        procedure(
            "shim.create",
            Do(open_stdio),
            Fork(runc_create),
            Reap(bad="failed"),
            Do(created, "failed"),
            Return(),
            Label("failed"),
            Do(not_created),
        ),
        _verb("start", runc_start, payload_started),
        _verb("kill", runc_signal, failed=no_process),
        procedure("shim.kill_exec", Do(signal_exec)),
        procedure(
            "shim.exec",
            Do(take_exec),
            Fork(runc_exec),
            Reap(bad="failed"),
            Do(exec_created, "failed"),
            Return(),
            Label("failed"),
            Do(not_execed),
        ),
        procedure("shim.state", Do(state)),
        _verb("pids", runc_ps, processes),
        _verb("pause", runc_pause),
        _verb("resume", runc_resume),
        _verb("update", runc_update),
        procedure(
            "shim.delete",
            Do(begin_delete, "force", "refused"),
            Wait(output_copied, within=COPY_WAIT, late="copied"),
            Label("copied"),
            run(runc_delete),
            Label("deleted"),
            Do(deleted),
            Label("refused"),
            Return(),
            Label("force"),
            run(runc_delete_force),
            Wait(init_reaped),
            Goto("deleted"),
        ),
        procedure("shim.shutdown", Exit(shut_down)),
        PROCESS,
        PUBLISH,
        COPY,
        procedure("shim.oom", Do(notice_oom)),
        procedure("shim.leave", Exit(0)),
    ),
    handlers={"TERM": "leave", "INT": "leave"},
    ignored=frozenset({"PIPE"}),
    role=replace(ROLE, home="init", rss=Rss(round(11.0 * MB), "rust-extensions README: 1106 MB for 100 of runc-v2")),
)

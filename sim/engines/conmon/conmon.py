"""conmon: the one process that outlives the command which starts a container, and holds what belongs to it.

podman forks it in a control group of its own; it forks itself and leaves, so that the nearest subreaper has the rest:
PID 1, or, where a cleanup process restarts the container, the old conmon until that ends. It is a subreaper itself,
reads the payload's pipes and writes the log (it never waits for anybody), holds the published ports so that nobody else
binds them, writes the exit file, runs the exit command, `podman container cleanup`, and leaves with the container's
code. TERM, INT and QUIT go on to the payload. An exec has a conmon of its own. Leaves out terminals, attach sockets,
log drivers' differences, what a signal before the payload's start does. Source: designs §4.1 [S]; conmon src/conmon.c,
ctr_exit.c [S].
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.containers import is_split, is_unit, service_of, unit_group
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.networks import bound
from sim.engine.ops import Do, Exit, Fork, Goto, Label, Read, Reap, ReapAny, Wait, reading, run
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import MB, Kind, Role, Rss
from sim.engine.setup import Service
from sim.engines.conmon.crun import crun
from sim.engines.conmon.files import exec_file, exit_file, run_file
from sim.engines.containerd.runc import FIRST
from sim.engines.host import output
from sim.facts import Message, StateChanged
from sim.kernel import fifos, syscalls
from sim.kernel.events import OomScoreAdjSet, SubreaperSet
from sim.kernel.records import Pid, Status, code_of
from sim.world import Frame, World

CONMON = "/usr/bin/conmon"
READ = 8 * 1024  # a read of the payload's pipe [S]
NEVER_BY_OOM = -1000
FORWARDED = ("TERM", "INT", "QUIT")


def group(world: World, service: Service) -> str:
    """Return the control group of a container's conmon; with --cgroups=split it is a part of the unit's."""
    return runtime_group(service) if is_split(world, service) else exec_group(world, service)


def runtime_group(service: Service) -> str:
    """Return the part of a unit's control group that conmon is in."""
    return f"{unit_group(service)}/runtime"


def exec_group(world: World, service: Service) -> str:
    """Return the control group of the conmon of an exec session, which is no part of a unit."""
    return str(world.design.traits.conmon_group.format(id=service.id, name=service.name))


def argv_of(service: Service, *words: str) -> tuple[str, ...]:
    """Return conmon's words; the exit command and most paths are left out."""
    return (CONMON, "--api-version", "1", "-c", service.id, "-r", "/usr/bin/crun", *words, "-n", service.name)


def conmon(g: Goroutine) -> Spawn:
    """Describe the conmon of a container: a group of its own, a control group of its own."""
    service = service_of(g)
    local = {"c": service.name, "starter": g.pid}
    argv, own = argv_of(service), group(g.world, service)
    return Spawn("conmon", argv, service.name, local=local, new_group=True, cgroup=own, passing=True)


def monitor(g: Goroutine) -> Spawn:
    """Fork once more: what goes on is a session leader, and nobody's child but a reaper's."""
    service = service_of(g)
    local = {"c": service.name, "starter": g["starter"]}
    return Spawn("conmon", argv_of(service), service.name, main="monitor", local=local, new_session=True)


def set_up(g: Goroutine) -> None:
    """Become a subreaper that no lack of memory kills; take the ports over; open pipes for what the payload prints."""
    service = service_of(g)
    g.emit(SubreaperSet(g.pid))
    if g.world.minds_memory:
        g.emit(OomScoreAdjSet(g.pid, NEVER_BY_OOM))
    for port in service.ports:
        syscalls.unlisten(g.turn, bound(port))
        syscalls.listen(g.turn, g.pid, bound(port))
    syscalls.write_file(g.turn, run_file(service, "conmon.pid"), g.pid)
    for log in service.payload.log:
        fifos.pipe(g.turn, g.pid, output.pipe_path(service, log.stream), output.depth(log.write))


def crun_create(g: Goroutine) -> Spawn:
    """Start `crun create`, which dies with conmon."""
    return crun(g, "create", "--bundle", run_file(service_of(g), ""), death_signal="KILL")


def created(g: Goroutine) -> None:
    """Report the payload's number to whoever started it, and begin to read what it prints."""
    service = service_of(g)
    payload = g["payload_pid"] = _adopted(g)
    g.remember("payload_pid", payload)
    g.send(g["starter"], "sync", Message("created", service.name, data=(payload, g.pid)))
    for log in service.payload.log:
        pipe = output.pipe_of(g.world, g.pid, service, log.stream)
        g.start("conmon.copy", log.stream, c=service.name, stream=log.stream, held=0, pipe=pipe)


def _adopted(g: Goroutine) -> Pid:
    """Return the payload, which crun has left to conmon; a `podman rm -f` may have killed it already."""
    procs, children = g.world.host.procs, g.world.host.children.get(g.pid, ())
    images = ((pid, procs[pid].image) for pid in children)
    return next(pid for pid, image in images if image.program in FIRST and image.container == g["c"])


def not_created(g: Goroutine) -> int:
    """Report to whoever started it why the runtime has failed."""
    error = g.world.host.files.get(run_file(service_of(g), "error"), "")
    g.send(g["starter"], "sync", Message("failed", g["c"], data=error))
    return 1


def is_payload(g: Goroutine) -> str | None:
    """Tell the payload from others that were adopted."""
    return None if g["reaped_pid"] == g["payload_pid"] else "reap"


@reading(lambda world, frame: (("running", frame.fid[0], "conmon.copy"),))
def output_drained(world: World, frame: Frame) -> bool:
    """Say whether all that was printed has been read."""
    return not world.running(frame.fid[0], "conmon.copy")


def write_exit_file(g: Goroutine) -> None:
    """Let go of the ports, then write the exit code, or 128 and the signal."""
    service = service_of(g)
    g["code"] = code_of(g["status"])
    for port in service.ports:
        if g.world.host.listeners.get(bound(port)) == g.pid:
            syscalls.unlisten(g.turn, bound(port))
    syscalls.write_file(g.turn, exit_file(service), g["code"])
    g.emit(StateChanged(g["c"], "stopped"))


def is_done(world: World, pid: Pid) -> bool:
    """Return whether a conmon has reaped its payload: it runs the exit command, and leaves."""
    payload = world.recall(pid, "payload_pid")
    return payload is not None and payload not in world.host.children.get(pid, ())


def leave_with_code(g: Goroutine) -> int:
    """Leave with the container's exit code."""
    return int(g["code"])


def cleanup(g: Goroutine) -> Spawn:
    """Run the exit command, with a score of its own."""
    service = service_of(g)
    flags = ("--rm",) if service.auto_remove or is_unit(g.world, service) else ()
    argv = ("/usr/bin/podman", "container", "cleanup", *flags, service.id)
    return Spawn("podman", argv, service.name, main="cleanup", local={"c": service.name}, oom_score_adj=0)


def forward(g: Goroutine) -> None:
    """Send the signal on to the payload, if there is one yet."""
    payload: Pid | None = g.recall("payload_pid")
    if payload is not None:
        g.kill(payload, g["signal"])


def note_oom(g: Goroutine) -> None:
    """Write down that the container's control group ran out of memory."""
    syscalls.write_file(g.turn, run_file(service_of(g), "oom"), True)


def reopen_log(g: Goroutine) -> None:
    """Open the log file anew (USR1): nothing else changes."""


def write_log(g: Goroutine) -> None:
    """Write what was read to the log: a file, or a datagram; what does not go is dropped, with a warning."""
    if output.dropped(g.world, g["c"]):
        output.add_lost(g.turn, g["c"], g["held"])
    g["held"] = 0


def is_killed(status: Status) -> bool:
    """Return whether conmon itself has come to harm: any other status is that of its container's program."""
    return status < 0


ROLE = Role(
    kind=Kind.HOLDER, order=70, home="init", target="container", stalls_as="conmon", slows=True, failed=is_killed,
    rss=Rss(round(2.1 * MB), "issue: 1.8 to 2.4 MB"),
)  # fmt: skip
PROGRAM = Program(
    "conmon",
    (
        procedure("conmon.main", Fork(monitor), Exit(0)),
        procedure(
            "conmon.monitor",
            Do(set_up),
            Fork(crun_create),
            Reap(bad="failed"),
            Do(created),
            Label("reap"),
            ReapAny(),
            Do(is_payload, "reap"),
            Wait(output_drained),
            Do(write_exit_file),
            run(cleanup),
            Exit(leave_with_code),
            Label("failed"),
            Exit(not_created),
        ),
        procedure(
            "conmon.copy",
            Label("next"),
            Read("read_pipe", "pipe", READ, "end"),
            Do(write_log),
            Goto("next"),
            Label("end"),
        ),
        procedure("conmon.forward", Do(forward)),
        procedure("conmon.oom", Do(note_oom)),
        procedure("conmon.reopen", Do(reopen_log)),
    ),
    handlers={**dict.fromkeys(FORWARDED, "forward"), "USR1": "reopen"},
    ignored=frozenset({"PIPE"}),
    is_done=is_done,
    role=ROLE,
)

# -- of an exec ----------------------------------------------------------------------------------------


def exec_conmon(g: Goroutine) -> Spawn:
    """Describe the conmon of an exec session."""
    service = service_of(g)
    local = {"c": service.name, "starter": g.pid, "session": g["session"], "argv": g["argv"]}
    argv = argv_of(service, "-e", "-u", str(g["session"]))
    return Spawn("exec-conmon", argv, service.name, local=local, new_group=True, cgroup=exec_group(g.world, service))


def exec_monitor(g: Goroutine) -> Spawn:
    """Fork once more, as every conmon does."""
    service = service_of(g)
    local = {"c": service.name, "starter": g["starter"], "session": g["session"], "argv": g["argv"]}
    argv = argv_of(service, "-e", "-u", str(g["session"]))
    return Spawn("exec-conmon", argv, service.name, main="monitor", local=local, new_session=True)


def become_subreaper(g: Goroutine) -> None:
    """Become a subreaper that no lack of memory kills."""
    g.emit(SubreaperSet(g.pid))
    if g.world.minds_memory:
        g.emit(OomScoreAdjSet(g.pid, NEVER_BY_OOM))


def crun_exec(g: Goroutine) -> Spawn:
    """Start `crun exec`, which dies with conmon."""
    return crun(g, "exec", "--process", "process.json", death_signal="KILL", argv=g["argv"], session=g["session"])


def execed(g: Goroutine) -> None:
    """Report to whoever started it that the process has begun."""
    g["process_pid"] = g.world.host.files.get(exec_file(service_of(g), g["session"], "pid"))
    g.send(g["starter"], "sync", Message("created", g["c"], data=(g["process_pid"], g.pid)))


def is_process(g: Goroutine) -> str | None:
    """Tell the process from others that were adopted."""
    return None if g["reaped_pid"] == g["process_pid"] else "reap"


def write_exec_exit(g: Goroutine) -> int:
    """Write the exit code, or 128 and the signal."""
    path = exec_file(service_of(g), g["session"], "exit")
    syscalls.write_file(g.turn, path, code_of(g["status"]))
    return 0


def not_execed(g: Goroutine) -> int:
    """Report to whoever started it that the runtime has failed."""
    g.send(g["starter"], "sync", Message("failed", g["c"], data="crun: executable file not found in $PATH"))
    return 1


EXEC_PROGRAM = Program(
    "exec-conmon",
    (
        procedure("exec-conmon.main", Fork(exec_monitor), Exit(0)),
        procedure(
            "exec-conmon.monitor",
            Do(become_subreaper),
            Fork(crun_exec),
            Reap(bad="failed"),
            Do(execed),
            Label("reap"),
            ReapAny(),
            Do(is_process, "reap"),
            Exit(write_exec_exit),
            Label("failed"),
            Exit(not_execed),
        ),
    ),
    ignored=frozenset({"PIPE"}),
    role=replace(ROLE, order=80, brief=True, slows=False, rss=None, noun="conmon"),
)

"""dockerd up to 1.10 has no containerd: its own native driver makes containers, whose parent dockerd is.

The driver is a library within the daemon; here it serves the daemon's own requests, so that the rest of dockerd is the
one of 1.13. It forks itself for the container's init, which the bootstrap clones with its parent kept, waits for each
by its number, and reads what it prints from a pipe. A command in a container is one more child. When dockerd dies
nobody waits for these: PID 1 has them, and what they print ends in EPIPE. The next dockerd kills them (`native_boot`).
Leaves out terminals, hooks. Source: designs §2 [S]; execdriver/native, libcontainer nsexec.c [K].
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import can_join, first_ns, pins, scope_of, service_of
from sim.engine.goroutine import Failure, Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Label, Reap, Return, Serve, Wait, call, reading, repeat, run
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.records import RuntimeState, Task
from sim.engine.role import Kind, Role
from sim.engine.setup import Service
from sim.engine.traits import traits
from sim.engines.containerd.runc import not_executable
from sim.engines.docker.dockerd import native_boot, native_execs
from sim.engines.docker.dockerd.native_execs import NATIVE, first_of
from sim.engines.docker.dockerd.set_key import move_network, netns_iptables, setup_resolver
from sim.engines.docker.dockerd.start import (
    answer,
    containerd_at,
    create_container,
    drop_bundle,
    event,
    record_of,
    start_table,
    update,
)
from sim.engines.docker.dockerd.volumes import mount_volumes
from sim.engines.host import output
from sim.engines.host.payload import main_table
from sim.facts import Forgot, StateChanged
from sim.kernel import fifos, freezer, syscalls
from sim.kernel.records import Pid, code_of
from sim.world import Frame, Key, World

# -- start -------------------------------------------------------------------------------------------


def prepare(g: Goroutine) -> None:
    """Mount volumes, forget earlier restarts unless this is one; make a pipe for each stream that is printed on."""
    record, service = record_of(g), service_of(g)
    if record is not None and g["why"] != "policy":
        update(g, replace(record, restart_count=0, backoff=0, canceled=False), disk=False)
    mount_volumes(g)
    for log in service.payload.log:
        fifos.pipe(g.turn, g.pid, output.pipe_path(service, log.stream), output.depth(log.write))
    g.remember(f"lib/{g['c']}", True)


def bootstrap(g: Goroutine) -> Spawn:
    """Start the re-exec that makes the namespaces."""
    g.emit(StateChanged(g["c"], "creating"))
    return Spawn("native", NATIVE, g["c"], comm="exe", local={"c": g["c"]})


def container_init(g: Goroutine) -> Spawn | None:
    """Clone the container's first process as a child of dockerd: first of a pid namespace, leader of a session."""
    service = service_of(g)
    if not can_join(g.world, service):
        return None
    return Spawn(
        "payload",
        NATIVE,
        service.name,
        comm="exe",
        clone_parent=True,
        new_session=True,
        cgroup=scope_of(g.world, service),
        oom_score_adj=service.oom_score_adj,
        local={"c": service.name},
        **first_ns(g.world, service),
    )


def _child(g: Goroutine, program: str) -> Pid | None:
    host, known = g.world.host, {g.recall(f"task/{g['c']}", Task("", 0)).payload_pid}
    for pid in host.children.get(g.pid, ()):
        image = host.procs[pid].image
        if image.program == program and image.container == g["c"] and pid not in known:
            return pid
    return None


def cloned(g: Goroutine) -> str | None:
    """Keep which child it is; one that is dead already has failed."""
    g["payload_pid"] = pid = _child(g, "payload")
    if pid is None or not g.world.host.alive(pid):
        return "failed"
    return None


def configure(g: Goroutine) -> str | None:
    """Let it go on to its program, with its ends of the pipes; wait for it from now on."""
    service, pid = service_of(g), g["payload_pid"]
    error = not_executable(service)
    if error or not g.world.host.alive(pid):
        g["error"] = error
        return "failed"
    for log in service.payload.log:
        pipe = output.pipe_of(g.world, g.pid, service, log.stream)
        if pipe is not None:
            fifos.open_fifo(g.turn, pid, pipe, "w")
    syscalls.write_file(g.turn, _state_of(g.world, g.pid, service), RuntimeState("running", pid))
    g.emit(StateChanged(g["c"], "created"))
    g.remember(f"task/{g['c']}", Task(g["c"], g.pid, pid))
    g.start("dockerd.wait_process", g["c"], c=g["c"], payload_pid=pid)
    answer(g, pid)
    return None


def kill_init(g: Goroutine) -> None:
    """Give up."""
    if g["payload_pid"] is not None:
        g.kill(g["payload_pid"], "KILL")


def not_created(g: Goroutine) -> None:
    """Answer with what the init has said."""
    for log in service_of(g).payload.log:
        pipe = output.pipe_of(g.world, g.pid, service_of(g), log.stream)
        if pipe is not None:
            fifos.close_fifo(g.turn, g.pid, pipe)
    answer(g, Failure(g["error"] or "[8] System error: read parent: connection reset by peer"))


START = start_table([call("tasks", containerd_at, create_container, lost="lost")], [], bundle=prepare)
CREATE = procedure(
    "dockerd.native_create",
    Fork(bootstrap),
    Reap(),
    Do(cloned, "failed"),
    Do(move_network, "moved", "refused"),
    run(setup_resolver),
    repeat(14, run(netns_iptables)),
    Label("moved"),
    Do(configure, "failed"),
    Return(),
    Label("failed"),
    Do(kill_init),
    Reap("payload_pid"),
    Do(not_created),
    Return(),
    Label("refused"),
    Do(kill_init),
    Reap("payload_pid"),
)

# -- an end ------------------------------------------------------------------------------------------


def _state_of(world: World, pid: Pid, service: Service) -> str:
    """Return the file in which the driver keeps a container's state, by the version that *pid* belongs to."""
    return paths.runtime_state(service.id, traits(world, pid).runtime_root)


def process_ended(g: Goroutine) -> None:
    """Note how it has ended; without a pid namespace what is left in its group is killed. The exit is handled apart."""
    service, status = service_of(g), g["status"]
    if service.shares_pids:
        syscalls.kill_cgroup(g.turn, scope_of(g.world, service), "KILL")
    syscalls.remove_file(g.turn, _state_of(g.world, g.pid, service))
    g.emit(Forgot(g.pid, f"task/{g['c']}"))
    g.emit(StateChanged(g["c"], "stopped"))
    oom = f"oom/{g['c']}"
    killed = {"oom_killed": True} if g.recall(oom) else {}
    if killed:
        g.emit(Forgot(g.pid, oom))
    drop_bundle(g)
    handler = "dockerd.state_exit_after_output" if service.payload.log else "dockerd.state_exit"
    g.start(handler, g["c"], c=g["c"], status=code_of(status), **killed)


def notice_oom(g: Goroutine) -> None:
    """Note that the kernel has killed within the container."""
    g.remember(f"oom/{g['c']}", True)
    event(g, "oom")


# -- what the daemon asks its driver for -------------------------------------------------------------


def signal(g: Goroutine) -> None:
    """Send a signal to the container's first process."""
    pid = first_of(g)
    sent = pid is not None and g.kill(pid, g["request"].data)
    answer(g, True if sent else Failure("active container not found"))


def freeze(g: Goroutine) -> None:
    """Freeze or thaw the container's control group."""
    scope, verb = scope_of(g.world, service_of(g)), g["request"].kind
    if first_of(g) is None:
        answer(g, Failure("active container not found"))
        return
    (freezer.freeze if verb == "PauseTask" else freezer.thaw)(g.turn, scope)
    g.emit(StateChanged(g["c"], "paused" if verb == "PauseTask" else "running"))
    answer(g)


def state(g: Goroutine) -> None:
    """Tell the first process's number."""
    pid = first_of(g)
    answer(g, Failure("active container not found") if pid is None else (pid, None))


def update_limits(g: Goroutine) -> None:
    """Set the control group's limits."""
    answer(g)


SERVED = {
    "StartTask": "native_create",
    "SignalTask": "native_signal",
    "PauseTask": "native_freeze",
    "ResumeTask": "native_freeze",
    "StateTask": "native_state",
    "UpdateTask": "native_update",
    "AddProcess": "native_exec",
    "SignalExec": "native_signal_exec",
}
TABLES = (
    *native_boot.TABLES,
    *native_execs.TABLES,
    START,
    CREATE,
    procedure("dockerd.tasks", Serve("tasks", SERVED)),
    procedure("dockerd.wait_process", Reap("payload_pid"), Do(process_ended)),
    procedure("dockerd.native_signal", Do(signal)),
    procedure("dockerd.native_freeze", Do(freeze)),
    procedure("dockerd.native_state", Do(state)),
    procedure("dockerd.native_update", Do(update_limits)),
    procedure("dockerd.oom", Do(notice_oom)),
)
PROGRAM = Program(
    "native",
    (
        procedure("native.main", Fork(container_init, pin=lambda world, frame: pins(world, frame).payload), Exit(0)),
        native_execs.JOIN,
    ),
    role=Role(kind=Kind.ERRAND, brief=True),
)


# -- the container's init ----------------------------------------------------------------------------


def _parent(world: World, frame: Frame) -> tuple[Key, ...]:
    state = _state_of(world, frame.fid[0], world.services[frame.local["c"]])
    return (("file", state), ("proc", frame.fid[0]), ("proc", world.host.procs[frame.fid[0]].ppid))


@reading(_parent)
def configured(world: World, frame: Frame) -> bool | str:
    """Say whether dockerd has sent the configuration; or that nobody is left who would."""
    pid = frame.fid[0]
    state = world.host.files.get(_state_of(world, pid, world.services[frame.local["c"]]))
    if state == RuntimeState("running", pid):
        return True
    parent = world.host.procs.get(world.host.procs[pid].ppid)
    return False if parent is not None and parent.image.program in ("dockerd", "native") else "given_up"


def payload(program: Program) -> Program:
    """Return the program of containers, whose init waits for dockerd instead of an exec fifo."""
    return program.with_tables(main_table(Wait(configured, "given_up"))).under("dockerd")

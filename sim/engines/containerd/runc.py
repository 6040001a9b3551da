"""docker-runc: create, start, exec, kill --all, delete, state, pause, resume; its init stages.

`create` forks stage 0, which clones stage 1, which clones stage 2 with the parent kept, so that stage 2 (the future
payload) is a child of `create` and goes to the shim when that exits; `exec` does the same for a process that joins the
container's namespaces. A container that shares another one's namespaces is refused where that one's first process is
gone. Leaves out the scope's D-Bus wait, seccomp, mounts and OCI hooks of other packages. Source: R
libcontainer/nsenter/nsexec.c, container_linux.go (orderNamespacePaths); engine-1.13 §2 steps 11 to 17, §12 (threads:
b = 6 of a + b = 13).
"""

from __future__ import annotations

import msgspec

from sim.engine import paths
from sim.engine.containers import (
    can_join,
    exec_of,
    first_ns,
    folder,
    is_sandbox,
    own_state,
    pins,
    pod,
    scope_of,
    service_of,
)
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Label, Reap, Wait, reading, run
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.records import RuntimeState
from sim.engine.role import Kind, Role, Stage
from sim.engine.setup import Service
from sim.engine.traits import traits
from sim.engines.containerd.hook import setkey
from sim.engines.host import output
from sim.facts import StateChanged
from sim.kernel import fifos, freezer, syscalls
from sim.kernel.records import Pid
from sim.world import Frame, World

PARENT, CHILD, INIT = "runc:[0:PARENT]", "runc:[1:CHILD]", "runc:[2:INIT]"  # nsexec.c, prctl(PR_SET_NAME)
FIRST = ("payload", "pause")  # who may be a container's first process: pause is a sandbox's


def runc(
    g: Goroutine, verb: str, *words: str, death_signal: str | None = None, main: str = "", **local: object
) -> Spawn:
    """Describe a run of docker-runc for the container in variable `c`; *main* is its procedure, if not the verb's.

    A process is made with a log, a pid file and no console; its folder is that of variable `x`.
    """
    service, (program, *options) = service_of(g), traits(g.world, g.pid).words.runc
    argv: tuple[str, ...] = (*options, verb, *words, service.id)
    if verb in ("create", "exec"):
        inside = folder(g.world, g.frame)
        files = ("--console", "", "--pid-file", f"{inside}/pid")
        argv = ("--log", f"{inside}/log.json", "--log-format", "json", *argv[:-1], *files, service.id)
    elif verb == "kill" and not main:
        argv = (*argv, "SIGKILL")
    argv, local = (program, *argv), {"c": service.name, **local}
    return Spawn("runc", argv, service.name, main=main or verb, local=local, death_signal=death_signal)


def start_threads(g: Goroutine) -> None:
    """Start the Go runtime's threads."""
    syscalls.start_threads(g.turn, g.pid, g.world.setup.engine.unverified.runc_threads)


def init(g: Goroutine) -> tuple[str, ...]:
    """Return the words of the init stages: runc runs itself."""
    return traits(g.world, g.pid).words.runc[0], "init"


# -- create ----------------------------------------------------------------------------------------


def stage0(g: Goroutine) -> Spawn:
    """Start the first stage of the container's init."""
    g.emit(StateChanged(g["c"], "creating"))
    return Spawn("runc", init(g), g["c"], main="stage0", comm=PARENT, local={"c": g["c"]})


def stage1(g: Goroutine) -> Spawn:
    """Clone the stage that unshares the namespaces."""
    words, local = init(g), {"c": g["c"]}
    return Spawn("runc", words, g["c"], main="stage1", comm=CHILD, clone_parent=True, local=local)


def stage2(g: Goroutine) -> Spawn | None:
    """Clone the stage that becomes the payload: first of a new pid namespace, leader of a new session."""
    service = service_of(g)
    if not can_join(g.world, service):
        return None
    return Spawn(
        "pause" if is_sandbox(service.name) else "payload",
        init(g),
        service.name,
        comm=INIT,
        clone_parent=True,
        new_session=True,
        oom_score_adj=service.oom_score_adj,
        local={"c": service.name},
        **first_ns(g.world, service),
    )


@reading(lambda world, frame: (("children", frame.fid[0]),))
def stage2_cloned(world: World, frame: Frame) -> bool:
    """Say whether the init stages have sent the payload's number through their pipe, or have all gone."""
    children = [world.host.procs[child] for child in world.host.children.get(frame.fid[0], ())]
    cloned = any(child.image.program in (*FIRST, "exec") for child in children)
    return cloned or not any(child.alive for child in children)


def scope(g: Goroutine) -> str:
    """Return the container's control group."""
    return scope_of(g.world, service_of(g))


def create_scope(g: Goroutine) -> None:
    """Move the payload into a scope of its own (StartTransientUnit)."""
    payload = payload_of(g)
    if payload is not None:
        syscalls.join_cgroup(g.turn, payload, scope(g))


def payload_of(g: Goroutine) -> Pid | None:
    """Return the init that this process has cloned, while it lives."""
    host = g.world.host
    for pid in host.children.get(g.pid, ()):
        image = host.procs[pid].image
        if image.program in FIRST and image.container == pod(g["c"]) and host.alive(pid):
            return pid
    return None


def not_found(path: str) -> str:
    """Return what the init says of a command that is not there (exec.LookPath)."""
    return f"stat {path}: no such file or directory" if "/" in path else "executable file not found in $PATH"


def not_executable(service: Service) -> str:
    """Return what the init says of a command that is not there or cannot be executed (exec.LookPath); "" if it can."""
    why, path = service.payload.fails_to_start, service.path
    if not why:
        return ""
    why = not_found(path) if why == "not found" else why
    return f'container_linux.go:235: starting container process caused "exec: \\"{path}\\": {why}"'


def write_pid_file(g: Goroutine) -> str | None:
    """Write the payload's pid where the shim's folder is; the payload waits at its exec fifo from here on.

    The init has looked for the command just before: if there is none, `create` logs that and fails.
    """
    payload = payload_of(g)
    if payload is None:
        return "failed"
    identity, error = service_of(g).id, not_executable(service_of(g))
    if error:
        syscalls.write_file(g.turn, f"{paths.state(identity)}/log.json", error)
        return "failed"
    syscalls.write_file(g.turn, own_state(g), RuntimeState("created", payload))
    syscalls.write_file(g.turn, f"{paths.state(identity)}/pid", payload)
    hand_on_stdio(g, payload)
    g.emit(StateChanged(g["c"], "created"))
    return None


def hand_on_stdio(g: Goroutine, payload: Pid) -> None:
    """Let the payload have the pipes that runc got from the shim for what it prints."""
    service, shim = service_of(g), g.world.host.procs[g.pid].ppid
    for log in service.payload.log:
        pipe = output.pipe_of(g.world, shim, service, log.stream)
        if pipe is not None and g.world.host.alive(payload):
            fifos.open_fifo(g.turn, payload, pipe, "w")


def kill_stages(g: Goroutine) -> int:
    """Give up: kill what was started."""
    if (payload := payload_of(g)) is not None:
        g.kill(payload, "KILL")
    return 1


def begin_create(g: Goroutine) -> str | None:
    """Start threads; refuse an id whose state exists still, and namespaces of processes that are gone."""
    start_threads(g)
    service = service_of(g)
    if own_state(g) in g.world.host.files:
        return "exists"
    if can_join(g.world, service):
        return None
    error = 'container_linux.go:235: starting container process caused "no such file or directory"'
    syscalls.write_file(g.turn, f"{paths.state(service.id)}/log.json", error)
    return "failed"


CREATED = (  # what follows once the stages and the control group are there
    run(setkey, bad="failed"), Do(write_pid_file, "failed"), Exit(0), Label("failed"), Exit(kill_stages),
    Label("exists"), Exit(1),
)  # fmt: skip
CREATE = procedure(
    "runc.create",
    Do(begin_create, "exists", "failed"),
    Fork(stage0),
    Reap(),
    Wait(stage2_cloned),
    Do(create_scope),
    CREATED,
)

# -- exec ------------------------------------------------------------------------------------------


def begin_exec(g: Goroutine) -> str | None:
    """Start threads; refuse a container that does not run, and a command that cannot be executed."""
    start_threads(g)
    state = g.world.host.files.get(own_state(g))
    runs = isinstance(state, RuntimeState) and state.status == "running" and g.world.host.alive(state.pid)
    return None if runs and not exec_of(service_of(g), g["argv"]).missing else "failed"


def exec_stage0(g: Goroutine) -> Spawn:
    """Start the first stage of the process's init."""
    return _exec_stage(g, "exec_stage0", PARENT)


def exec_stage1(g: Goroutine) -> Spawn:
    """Clone the stage that joins the container's namespaces."""
    return msgspec.structs.replace(_exec_stage(g, "exec_stage1", CHILD), clone_parent=True)


def _exec_stage(g: Goroutine, main: str, comm: str) -> Spawn:
    local = {"c": g["c"], "argv": g["argv"]}
    return Spawn("runc", init(g), g["c"], main=main, comm=comm, local=local)


def exec_stage2(g: Goroutine) -> Spawn | None:
    """Clone the stage that becomes the process: a member of the container's pid namespace, leader of a session.

    A namespace whose first process is dead takes nobody in (pid_namespaces(7)).
    """
    state = g.world.host.files.get(own_state(g))
    if not isinstance(state, RuntimeState) or not g.world.host.alive(state.pid):
        return None
    local = {"c": g["c"], "argv": g["argv"]}
    return Spawn("exec", init(g), g["c"], comm=INIT, clone_parent=True, new_session=True,
                 ns=g.world.host.procs[state.pid].ns, local=local,
                 oom_score_adj=service_of(g).oom_score_adj)  # fmt: skip


def join_scope(g: Goroutine) -> str | None:
    """Move the process into the container's scope."""
    process = process_of(g)
    if process is None:
        return "failed"
    syscalls.join_cgroup(g.turn, process, scope(g))
    return None


def process_of(g: Goroutine) -> Pid | None:
    """Return the exec'd process that this process has cloned."""
    host = g.world.host
    return next((pid for pid in host.children.get(g.pid, ()) if host.procs[pid].image.program == "exec"), None)


def write_exec_pid(g: Goroutine) -> str | None:
    """Write the process's pid where its shim's folder is; one that has ended meanwhile has had a pid, too."""
    process = process_of(g)
    if process is None:
        return "failed"
    syscalls.write_file(g.turn, f"{paths.state(service_of(g).id, g['x'])}/pid", process)
    return None


EXEC = procedure(
    "runc.exec",
    Do(begin_exec, "failed"),
    Fork(exec_stage0),
    Reap(),
    Wait(stage2_cloned),
    Do(join_scope, "failed"),
    Do(write_exec_pid, "failed"),
    Exit(0),
    Label("failed"),
    Exit(1),
)

# -- the other verbs -------------------------------------------------------------------------------


def living_init(g: Goroutine) -> RuntimeState | None:
    """Return the runtime's state if the first process lives."""
    state = g.world.host.files.get(own_state(g))
    return state if isinstance(state, RuntimeState) and g.world.host.alive(state.pid) else None


def open_exec_fifo(g: Goroutine) -> int:
    """Let the payload go on to execve its program; one that has died meanwhile is an error."""
    path = own_state(g)
    state = living_init(g)
    if state is None:
        return 1
    syscalls.write_file(g.turn, path, RuntimeState("running", state.pid))
    return 0


def kill_all(g: Goroutine) -> int:
    """Kill what is left in the container's scope."""
    syscalls.kill_cgroup(g.turn, scope(g), "KILL")
    return 0


def pause(g: Goroutine) -> int:
    """Freeze the container's scope; one that is frozen already is an error, as is one that does not exist."""
    if own_state(g) not in g.world.host.files or freezer.is_frozen(g.world.host, scope(g)):
        return 1
    freezer.freeze(g.turn, scope(g))
    g.emit(StateChanged(g["c"], "paused"))
    return 0


def resume(g: Goroutine) -> int:
    """Thaw the container's scope; one that is not frozen is an error."""
    if not freezer.is_frozen(g.world.host, scope(g)):
        return 1
    freezer.thaw(g.turn, scope(g))
    g.emit(StateChanged(g["c"], "running"))
    return 0


def delete(g: Goroutine) -> int:
    """Remove the runtime's state; that a container is gone already, paused or runs is an error that callers tolerate.

    A payload that waits at its exec fifo is killed; that runc waits for its end (100 ms) is left out.
    """
    path = own_state(g)
    if path not in g.world.host.files or freezer.is_frozen(g.world.host, scope(g)):
        return 1
    state = living_init(g)
    if state is not None:
        if state.status != "created":
            return 1
        g.kill(state.pid, "KILL")
    syscalls.remove_file(g.turn, path)
    return 0


def ask_state(g: Goroutine) -> int:
    """Find the container, tell what runs in it or set its limits; one that the runtime has no state of is an error."""
    return 0 if own_state(g) in g.world.host.files else 1


STAGES = (
    Stage("runc-parent", PARENT, ("runc",)),
    Stage("runc-child", CHILD, ("runc",)),
    Stage("runc-init", INIT, (*FIRST, "exec")),
)
ROLE = Role(
    words="runc", kind=Kind.ERRAND, order=130, target="container", brief=True, slows=True,
    verbs=("create", "start", "kill", "delete"), tries=("delete",), stages=STAGES,
)  # fmt: skip
RUNC = Program(
    "runc",
    (
        CREATE,
        procedure("runc.stage0", Fork(stage1), Exit(0)),
        procedure("runc.stage1", Fork(stage2, pin=lambda world, frame: pins(world, frame).payload), Exit(0)),
        EXEC,
        procedure("runc.exec_stage0", Fork(exec_stage1), Exit(0)),
        procedure("runc.exec_stage1", Fork(exec_stage2), Exit(0)),
        procedure("runc.start", Do(start_threads), Exit(open_exec_fifo)),
        procedure("runc.kill", Do(start_threads), Exit(kill_all)),
        procedure("runc.delete", Do(start_threads), Exit(delete)),
        procedure("runc.state", Do(start_threads), Exit(ask_state)),
        procedure("runc.pause", Do(start_threads), Exit(pause)),
        procedure("runc.resume", Do(start_threads), Exit(resume)),
        procedure("runc.update", Do(start_threads), Exit(ask_state)),
    ),
    role=ROLE,
)

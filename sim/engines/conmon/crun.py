"""crun: the OCI runtime that conmon and podman run. It is a C program without threads, and clones the init itself.

The init stays a child of `crun create` until that leaves, then the nearest subreaper has it: conmon. It waits at its
exec fifo for `crun start`. What it does with the container's folder, scope and processes is what runc does
(`sim.engines.containerd.runc`). The program's role is called runc here, too, and its scope bears the name that runc's
has. Source: crun src/libcrun/container.c, designs §4.1 [S]; error texts of 1.21 [M], those of create and start [K].
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import exec_of, first_ns, is_split, service_of
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Label
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.records import RuntimeState
from sim.engine.setup import Service
from sim.engines.conmon.files import exec_file, run_file
from sim.engines.containerd import runc
from sim.engines.containerd.runc import (
    ROLE,
    create_scope,
    delete,
    hand_on_stdio,
    kill_stages,
    pause,
    payload_of,
    process_of,
    resume,
    scope,
)
from sim.engines.host.systemd.job import start_refused
from sim.facts import StateChanged
from sim.kernel import syscalls

CRUN = "/usr/bin/crun"
NOT_FOUND = "No such file or directory: OCI runtime attempted to invoke a command that was not found"
DENIED = "Operation not permitted: OCI permission denied"


def crun(g: Goroutine, verb: str, *words: str, death_signal: str | None = None, **local: object) -> Spawn:
    """Describe a run of crun for the container in variable `c`; whoever starts it gives it no score of its own."""
    service = service_of(g)
    argv = (CRUN, verb, *words, service.id)
    local = {"c": service.name, **local}
    return Spawn("runc", argv, service.name, main=verb, local=local, death_signal=death_signal, oom_score_adj=0)


# -- create ------------------------------------------------------------------------------------------


def must_be_new(g: Goroutine) -> str | None:
    """Refuse a container that the runtime has already."""
    service = service_of(g)
    if paths.runtime_state(service.id) not in g.world.host.files:
        return None
    syscalls.write_file(g.turn, run_file(service, "error"), f"crun: container `{service.id}` already exists")
    return "exists"


def clone_init(g: Goroutine) -> Spawn:
    """Clone the container's first process: first of a new pid namespace, leader of a new session."""
    service = service_of(g)
    g.emit(StateChanged(service.name, "creating"))
    return Spawn("payload", (CRUN, "create"), service.name, comm="crun", new_session=True,
                 oom_score_adj=service.oom_score_adj, local={"c": service.name},
                 **first_ns(g.world, service))  # fmt: skip


def not_executable(service: Service) -> str:
    """Return what crun says of a command that is not there or cannot be executed; "" if it can."""
    why, path = service.payload.fails_to_start, service.path
    if not why:
        return ""
    if why != "not found":
        return f"crun: the path `{path}` exists but it is not executable: {DENIED}"
    where = "" if "/" in path else " in $PATH"
    return f"crun: executable file `{path}` not found{where}: {NOT_FOUND}"


def scope_refused(g: Goroutine) -> str:
    """Return why there is no scope for a container that is no unit of its own; "" if there is one."""
    service = service_of(g)
    refused = "" if is_split(g.world, service) else start_refused(g.world, f"libpod-{service.id}.scope")
    return f"crun: sd-bus call: {refused}" if refused else ""


def write_status(g: Goroutine) -> str | None:
    """Write the container's state, unless there is no scope or its command cannot be executed: the init looks first."""
    service, payload = service_of(g), payload_of(g)
    error = scope_refused(g) or not_executable(service)
    if payload is None or error:
        syscalls.write_file(g.turn, run_file(service, "error"), error or "crun: the init has died")
        return "failed"
    syscalls.write_file(g.turn, paths.runtime_state(service.id), RuntimeState("created", payload))
    hand_on_stdio(g, payload)
    g.emit(StateChanged(g["c"], "created"))
    return None


# -- exec --------------------------------------------------------------------------------------------


def begin_exec(g: Goroutine) -> str | None:
    """Refuse a container whose first process is dead, and a command that cannot be executed."""
    state = g.world.host.files.get(paths.runtime_state(service_of(g).id))
    runs = isinstance(state, RuntimeState) and state.status == "running" and g.world.host.alive(state.pid)
    return None if runs and not exec_of(service_of(g), g["argv"]).missing else "failed"


def clone_exec(g: Goroutine) -> Spawn | None:
    """Clone the process that joins the container's namespaces; one whose first process is dead takes nobody in."""
    host, service = g.world.host, service_of(g)
    state = host.files.get(paths.runtime_state(service.id))
    if not isinstance(state, RuntimeState) or not host.alive(state.pid):
        return None
    return Spawn("exec", (CRUN, "exec"), service.name, comm="crun", new_session=True, ns=host.procs[state.pid].ns,
                 oom_score_adj=service.oom_score_adj, local={"c": service.name, "argv": g["argv"]})  # fmt: skip


def write_exec_pid(g: Goroutine) -> str | None:
    """Move the process into the container's scope and write its number where its conmon looks."""
    process = process_of(g)
    if process is None:
        return "failed"
    syscalls.join_cgroup(g.turn, process, scope(g))
    syscalls.write_file(g.turn, exec_file(service_of(g), g["session"], "pid"), process)
    return None


# -- the other verbs ---------------------------------------------------------------------------------


def open_exec_fifo(g: Goroutine) -> int:
    """Let the payload go on to execve its program; one that is dead is an error."""
    return runc.open_exec_fifo(g) if _lives(g) else 1


def _lives(g: Goroutine) -> bool:
    state = g.world.host.files.get(paths.runtime_state(service_of(g).id))
    return isinstance(state, RuntimeState) and g.world.host.alive(state.pid)


def signal_init(g: Goroutine) -> int:
    """Send a signal to the container's first process; one that is dead is an error.

    It thaws nobody: with cgroup v1 a paused container takes not even KILL, with v2 it dies (crun 1.21,
    src/libcrun/linux.c libcrun_kill_linux).
    """
    state = g.world.host.files.get(paths.runtime_state(service_of(g).id))
    return 0 if _lives(g) and isinstance(state, RuntimeState) and g.kill(state.pid, g["signal"]) else 1


def delete_all(g: Goroutine) -> int:
    """Kill what is left in the scope, and remove the container's state."""
    syscalls.kill_cgroup(g.turn, scope(g), "KILL")
    return delete(g)


CRUN_PROGRAM = Program(
    "runc",
    (
        procedure(
            "runc.create",
            Do(must_be_new, "exists"),
            Fork(clone_init),
            Do(create_scope),
            Do(write_status, "failed"),
            Exit(0),
            Label("failed"),
            Exit(kill_stages),
            Label("exists"),
            Exit(1),
        ),
        procedure(
            "runc.exec",
            Do(begin_exec, "failed"),
            Fork(clone_exec),
            Do(write_exec_pid, "failed"),
            Exit(0),
            Label("failed"),
            Exit(1),
        ),
        procedure("runc.start", Exit(open_exec_fifo)),
        procedure("runc.kill", Exit(signal_init)),
        procedure("runc.delete", Exit(delete_all)),
        procedure("runc.pause", Exit(pause)),
        procedure("runc.resume", Exit(resume)),
    ),
    role=replace(ROLE, stages=()),  # it clones the init itself
)

"""What the CRI's two servers share: the words of a request, records in memory and on disk, the listing.

Requests come through the queue `cri` of whoever listens at the runtime's socket: RunPodSandbox, StopPodSandbox and
RemovePodSandbox about `NAME@pod`, CreateContainer, StartContainer, StopContainer, RemoveContainer and ExecSync about
`NAME`, List about all. Source: k8s.io/cri-api runtime/v1 [K].
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine.containers import pod, service_of
from sim.engine.engine import file_of
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Serve, reading
from sim.engine.procedure import Procedure, procedure
from sim.engine.records import Container
from sim.engines.cri.pods import Sandbox, Seen, sandbox_file
from sim.engines.host.daemon import answer, event, keep, refuse
from sim.facts import Forgot
from sim.kernel import syscalls
from sim.kernel.records import Pid
from sim.world import Frame, Key, World

UNKNOWN = 255  # the exit code that nobody can tell [S]
NOT_STARTED = 128  # of a container whose command cannot be executed [K]
SERVED = {
    "RunPodSandbox": "run_sandbox",
    "StopPodSandbox": "stop_sandbox",
    "RemovePodSandbox": "remove_sandbox",
    "CreateContainer": "create_container",
    "StartContainer": "start_container",
    "StopContainer": "stop_container",
    "RemoveContainer": "remove_container",
    "ExecSync": "exec_sync",
    "List": "list",
}


def container_of(g: Goroutine) -> Container | None:
    """Return what the runtime knows of the container in variable `c`, or of the one in a sandbox."""
    found = g.recall(f"container/{pod(g['c'])}")
    return found if isinstance(found, Container) else None


def sandbox_of(g: Goroutine) -> Sandbox | None:
    """Return what the runtime knows of the sandbox in variable `c`, or of the one that a container is in."""
    found = g.recall(f"sandbox/{pod(g['c'])}")
    return found if isinstance(found, Sandbox) else None


def keep_sandbox(g: Goroutine, found: Sandbox) -> None:
    """Remember a sandbox, and write it down."""
    g.remember(f"sandbox/{found.name}", found)
    syscalls.write_file(g.turn, sandbox_file(g.world, found.name), found)


def not_found(g: Goroutine) -> str:
    """Return the error about what the runtime does not know."""
    return f'an error occurred when try to find container "{service_of(g).id}": not found'


def begin_container(g: Goroutine) -> str | None:
    """Make the record of the next instance of a container (*data* is its number) in a sandbox that is ready."""
    found, record = sandbox_of(g), container_of(g)
    if found is None or not found.ready:
        refuse(g, f"sandbox container {service_of(g).id} is not running")
        return "refused"
    if record is not None and record.running:
        refuse(g, f"failed to reserve container name {g['c']}: name is reserved")
        return "refused"
    syscalls.remove_file(g.turn, reason_file(g.world, g["c"]))
    keep(g, Container(g["c"], service_of(g).restart, restart_count=g["request"].data))
    event(g, "create")
    return None


def must_be_created(g: Goroutine) -> str | None:
    """Refuse a container that is not there or has run."""
    record = container_of(g)
    if record is None or record.running or record.started:
        refuse(g, not_found(g) if record is None else "container is not in CONTAINER_CREATED state")
        return "refused"
    return None


def reason_file(world: World, name: str) -> str:
    """Return where it stands what an exit code of 255 means: the program's own, or that nobody knows the true one."""
    return f"{file_of(world, name)}/reason"


def ended(g: Goroutine, code: int, reason: str = "") -> None:
    """Note that a container has ended, and how; *reason* is what the runtime says of 255, if it says anything."""
    record = container_of(g)
    if record is not None and record.running:
        if code == UNKNOWN and reason:
            syscalls.write_file(g.turn, reason_file(g.world, record.name), reason)
        keep(g, replace(record, running=False, pid=0, exit_code=code))
        event(g, "die", ("exitCode", str(code)))


@reading(lambda world, frame: (("memory", frame.fid[0], f"container/{pod(frame.local['c'])}"),))
def container_stopped(world: World, frame: Frame) -> bool:
    """Say whether the container's end has been noted."""
    record = world.recall(frame.fid[0], f"container/{pod(frame.local['c'])}")
    return not isinstance(record, Container) or not record.running


@reading(lambda world, frame: (("memory", frame.fid[0], f"sandbox/{pod(frame.local['c'])}"),))
def sandbox_stopped(world: World, frame: Frame) -> bool:
    """Say whether the end of the sandbox's pause has been noted."""
    found = world.recall(frame.fid[0], f"sandbox/{pod(frame.local['c'])}")
    return not isinstance(found, Sandbox) or not found.ready


def remove_container(g: Goroutine) -> None:
    """Forget a container that has ended."""
    record = container_of(g)
    if record is not None and record.running:
        refuse(g, "container is in running state")
        return
    if record is not None:
        g.emit(Forgot(g.pid, f"container/{g['c']}"))
        syscalls.remove_file(g.turn, file_of(g.world, g["c"]))
        syscalls.remove_file(g.turn, reason_file(g.world, g["c"]))
        event(g, "destroy")
    answer(g)


def remove_sandbox(g: Goroutine) -> None:
    """Forget a sandbox that is not ready."""
    found = sandbox_of(g)
    if found is not None:
        g.emit(Forgot(g.pid, f"sandbox/{found.name}"))
        syscalls.remove_file(g.turn, sandbox_file(g.world, found.name))
    answer(g)


def known_to(world: World, pid: Pid, name: str) -> Seen:
    """Return what a runtime knows of a pod."""
    return world.recall(pid, f"sandbox/{name}"), world.recall(pid, f"container/{name}")


def known_keys(world: World, pid: Pid) -> tuple[Key, ...]:
    """Name what the runtime's knowledge of all pods is."""
    return tuple(("memory", pid, f"{what}/{name}") for name in world.services for what in ("sandbox", "container"))


def list_all(g: Goroutine) -> None:
    """Answer with what is known of every pod."""
    answer(g, tuple((name, *known_to(g.world, g.pid, name)) for name in g.world.services))


def server(program: str) -> Procedure:
    """Return the table that serves the CRI."""
    return procedure(f"{program}.api", Serve("cri", SERVED))


def stop_timeout(world: World, frame: Frame) -> int:
    """Return how long a stop waits for the container, in µs."""
    data: Any = frame.local["request"].data
    return int(data)

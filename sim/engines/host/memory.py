"""Memory runs out: within a container's limit, or on the whole host.

A container's size is that of the process that serves: the last of its children, else its first process. At its limit
the kernel kills within the control group and signals the group's eventfd, which whoever watches the container
(containerd, or a shim of later versions) has registered: it sends an oom event, and dockerd says `oom`. When the host
runs out nobody is told. A first process that waits for its child leaves as a shell does, with 128 and the signal.
Leaves out swap, kernel memory, `--oom-kill-disable`, and how fast programs grow. Source: memory.txt of Linux 3.10
(memory.oom_control); C supervisor/oom.go, monitor_linux.go; containerd v1.7.24 pkg/oom/v2, which reads memory.events of
cgroup v2; engine-1.13 §3.4, §23 T21, T22.
"""

from __future__ import annotations

from sim.engine.containers import scope_of
from sim.engine.goroutine import Goroutine, start_frame
from sim.engine.setup import OutOfMemory
from sim.engine.traits import Traits
from sim.kernel import oom, syscalls
from sim.kernel.records import V2, Pid, Process
from sim.world import Turn, World

WAITING = ("payload.reap", "payload.reap_late", "payload.wait_child")


def server(world: World, first: Pid) -> Pid:
    """Return which process of a container serves: the last living child of the first, or that itself.

    An orphan that has come to the first process is none of its children, unless it is as one of them.
    """
    host = world.host
    own = [child for child in host.children.get(first, ()) if host.alive(child) and _is_own(world, first, child)]
    return own[-1] if own else first


def _is_own(world: World, first: Pid, child: Pid) -> bool:
    """Return whether a child of the program is one that it has forked, by its words."""
    image = world.host.procs[child].image
    payload = world.services[world.host.procs[first].image.container].payload
    return image.program == "child" and any(image.argv == how.argv for how in payload.children)


def size_of(world: World, process: Process) -> int:
    """Return the memory of a process in bytes; 0 where nobody has said it."""
    name, program = process.image.container, process.image.program
    if name not in world.services or program not in ("payload", "app", "child"):
        return 0
    service = world.services[name]
    first = process.ppid if program == "child" else process.pid
    if world.host.procs[first].image.program != ("app" if service.init else "payload"):
        return 0  # docker-init, a child of a child, an orphan
    return int(service.payload.memory) if server(world, first) == process.pid else 0


def limit_reached(turn: Turn, c: str) -> bool:
    """Kill within a container's control group and tell who watches it; False if no process is left there."""
    world = turn.world
    scope = scope_of(world, world.services[c])
    if not _kill(turn, list(world.host.grouped.get(scope, ()))):
        return False
    for process in list(world.host.procs.values()):
        program = process.image.program
        if f"{program}.oom" in world.design.procedures and _watches(world, process, c):
            start_frame(turn, process.pid, f"{program}.oom", c, {"c": c})
    return True


def _watches(world: World, process: Process, c: str) -> bool:
    """Return whether a process has registered the eventfd of a container's control group: who has a task, or conmon."""
    if not process.alive:
        return False
    if process.image.program == "conmon":
        return process.image.container == c and world.recall(process.pid, "payload_pid") is not None
    task = world.recall(process.pid, f"task/{c}")
    return task is not None and bool(task.payload_pid)


def _kill(turn: Turn, among: list[Pid]) -> bool:
    host = turn.host
    pid = oom.victim(host, among, lambda process: size_of(turn.world, process))
    if pid is None:
        return False
    if _dies_as_a_whole(turn.world, host.procs[pid]):
        for member in oom.members(host, pid):
            syscalls.kill(turn, member, "KILL")
        return True
    syscalls.kill(turn, pid, "KILL")
    shell_waits(turn, pid)
    return True


def _dies_as_a_whole(world: World, process: Process) -> bool:
    """Return whether a process is a container's whose engine has set memory.oom.group, which cgroup v2 alone has."""
    engine: Traits = world.design.traits
    named = process.image.container in world.services and process.cgroup != "/"
    return named and world.host.cgroup == V2 and engine.oom_group


def shell_waits(turn: Turn, pid: Pid) -> None:
    """Let a first process leave with a child of its that may end now, as a shell does.

    One that waits for all of its children goes on, as does one that waits for none.
    """
    world = turn.world
    parent = world.host.procs[world.host.procs[pid].ppid]
    service = world.services.get(parent.image.container)
    if service is None or parent.image.program != "payload" or service.init or not parent.alive:
        return
    if not service.payload.reaps or not _is_own(world, parent.pid, pid):
        return
    if not any(world.running(parent.pid, procedure) for procedure in WAITING):
        start_frame(turn, parent.pid, "payload.wait_child", "", {"child_pid": pid})


def out_of_memory(g: Goroutine, command: OutOfMemory) -> None:
    """Let a container reach its limit, or the host have no memory left."""
    if command.container:
        if not limit_reached(g.turn, command.container):
            g["error"] = f"{command.container}: no process in its control group"
    elif not _kill(g.turn, list(g.world.host.procs)):
        g["error"] = "no process that the kernel may kill"

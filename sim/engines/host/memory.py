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


def server(world: World, first: Pid) -> Pid:
    """Return which process of a container serves: the last living child of the first, or that itself."""
    living = [child for child in world.host.children.get(first, ()) if world.host.alive(child)]
    return living[-1] if living else first


def size_of(world: World, process: Process) -> int:
    """Return the memory of a process in bytes; 0 where nobody has said it."""
    name = process.image.container
    if name not in world.services or process.image.program not in ("payload", "app", "child"):
        return 0
    first = process.pid if process.image.program == "payload" else process.ppid
    return int(world.services[name].payload.memory) if server(world, first) == process.pid else 0


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
    """Say whether a process has registered the eventfd of a container's control group: who has a task, or conmon."""
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
    """Let a first process leave with a child of its that may end now, as a shell does; one that reaps goes on."""
    world = turn.world
    parent = world.host.procs[world.host.procs[pid].ppid]
    if parent.image.program != "payload" or world.services[parent.image.container].init or not parent.alive:
        return
    if not any(world.running(parent.pid, procedure) for procedure in ("payload.reap", "payload.wait_child")):
        start_frame(turn, parent.pid, "payload.wait_child", "", {"child_pid": pid})


def out_of_memory(g: Goroutine, command: OutOfMemory) -> None:
    """Let a container reach its limit, or the host have no memory left."""
    if command.container:
        if not limit_reached(g.turn, command.container):
            g["error"] = f"{command.container}: no process in its control group"
    elif not _kill(g.turn, list(g.world.host.procs)):
        g["error"] = "no process that the kernel may kill"

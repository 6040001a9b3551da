"""Plain laws: what the kernel guarantees of the host, and the engine's bookkeeping of its own tables.

They hold in every state whatever happens; a world that breaks one is a fault of the model. Laws of indexes and of whole
tables of goroutines are checked by tests alone. Source: exit(2), wait(2), pid_namespaces(7), pipe(7), bind(2);
engine-1.13 §16.1, §16.7.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.engine import paths
from sim.engine.role import Kind
from sim.kernel.records import INIT
from sim.predicates import believed, dockerd, doomed, spelled
from sim.world import World

Faults = Iterator[str]


def every_parent_is_there(world: World) -> Faults:
    """Find processes whose parent is gone: it was reaped before it gave them another one."""
    procs = world.host.procs
    for process in procs.values():
        if process.pid != INIT and process.ppid not in procs:
            yield f"{spelled(process)} has the parent {process.ppid}, which is gone"


def the_dead_have_no_living_children(world: World) -> Faults:
    """Find the living below the dead; of a dying namespace the first process keeps its children until they are gone."""
    procs = world.host.procs
    for process in procs.values():
        parent = procs.get(process.ppid)
        if process.alive and parent is not None and not parent.alive and process.ns != parent.pid:
            yield f"{spelled(process)} is a child of {spelled(parent)}"


def the_dead_hold_nothing(world: World) -> Faults:
    """Find zombies with threads or with signals that wait."""
    for process in world.host.procs.values():
        if not process.alive and (process.threads or process.pending):
            yield f"{spelled(process)} has threads or signals"


def a_namespace_dies_with_its_first_process(world: World) -> Faults:
    """Find members of a dead namespace that nobody kills."""
    procs = world.host.procs
    for process in procs.values():
        first = procs.get(process.ns) if process.ns and process.ns != process.pid else None
        if first is not None and not first.alive and not doomed(process):
            yield f"{spelled(process)} lives after {spelled(first)}"


def who_listens_lives(world: World) -> Faults:
    """Find addresses at which the dead listen."""
    for address, pid in world.host.listeners.items():
        if not world.host.alive(pid):
            yield f"{address} belongs to {pid}, which is dead"


def who_holds_a_fifo_lives(world: World) -> Faults:
    """Find ends of fifos that the dead hold."""
    for fifo in world.host.fifos.values():
        for pid in fifo.readers | fifo.writers:
            if not world.host.alive(pid):
                yield f"{fifo.path} is held by {pid}, which is dead"


def a_proxy_listens_where_its_words_say(world: World) -> Faults:
    """Find proxies that listen elsewhere."""
    for address, pid in world.host.listeners.items():
        image = world.host.procs[pid].image
        proxy = world.design.roles[image.program].kind is Kind.FORWARDER
        if proxy and address != f"{image.argv[2]}:{image.argv[4]}:{image.argv[6]}":
            yield f"{spelled(world.host.procs[pid])} listens at {address}"


def containerd_s_pid_file_names_dockerd_s_child(world: World) -> Faults:
    """Find that dockerd waits for another containerd than it wrote down; one that it adopted (T46) is no child."""
    pid = dockerd(world)
    child = None if pid is None else world.recall(pid, "containerd_pid")
    process = None if child is None else world.host.procs.get(child)
    if process is not None and process.ppid == pid and world.host.files.get(paths.CONTAINERD_PID) != child:
        yield f"{paths.CONTAINERD_PID} does not say {child}"


def who_waits_for_its_restart_counts_as_running(world: World) -> Faults:
    """Find records that restart and do not run."""
    for name in world.services:
        record = believed(world, name)
        if record is not None and record.restarting and not record.running:
            yield f"the record of {name} restarts and does not run"

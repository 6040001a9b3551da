"""Invariants of the daemons and of what they keep: V16 to V24; V25 as far as output goes.

Source: engine-1.13 §24, §1.2, §7.1, §12.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.engine import paths
from sim.engine.ops import Lock, Push, Reap, Wait
from sim.engine.program import readers_of
from sim.engine.role import Kind
from sim.engine.settings import daemon_of
from sim.engines.host.output import stuck
from sim.engines.host.reach import NETNS
from sim.engines.host.systemd.unit import daemons, state_of
from sim.kernel.addresses import split_address
from sim.kernel.records import Process
from sim.predicates import believed, dockerd, doomed, living, programs, serving, spelled
from sim.properties.property import mark
from sim.properties.words import own_daemons
from sim.world import World

Faults = Iterator[str]


def one_of_each_daemon(world: World) -> Faults:
    """Find a second dockerd, containerd, or other daemon of the engine's (V16)."""
    for program in own_daemons(world.design):
        found = [process for process in living(world, program) if not doomed(process)]
        if len(found) > 1:
            yield f"there are {len(found)} of {program}: {', '.join(map(spelled, found))}"


def signals_its_own(world: World) -> Faults:
    """Find that the engine's daemon has signalled a stranger (V17)."""
    if world.marks.get(mark("V17", "wrong")):
        yield f"{world.design.traits.engine} has signalled a process that is not its own"


def dies_with_dockerd(world: World) -> Faults:
    """Find a containerd that has outlived its dockerd (V18). The main process of a unit of its own belongs to none."""
    units = {state_of(world, name).main_pid for name in daemons(world)}
    for guest in world.design.of_kind(Kind.GUEST):
        home = world.design.roles[guest].home
        for process in living(world, guest):
            parent = world.host.procs.get(process.ppid)
            if process.pid in units or doomed(process):
                continue
            if parent is None or parent.image.program != home or not parent.alive:
                yield f"{spelled(process)} has outlived its {home}"


def none_survives_a_restart(world: World) -> Faults:
    """Find programs of an earlier dockerd that still run when the next one serves without live-restore (V19)."""
    if serving(world) is None or daemon_of(world, dockerd(world)).live_restore:
        return
    for name in world.services:
        if world.marks.get(mark("V19", "old", name)):
            yield f"{name} still runs under a later {world.design.traits.engine}"


def every_child_is_reaped(world: World) -> Faults:
    """Find zombies that could be reaped (V20): not the first process of a namespace that is not empty yet."""
    for parent in world.host.zombies:
        for pid in world.host.zombies.get(parent, ()):
            yield f"{spelled(world.host.procs[pid])} was not reaped by {spelled(world.host.procs[parent])}"


def addresses_differ(world: World) -> Faults:
    """Find addresses of two containers (V21): of a namespace with a program in it, or of who listens there."""
    owners: dict[str, str] = {}
    for name in world.services:
        address = world.host.files.get(NETNS + name)
        if address is not None and programs(world, name):
            owners.setdefault(str(address), name)
            if owners[str(address)] != name:
                yield f"{owners[str(address)]} and {name} share {address}"
    for listener, pid in world.host.listeners.items():
        family, address, _ = split_address(listener)
        name = world.host.procs[pid].image.container
        if family.startswith("net/") and owners.setdefault(address, name) != name:
            yield f"{owners[address]} and {name} share {address}"


def containerd_is_back(world: World) -> Faults:
    """Find a daemon that is not connected with the living one that starts its containers (V22)."""
    pid = dockerd(world)
    if pid is None:
        return
    peer = world.recall(pid, "connection")
    if peer is None or not world.host.alive(peer):
        yield f"{world.design.traits.engine} lives without a {world.design.engine.keeper}"


def numbers_mean_one_process(world: World) -> Faults:
    """Find written numbers that name another process (V24).

    A thread that bears the number in a daemon's pid file is a stranger, too; those of containers are not looked for.
    """
    files = world.host.files
    for path, program in world.design.engine.pid_files.items():
        number = files.get(path)
        owner = world.host.owner_of(number) if isinstance(number, int) else None
        if owner is not None and (owner != number or world.host.procs[owner].image.program != program):
            yield f"{path} says {number}, which is {spelled(world.host.procs[owner])}"
    for name, service in world.services.items():
        record, path = believed(world, name), f"{paths.state(service.id)}/pid"
        for place, number in ((path, files.get(path)), (f"the record of {name}", record.pid if record else 0)):
            process = world.host.procs.get(number) if isinstance(number, int) else None
            if process is not None and not _is_first_of(world, process, name):
                yield f"{place} says {number}, which is {spelled(process)}"


def _is_first_of(world: World, process: Process, container: str) -> bool:
    """Return whether a process is the first one of a container."""
    return world.design.roles[process.image.program].kind is Kind.PAYLOAD and process.image.container == container


def nobody_waits_for_dockerd(world: World) -> Faults:
    """Find programs that wait in write(2) on their output while the engine's daemon is away (V25b)."""
    pid = serving(world)
    if pid is not None and world.host.procs[pid].runs:
        return
    for name, service in world.services.items():
        for process in programs(world, name) if service.payload.log else ():
            if stuck(world, process.pid):
                yield f"{name} waits in write(2) while {world.design.traits.engine} is away"


def nobody_waits_for_another(world: World) -> Faults:
    """Find tasks and events that wait for another container's (V23): those of one loop, or one reader."""
    for program, (goroutine, queue) in readers_of(world.design):
        for process in living(world, program):
            frame = world.frames.get((process.pid, goroutine))
            waiting = world.queue(process.pid, queue)
            if frame is None or not waiting or not process.runs:
                continue
            op = world.design.procedures[frame.procedure].ops[frame.op]
            busy = str(frame.local.get("c", ""))
            if busy and isinstance(op, (Lock, Push, Reap, Wait)) and not op.ready(world, frame):
                for name in dict.fromkeys(message.container for message in waiting if message.container != busy):
                    yield f"{name} waits in {program} for {busy}"

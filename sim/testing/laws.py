"""Laws of every design: what the kernel guarantees, and that the books which the model keeps agree with its records.

A law is a `Property`: `always` is asked after each step, `eventually` where all has settled. A user's own is `stated`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sim.engine.ops import Lock
from sim.kernel.addresses import split_address
from sim.kernel.host import Host
from sim.kernel.records import INIT, OUTSIDE, Pid
from sim.properties import ALWAYS, PROPERTIES, Property, stated
from sim.world import World, plain

Faults = Iterator[str]

INDEXES = ("children", "zombies", "members", "grouped", "ends", "ports_of", "bound")


def uses(host: Host) -> dict[Pid, int]:
    """Count how often each number is in use: as process, group, session, thread, or kept for later."""
    count: Counter[Pid] = Counter([*host.reserved, *host.found])
    for process in host.procs.values():
        count.update((process.pid, process.pgid, process.sid, *process.threads))
    return dict(count)


def indexes(host: Host) -> dict[str, dict[Any, set[Any]]]:
    """Build every index anew from the records alone."""
    found: dict[str, dict[Any, set[Any]]] = {name: {} for name in INDEXES}
    for pid, process in host.procs.items():
        if pid != INIT:
            found["children"].setdefault(process.ppid, set()).add(pid)
        if process.ns:
            found["members"].setdefault(process.ns, set()).add(pid)
        if process.cgroup != "/":
            found["grouped"].setdefault(process.cgroup, set()).add(pid)
    for pid, process in host.procs.items():
        if process.state == "Z" and (process.ns != pid or found["members"][pid] == {pid}):
            found["zombies"].setdefault(process.ppid, set()).add(pid)
    for path, fifo in host.fifos.items():
        for pid in fifo.readers | fifo.writers:
            found["ends"].setdefault(pid, set()).add(path)
    for address, pid in host.listeners.items():
        family, ip, port = split_address(address)
        found["ports_of"].setdefault(pid, set()).add(address)
        found["bound"].setdefault(f"{family}:{port}", set()).add(ip)
    return found


def stored_indexes(host: Host) -> dict[str, dict[Any, set[Any]]]:
    """Return the indexes that the host keeps, as sets."""
    return {name: {key: set(inner) for key, inner in getattr(host, name).items()} for name in INDEXES}


def wrong_indexes(world: World) -> Faults:
    """Find indexes of the host that differ from a recount."""
    counted, stored = indexes(world.host), stored_indexes(world.host)
    for name in INDEXES:
        if counted[name] != stored[name]:
            yield f"host.{name} is {stored[name]}; the records say {counted[name]}"
    if uses(world.host) != world.host.uses:
        yield f"host.uses is {world.host.uses}; the records say {uses(world.host)}"


def things_of_the_dead(world: World) -> Faults:
    """Find goroutines, memory, queues and locks of processes that do not live."""
    owners = {fid[0] for fid in world.frames} | {fid[0] for fid in world.replies} | {pid for pid, _ in world.counts}
    for table in (world.memory, world.queues, world.locks, world.frames_of):
        owners |= set(table)
    for pid in sorted(owners):
        if pid != OUTSIDE and not world.host.alive(pid):
            yield f"{pid} has goroutines, memory, queues or locks, and does not live"
    for fid in set(world.replies) - set(world.frames):
        yield f"{fid} has an answer, and does not run"


def wrong_counts(world: World) -> Faults:
    """Find goroutines by process, and their numbers by procedure, that differ from a recount."""
    if {fid for fids in world.frames_of.values() for fid in fids} != set(world.frames):
        yield "world.frames_of differs from world.frames"
    if world.counts != Counter((fid[0], plain(frame.procedure)) for fid, frame in world.frames.items()):
        yield "world.counts differs from world.frames"


def wrong_locks(world: World) -> Faults:
    """Find holders that are gone, and waiters that do not stand at that lock's op, or wait twice."""
    for owner, locks in world.locks.items():
        for name, lock in locks.items():
            if lock.holder not in world.frames or lock.holder in lock.waiting:
                yield f"{name} is held by {lock.holder}, which is gone or waits for it"
            if len(set(lock.waiting)) != len(lock.waiting):
                yield f"somebody waits twice for {name}"
            for fid in lock.waiting:
                frame = world.frames[fid]
                op = world.design.procedures[frame.procedure].ops[frame.op]
                if not isinstance(op, Lock) or op.owner(frame) != (owner, name):
                    yield f"{fid} waits for {name} and stands at {op.name}"


KERNEL = (
    "every_parent_is_there", "the_dead_have_no_living_children", "the_dead_hold_nothing",
    "a_namespace_dies_with_its_first_process", "who_listens_lives", "who_holds_a_fifo_lives",
)  # fmt: skip

LAWS: tuple[Property, ...] = (
    *(PROPERTIES[name] for name in KERNEL),
    stated("indexes", ALWAYS, "Every index of the host equals a recount from its records.", wrong_indexes),
    stated("owners", ALWAYS, "Goroutines, memory, queues and locks belong to the living, or to people outside.",
           things_of_the_dead),
    stated("counts", ALWAYS, "Goroutines by process, and their numbers, equal a recount.", wrong_counts),
    stated("locks", ALWAYS, "Who holds a lock is there, and who waits for one stands at its op, once.", wrong_locks),
)  # fmt: skip
"""They hold of whatever programs a design has."""

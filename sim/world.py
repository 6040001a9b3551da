"""The world as a value: the host, what each program remembers, where each goroutine is, and what waits in queues.

State changes only through events: a step decides, emits, and `evolve` applies. The world holds no time and no dice. A
process's memory, frames, queues and locks die with it; files stay. Source: ARCHITECTURE.md, "The one idea".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from sim.facts import (
    BecameReady,
    EngineEvent,
    Fid,
    Forgot,
    FrameEnded,
    FrameMoved,
    FrameStarted,
    Locals,
    LockQueued,
    LockReleased,
    LockTaken,
    Marked,
    Received,
    Remembered,
    Replied,
    Sent,
    StateChanged,
    StepDone,
    StepTaken,
    UnitChanged,
    WriteBlocked,
    WriteResumed,
)
from sim.kernel import events as e
from sim.kernel import host as kernel
from sim.kernel.host import Host
from sim.kernel.records import OUTSIDE, Pid, Value

Key = tuple[Any, ...]  # names a part of the world that the readiness of an op reads


class Frame(msgspec.Struct, frozen=True, gc=False):
    """Where a goroutine is: which op of which procedure comes next, and its variables."""

    fid: Fid
    procedure: str
    op: int
    local: Locals


class Lock(msgspec.Struct, frozen=True, gc=False):
    """A lock that is held, and who waits for it, first come first served."""

    holder: Fid
    waiting: tuple[Fid, ...] = ()


class World:
    """Everything that a step may read or change. *setup* and *design* never change and are shared by copies."""

    __slots__ = (
        "counts", "design", "expected", "frames", "frames_of", "host", "joined", "locks", "marks", "memory",
        "minds_memory", "pinned", "queues", "replies", "services", "setup", "watch",
    )  # fmt: skip

    def __init__(self, setup: Any, design: Any, host: Host) -> None:
        self.setup, self.design, self.host = setup, design, host
        self.services: dict[str, Any] = {service.name: service for service in setup.services}
        self.pinned = tuple(service for service in setup.services if service.pins.address)
        self.joined: dict[str, tuple[str, ...]] = _joined(setup.services)  # container -> who shares its network
        self.watch: dict[type, tuple[Any, ...]] = {}
        self.expected: dict[tuple[str, str], tuple[Any, ...]] = {}  # (program, container) -> what was observed of them
        self.minds_memory = False  # whether memory can run out: only then is an oom_score_adj told
        self.frames: dict[Fid, Frame] = {}
        self.frames_of: dict[Pid, dict[Fid, None]] = {}
        self.counts: dict[tuple[Pid, str], int] = {}
        self.locks: dict[Pid, dict[str, Lock]] = {}
        self.queues: dict[Pid, dict[str, tuple[Any, ...]]] = {}
        self.replies: dict[Fid, Value] = {}
        self.memory: dict[Pid, dict[str, Value]] = {}
        self.marks: dict[str, int] = {}

    def copy(self) -> World:
        """Return a world that can be stepped without changing this one."""
        twin = World(self.setup, self.design, self.host.copy())
        twin.services, twin.watch, twin.minds_memory = self.services, self.watch, self.minds_memory
        twin.expected = self.expected
        for name in ("frames", "counts", "replies", "marks"):
            setattr(twin, name, getattr(self, name).copy())
        for name in ("frames_of", "locks", "queues", "memory"):
            setattr(twin, name, {key: inner.copy() for key, inner in getattr(self, name).items()})
        return twin

    def forget(self, pid: Pid) -> None:
        """Let everything go that a process had of its own; only `evolve` asks for it."""
        self.memory.pop(pid, None)
        self.queues.pop(pid, None)
        self.locks.pop(pid, None)
        for fid in self.frames_of.pop(pid, ()):
            frame = self.frames.pop(fid)
            self.replies.pop(fid, None)
            _uncount(self, (pid, plain(frame.procedure)))

    def recall(self, pid: Pid, key: str, default: Any = None) -> Any:
        """Return what *pid* remembers under *key*."""
        memory = self.memory.get(pid)
        return default if memory is None else memory.get(key, default)

    def running(self, pid: Pid, procedure: str) -> int:
        """Return how many goroutines of *pid* run the procedure."""
        return self.counts.get((pid, procedure), 0)

    def queue(self, pid: Pid, name: str) -> tuple[Any, ...]:
        """Return the messages that wait in a queue of *pid*, first first."""
        queues = self.queues.get(pid)
        return () if queues is None else queues.get(name, ())

    def lock(self, pid: Pid, name: str) -> Lock | None:
        """Return who holds a lock and who waits; None if it is free."""
        locks = self.locks.get(pid)
        return None if locks is None else locks.get(name)


def _joined(services: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    """Return by container those that share its network, whom they name or who shares that of another."""
    joins = {service.name: service.joins for service in services if service.joins}
    found: dict[str, tuple[str, ...]] = {}
    for name, owner in joins.items():
        for _ in joins:  # no longer way than there are steps: a circle ends
            owner = joins.get(owner, owner)
        found[owner] = (*found.get(owner, ()), name)
    return found


# -- evolve ----------------------------------------------------------------------------------------


def _frame_started(world: World, event: FrameStarted) -> None:
    fid = event.fid
    world.frames[fid] = Frame(fid, event.procedure, 0, event.local)
    world.frames_of.setdefault(fid[0], {})[fid] = None
    key = (fid[0], plain(event.procedure))
    world.counts[key] = world.counts.get(key, 0) + 1


def _frame_moved(world: World, event: FrameMoved) -> None:
    fid = event.fid
    frame = world.frames[fid]
    world.frames[fid] = Frame(fid, frame.procedure, event.op, frame.local | event.local if event.local else frame.local)
    if world.replies:
        world.replies.pop(fid, None)


def _frame_ended(world: World, event: FrameEnded) -> None:
    fid = event.fid
    frame = world.frames.pop(fid)
    del world.frames_of[fid[0]][fid]
    world.replies.pop(fid, None)
    _uncount(world, (fid[0], plain(frame.procedure)))


def plain(procedure: str) -> str:
    """Return a procedure's name without the version whose it is (`sim.designs.upgraded`)."""
    return procedure.partition("@")[0]


def _uncount(world: World, key: tuple[Pid, str]) -> None:
    if world.counts[key] == 1:
        del world.counts[key]
    else:
        world.counts[key] -= 1


def _lock_taken(world: World, event: LockTaken) -> None:
    world.locks.setdefault(event.pid, {})[event.name] = Lock(event.fid)


def _lock_queued(world: World, event: LockQueued) -> None:
    lock = world.locks[event.pid][event.name]
    world.locks[event.pid][event.name] = Lock(lock.holder, (*lock.waiting, event.fid))


def _lock_released(world: World, event: LockReleased) -> None:
    locks = world.locks[event.pid]
    waiting = locks[event.name].waiting
    if waiting:
        locks[event.name] = Lock(waiting[0], waiting[1:])
    else:
        del locks[event.name]


def _sent(world: World, event: Sent) -> None:
    queues = world.queues.setdefault(event.pid, {})
    queues[event.name] = (*queues.get(event.name, ()), event.message)


def _received(world: World, event: Received) -> None:
    queues = world.queues[event.pid]
    queues[event.name] = queues[event.name][1:]
    if not queues[event.name]:
        del queues[event.name]


def _replied(world: World, event: Replied) -> None:
    world.replies[event.fid] = event.value


def _remembered(world: World, event: Remembered) -> None:
    memory = world.memory.get(event.pid)
    if memory is None:
        world.memory[event.pid] = {event.key: event.value}
    else:
        memory[event.key] = event.value


def _forgot(world: World, event: Forgot) -> None:
    del world.memory[event.pid][event.key]


def _marked(world: World, event: Marked) -> None:
    world.marks[event.name] = event.count


def _exited(world: World, event: e.Exited) -> None:
    """Let the process's memory, goroutines, queues and locks go with it; a lock of the kernel's passes on."""
    kernel.APPLY[e.Exited](world.host, event)
    pid = event.pid
    world.forget(pid)
    outside = world.locks.get(OUTSIDE)
    if outside:
        for name, lock in list(outside.items()):
            _drop_from_lock(world, name, lock, pid)


def _drop_from_lock(world: World, name: str, lock: Lock, pid: Pid) -> None:
    if lock.waiting:
        waiting = tuple(fid for fid in lock.waiting if fid[0] != pid)
        world.locks[OUTSIDE][name] = Lock(lock.holder, waiting)
    if lock.holder[0] == pid:
        _lock_released(world, LockReleased(OUTSIDE, name))


def _nothing(world: World, event: Any) -> None:
    """A fact that only views read."""


def _on_host(apply: Callable[[Host, Any], None]) -> Callable[[World, Any], None]:
    return lambda world, event: apply(world.host, event)


APPLY: dict[type, Callable[[World, Any], None]] = {
    **{kind: _on_host(apply) for kind, apply in kernel.APPLY.items()},
    e.Exited: _exited,
    FrameStarted: _frame_started,
    FrameMoved: _frame_moved,
    FrameEnded: _frame_ended,
    LockTaken: _lock_taken,
    LockQueued: _lock_queued,
    LockReleased: _lock_released,
    Sent: _sent,
    Received: _received,
    Replied: _replied,
    Remembered: _remembered,
    Forgot: _forgot,
    Marked: _marked,
    EngineEvent: _nothing,
    StateChanged: _nothing,
    BecameReady: _nothing,
    StepTaken: _nothing,
    StepDone: _nothing,
    UnitChanged: _nothing,
    WriteBlocked: _nothing,
    WriteResumed: _nothing,
}


def evolve(world: World, event: Any) -> None:
    """Apply one fact. The only writer of a world."""
    APPLY[type(event)](world, event)


class Turn:
    """One atomic step: `emit` applies an event at once and keeps it."""

    __slots__ = ("events", "host", "world")

    def __init__(self, world: World) -> None:
        self.world, self.host = world, world.host
        self.events: list[Any] = []

    def emit(self, event: Any) -> None:
        """Apply *event* and keep it; what somebody watches for is marked: one more of a name, or a (name, number)."""
        world = self.world
        watchers = world.watch.get(type(event))
        marks = [mark for watcher in watchers for mark in watcher(world, event)] if watchers else ()
        APPLY[type(event)](world, event)
        self.events.append(event)
        for mark in marks:
            self.emit(Marked(mark, world.marks.get(mark, 0) + 1) if type(mark) is str else Marked(*mark))


# -- what an event touches -------------------------------------------------------------------------


def _touch_exited(world: World, event: e.Exited) -> Iterable[Key]:
    host, pid = world.host, event.pid
    process = host.procs[pid]
    yield ("proc", pid)
    yield ("children", process.ppid)
    for path in host.ends.get(pid, ()):
        yield ("fifo", path)
    for address in host.ports_of.get(pid, ()):
        yield ("listen", address)
    for name, lock in world.locks.get(OUTSIDE, {}).items():
        if lock.holder[0] == pid:
            heirs = (fid for fid in lock.waiting if fid[0] != pid)
            yield ("lock", OUTSIDE, name, next(heirs, None))


def _touch_lock_released(world: World, event: LockReleased) -> Iterable[Key]:
    """Name the next holder alone: all others go on waiting. Without one, name the lock for who only looks at it."""
    waiting = world.locks[event.pid][event.name].waiting
    return (("lock", event.pid, event.name, waiting[0]),) if waiting else (("unlocked", event.pid, event.name),)


def _touch_forked(world: World, event: e.Forked) -> Iterable[Key]:
    keys = (("children", event.ppid), ("cgroup", event.cgroup))
    return (*keys, ("reserved",)) if world.host.reserved else keys


def _touch_reparented(world: World, event: e.Reparented) -> Iterable[Key]:
    return (("proc", event.pid), ("children", event.ppid))


TOUCHES: dict[type, Callable[[World, Any], Iterable[Key]]] = {
    e.Forked: _touch_forked,
    e.CgroupSet: lambda w, ev: (("cgroup", w.host.procs[ev.pid].cgroup), ("cgroup", ev.cgroup)),
    e.IdsReleased: lambda w, ev: (("reserved",),),
    e.Found: lambda w, ev: (("proc", ev.pid), ("children", w.host.procs[ev.pid].ppid), ("children", ev.ppid)),
    e.Exited: _touch_exited,
    e.Reparented: _touch_reparented,
    e.Waitable: lambda w, ev: (("children", w.host.procs[ev.pid].ppid), ("proc", ev.pid)),
    e.Reaped: lambda w, ev: (("proc", ev.pid), ("children", ev.by_pid), ("cgroup", w.host.procs[ev.pid].cgroup)),
    e.Signalled: lambda w, ev: (("signals", ev.pid),),
    e.SignalTaken: lambda w, ev: (("signals", ev.pid), ("proc", ev.pid)),
    e.Frozen: lambda w, ev: (("signals", ev.pid), ("proc", ev.pid)),
    e.Thawed: lambda w, ev: (("signals", ev.pid), ("proc", ev.pid)),
    e.FifoMade: lambda w, ev: (("fifo", ev.fifo.path),),
    e.FifoOpened: lambda w, ev: (("fifo", ev.path),),
    e.FifoClosed: lambda w, ev: (("fifo", ev.path),),
    e.FifoLevel: lambda w, ev: (("fifo", ev.path),),
    e.FifoRemoved: lambda w, ev: (("fifo", ev.path),),
    e.FifoUnlinked: lambda w, ev: (("fifo", ev.path), ("fifo", ev.deleted)),
    e.Listened: lambda w, ev: (("listen", ev.address),),
    e.Unlistened: lambda w, ev: (("listen", ev.address),),
    e.FileWritten: lambda w, ev: (("file", ev.path),),
    e.FileRemoved: lambda w, ev: (("file", ev.path),),
    FrameEnded: lambda w, ev: (("frame", ev.fid), ("running", ev.fid[0], plain(w.frames[ev.fid].procedure))),
    FrameStarted: lambda w, ev: (("running", ev.fid[0], plain(ev.procedure)),),
    LockTaken: lambda w, ev: (("unlocked", ev.pid, ev.name),),
    LockReleased: _touch_lock_released,
    Sent: lambda w, ev: (("queue", ev.pid, ev.name),),
    Received: lambda w, ev: (("queue", ev.pid, ev.name),),
    Replied: lambda w, ev: (("reply", ev.fid),),
    Remembered: lambda w, ev: (("memory", ev.pid, ev.key),),
    Forgot: lambda w, ev: (("memory", ev.pid, ev.key),),
    Marked: lambda w, ev: (("mark", ev.name),),
}


def touches(world: World, event: Any) -> Iterable[Key]:
    """Name what *event*, not yet applied, will change of that which the readiness of an op may read."""
    rule = TOUCHES.get(type(event))
    return () if rule is None else rule(world, event)

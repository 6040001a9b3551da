"""One key for all states that behave alike: pids are names, and what only grows is counted from its floor.

`key` digests a canonical form of a world. What two worlds may differ in and still have one key, and why that is sound:

* **Numbers of processes and threads.** Programs keep them, compare them for equality and hand them to the kernel, no
  more. A process is named by program, container and its place in a walk of the tree from init, children by program,
  container, then as the kernel lists them; a thread by its process and place. A number that names nobody is `stale`;
  which stale numbers are equal is kept, since programs compare a dead peer with the one they knew. That a stranger
  gets the number again is a fault of the environment: no two states are told apart by it. Ids do not run out.
* **The id counter, fork order, indexes** of the host: they decide which number comes next, or follow from the rest.
  The order of a parent's zombies stays (wait4 takes the first), and that of the rules of one port (the first wins).
* **Event numbers** of containerd's log. They are only compared and counted up. An entry that is not above the floor,
  the least number that dockerd has noted or may still note, is never sent again; the others are counted from there.
* **Moments** that came more often than any step asks for.
* **Variables that are written before they are read again** in the loops that run as long as their process: the tables
  LIVE_AT and DEAD_AT. A memory cell that holds what its readers take for a missing one: the table DEFAULTS.

Which fields hold numbers of processes: those whose name ends in `pid` or `pids`, and the literal tables below. Tests
rename all numbers without these tables, and step with dead variables cut out. Source: ARCHITECTURE.md,
"Decisions, with reasons".
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import msgspec

from sim.engine import paths
from sim.engine.setup import Port, Restart
from sim.engines.host.client import mark_name
from sim.facts import Message
from sim.kernel.host import Host
from sim.kernel.records import INIT, OUTSIDE, Image, Pid, Process, Rule
from sim.world import Frame, World

KEY_BYTES = 16
ENCODER = msgspec.msgpack.Encoder(order="deterministic")

# -- what holds a number of a process, beside names that end in pid ---------------------------------

PID, PIDS, FID, FIDS, ANSWER, SERIAL, EXIT, LOG, VALUE = range(9)

KINDS = {
    "connection": PID,  # dockerd's memory: the containerd that it is connected to
    "answer": ANSWER,  # a number answers StartTask and StateTask: the payload
    "fid": FID,
    "reply": FID,
    "holder": FID,
    "job": FID,
    "waiting": FIDS,
    "events": SERIAL,  # containerd's memory: the last number of its log
    "log": LOG,
}
EVENT_KINDS = ("start-container", "exit", "exec_exit", "oom", "paused", "resumed")  # of containerd's log
MESSAGE_DATA = {"READY": PID, "Events": SERIAL, **dict.fromkeys(EVENT_KINDS, EXIT)}
PID_FILES = ("/pid", ".pid")
WHOLE = frozenset({bool, int, str, type(None), Image, Rule, Port, Restart})  # what holds no number of a process

# -- what is not read again -------------------------------------------------------------------------

LIVE_AT: dict[str, dict[str, tuple[str, ...]]] = {
    "init.main": {"reaped_pid": ("notice",), "status": ("notice",)},
    "dockerd.health": {"peer_pid": ("check_answered",), "child_pid": ("containerd_started",)},
    "dockerd.connection": {"peer_pid": ("peer_gone",)},
    "dockerd.events": {
        "answer": (),
        "c": ("lock_remote", "look_up", "lock_libcontainerd", "handle_event"),
        "task": ("lock_remote", "look_up", "lock_libcontainerd", "handle_event"),
    },
    "containerd.main": {"child_pid": ("reap_child",), "status": ()},
}
"""Procedure -> variable -> the ops at which a goroutine stands that still reads it; other variables are always kept."""

DEAD_AT: dict[str, dict[str, tuple[str, ...]]] = {
    "dockerd.events": {"connected": ("peer_pid",), "ask_events_since": ("peer_pid",)},
    "containerd.main": {"switch_tasks": ("c", "task", "x", "shim_pid")},
}
"""Procedure -> op -> variables that are written from there before anybody reads them."""

DEFAULTS: dict[str, object] = {"fail_count": 0, "connection": None, "containerd_pid": None, "exited": ()}


def key(world: World) -> bytes:
    """Return 16 bytes that two worlds share if they behave alike in the ways that the header lists."""
    return blake2b(ENCODER.encode(canonical(world)), digest_size=KEY_BYTES).digest()


def canonical(world: World) -> tuple[object, ...]:
    """Return the world as nested tuples of text, numbers and records, in which no number of a process occurs."""
    host = world.host
    tree = list(_walk(host))
    form = Form(Names(host, tree), floor(world))
    by_name = [process.pid for process in tree]
    return (
        [_process(process, form.names) for process in tree],
        [(form.names[pid], form.many(host.zombies[pid])) for pid in by_name if pid in host.zombies],
        [_fifo(host, path, form) for path in sorted(host.fifos)],
        [(address, form.names[pid]) for address, pid in sorted(host.listeners.items())],
        sorted(host.rules, key=_port_of),
        [(path, form.file(path, host.files)) for path in sorted(host.files)],
        sorted(host.reserved),
        *(_of_process(world, pid, form) for pid in (OUTSIDE, *by_name)),
        _marks(world),
    )


# -- names ------------------------------------------------------------------------------------------


def _walk(host: Host) -> Iterable[Process]:
    """Walk the process tree from init: children by program and container, then as the kernel lists them."""
    procs, children, todo = host.procs, host.children, [INIT]
    while todo:
        process = procs[todo.pop()]
        yield process
        below = children.get(process.pid)
        if below:
            todo += sorted(below, key=lambda pid: _role(procs[pid]))[::-1]


def _role(process: Process) -> tuple[str, str]:
    return process.image.program, process.image.container


class Names(dict[Any, Any]):
    """Names by number. A number that is no process is looked up among the threads, else it is stale."""

    def __init__(self, host: Host, tree: Iterable[Process]) -> None:
        self[None], self[OUTSIDE] = None, "outside"
        self.host, self.stale = host, 0
        counts: dict[tuple[str, str], int] = {}
        for process in tree:
            role = _role(process)
            counts[role] = number = counts.get(role, 0) + 1
            self[process.pid] = f"{role[0]}/{role[1]}#{number}"

    def __missing__(self, number: Pid) -> str:
        owner = next((p for p in self.host.procs.values() if number in p.threads), None)
        if owner is None:
            self.stale += 1
            name = f"stale#{self.stale}"
        else:
            name = f"{self[owner.pid]}:{owner.threads.index(number)}"
        self[number] = name
        return name


# -- event numbers ----------------------------------------------------------------------------------


def floor(world: World) -> int:
    """Return the least event number that dockerd has noted, or may note once it takes what is on its way."""
    noted: Any = world.host.files.get(paths.EVENT_TS, 0)
    numbers: list[int] = [noted]
    for queues in world.queues.values():
        numbers += [message.data[0] for message in queues.get("events", ())]
        numbers += [message.data for message in queues.get("streams", ()) if message.kind == "Events"]
    for frame in world.frames.values():
        if frame.procedure == "dockerd.events":
            task = live(world, frame).get("task")
            numbers += [task.data[0]] if task is not None else []
        elif frame.procedure == "containerd.subscribe":
            numbers.append(frame.local["request"].data)
    return min(numbers)


# -- forms ------------------------------------------------------------------------------------------


class Form:
    """Values with names in place of numbers; *floor* is what event numbers are counted from."""

    __slots__ = ("floor", "names")

    def __init__(self, names: Names, floor: int) -> None:
        self.names, self.floor = names, floor

    def named(self, name: str, value: Any) -> object:
        """Return the form of what stands under *name*: in a record, a goroutine's variables or a memory."""
        kind = KINDS.get(name)
        if kind is None:
            kind = _kind(name)
        return value if kind == VALUE and type(value) in WHOLE else self.of(kind, value)

    def of(self, kind: int, value: Any) -> object:
        """Return the form of a value of a kind."""
        if kind == VALUE:
            return self.value(value)
        if kind == PID or (kind == ANSWER and type(value) is int):
            return self.names[value]
        if kind == PIDS:
            return self.many(value)
        if kind == FID:
            return self.fid(value)
        if kind == FIDS:
            return [self.fid(fid) for fid in value]
        if kind == SERIAL:
            return max(0, value - self.floor)
        if kind == EXIT and type(value) is tuple:  # the answer about a last event has no number
            number, status = value
            return max(0, number - self.floor), status
        if kind == LOG:
            last = {message.container: number for number, message in value}
            kept = [entry for entry in value if entry[0] > self.floor or entry[0] == last[entry[1].container]]
            return [(max(0, number - self.floor), self.value(message)) for number, message in kept]
        return self.value(value)

    def value(self, value: Any) -> object:
        """Return the form of a value whose name says nothing."""
        kind = type(value)
        if kind in WHOLE:
            return value
        if kind is tuple:
            return [self.value(item) for item in value]
        fields = [self.named(name, getattr(value, name)) for name in kind.__struct_fields__]
        if kind is Message:
            fields[-1] = self.of(MESSAGE_DATA.get(value.kind, VALUE), value.data)
        return (kind.__name__, fields)

    def many(self, pids: Iterable[Pid | None]) -> list[Any]:
        """Return names in the same order; those of a set are sorted."""
        names = [self.names[pid] for pid in pids]
        return sorted(names) if isinstance(pids, frozenset) else names

    def fid(self, fid: Any) -> object:
        """Return a goroutine's name."""
        return None if fid is None else (self.names[fid[0]], fid[1])

    def file(self, path: str, files: dict[str, Any]) -> object:
        """Return the form of a file; of the event log, the entries that may be sent again and the last number."""
        content = files[path]
        if path == paths.EVENT_TS:
            return self.of(SERIAL, content)
        if path == paths.EVENTS_LOG:
            last = content[-1][0] if content else files.get(paths.EVENT_TS, 0)
            return self.of(LOG, content), self.of(SERIAL, last)
        return self.of(PID if path.endswith(PID_FILES) else VALUE, content)


def _kind(name: str) -> int:
    """Return the kind of a name that no table holds, and keep it; names with a container in them are without limit."""
    kind = PID if name.endswith("pid") else PIDS if name.endswith("pids") else VALUE
    if "/" not in name:
        KINDS[name] = kind
    return kind


# -- the parts of a world ---------------------------------------------------------------------------


def _process(process: Process, names: Names) -> tuple[object, ...]:
    number, parent = names[process.pid], names[process.ppid]
    group, session, space = names[process.pgid], names[process.sid], names[process.ns]
    kernel = (process.state, process.status, process.cgroup, process.pdeathsig, process.subreaper)
    return number, parent, group, session, space, process.image, len(process.threads), kernel, process.pending


def _fifo(host: Host, path: str, form: Form) -> tuple[object, ...]:
    fifo = host.fifos[path]
    return path, fifo.capacity, fifo.level, form.many(fifo.readers), form.many(fifo.writers)


def _port_of(rule: Rule) -> tuple[str, int, str]:
    return rule.chain, rule.port, rule.proto


def _of_process(world: World, pid: Pid, form: Form) -> tuple[object, ...]:
    """Return what a program keeps: its goroutines, their answers, its locks, queues and memory."""
    frames = [world.frames[fid] for fid in sorted(world.frames_of.get(pid, ()))]
    memory = sorted(world.memory.get(pid, {}).items())
    return (
        [_frame(world, frame, form) for frame in frames],
        [(name, form.value(lock)) for name, lock in sorted(world.locks.get(pid, {}).items())],
        [(name, form.value(queue)) for name, queue in sorted(world.queues.get(pid, {}).items())],
        [(name, form.named(name, cell)) for name, cell in memory if not _missing(name, cell)],
    )


def _frame(world: World, frame: Frame, form: Form) -> tuple[object, ...]:
    answer = form.of(ANSWER, world.replies[frame.fid]) if frame.fid in world.replies else ()
    variables = [(name, form.named(name, value)) for name, value in sorted(live(world, frame).items())]
    return frame.fid[1], frame.procedure, frame.op, variables, answer


def live(world: World, frame: Frame) -> dict[str, Any]:
    """Return the variables of a goroutine that it may still read."""
    live_at = LIVE_AT.get(frame.procedure)
    if live_at is None:
        return frame.local
    op = world.design.procedures[frame.procedure].ops[frame.op].name
    dead = DEAD_AT.get(frame.procedure, {}).get(op, ())
    return {
        name: value
        for name, value in frame.local.items()
        if name not in dead and (name not in live_at or op in live_at[name])
    }


def _missing(name: str, cell: object) -> bool:
    return name in DEFAULTS and cell == DEFAULTS[name]


def _marks(world: World) -> list[tuple[str, int]]:
    """Return how often each moment came, up to the count that a step waits for."""
    asked: dict[str, int] = {}
    for terminal in world.setup.terminals:
        for step in terminal:
            name = mark_name(step.at)
            asked[name] = max(asked.get(name, 1), step.at.nth)
    return [(name, min(count, asked.get(name, 1))) for name, count in sorted(world.marks.items())]

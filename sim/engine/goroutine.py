"""A goroutine at work: what the function of an op may read and do, and how goroutines and processes begin.

A thread is not told from a goroutine: what one waits for, the other does not. Source: ARCHITECTURE.md, "Programs are
procedures".
"""

from __future__ import annotations

from typing import Any

import msgspec

from sim.engine.observed import number_of
from sim.facts import Fid, FrameEnded, FrameMoved, FrameStarted, Locals, Remembered, Replied, Sent
from sim.kernel import events, syscalls
from sim.kernel.records import OUTSIDE, Image, Pid
from sim.kernel.signals import Signal
from sim.world import Frame, Turn, World

NOT_FOUND = 127  # of a child whose program another version has not


class ModelFault(Exception):
    """The model met what none of its rules takes; the text names program, pid, procedure, op and what came."""


class Failure(msgspec.Struct, frozen=True, tag=True, gc=False):
    """An answer that says no; *text* is the message of the real program."""

    text: str


class Spawn(msgspec.Struct, frozen=True):
    """How a child begins: program, words, what is done between fork and execve, and its first goroutine's variables.

    *handlers* and *ignored* are what it does with signals beside what its program does. One that is *passing* forks
    itself anew and leaves, so that nobody has observed it.
    """

    program: str
    argv: tuple[str, ...]
    container: str = ""
    main: str = "main"
    comm: str = ""
    local: dict[str, Any] = {}
    new_session: bool = False
    new_group: bool = False
    death_signal: Signal | None = None
    clone_parent: bool = False
    new_ns: bool = False
    ns: Pid | None = None  # of another process, which it joins (setns(2))
    cgroup: str | None = None
    oom_score_adj: int | None = None
    handlers: tuple[tuple[Signal, str], ...] = ()
    ignored: frozenset[Signal] = frozenset()
    passing: bool = False


class Goroutine:
    """What an op's function gets: its process, its variables, its program's memory, and the turn it acts in."""

    __slots__ = ("changes", "emit", "frame", "pid", "turn", "world")

    def __init__(self, turn: Turn, frame: Frame) -> None:
        self.turn, self.world, self.frame = turn, turn.world, frame
        self.emit = turn.emit  # states a fact
        self.pid: Pid = frame.fid[0]
        self.changes: Locals = {}

    def __getitem__(self, name: str) -> Any:
        """Return a variable."""
        changes = self.changes
        return changes[name] if name in changes else self.frame.local.get(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.changes[name] = value

    def recall(self, key: str, default: Any = None) -> Any:
        """Return what the program remembers under *key*."""
        return self.world.recall(self.pid, key, default)

    def remember(self, key: str, value: Any) -> None:
        """Let the program remember *value* under *key*."""
        self.turn.emit(Remembered(self.pid, key, value))

    def send(self, pid: Pid, queue: str, message: Any) -> None:
        """Put a message into a queue of a process; one that is gone gets nothing."""
        if pid == OUTSIDE or self.world.host.alive(pid):
            self.turn.emit(Sent(pid, queue, message))

    def reply(self, to: Fid | None, value: Any) -> None:
        """Answer the goroutine that asked, if it still waits."""
        if to is not None and to in self.world.frames:
            self.turn.emit(Replied(to, value))

    def start(self, procedure: str, subject: str = "", **local: Any) -> Fid:
        """Start a goroutine of this process."""
        return start_frame(self.turn, self.pid, procedure, subject, local)

    def cancel(self, name: str) -> None:
        """End another goroutine of this process, if it runs."""
        if (self.pid, name) in self.world.frames:
            self.turn.emit(FrameEnded((self.pid, name)))

    def kill(self, pid: Pid, signal: Signal) -> bool:
        """Send a signal; False if there is no such process."""
        return syscalls.kill(self.turn, pid, signal, by=self.pid)

    def exit(self, status: int) -> None:
        """End this process."""
        syscalls.exit_process(self.turn, self.pid, status)


def start_frame(turn: Turn, pid: Pid, procedure: str, subject: str, local: Locals) -> Fid:
    """Start a goroutine; a second one of the same name is called `name#2`."""
    name = procedure.rpartition(".")[2]
    procedure = turn.world.design.named(turn.world, pid, procedure)
    if subject:
        name = f"{name}/{subject}"
    fid, number = (pid, name), 1
    while fid in turn.world.frames:
        number += 1
        fid = (pid, f"{name}#{number}")
    turn.emit(FrameStarted(fid, procedure, local))
    if turn.world.design.procedures[procedure].ops[0].silent:
        _settle(Goroutine(turn, turn.world.frames[fid]), 0, started=True)
    return fid


def spawn(turn: Turn, pid: Pid, how: Spawn, number: Pid | None = None, by: str = "") -> Pid:
    """Fork and execve a program of the design, and start its first goroutine; return its pid.

    *number* is one that was kept for it; the counter goes on from there, unless it is beyond it already. A process that
    was found at t = 0 has its number from its fork on. *by* names the goroutine, to tell its children from those of
    others.
    """
    design = turn.world.design.owner(turn.world, how.program, how.argv[0])
    caller = turn.host.procs[pid]
    if turn.host.found and not how.passing:
        number = number_of(turn.world, how.program, how.container, how.argv, pid) or number
    child = syscalls.fork(
        turn,
        pid,
        parent=caller.ppid if how.clone_parent else None,
        ns=syscalls.NEW_NS if how.new_ns else how.ns,
        number=number,
        role=f"{how.program}/{how.container or by}",
    )
    if how.new_session:
        syscalls.setsid(turn, child)
    elif how.new_group:
        syscalls.setpgid(turn, child)
    if how.death_signal is not None:
        turn.emit(events.DeathSignalSet(child, how.death_signal))
    if how.oom_score_adj is not None and turn.world.minds_memory:
        turn.emit(events.OomScoreAdjSet(child, how.oom_score_adj))
    if how.cgroup is not None:
        syscalls.join_cgroup(turn, child, how.cgroup)
    if design is None:
        syscalls.exit_process(turn, child, NOT_FOUND)
        return child
    if design.name != turn.world.design.name:
        turn.emit(Remembered(child, "release", design.name))
    program = design.programs[how.program]
    comm = how.comm or how.argv[0].rpartition("/")[2][:15]
    handlers, ignored = program.handlers + how.handlers, program.ignored | how.ignored
    image = Image(how.program, comm, how.argv, how.container.partition("@")[0], handlers, ignored)
    syscalls.execve(turn, child, image)
    start_frame(turn, child, f"{how.program}.{how.main}", "", how.local)
    return child


def take(turn: Turn, frame: Frame) -> None:
    """Take the op that a goroutine stands at, and the silent ones after it."""
    table = turn.world.design.procedures[frame.procedure]
    g = Goroutine(turn, frame)
    ops = table.ops
    target = ops[frame.op].take(g)
    if target is None or ops[target].silent:
        _move(g, frame.op, target)
    elif frame.fid in g.world.frames:
        g.emit(FrameMoved(frame.fid, target, g.changes or None))


def deliver(turn: Turn, pid: Pid, signal: Signal) -> None:
    """Let a process take a pending signal: what it has a handler for starts a goroutine."""
    handler = syscalls.deliver(turn, pid, signal)
    if handler:
        program = turn.host.procs[pid].image.program
        start_frame(turn, pid, f"{program}.{handler}", signal, {"signal": signal})


def late(turn: Turn, frame: Frame) -> None:
    """Let the time limit of the op pass that a goroutine stands at."""
    table = turn.world.design.procedures[frame.procedure]
    g = Goroutine(turn, frame)
    _move(g, frame.op, table.ops[frame.op].late(g))


def _move(g: Goroutine, at: int, target: int | None) -> None:
    if g.frame.fid not in g.world.frames:
        return  # the op ended the process or the goroutine
    if target is not None:
        _settle(g, target)
    elif g.changes:
        g.emit(FrameMoved(g.frame.fid, at, g.changes))


def _settle(g: Goroutine, index: int, started: bool = False) -> None:
    """Move to *index* and take the silent ops there; stop at the first that waits."""
    frames, fid = g.world.frames, g.frame.fid
    table = g.world.design.procedures[g.frame.procedure]
    while True:
        op = table.ops[index]
        if not op.silent:
            break
        if op.jump:
            index = table.goto[op.labels[0]]
            continue
        if g.changes and not op.ends:
            g.emit(FrameMoved(fid, index, g.changes))
            g.frame, g.changes = frames[fid], {}
        target = op.take(g)
        if fid not in frames:
            return
        if target is None:
            break
        index = target
    if g.changes or frames[fid].op != index or (not started and index == g.frame.op):
        g.emit(FrameMoved(fid, index, g.changes or None))


def describe(world: World, frame: Frame) -> str:
    """Say where a goroutine is, for an error's text."""
    process = world.host.procs.get(frame.fid[0])
    subject = f"{process.image.program} (pid {process.pid})" if process else "a client"
    op = world.design.procedures[frame.procedure].ops[frame.op]
    return f"{subject} at {op.name!r} of {frame.procedure!r}"

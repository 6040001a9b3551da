"""What led to the end of a container's process: who sent the signal, which rule of which daemon decided so, which step.

A trail is shown each fact while `sim.views.replaying` goes through a trace. Once that is over, the causes of a death
are followed up to the step that began it: a message leads to its sender, as in `sim.views.why`. The rule is a procedure
of the daemon farthest from the process that acts for this container; its module says where the source has it. Leaves
out what held a lock meanwhile. Source: the trace's causes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from typing import Any

import msgspec

from sim.designs import DESIGNS
from sim.engine.role import Kind
from sim.engine.setup import Docker, Microseconds, Step, Systemctl
from sim.facts import Fid, FrameMoved, FrameStarted, Received, Sent, StepTaken
from sim.kernel import events as e
from sim.kernel.records import Pid, Status
from sim.trace import Trace
from sim.views.beliefs import change_of
from sim.views.names import role_of
from sim.world import World

DECIDERS = frozenset({Kind.DAEMON, Kind.GUEST, Kind.INIT})
LONGEST = 5_000  # causes that are followed: a chain that is longer says nothing more


class Rule(msgspec.Struct, frozen=True):
    """A goroutine that acted for a container: whose, its pid, and the procedure that it is in."""

    program: str
    pid: Pid
    procedure: str


class End(msgspec.Struct, frozen=True):
    """How a container's process ended. *signal* is the one that it got last, "" for none; *sender* the program.

    *rules* are the goroutines that decided so, nearest first; *step* is what people did, None if they did nothing.
    *wanted* says that people asked for the end, or that the program ended by itself with 0.
    """

    pid: Pid
    status: Status
    signal: str
    sender: str
    rules: tuple[Rule, ...]
    step: Step | None
    wanted: bool


class Trail:
    """Gathers, fact by fact, what a walk back needs: senders, procedures, deaths, and who was noted as stopped."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.seq = -1
        self.steps = {step.id: step for terminal in trace.setup.terminals for step in terminal}
        self.waiting: dict[tuple[Pid, str], deque[int]] = {}
        self.sends: dict[int, int] = {}
        self.frames: dict[Fid, tuple[list[int], list[FrameStarted]]] = {}
        self.before: dict[Fid, tuple[list[int], list[FrameStarted]]] = {}  # of a begin that several have in common
        self.deaths: dict[str, list[tuple[Microseconds, int]]] = {}
        self.begins: dict[str, list[tuple[Microseconds, int]]] = {}
        self.manual: dict[str, int] = {}  # the record in which the engine noted that somebody stopped it

    def copy(self, trace: Trace) -> Trail:
        """Return the same as far as it was gathered, for another *trace* that has the same begin."""
        twin = Trail(trace)
        twin.seq, twin.sends, twin.manual = self.seq, self.sends.copy(), self.manual.copy()
        twin.waiting = {name: queue.copy() for name, queue in self.waiting.items()}
        twin.before = self.frames
        twin.deaths = {name: found.copy() for name, found in self.deaths.items()}
        twin.begins = {name: found.copy() for name, found in self.begins.items()}
        return twin

    def see(self, now: Microseconds, world: World, event: Any) -> None:
        """Look at a fact that is not applied yet."""
        self.seq += 1
        kind = type(event)
        if kind is Sent:
            self.waiting.setdefault((event.pid, event.name), deque()).append(self.seq)
        elif kind is Received:
            queue = self.waiting.get((event.pid, event.name))
            if queue:
                self.sends[self.seq] = queue.popleft()
        elif kind is FrameStarted:
            numbers, events = self.frames.setdefault(event.fid, ([], []))
            numbers.append(self.seq)
            events.append(event)
        elif kind is e.Exited:
            self._note(self.deaths, now, world.host.procs[event.pid].image)
        elif kind is e.Execed:
            self._note(self.begins, now, event.image)
        else:
            self._changed(world, event)

    def _note(self, found: dict[str, list[tuple[Microseconds, int]]], now: Microseconds, image: Any) -> None:
        if role_of(image.program).kind is Kind.PAYLOAD:
            found.setdefault(image.container, []).append((now, self.seq))

    def _changed(self, world: World, event: Any) -> None:
        change = change_of(world, event)
        if change is None or change.after is None:
            return
        if not change.after.manual:
            self.manual.pop(change.container, None)
        elif change.before is None or not change.before.manual:
            self.manual[change.container] = self.seq

    def settle(self, now: Microseconds, world: World) -> None:
        """Take note that a moment is over."""

    # -- afterwards -------------------------------------------------------------------------------------

    def end_of(self, container: str, since: Microseconds) -> End | None:
        """Return how the process that ran at a moment (µs from t = 0) ended; None if none has ended since."""
        seq = next((seq for at, seq in self.deaths.get(container, ()) if at >= since), None)
        return None if seq is None else self._end(container, seq)

    def _end(self, container: str, seq: int) -> End:
        path = tuple(self.path(seq))
        death = self.trace.records.one(seq).event
        told = next((it for it in path if isinstance(it, e.Signalled) and it.pid == death.pid), None)
        by_pid = 0 if told is None else told.by_pid
        senders = (it.procedure.partition(".")[0] for it in self._frames(path) if it.fid[0] == by_pid != 0)
        step = next((self.steps.get(it.id) for it in path if isinstance(it, StepTaken)), None)
        by_itself = told is None and death.status == 0
        return End(
            pid=death.pid,
            status=death.status,
            signal="" if told is None else told.signal,
            sender=next(senders, ""),
            rules=self.rules(container, path),
            step=step,
            wanted=by_itself or _asks_for_end(step, container),
        )

    def begin_of(self, container: str, since: Microseconds) -> tuple[Rule, ...]:
        """Return who decided to start the first process of a container since a moment."""
        seq = next((seq for at, seq in self.begins.get(container, ()) if at >= since), None)
        return () if seq is None else self.rules(container, tuple(self.path(seq)))

    def path(self, seq: int) -> Iterator[Any]:
        """Yield the facts that led to a record, itself first, up to the step that began it."""
        records = self.trace.records
        for _ in range(LONGEST):
            record = records.one(seq)
            event = record.event
            if isinstance(event, FrameMoved):
                yield self._started(seq, event.fid) or event
            else:
                yield event
            seq = self.sends.get(seq, record.cause)
            if seq < 0 or isinstance(event, StepTaken):
                return

    def _started(self, seq: int, fid: Fid) -> FrameStarted | None:
        for frames in (self.frames, self.before):
            numbers, events = frames.get(fid, ((), ()))
            place = bisect_right(numbers, seq)
            if place:
                return events[place - 1]
        return None

    def _frames(self, path: tuple[Any, ...]) -> Iterator[FrameStarted]:
        return (it for it in path if isinstance(it, FrameStarted))

    def rules(self, container: str, path: tuple[Any, ...]) -> tuple[Rule, ...]:
        """Return the goroutines of daemons on a path that act for a container, nearest first.

        A daemon that was asked comes before the one that asks; once one comes again, what it was told before is told.
        """
        found: list[Rule] = []
        for frame in self._frames(path):
            program = frame.procedure.partition(".")[0]
            if role_of(program).kind not in DECIDERS or frame.local.get("c") != container:
                continue
            rule = Rule(program, frame.fid[0], frame.procedure)
            if rule in found:
                continue
            if any(it.program == program for it in found[:-1]) and found[-1].program != program:
                break
            found.append(rule)
        return tuple(found)


def _asks_for_end(step: Step | None, container: str) -> bool:
    """Return whether a step asks for the end of a container, or for that of what runs it."""
    command = step.command if step is not None else None
    if isinstance(command, Docker):
        return command.container == container
    return isinstance(command, Systemctl) and command.verb == "stop"


def procedures_module(trace: Trace, rule: Rule) -> str:
    """Return the module in which a rule stands, by the first function of its ops; "" if they have none."""
    design = DESIGNS[trace.setup.engine.design]
    table = design.procedures.get(rule.procedure)
    modules = [getattr(getattr(op, "function", None), "__module__", "") for op in (table.ops if table else ())]
    return next((it for it in modules if it), "")

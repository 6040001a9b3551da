"""What led to the end of a container's process: who sent the signal, which rule of which daemon decided so, which step.

A trail is shown each fact while `sim.views.replaying` goes through a trace. Once that is over, the causes of a death
are followed up to the step that began it: a message leads to its sender, as in `sim.views.why`. The rule is a procedure
of the daemon farthest from the process that acts for this container; its module says where the source has it. Leaves
out what held a lock meanwhile. Source: the trace's causes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

import msgspec

from sim.designs import DESIGNS
from sim.engine.role import Kind
from sim.engine.setup import Docker, Microseconds, Step, Systemctl
from sim.facts import Fid, FrameMoved, FrameStarted, Received, Sent, StepTaken
from sim.kernel import events as e
from sim.kernel.records import Image, Pid, Status
from sim.trace import Trace
from sim.views.names import role_of
from sim.world import World

DAEMONS = frozenset({Kind.DAEMON, Kind.GUEST, Kind.INIT})
ENDING = ("stop", "kill", "rm")


class Turn(NamedTuple):
    """From a record on, a goroutine is in a procedure and acts for a container, "" for none."""

    pid: Pid
    procedure: str
    container: str

    @property
    def program(self) -> str:
        """Return whose goroutine it is."""
        return self.procedure.partition(".")[0]


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


class Begun(msgspec.Struct, frozen=True):
    """How a container's process began: the goroutines that decided so, nearest first, and what people did before."""

    rules: tuple[Rule, ...] = ()
    steps: tuple[Step, ...] = ()


class Trail:
    """Gathers, fact by fact, what a walk back needs: senders, procedures, deaths and begins."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.seq = -1
        self.design = DESIGNS[trace.setup.engine.design]
        self.commands = {name.partition(".")[0] for name in self.design.engine.starts}  # where no daemon decides
        self.steps = {step.id: step for terminal in trace.setup.terminals for step in terminal}
        self.waiting: dict[tuple[Pid, str], deque[int]] = {}
        self.sends: dict[int, int] = {}
        self.begun: dict[int, str] = {}  # the step that began what led to a record
        self.turns: dict[Fid, tuple[list[int], list[Turn]]] = {}
        self.turns_before: dict[Fid, tuple[list[int], list[Turn]]] = {}  # of a begin that several have in common
        self.deaths: dict[str, list[tuple[Microseconds, int]]] = {}
        self.begins: dict[str, list[tuple[Microseconds, int]]] = {}

    def copy(self, trace: Trace) -> Trail:
        """Return the same as far as it was gathered, for another *trace* that has the same begin."""
        twin = Trail(trace)
        twin.seq, twin.sends, twin.begun = self.seq, self.sends.copy(), self.begun.copy()
        twin.waiting = {name: queue.copy() for name, queue in self.waiting.items()}
        twin.turns_before = self.turns
        twin.deaths = {name: found.copy() for name, found in self.deaths.items()}
        twin.begins = {name: found.copy() for name, found in self.begins.items()}
        return twin

    def see(self, now: Microseconds, world: World, event: Any) -> None:
        """Look at a fact that is not applied yet."""
        self.seq += 1
        rule = RULES.get(type(event))
        if rule is not None:
            rule(self, now, world, event)

    def note(self, found: dict[str, list[tuple[Microseconds, int]]], now: Microseconds, image: Image) -> None:
        """Note that the program of a container began or ended."""
        if role_of(image.program).kind is Kind.PAYLOAD:
            found.setdefault(image.container, []).append((now, self.seq))

    def settle(self, now: Microseconds, world: World) -> None:
        """Take note that a moment is over."""

    # -- afterwards -------------------------------------------------------------------------------------

    def end_of(self, container: str, since: Microseconds) -> End | None:
        """Return how the process that ran at a moment (µs from t = 0) ended; None if none has ended since."""
        seq = next((seq for at, seq in self.deaths.get(container, ()) if at >= since), None)
        return None if seq is None else self._end(container, seq)

    def _end(self, container: str, seq: int) -> End:
        death = self.trace.records.one(seq).event
        path = tuple(self._own(seq, container))
        told = next((it for it in path if isinstance(it, e.Signalled) and it.pid == death.pid), None)
        by_pid = 0 if told is None else told.by_pid
        senders = (it.program for it in path if isinstance(it, Turn) and it.pid == by_pid != 0)
        step = self.steps.get(self.step_of(seq))
        return End(
            pid=death.pid,
            status=death.status,
            signal="" if told is None else told.signal,
            sender=next(senders, ""),
            rules=self.rules(container, path),
            step=step,
            wanted=(told is None and death.status == 0) or _asks_for_end(step, container),
        )

    def begin_of(self, container: str, since: Microseconds, end: End | None) -> Begun:
        """Return how the first process since a moment began; what ended the one before belongs to that."""
        seq = next((seq for at, seq in self.begins.get(container, ()) if at >= since), None)
        if seq is None:
            return Begun()
        steps = (self.steps.get(self.step_of(seq)), end.step if end is not None else None)
        found = tuple(step for step in steps if step is not None)
        return Begun(self.rules(container, tuple(self._own(seq, container))), found)

    def rules(self, container: str, path: tuple[Any, ...]) -> tuple[Rule, ...]:
        """Return the goroutines of daemons on a path that act for a container, nearest first; without, of commands."""
        daemons = {name for name, role in self.design.roles.items() if role.kind in DAEMONS}
        return _of_programs(container, path, daemons) or _of_programs(container, path, self.commands)

    def step_of(self, seq: int) -> str:
        """Return the id of the step that began what led to a record, "" for none; what was followed once is known."""
        walked = []
        found = ""
        while seq >= 0 and not found:
            known = self.begun.get(seq)
            if known is not None:
                found = known
                break
            walked.append(seq)
            event = self.trace.records.one(seq).event
            found = event.id if isinstance(event, StepTaken) else ""
            seq = self._before(seq)
        self.begun.update(dict.fromkeys(walked, found))
        return found

    def _before(self, seq: int) -> int:
        return self.sends.get(seq) or self.trace.records.one(seq).cause

    def _own(self, seq: int, container: str) -> Iterator[Any]:
        """Yield the facts that led to a record, itself first, up to what is done for another container.

        A goroutine's begin and each of its moves is told as whose turn it is.
        """
        while seq >= 0:
            event = self.trace.records.one(seq).event
            if isinstance(event, FrameMoved | FrameStarted):
                event = self._turn(seq, event.fid)
                if event.container not in ("", container):
                    return
            yield event
            if isinstance(event, StepTaken):
                return
            seq = self._before(seq)

    def _turn(self, seq: int, fid: Fid) -> Turn:
        numbers, turns = self.turns.get(fid, ((), ()))
        place = bisect_right(numbers, seq)
        if not place:  # it was before what several have in common was copied
            numbers, turns = self.turns_before[fid]
            place = bisect_right(numbers, seq)
        return turns[place - 1]


# -- rules: what a fact, not yet applied, leaves behind -------------------------------------------------


def _sent(trail: Trail, now: Microseconds, world: World, event: Sent) -> None:
    trail.waiting.setdefault((event.pid, event.name), deque()).append(trail.seq)


def _received(trail: Trail, now: Microseconds, world: World, event: Received) -> None:
    queue = trail.waiting.get((event.pid, event.name))
    if queue:
        trail.sends[trail.seq] = queue.popleft()


def _started(trail: Trail, now: Microseconds, world: World, event: FrameStarted) -> None:
    numbers, turns = trail.turns.setdefault(event.fid, ([], []))
    numbers.append(trail.seq)
    turns.append(Turn(event.fid[0], event.procedure, event.local.get("c") or ""))


def _moved(trail: Trail, now: Microseconds, world: World, event: FrameMoved) -> None:
    """Note for whom a loop acts that serves all containers."""
    if event.local and "c" in event.local:
        last = (trail.turns.get(event.fid) or trail.turns_before[event.fid])[1][-1]
        numbers, turns = trail.turns.setdefault(event.fid, ([], []))
        numbers.append(trail.seq)
        turns.append(last._replace(container=event.local["c"] or ""))


def _exited(trail: Trail, now: Microseconds, world: World, event: e.Exited) -> None:
    trail.note(trail.deaths, now, world.host.procs[event.pid].image)


def _execed(trail: Trail, now: Microseconds, world: World, event: e.Execed) -> None:
    trail.note(trail.begins, now, event.image)


RULES: dict[type, Callable[[Trail, Microseconds, World, Any], None]] = {
    Sent: _sent,
    Received: _received,
    FrameStarted: _started,
    FrameMoved: _moved,
    e.Exited: _exited,
    e.Execed: _execed,
}


# -- what led there -----------------------------------------------------------------------------------


def _of_programs(container: str, path: tuple[Any, ...], programs: Collection[str]) -> tuple[Rule, ...]:
    """Return the goroutines of some programs on a path that act for a container, nearest first.

    A daemon that was asked comes before the one that asks. Once one comes again whom another has asked meanwhile, what
    lies behind is what they asked each other before; once another process of it comes, what went on in an earlier life.
    """
    found: list[Rule] = []
    for turn in path:
        if not isinstance(turn, Turn) or turn.container != container:
            continue
        rule = Rule(turn.program, turn.pid, turn.procedure)
        if rule.program not in programs or rule in found:
            continue
        again = any(it.program == rule.program for it in found)
        if again and (found[-1].program, found[-1].pid) != (rule.program, rule.pid):
            break
        found.append(rule)
    return tuple(found)


def _asks_for_end(step: Step | None, container: str) -> bool:
    """Return whether a step asks for the end of a container, or for that of what runs it."""
    command = step.command if step is not None else None
    if isinstance(command, Docker):
        return command.container == container and command.verb in ENDING
    return isinstance(command, Systemctl) and command.verb == "stop"


def procedures_module(trace: Trace, rule: Rule) -> str:
    """Return the module in which a rule stands, by the first function of its ops; "" if they have none."""
    design = DESIGNS[trace.setup.engine.design]
    table = design.procedures.get(rule.procedure)
    modules = [getattr(getattr(op, "function", None), "__module__", "") for op in (table.ops if table else ())]
    return next((it for it in modules if it), "")

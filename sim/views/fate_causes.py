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
from sim.facts import Fid, FrameEnded, FrameMoved, FrameStarted, Received, Sent, StepTaken
from sim.kernel import events as e
from sim.kernel.records import Image, Pid, Status
from sim.trace import Trace
from sim.views.names import role_of
from sim.world import World

DAEMONS = frozenset({Kind.DAEMON, Kind.GUEST, Kind.INIT})
STEP = 100  # records that a step may have
ENDING = ("stop", "kill", "rm")


class Turn(NamedTuple):
    """From a record on a goroutine is in a procedure and acts for a container, "" for none.

    *begun* is its first record, *seen* the one at which it is looked at.
    """

    fid: Fid
    procedure: str
    container: str
    begun: int
    seen: int = -1

    @property
    def program(self) -> str:
        """Return whose goroutine it is."""
        return self.procedure.partition(".")[0]

    @property
    def rule(self) -> Rule:
        """Return who acts."""
        return Rule(self.program, self.fid[0], self.procedure)


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
        self.ends: dict[Fid, list[int]] = {}
        self.deaths: dict[str, list[tuple[Microseconds, int]]] = {}
        self.begins: dict[str, list[tuple[Microseconds, int]]] = {}

    def copy(self, trace: Trace) -> Trail:
        """Return the same as far as it was gathered, for another *trace* that has the same begin."""
        twin = Trail(trace)
        twin.seq, twin.sends, twin.begun = self.seq, self.sends.copy(), self.begun.copy()
        twin.waiting = {name: queue.copy() for name, queue in self.waiting.items()}
        twin.turns = {fid: (numbers.copy(), turns.copy()) for fid, (numbers, turns) in self.turns.items()}
        for name in ("ends", "deaths", "begins"):
            setattr(twin, name, {key: found.copy() for key, found in getattr(self, name).items()})
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
        senders = (it.program for it in path if isinstance(it, Turn) and it.fid[0] == by_pid != 0)
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
        """Return the goroutines of daemons on a path that act for a container, nearest first; without, of commands.

        Of the last daemon those are told that have begun one another.
        """
        daemons = {name for name, role in self.design.roles.items() if role.kind in DAEMONS}
        found = _of_programs(container, path, daemons) or _of_programs(container, path, self.commands)
        return (*(turn.rule for turn in found[:-1]), *(turn.rule for turn in self._line(found[-1]))) if found else ()

    def _line(self, turn: Turn) -> Iterator[Turn]:
        """Yield a goroutine, the one that has begun it and still waits for it, and so on, of one container."""
        found: Turn | None = turn
        while found is not None and found.container == turn.container and self._lives(found, turn.seen):
            yield found
            found = self._parent(found)

    def _lives(self, turn: Turn, seq: int) -> bool:
        """Return whether a goroutine has not returned when a record is made."""
        ends = self.ends.get(turn.fid, [])
        place = bisect_right(ends, turn.begun)
        return place == len(ends) or ends[place] >= seq

    def _parent(self, turn: Turn) -> Turn | None:
        """Return who has begun a goroutine: of its program the other one that goes on, or ends, in that step."""
        records, begun = self.trace.records, turn.begun
        for seq in range(begun + 1, min(begun + STEP, len(records))):
            event = records.one(seq).event
            if isinstance(event, FrameMoved | FrameEnded) and event.fid[0] == turn.fid[0] and event.fid != turn.fid:
                found = self._turn(begun, event.fid)
                return found if found.begun < begun else None
        return None

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
                event = self._turn(seq, event.fid)._replace(seen=seq)
                if event.container not in ("", container):
                    return
            yield event
            if isinstance(event, StepTaken):
                return
            seq = self._before(seq)

    def _turn(self, seq: int, fid: Fid) -> Turn:
        numbers, turns = self.turns[fid]
        return turns[bisect_right(numbers, seq) - 1]


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
    turns.append(Turn(event.fid, event.procedure, event.local.get("c") or "", trail.seq))


def _moved(trail: Trail, now: Microseconds, world: World, event: FrameMoved) -> None:
    """Note for whom a loop acts that serves all containers."""
    if event.local and "c" in event.local:
        numbers, turns = trail.turns[event.fid]
        numbers.append(trail.seq)
        turns.append(turns[-1]._replace(container=event.local["c"] or ""))


def _ended(trail: Trail, now: Microseconds, world: World, event: FrameEnded) -> None:
    trail.ends.setdefault(event.fid, []).append(trail.seq)


def _exited(trail: Trail, now: Microseconds, world: World, event: e.Exited) -> None:
    trail.note(trail.deaths, now, world.host.procs[event.pid].image)


def _execed(trail: Trail, now: Microseconds, world: World, event: e.Execed) -> None:
    trail.note(trail.begins, now, event.image)


RULES: dict[type, Callable[[Trail, Microseconds, World, Any], None]] = {
    Sent: _sent,
    Received: _received,
    FrameStarted: _started,
    FrameMoved: _moved,
    FrameEnded: _ended,
    e.Exited: _exited,
    e.Execed: _execed,
}


# -- what led there -----------------------------------------------------------------------------------


def _of_programs(container: str, path: tuple[Any, ...], programs: Collection[str]) -> tuple[Turn, ...]:
    """Return the turn of each process of some programs on a path that acts for a container, nearest first.

    A daemon that was asked comes before the one that asks. Once a program comes again, what lies behind is what they
    asked each other before, or went on in an earlier life of it.
    """
    found: dict[tuple[str, Pid], Turn] = {}
    for turn in path:
        if not isinstance(turn, Turn) or turn.container != container or turn.program not in programs:
            continue
        key = (turn.program, turn.fid[0])
        if key in found and list(found)[-1] == key:
            continue
        if any(program == turn.program for program, _ in found):
            break
        found[key] = turn
    return tuple(found.values())


def _asks_for_end(step: Step | None, container: str) -> bool:
    """Return whether a step asks for the end of a container, or for that of what runs it."""
    command = step.command if step is not None else None
    if isinstance(command, Docker):
        return command.container == container and command.verb in ENDING
    return isinstance(command, Systemctl) and command.verb == "stop"


def procedures_module(trace: Trace, rule: Rule) -> str:
    """Return the module in which a rule stands, "" if none is known: that of its first op, or of most."""
    design = DESIGNS[trace.setup.engine.design]
    table = design.procedures.get(rule.procedure)
    modules = [getattr(getattr(op, "function", None), "__module__", "") for op in (table.ops if table else ())]
    known = [it for it in modules if it]
    if not known or known.count(known[0]) * 3 >= len(known):  # else it begins with what many procedures begin with
        return known[0] if known else ""
    words = rule.procedure.partition(".")[2].split("_")
    return next((it for it in known if it.rpartition(".")[2] in words), max(known, key=known.count))

"""A fault that goes before a fact: the driver tries each step on a copy, and lets the fault go first.

Steps are pure, so what one would bring is known without taking it. Only a scenario with `at: before Fact(target)` pays
for that, and only while a terminal waits there: a copy of the world a step. What the fault leaves possible of the step
still happens, at the same time. Leaves out moments that lie ahead in time. Source: the project's scenario language.
"""

from __future__ import annotations

from typing import Protocol

from msgspec.structs import replace

from sim.drive.queue import Clock, Queue
from sim.drive.slot import Slot
from sim.drive.turn import TimedTurn
from sim.engine.setup import Instant, Microseconds, Setup
from sim.engines.host.client import Await, mark_name, step_of
from sim.facts import Fid, Marked
from sim.kernel.records import OUTSIDE
from sim.model import act
from sim.world import Turn, World


class RunAhead(Protocol):
    """What letting a fault go first needs of a run; the timed driver has it."""

    world: World
    turn: TimedTurn
    queue: Queue
    slots: dict[Fid, Slot]
    ahead: tuple[Fid, ...]

    @property
    def now(self) -> Microseconds:
        """Return the clock's value at the last thing that happened."""

    def settle(self) -> None:
        """Ask again what may happen, of all whom the last step concerned."""

    def take(self, clock: Clock) -> None:
        """Let the action of a clock that has rung happen."""


def terminals_ahead(setup: Setup) -> tuple[Fid, ...]:
    """Return the terminals in which a step goes before a fact."""
    return tuple(
        (OUTSIDE, f"terminal/{number}")
        for number, terminal in enumerate(setup.terminals)
        if any(step.at.base == "before" for step in terminal)
    )


def goes_first(run: RunAhead, clock: Clock) -> bool:
    """Say whether a fault goes before the action of *clock*, and let it; the action's turn comes after it, if still."""
    due = _due(run.world, _waiting(run.world, run.ahead), clock)
    for fid, at in due:
        run.turn.now, run.turn.cause, run.turn.first = run.now, clock.cause, True
        run.turn.emit(Marked(mark_name(at), at.nth))
        run.settle()
        for _ in ("its moment", "what it does"):
            rung = run.slots[fid].go
            if rung is not None:
                run.take(rung)
    if due and clock.alive:
        run.queue.prompt.appendleft(clock)
    return bool(due)


def _waiting(world: World, fids: tuple[Fid, ...]) -> list[tuple[Fid, Instant]]:
    """Return the terminals that wait for the moment before a fact, and which."""
    found = []
    for fid in fids:
        frame = world.frames.get(fid)
        if frame is None or not isinstance(world.design.procedures[frame.procedure].ops[frame.op], Await):
            continue
        at = step_of(world, frame).at
        if at.base == "before" and not world.marks.get(mark_name(at), 0) >= at.nth:
            found.append((fid, at))
    return found


def _due(world: World, waiting: list[tuple[Fid, Instant]], clock: Clock) -> list[tuple[Fid, Instant]]:
    """Try the action on a copy: return whose fact it would bring."""
    if not waiting:
        return []
    twin = world.copy()
    act(Turn(twin), clock.action)
    facts = [(fid, at, mark_name(replace(at, base="fact"))) for fid, at in waiting]
    return [(fid, at) for fid, at, fact in facts if world.marks.get(fact, 0) < at.nth <= twin.marks.get(fact, 0)]

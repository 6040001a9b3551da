"""The way to the first state of an exploration, and the way back from one that was found: actions of a plain world.

What comes before the start is done in one fixed order: prompt actions in the order of `enabled`, timers only when
nothing else is left, and time limits after all others. Source: ARCHITECTURE.md, "Known limits".
"""

from __future__ import annotations

from typing import Any

import msgspec

from sim.engine.goroutine import ModelFault
from sim.engine.ops import Sleep
from sim.engine.setup import Setup
from sim.engines.host.client import Await, step_of
from sim.facts import StepTaken
from sim.faults import Fault
from sim.model import Action, Deliver, Late, Open, enabled, initial, step
from sim.trace import Record, Trace
from sim.world import World

LIMIT_PROLOGUE = 1_000_000


class Path(msgspec.Struct, frozen=True):
    """The actions that lead from the first world of a setup to a state."""

    actions: tuple[Action, ...]

    def __len__(self) -> int:
        return len(self.actions)


def is_timer(world: World, action: Action) -> bool:
    """Say whether an action passes with time alone."""
    if isinstance(action, (Deliver, Fault)):
        return False
    if isinstance(action, Open):
        return bool(world.setup.host.begin == "steady")  # t = 0 comes long after the last start
    frame = world.frames[action.fid]
    op = world.design.procedures[frame.procedure].ops[frame.op]
    if isinstance(action, Late):
        return bool((op.within(world, frame) if callable(op.within) else op.within or 0) > 0)
    if isinstance(op, Sleep):
        return op.nominal(world, frame) > 0
    if isinstance(op, Await):
        at = step_of(world, frame).at
        return bool(at.base == "origin" or at.offset > 0)
    return bool(op.timer)


# -- the prologue -----------------------------------------------------------------------------------


def begin(setup: Setup, start: str) -> tuple[World, Path]:
    """Return the world in which exploring starts, and the actions of the fixed order that led there.

    *start* is `open` (the terminals begin) or the id of a step. Raises ModelFault where it does not come.
    """
    world, _ = initial(setup)
    actions: list[Action] = []
    reached = False
    while not reached:
        if len(actions) == LIMIT_PROLOGUE:
            raise ModelFault(f"the prologue has not come to {start!r} after {LIMIT_PROLOGUE} actions")
        action = first(world)
        if action is None:
            raise ModelFault(f"the prologue ends before {start!r}; valid: open, or the id of a step")
        actions.append(action)
        events = step(world, action)
        reached = isinstance(action, Open) if start == "open" else StepTaken(start) in events
    return world, Path(tuple(actions))


def first(world: World) -> Action | None:
    """Return the action that the fixed order takes: a steady host opens only when all timers have rung."""
    actions = [action for action in enabled(world) if not isinstance(action, Fault)]
    inside = [action for action in actions if not isinstance(action, Open)]
    prompt = [action for action in inside if not is_timer(world, action)]
    if world.setup.host.begin != "steady" and len(inside) < len(actions):
        return Open()
    rings = [action for action in inside if not isinstance(action, Late)]
    return next(iter(prompt or rings or inside or actions), None)


# -- replays ----------------------------------------------------------------------------------------


def replay(setup: Setup, actions: Path) -> Trace:
    """Return the trace of a path; its records have no time. Raises ModelFault if an action is not enabled."""
    world, events = initial(setup)
    trace = Trace(setup)
    _keep(trace, events, -1)
    since: dict[Action, int] = {}  # what is enabled -> the record since which it is
    for number, action in enumerate(actions.actions):
        last = len(trace) - 1
        since = {possible: since.get(possible, last) for possible in enabled(world)}
        if action not in since:
            raise ModelFault(f"action {number} of the path is not enabled: {action}")
        _keep(trace, step(world, action), since.pop(action))
    return trace


def _keep(trace: Trace, events: list[Any], cause: int) -> None:
    """Keep the events of one step: the first is caused by what enabled it, the others by the first."""
    for event in events:
        seq = len(trace)
        trace.records.append(Record(seq, None, cause, event))
        if event is events[0] and cause >= 0:
            cause = seq

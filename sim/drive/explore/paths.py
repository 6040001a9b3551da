"""The explorer: every state that a setup can reach, breadth first, one for each key.

Time in its first form. Actions are prompt (messages, signals, reaping, work) or timers (sleeps, ticks, time limits,
absolute instants); a sleep of no time is prompt. By default a timer rings only where no prompt action is enabled
(maximal progress), and among timers any may ring, whatever their lengths. So every run is explored in which no timer
ends while prompt work is under way, and more than can happen. Others are not: in el7-idle containerd listens 50 to
300 ms after its fork, and meanwhile dockerd's retry, RestartSec or a payload's on_term (100 ms) may ring. `untimed`
drops the rule, at many times the states. Slow and hung programs are faults, not free choices.

What comes before the start is done in one fixed order: prompt actions in the order of `enabled`, timers only when
nothing else is left. So what is proved holds for what follows that order. Reaching the limit is a verdict of its own.
Source: ARCHITECTURE.md, modelling rules 6 and 7.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from sim.canonical import key
from sim.engine.client import Await, step_of
from sim.engine.goroutine import ModelFault
from sim.engine.ops import Sleep
from sim.engine.setup import Setup
from sim.facts import StepTaken
from sim.faults import Fault
from sim.model import Action, Deliver, Late, Open, enabled, initial, step
from sim.trace import Record, Trace
from sim.world import World

COMPLETE = "COMPLETE"
SOUND_IF = (  # without `untimed`; what a command that explores must say beside its verdict
    "Sound for runs in which no timer ends while prompt work is under way; in el7-idle one may, "
    "where a daemon boots (containerd: 50 to 300 ms) beside a timer (RestartSec: 100 ms)."
)
PROGRESS = 1_000  # states from one report of the progress to the next
LIMIT_STATES = 200_000
LIMIT_PROLOGUE = 1_000_000


class Path(msgspec.Struct, frozen=True):
    """The actions that lead from the first world of a setup to a state."""

    actions: tuple[Action, ...]

    def __len__(self) -> int:
        return len(self.actions)


class Exploration:
    """What was found. *terminal* are the states without an enabled action; *depth* is the longest shortest way."""

    def __init__(self, setup: Setup, prologue: Path, root: bytes) -> None:
        self.setup, self.prologue, self.root = setup, prologue, root
        self.verdict = COMPLETE
        self.transitions = self.depth = 0
        self.terminal: list[bytes] = []
        self.found: dict[bytes, tuple[bytes, Action] | None] = {root: None}

    @property
    def states(self) -> int:
        """Return how many states were found."""
        return len(self.found)

    def path_to(self, state: bytes) -> Path:
        """Return a shortest way from the start to a state, with the prologue before it."""
        actions: list[Action] = []
        before = self.found[state]
        while before is not None:
            actions.append(before[1])
            before = self.found[before[0]]
        return Path((*self.prologue.actions, *reversed(actions)))


def explore(
    setup: Setup,
    *,
    limit_states: int = LIMIT_STATES,
    untimed: bool = False,
    start: str = "open",
    progress: Callable[[int], None] | None = None,
) -> Exploration:
    """Find every state from *start* on: `initial`, `open` (the terminals begin) or the id of a step that begins.

    *progress* is told at each 1,000 states how many were found. Raises ModelFault where the model fails, or where the
    prologue does not come to *start*.
    """
    world, prologue = begin(setup, start)
    root = key(world)
    result = Exploration(setup, prologue, root)
    todo = deque([(root, world, 0)])
    while todo:
        state, world, result.depth = todo.popleft()
        actions = choices(world, untimed=untimed)
        if not actions:
            result.terminal.append(state)
        for action in actions:
            twin = world.copy()
            try:
                step(twin, action)
            except Exception as fault:
                way = f"after {len(prologue) + result.depth} actions, {result.states} states found"
                raise ModelFault(f"{action} {way}: {type(fault).__name__}: {fault}") from fault
            result.transitions += 1
            reached = key(twin)
            if reached in result.found:
                continue
            if result.states == limit_states:
                result.verdict = f"UNDETERMINED (limit of {limit_states} states)"
                return result
            result.found[reached] = state, action
            todo.append((reached, twin, result.depth + 1))
            if progress is not None and result.states % PROGRESS == 0:
                progress(result.states)
    return result


# -- what may happen next ---------------------------------------------------------------------------


def choices(world: World, *, untimed: bool = False) -> list[Action]:
    """Return the enabled actions: the prompt ones, and the timers if there are no others (or if *untimed*)."""
    actions = enabled(world)
    if untimed:
        return actions
    return [action for action in actions if not is_timer(world, action)] or actions


def is_timer(world: World, action: Action) -> bool:
    """Say whether an action passes with time alone."""
    if isinstance(action, Late):
        return True
    if isinstance(action, Deliver):
        return False
    if isinstance(action, Open):
        return bool(world.setup.host.begin == "steady")  # t = 0 comes long after the last start
    frame = world.frames[action.fid]
    op = world.design.procedures[frame.procedure].ops[frame.op]
    if isinstance(op, Sleep):
        return op.nominal(world, frame) > 0
    if isinstance(op, Await):
        at = step_of(world, frame).at
        return bool(at.base == "origin" or at.offset > 0)
    return bool(op.timer)


# -- the prologue -----------------------------------------------------------------------------------


def begin(setup: Setup, start: str) -> tuple[World, Path]:
    """Return the world in which exploring starts, and the actions of the fixed order that led there."""
    world, _ = initial(setup)
    actions: list[Action] = []
    reached = start == "initial"
    while not reached:
        if len(actions) == LIMIT_PROLOGUE:
            raise ModelFault(f"the prologue has not come to {start!r} after {LIMIT_PROLOGUE} actions")
        action = first(world)
        if action is None:
            raise ModelFault(f"the prologue ends before {start!r}; valid: initial, open, or the id of a step")
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
    return next(iter(prompt or inside or actions), None)


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

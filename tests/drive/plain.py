"""A plain explorer, to compare with: it copies whole worlds, lists what is enabled, and knows states by canonical keys.

It shares nothing with sim/drive/explore but the rules of time: timers only where nothing prompt is enabled, people
whenever they like. It keeps no intervals, so among timers any may ring.
"""

from __future__ import annotations

from collections import deque

from sim.drive.explore import begin, is_timer
from sim.engine.setup import Setup
from sim.engines.host.client import Await
from sim.faults import FAULTS, Fault
from sim.model import Action, Go, enabled, step
from sim.world import World
from tests.canonical import key


def of_people(world: World, action: Action) -> bool:
    """Say whether an action is a step of a scenario that begins, or a fault."""
    if isinstance(action, Fault):
        return True
    if not isinstance(action, Go):
        return False
    frame = world.frames[action.fid]
    return isinstance(world.design.procedures[frame.procedure].ops[frame.op], Await)


def choices(world: World, *, untimed: bool = False) -> list[Action]:
    """Return what the explorer takes: the prompt actions, or the timers if there are none; and what people may do."""
    actions = enabled(world)
    if untimed:
        return actions
    people = [action for action in actions if of_people(world, action)]
    others = [action for action in actions if not of_people(world, action)]
    return ([action for action in others if not is_timer(world, action)] or others) + people


class Plain:
    """What the plain explorer found."""

    def __init__(self, setup: Setup, start: str, *, untimed: bool = False, limit: int = 100_000) -> None:
        world, _ = begin(setup, start)
        self.keys = {key(world)}
        self.transitions = self.depth = self.ends = 0
        todo = deque([(world, 0)])
        while todo:
            world, self.depth = todo.popleft()
            actions = choices(world, untimed=untimed)
            self.ends += all(isinstance(a, Fault) and not FAULTS[a.kind].free for a in actions)
            for action in actions:
                self.transitions += 1
                twin = world.copy()
                step(twin, action)
                reached = key(twin)
                if reached not in self.keys:
                    assert len(self.keys) < limit, "more states than the plain explorer should be asked for"
                    self.keys.add(reached)
                    todo.append((twin, self.depth + 1))

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Return states, transitions, depth, ends."""
        return len(self.keys), self.transitions, self.depth, self.ends

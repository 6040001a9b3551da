"""Explored spaces with everything that a search forgets, and walks through them: for the explorer's own tests."""

from __future__ import annotations

from functools import cache
from typing import Any

from sim.drive.explore import Goal
from sim.drive.explore.begin import renamed, state_of
from sim.drive.explore.exploration import Base, Mode
from sim.drive.explore.learn import Leaf, Learner
from sim.drive.explore.search import Part
from sim.drive.explore.walker import Acts, Choice, Walker
from sim.engine.setup import Setup
from sim.kernel.events import Forked
from sim.kernel.records import OUTSIDE, Pid
from sim.model import Action, initial
from sim.properties import PROPERTIES
from tests.drive.lives import AGREE


class Loose(Walker):
    """A walker by the plain explorer's rules: among timers any may ring, however long the others have to run."""

    def choices(self, acts: Acts, box: int) -> list[Choice]:
        """Return the prompt moves, or the timers if there are none; and what people may do."""
        prompt = [move for status in acts.values() for move in status.at_once]
        timers = [timer.move for status in acts.values() for timer in status.timers]
        return [(move, box) for move in (prompt or timers) + [m for status in acts.values() for m in status.anytime]]


class Graph:
    """A whole search by one part, with what may happen in each state, by number."""

    def __init__(self, base: Base, limit: int = 200_000) -> None:
        self.base, self.part = base, Part(base.walker)
        self.acts: dict[int, Acts] = {}
        self.digests: set[int] = set()
        self.depth = -1
        self.part.begin(base.root())
        while self.part.turn():
            assert len(self.part.found) < limit, "more states than a test should need"
            self.depth += 1
            for number, (_, digest, acts) in self.part.layer.items():
                self.acts[number] = acts
                self.digests.add(digest)
                self.part.expand(number)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Return states, transitions, depth, ends."""
        return len(self.part.found), sum(self.part.found.choices), self.depth, len(self.part.ends)

    def number_of(self, digest: int) -> int | None:
        """Return the number of a state, None if the search did not meet it."""
        return self.part.found.index.get(digest)

    def offers(self, number: int, action: Action) -> bool:
        """Say whether an action is taken in a state, with all that may be left of its timers."""
        move = self.base.learner.moves.get(action)
        choices = self.base.walker.choices(self.acts[number], self.part.found.boxes[number])
        return any(offered is move for offered, _ in choices)


def asked(*names: str) -> tuple[Goal, ...]:
    """Return rows of the table of properties as an exploration is asked for them."""
    return tuple(Goal(p.name, p.kind, p.holds, p.watch, alike=True) for p in map(PROPERTIES.__getitem__, names))


def base_of(setup: Setup, start: str, *, asked: tuple[Goal, ...] = (), **mode: Any) -> Base:
    return Base(setup, asked, Mode(start=start, **mode))


def loose(setup: Setup, start: str) -> Graph:
    """Explore without reduction and without intervals."""
    base = base_of(setup, start, untimed=True)
    base.walker = Loose(base.learner, untimed=True)
    return Graph(base)


@cache
def whole(case: str) -> Graph:
    """Explore a case without reduction."""
    setup, start = AGREE[case]
    return Graph(base_of(setup, start, reduce=False))


class Shadow:
    """The state of a plain world that somebody else steps, from the first world on, by leaves."""

    def __init__(self, learner: Learner, setup: Setup) -> None:
        self.learner = learner
        world = initial(setup)[0]
        self.names: dict[Pid, Pid] = {pid: pid for pid in (OUTSIDE, *world.host.procs)}  # plain number -> name
        self.state = state_of(learner, world)
        self.digest = learner.space.digest(self.state)
        self._forks: dict[Leaf, list[Pid]] = {}

    def follow(self, action: Action, events: list[Any]) -> None:
        """Follow an action, given with plain numbers, whose *events* are known."""
        learner, named = self.learner, renamed(action, self.names)
        leaf = learner.leaf(learner.move(named), self.state)
        forked = [event.pid for event in events if isinstance(event, Forked)]
        if forked:
            if leaf not in self._forks:
                there = learner.taped_step(named, self.state)[1]
                self._forks[leaf] = [event.pid for event in there if isinstance(event, Forked)]
            self.names.update(zip(forked, self._forks[leaf], strict=True))
        gone = [slot for pid in leaf.erased for slot in learner.space.owned.get(pid, ())]
        self.digest ^= leaf.delta
        for slot in gone:
            if slot in self.state:
                self.digest ^= learner.space.token(slot, self.state[slot])
        leaf.write(self.state, learner.space.owned)

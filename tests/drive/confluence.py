"""Confluence, tried: graphs without reduction, in each of whose states pairs of steps are taken in both orders.

A step *a* that a goroutine may take at once is held against whatever else may happen there, *b*: other goroutines,
signals, people and faults. Either *b* may still happen after *a*, and a·b leads to where b·a leads; or *b* destroys
*a*, which can no longer be taken then, and a·b leads to where *b* alone leads. Else they fail.

States that differ only in the name of a process or of a goroutine are the same. What a process that stands still would
do next is held against all that happens meanwhile, timers too: a search that takes it first has it done before the
stall, and must be able to let as much time pass. Any timer may ring, however long the others have to run: there are
more states than can be. Source: Groote and van de Pol, 2000; sim/drive/explore/confluent.py.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from graphlib import TopologicalSorter
from random import Random
from typing import Any

from msgspec.structs import replace

from sim.drive.explore.begin import Lockstep, unpinned
from sim.drive.explore.confluent import ONLY_WHERE
from sim.drive.explore.learn import Learner, Move
from sim.drive.explore.paths import begin
from sim.drive.explore.space import SETS, Space, State
from sim.drive.explore.tape import Tape, TapedWorld
from sim.drive.explore.walker import Acts, Walker
from sim.engine.setup import Setup
from sim.model import Action, Deliver, Go, Late, blank
from sim.world import Frame

SELDOM = 0.03  # of the steps of a random walk are people's or faults


class At:
    """A state with what may happen in it. *place* is its digest, and the box of the timers that two steps began."""

    def __init__(self, state: State, place: tuple[int, int], acts: Acts) -> None:
        self.state, self.place, self.acts = state, place, acts
        self.prompt = {move.action: move for status in acts.values() for move in status.at_once}
        self.timers = {timer.move.action: timer.move for status in acts.values() for timer in status.timers}
        self.anytime = {move.action: move for status in acts.values() for move in status.anytime}
        self.choices = (self.prompt or self.timers) | self.anytime  # timers wait for what is prompt
        self.kids: dict[Action, At] = {}


class Checker:
    """One graph. *ops* are looked at, None is all; those in ONLY_WHERE if they may be taken first.

    *looked* says how often, *failed* which pairs, *examples* one of each; *complete* that no limit ended the search.
    """

    def __init__(self, setup: Setup, start: str, ops: frozenset[str] | None = None) -> None:
        setup, self.ops, self.space = unpinned(setup), ops, Space()
        self.learner = Learner(self.space, blank(setup), timed=True)
        lockstep = Lockstep(self.learner, setup)
        for action in begin(setup, start)[1].actions:
            lockstep.take(action)
        self.walker = Walker(self.learner, untimed=True)
        self.box = self.walker.boxes.number(((0, 0, 0),))  # the same in each state: what ran before does not matter
        state = lockstep.state
        self.root = At(state, (self.space.digest(state), self.box), self.walker.acts(state))
        self.before = {self.root.place[0]: (0, "")}
        self.first: dict[int, list[int]] = {}  # a state -> those after ops that are looked at
        self.states, self.complete = 0, False
        self.looked, self.failed = Counter[str](), Counter[tuple[str, str]]()
        self.examples: dict[tuple[str, str], str] = {}

    def run(self, limit: int = 10**9) -> Checker:
        """Look at every state, breadth first; stop beyond *limit*. Raises CycleError if a run of *ops* goes round."""
        layer = [self.root]
        while layer and len(self.before) < limit:
            layer = [new for here in layer for new in self._expand(here)]
        self.states, self.complete = len(self.before), not layer
        if self.ops is not None:
            TopologicalSorter(self.first).prepare()
        return self

    def _expand(self, here: At) -> list[At]:
        self._look(here)
        moves = here.choices.values()
        new = [self._go(here, move) for move in moves if self._place(here, move)[0] not in self.before]
        here.kids.clear()
        return new

    def walk(self, walks: int, steps: int, seed: int) -> Checker:
        """Look at the states of random walks, which come further than a search."""
        draw = Random(seed)
        for _ in range(walks):
            here = self.root
            for _ in range(steps):
                self._look(here)
                self.states += 1
                often, seldom = list((here.prompt or here.timers).values()), list(here.anytime.values())
                moves = seldom if seldom and draw.random() < SELDOM else often or seldom
                if not moves:
                    break
                here = self._go(here, draw.choice(moves))
        return self

    def _go(self, here: At, move: Move) -> At:
        kid = self._after(here, move)
        self.before.setdefault(kid.place[0], (here.place[0], self.label(move, here.state)))
        return At(kid.state, (kid.place[0], self.box), kid.acts)

    def label(self, move: Move, state: State) -> str:
        """Name a move: `procedure:op`, with `!` if it is late, `deliver:SIGNAL>program`, `fault:KIND>program`."""
        action: Any = move.action
        if isinstance(action, (Go, Late)):
            frame = self.space.values[state[self.space.slot("frames", action.fid)]]
            op = self.learner.liveness.names[frame.procedure][frame.op]
            return f"{frame.procedure}:{op}{'!' * isinstance(action, Late)}"
        program = self.space.values[state[self.space.slot("procs", action.pid)]].image.program
        return f"deliver:{action.signal}>{program}" if isinstance(action, Deliver) else f"fault:{action.kind}>{program}"

    def _is_looked_at(self, action: Go, op: str, state: State) -> bool:
        if self.ops is None or op not in self.ops or op not in ONLY_WHERE:
            return self.ops is None or op in self.ops
        world = TapedWorld(self.learner.like, Tape(self.space, state))
        return ONLY_WHERE[op](world, world.frames[action.fid])

    def _place(self, here: At, move: Move) -> tuple[int, int]:
        return self.walker.after(here.state, here.place[0], self.learner.leaf(move, here.state), here.place[1])

    def _after(self, here: At, move: Move) -> At:
        if move.action not in here.kids:
            leaf, place = self.learner.leaf(move, here.state), self._place(here, move)
            state, _, acts, _ = self.walker.reach(here.state, here.acts, leaf, *place)
            here.kids[move.action] = At(state, place, acts)
        return here.kids[move.action]

    def _waiting(self, state: State) -> dict[Action, Move]:
        """Return what processes that stand still would do at once if they went on."""
        space, procs = self.space, [slot for slot in self.space.listings["procs", None] if slot in state]
        stopped = {slot: process for slot in procs if (process := space.values[state[slot]]).state == "T"}
        if not stopped:
            return {}
        awake = state | {slot: space.value("procs", replace(it, state="S")) for slot, it in stopped.items()}
        frames = [s for it in stopped.values() for s in space.listings.get(("frames", it.pid), ()) if s in state]
        return {move.action: move for slot in frames for move in self.learner.status(slot, awake).at_once}

    def _look(self, here: At) -> None:
        """Hold each op that is looked at against whatever else may happen."""
        for action, move in (here.prompt | self._waiting(here.state)).items():
            op = self.label(move, here.state)
            if not isinstance(action, Go) or not self._is_looked_at(action, op, here.state):
                continue
            self.looked[op] += 1
            if action in here.prompt:
                self.first.setdefault(here.place[0], []).append(self._place(here, move)[0])
            if Late(action.fid) in here.timers:
                self._note(op, f"{op}!", "it has a time limit", here)
            for then in here.choices.values():
                if then is not move and (why := self._clash(here, move, then)):
                    self._note(op, self.label(then, here.state), why, here)

    def _note(self, op: str, other: str, why: str, here: At) -> None:
        self.failed[op, other] += 1
        self.examples.setdefault((op, other), f"{why}, after {', '.join(self.way(here.place[0]))}")

    def _clash(self, here: At, move: Move, then: Move) -> str:
        """Say why two moves do not go together; "" if they do."""
        one, two = self._after(here, move), self._after(here, then)
        if not any(then.action in moves for moves in (one.prompt, one.timers, one.anytime)):
            return "the other cannot come"
        if not here.prompt and then.action in here.timers and one.prompt:
            return "time cannot pass"
        stands = move.action in two.prompt or move.action in self._waiting(two.state)
        if self._place(one, then) == (self._place(two, move) if stands else two.place):
            return ""
        ends = self._after(one, then).state, (self._after(two, move) if stands else two).state
        cells = {str(self.space.slots[slot]) for slot, _ in ends[0].items() ^ ends[1].items()}
        return "" if self._are_alike(*ends) else f"two ends, which differ in {sorted(cells)}"

    def _are_alike(self, one: State, two: State) -> bool:
        """Say whether two states differ in the name of one process alone, or of one goroutine."""
        gone, new = ([self.space.slots[slot] for slot in a.keys() - b.keys()] for a, b in ((one, two), (two, one)))
        for table in ("procs", "frames"):
            old, other = ([repr(key) for name, key in cells if name == table] for cells in (gone, new))
            if len(old) == len(other) == 1:
                return self._text(one, {old[0]: "a", other[0]: "b"}) == self._text(two, {other[0]: "a", old[0]: "b"})
        return False

    def _text(self, state: State, names: dict[str, str]) -> list[str]:
        """Return what stands in a state, with other names."""
        rename = partial(re.compile("|".join(map(re.escape, names))).sub, lambda found: names[found[0]])
        cells = [(*self.space.slots[slot], self.space.values[value]) for slot, value in state.items()]
        sets = ((table, key, content if table in SETS else (content,)) for table, key, content in cells)
        told = ((table, repr(key), sorted(rename(_spelt(item)) for item in items)) for table, key, items in sets)
        return sorted(f"{table} {rename(key)} {items}" for table, key, items in told)

    def way(self, digest: int) -> list[str]:
        """Name the moves that lead to a state."""
        moves: list[str] = []
        while digest != self.root.place[0]:
            digest, name = self.before[digest]
            moves.insert(0, name)
        return moves


def _spelt(item: object) -> str:
    """Return what stands in a cell, a goroutine's variables by name: the order in which they were set is no state."""
    return repr(replace(item, local=dict(sorted(item.local.items()))) if isinstance(item, Frame) else item)

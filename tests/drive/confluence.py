"""Confluence, tried: graphs without reduction, in each of whose states pairs of steps are taken in both orders.

A step *a* that a goroutine may take at once is held against whatever else may happen there, *b*: other goroutines,
signals, people and faults. The two go together if

* *b* may still happen after *a*, and a·b leads to where b·a leads; or
* *b* destroys *a*: it can no longer be taken after *b*, and a·b leads to where *b* alone leads.

States that differ only in the name of a process or of a goroutine are the same. What a process that stands still would
do next is held against all that happens meanwhile, timers too, as if it were done behind the stall: a search that takes
it before has it done, and must be able to let as much time pass. Any timer may ring, however long the others have to
run: there are more states than can be. Source: Groote and van de Pol, 2000; sim/drive/explore/confluent.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sim.drive.explore.begin import Lockstep, unpinned
from sim.drive.explore.confluent import ONLY_WHERE
from sim.drive.explore.learn import Learner, Move
from sim.drive.explore.paths import begin
from sim.drive.explore.space import KIN, NAMED, Space, State, ordered
from sim.drive.explore.tape import Tape, TapedWorld
from sim.drive.explore.walker import Acts, Walker
from sim.engine.setup import Setup
from sim.model import Action, Deliver, Go, Late, blank

SELDOM = 0.03  # of the steps of a random walk are people's or faults


class Verdict:
    """What was looked at: states, each op how often; pairs that failed, with an example; ops that go round."""

    def __init__(self) -> None:
        self.states, self.complete = 0, True
        self.looked: Counter[str] = Counter()
        self.failed: Counter[tuple[str, str]] = Counter()
        self.examples: dict[tuple[str, str], str] = {}
        self.round: list[int] = []


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
    """One graph. *ops* are looked at, None is all; those in *where* only if the condition there holds."""

    def __init__(
        self, setup: Setup, start: str, ops: frozenset[str] | None = None, where: Mapping[str, Any] = ONLY_WHERE
    ) -> None:
        setup, self.ops, self.where, self.space = unpinned(setup), ops, where, Space()
        self.learner = Learner(self.space, blank(setup), timed=True)
        lockstep = Lockstep(self.learner, setup)
        for action in begin(setup, start)[1].actions:
            lockstep.take(action)
        self.walker = Walker(self.learner, untimed=True)
        self.box = self.walker.boxes.number(((0, 0, 0),))  # the same in each state: what ran before does not matter
        state, acts = lockstep.state, self.walker.acts(lockstep.state)
        self.root = At(state, (self.space.digest(state), self.box), acts)
        self.before: dict[int, tuple[int, str]] = {self.root.place[0]: (0, "")}
        self.verdict = Verdict()

    def run(self, limit: int = 10**9) -> Verdict:
        """Look at every state, breadth first; stop beyond *limit*. No run of ops that are looked at may go round."""
        layer, firsts = [self.root], dict[int, list[int]]()
        while layer and len(self.before) < limit:
            layer = [new for here in layer for new in self._expand(here, firsts)]
        self.verdict.states, self.verdict.complete = len(self.before), not layer
        try:
            TopologicalSorter(firsts).prepare()
        except CycleError as found:
            self.verdict.round = found.args[1]
        return self.verdict

    def _expand(self, here: At, firsts: dict[int, list[int]]) -> list[At]:
        first, new = self._look(here), []
        for action, move in here.choices.items():
            digest = self._place(here, move)[0]
            if action in first and action in here.prompt and self.ops is not None:
                firsts.setdefault(here.place[0], []).append(digest)
            if digest not in self.before:
                new.append(self._go(here, move))
        return new

    def walk(self, walks: int, steps: int, seed: int) -> Verdict:
        """Look at the states of random walks, which come further than a search."""
        draw = Random(seed)
        for _ in range(walks):
            here = self.root
            for _ in range(steps):
                self._look(here)
                self.verdict.states += 1
                often, seldom = list((here.prompt or here.timers).values()), list(here.anytime.values())
                if not often and not seldom:
                    break
                here = self._go(here, draw.choice(seldom if seldom and (not often or draw.random() < SELDOM) else often))
        return self.verdict

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
        if (self.ops is not None and op not in self.ops) or op not in self.where:
            return self.ops is None or op in self.ops
        world = TapedWorld(self.learner.like, Tape(self.space, state))
        return bool(self.where[op](world, world.frames[action.fid]))

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

    # -- pairs ----------------------------------------------------------------------------------------

    def _look(self, here: At) -> set[Action]:
        """Hold each op that is looked at against whatever else may happen; return which those are."""
        found: set[Action] = set()
        for action, move in (here.prompt | self._waiting(here.state)).items():
            op = self.label(move, here.state)
            if isinstance(action, Go) and self._is_looked_at(action, op, here.state):
                found.add(action)
                self.verdict.looked[op] += 1
                if Late(action.fid) in here.timers:
                    self._note(op, f"{op}!", "it has a time limit", here)
                for then in here.choices.values():
                    if then is not move and (why := self._clash(here, move, then)):
                        self._note(op, self.label(then, here.state), why, here)
        return found

    def _note(self, op: str, other: str, why: str, here: At) -> None:
        self.verdict.failed[op, other] += 1
        if (op, other) not in self.verdict.examples:
            self.verdict.examples[op, other] = f"{why}, after {self.way(here.place[0])}"

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
        cells = sorted(str(self.space.slots[slot]) for slot, _ in ends[0].items() ^ ends[1].items())
        return "" if self._are_alike(*ends) else f"two ends, which differ in {cells}"

    def _are_alike(self, one: State, two: State) -> bool:
        """Say whether two states differ in the name of one process alone, or of one goroutine."""
        slots = self.space.slots
        gone, new = ([slots[slot] for slot in a.keys() - b.keys()] for a, b in ((one, two), (two, one)))
        for table in ("procs", "frames"):
            old, other = ([key for name, key in cells if name == table] for cells in (gone, new))
            if len(old) == len(other) == 1:
                names = {old[0]: other[0], other[0]: old[0]}
                return {self._renamed(cell, names) for cell in one.items()} == set(two.items())
        return False

    def _renamed(self, cell: tuple[int, int], names: dict[Any, Any]) -> tuple[int, int]:
        table, key = self.space.slots[cell[0]]
        content = ordered(table, renamed(self.space.values[cell[1]], names))
        return self.space.slot(table, renamed(key, names)), self.space.value(table, content)

    def way(self, digest: int) -> str:
        """Name the moves that lead to a state."""
        moves: list[str] = []
        while digest in self.before:
            digest, name = self.before[digest]
            moves.insert(0, name)
        return ", ".join(moves[1:])


def renamed(value: Any, names: dict[Any, Any]) -> Any:
    """Return a value with other names for processes and goroutines; threads are named after their process."""
    if isinstance(value, Struct):
        return replace(value, **{field: renamed(getattr(value, field), names) for field in value.__struct_fields__})
    if isinstance(value, dict):
        return {key: renamed(item, names) for key, item in value.items()}
    if isinstance(value, (tuple, frozenset)):
        return names.get(value) or type(value)(renamed(item, names) for item in value)
    thread = value % KIN if type(value) is int and value >= NAMED else 0
    return value if type(value) is not int else names.get(value - thread, value - thread) + thread

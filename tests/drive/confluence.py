"""Confluence, tried: graphs without reduction, in each of whose states pairs of steps are taken in both orders.

A step *a* that a goroutine may take at once is held against whatever else may happen there, *b*: other goroutines,
signals, people and faults. The two go together if

* *b* may still happen after *a*, and a·b leads to where b·a leads; or
* *b* destroys *a*: it can no longer be taken after *b*, and a·b leads to where *b* alone leads.

States that differ only in the names of processes and goroutines are the same. What a process that stands still would do
next is held against all that happens meanwhile, timers too, as if it were done behind the stall: a search that takes it
before has it done, and must be able to let as much time pass. Any timer may ring, however long the others have to run:
so there are more states than can be. Source: Groote and van de Pol, 2000; sim/drive/explore/confluent.py.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from sim.drive.explore.begin import Lockstep, unpinned
from sim.drive.explore.learn import Learner, Move
from sim.drive.explore.paths import begin
from sim.drive.explore.space import KIN, NAMED, Space, State, ordered
from sim.drive.explore.walker import Acts, Walker
from sim.engine.setup import Setup
from sim.model import Action, Deliver, Go, Late, blank

Moves = dict[Action, tuple[int, Move]]  # with the subject
SELDOM = 0.03


class Verdict:
    """How many states there were, how often each op was looked at, the pairs that failed with an example, and a run of
    ops that goes round, if there is one."""

    def __init__(self) -> None:
        self.states, self.complete = 0, True
        self.looked: Counter[str] = Counter()
        self.failed: Counter[tuple[str, str]] = Counter()
        self.examples: dict[tuple[str, str], str] = {}
        self.round: list[int] = []

    def add(self, other: Verdict) -> None:
        """Take in what another graph showed."""
        self.states, self.complete = self.states + other.states, self.complete and other.complete
        self.looked, self.failed = self.looked + other.looked, self.failed + other.failed
        self.examples, self.round = other.examples | self.examples, self.round or other.round


class At:
    """A state with what may happen in it. *place* is its digest, and the box of the timers that two steps began."""

    def __init__(self, state: State, place: tuple[int, int], acts: Acts) -> None:
        self.state, self.place, self.acts = state, place, acts

    @cached_property
    def prompt(self) -> Moves:
        return {move.action: (subject, move) for subject, status in self.acts.items() for move in status.at_once}

    @cached_property
    def timers(self) -> Moves:
        return {t.move.action: (subject, t.move) for subject, status in self.acts.items() for t in status.timers}

    @cached_property
    def anytime(self) -> Moves:
        return {move.action: (subject, move) for subject, status in self.acts.items() for move in status.anytime}


class Checker:
    """One graph; *ops* are those that are looked at, None is all."""

    def __init__(self, setup: Setup, start: str, ops: frozenset[str] | None = None) -> None:
        setup, self.ops, self.space = unpinned(setup), ops, Space()
        self.learner = Learner(self.space, blank(setup), timed=True)
        lockstep = Lockstep(self.learner, setup)
        for action in begin(setup, start)[1].actions:
            lockstep.take(action)
        self.walker = Walker(self.learner, untimed=True)
        self.box = self.walker.boxes.number(((0, 0, 0),))  # the same in each state: what ran before does not matter
        root = lockstep.state
        self.layer = [At(root, (self.space.digest(root), self.box), self.walker.acts(root))]
        self.before: dict[int, tuple[int, str]] = {self.layer[0].place[0]: (0, "")}
        self.verdict = Verdict()
        self.firsts: dict[int, list[int]] = {}
        self._awake: dict[int, int] = {}

    def run(self, limit: int = 10**9) -> Verdict:
        """Look at every state, breadth first; stop beyond *limit*."""
        while self.layer and len(self.before) < limit:
            self.layer = [new for here in self.layer for new in self._expand(here)]
        self.verdict.states, self.verdict.complete = len(self.before), not self.layer
        try:
            TopologicalSorter(self.firsts).prepare()
        except CycleError as found:
            self.verdict.round = found.args[1]
        return self.verdict

    def walk(self, walks: int, steps: int, seed: int) -> Verdict:
        """Look at the states of random walks; people and faults come seldom."""
        first, draw = self.layer[0], Random(seed)
        for _ in range(walks):
            here = first
            for _ in range(steps):
                kids: dict[Action, At] = {}
                self._look(here, kids)
                often = list((here.prompt or here.timers).values())
                seldom = list(here.anytime.values())
                if not often + seldom:
                    break
                self.verdict.states += 1
                _, move = draw.choice(seldom if seldom and (not often or draw.random() < SELDOM) else often)
                kid = self._after(here, move, kids)
                self.before.setdefault(kid.place[0], (here.place[0], self.label(move, here.state)))
                here = At(kid.state, (kid.place[0], self.box), kid.acts)
        return self.verdict

    def label(self, move: Move, state: State) -> str:
        """Name a move: `procedure:op`, with `!` if it is late, `deliver:SIGNAL>program`, `fault:KIND>program`."""
        action: Any = move.action
        if isinstance(action, (Go, Late)):
            frame = self.space.values[state[self.space.slot("frames", action.fid)]]
            op = self.learner.liveness.names[frame.procedure][frame.op]
            return f"{frame.procedure}:{op}{'!' * isinstance(action, Late)}"
        program = self.space.values[state[self.space.slot("procs", action.pid)]].image.program
        return f"deliver:{action.signal}>{program}" if isinstance(action, Deliver) else f"fault:{action.kind}>{program}"

    def choices(self, here: At) -> Moves:
        """Return what may happen; timers wait for what is prompt."""
        return (here.prompt or here.timers) | here.anytime

    def _is_looked_at(self, move: Move, state: State) -> bool:
        return isinstance(move.action, Go) and (self.ops is None or self.label(move, state) in self.ops)

    def _expand(self, here: At) -> list[At]:
        kids: dict[Action, At] = {}
        self._look(here, kids)
        found = []
        for action, (_, move) in self.choices(here).items():
            digest = self._place(here, move)[0]
            if self.ops is not None and action in here.prompt and self._is_looked_at(move, here.state):
                self.firsts.setdefault(here.place[0], []).append(digest)
            if digest not in self.before:
                self.before[digest] = here.place[0], self.label(move, here.state)
                kid = self._after(here, move, kids)
                found.append(At(kid.state, (digest, self.box), kid.acts))
        return found

    def _place(self, here: At, move: Move) -> tuple[int, int]:
        return self.walker.after(here.state, here.place[0], self.learner.leaf(move, here.state), here.place[1])

    def _after(self, here: At, move: Move, kids: dict[Action, At]) -> At:
        kid = kids.get(move.action)
        if kid is None:
            place = self._place(here, move)
            state, _, acts, _ = self.walker.reach(here.state, here.acts, self.learner.leaf(move, here.state), *place)
            kid = kids[move.action] = At(state, place, acts)
        return kid

    def _waiting(self, state: State) -> Moves:
        """Return what processes that stand still would do at once if they went on."""
        slots, stopped = self.space.slots, {s: v for s, value in state.items() if (v := self._awake_of(s, value))}
        if not stopped:
            return {}
        pids = {slots[slot][1] for slot in stopped}
        awake = state | stopped
        subjects = [s for s in state if slots[s][0] == "frames" and slots[s][1][0] in pids]
        return {m.action: (s, m) for s in subjects for m in self.learner.status(s, awake).at_once}

    def _awake_of(self, slot: int, value: int) -> int:
        """Return the value of a process that stands still as it is if it goes on, 0 for any other value."""
        found = self._awake.get(value)
        if found is None:
            process, found = self.space.values[value], 0
            if self.space.slots[slot][0] == "procs" and process.state == "T":
                found = self.space.value("procs", replace(process, state="S"))
            self._awake[value] = found
        return found

    # -- pairs ----------------------------------------------------------------------------------------

    def _look(self, here: At, kids: dict[Action, At]) -> None:
        """Hold each op that is looked at against whatever else may happen."""
        others = self.choices(here)
        for action, (_, move) in (here.prompt | self._waiting(here.state)).items():
            if not isinstance(action, Go) or not self._is_looked_at(move, here.state):
                continue
            op = self.label(move, here.state)
            self.verdict.looked[op] += 1
            if Late(action.fid) in here.timers:
                self._note(op, f"{op}!", "it has a time limit", here)
            for other, (_, then) in others.items():
                if other != action and (why := self._clash(here, move, then, kids)):
                    self._note(op, self.label(then, here.state), why, here)

    def _note(self, op: str, other: str, why: str, here: At) -> None:
        self.verdict.failed[op, other] += 1
        if (op, other) not in self.verdict.examples:
            self.verdict.examples[op, other] = f"{why} after {', '.join(self.way(here.place[0]))}"

    def _clash(self, here: At, move: Move, then: Move, kids: dict[Action, At]) -> str:
        """Say why two moves do not go together; "" if they do."""
        one, two = self._after(here, move, kids), self._after(here, then, kids)
        if not any(then.action in moves for moves in (one.prompt, one.timers, one.anytime)):
            return "the other cannot come"
        if not here.prompt and then.action in here.timers and one.prompt:
            return "time cannot pass"
        stands = move.action in two.prompt or move.action in self._waiting(two.state)
        both, alone = self._place(one, then), self._place(two, move) if stands else two.place
        if both == alone:
            return ""
        ends = self._after(one, then, {}).state, (self._after(two, move, {}) if stands else two).state
        return "" if self._alike(*ends) else f"two ends, which differ in {self._difference(*ends)}"

    def _difference(self, one: State, two: State) -> list[str]:
        return sorted({str(self.space.slots[slot]) for slot, _ in one.items() ^ two.items()})

    def _alike(self, one: State, two: State) -> bool:
        """Say whether two states differ in the name of one process, or of one goroutine, alone."""
        slots = self.space.slots
        gone, new = ([slots[slot] for slot in sorted(a.keys() - b.keys())] for a, b in ((one, two), (two, one)))
        for table in ("procs", "frames"):
            keys = [[key for name, key in cells if name == table] for cells in (gone, new)]
            if any(keys):
                if [len(names) for names in keys] != [1, 1]:
                    return False
                names = {keys[0][0]: keys[1][0], keys[1][0]: keys[0][0]}
                return {self._renamed_cell(cell, names) for cell in one.items()} == set(two.items())
        return False

    def _renamed_cell(self, cell: tuple[int, int], names: dict[Any, Any]) -> tuple[int, int]:
        table, key = self.space.slots[cell[0]]
        content = ordered(table, _renamed(self.space.values[cell[1]], names))
        return self.space.slot(table, _renamed(key, names)), self.space.value(table, content)

    def way(self, digest: int) -> list[str]:
        """Return the names of the moves that lead to a state."""
        moves: list[str] = []
        while digest in self.before:
            digest, name = self.before[digest]
            moves.insert(0, name)
        return moves[1:]


def _renamed(value: Any, names: dict[Any, Any]) -> Any:
    """Return a value with other names for processes and goroutines."""
    if isinstance(value, Struct):
        return replace(value, **{field: _renamed(getattr(value, field), names) for field in value.__struct_fields__})
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    if isinstance(value, frozenset):
        return frozenset(_renamed(item, names) for item in value)
    if isinstance(value, tuple):
        return names.get(value) or tuple(_renamed(item, names) for item in value)
    if type(value) is int and value >= NAMED:  # a process, or a thread of its
        first = value - value % KIN
        return names.get(first, first) + value % KIN
    return value

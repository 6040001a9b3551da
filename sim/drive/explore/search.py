"""Breadth first over all states of a space, one core.

A state is its table, its digest and what each subject may do in it. A step costs what it changes: the leaf says which
cells, the digest follows, and only a state that was not met before is built. What is kept of a met state is its digest
and how it was reached. Source: ARCHITECTURE.md, "Speed is part of the design".
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

from sim.drive.explore.clocks import FOREVER, lowered
from sim.drive.explore.learn import Learner, Leaf, Move, Status
from sim.drive.explore.space import TOKEN_BITS, State

Acts = dict[int, Status]
Item = tuple[State, int, Acts]
MASK = (1 << TOKEN_BITS) - 1


class Found:
    """The states that were met: their digests in order, and for each the one before it and the move that led there."""

    def __init__(self) -> None:
        self.index: dict[int, int] = {}
        self.before, self.moves = array("I"), array("I")

    def __len__(self) -> int:
        return len(self.index)

    def add(self, key: int, before: int, move: int) -> int:
        """Keep a state and return its number."""
        number = self.index[key] = len(self.before)
        self.before.append(before)
        self.moves.append(move)
        return number

    def way(self, number: int) -> list[int]:
        """Return the numbers of the moves that lead to a state."""
        moves = []
        while number:
            moves.append(self.moves[number])
            number = self.before[number]
        return moves[::-1]


class Walker:
    """How states follow each other, with the trees of a learner."""

    def __init__(self, learner: Learner, *, untimed: bool) -> None:
        self.learner, self.space, self.untimed = learner, learner.space, untimed
        self.copies = len(learner.space.swaps) + 1

    def key(self, digest: int) -> int:
        """Return what all states share that differ in the names of exchangeable containers alone."""
        if self.copies == 1:
            return digest
        return min(digest >> TOKEN_BITS * turn & MASK for turn in range(self.copies))

    def root(self, state: State) -> Item:
        """Return the first state with what may happen in it."""
        acts = {s: status for s in self.learner.subjects(state) if (status := self.learner.status(s, state))}
        return state, self.space.digest(state), acts

    def choices(self, item: Item) -> list[tuple[Move, list[tuple[int, int]]]]:
        """Return the moves of a state, each with the intervals that the time before it changes."""
        state, _, acts = item
        moves: list[Move] = []
        anytime: list[Move] = []
        timers = []
        for status in acts.values():
            if status.at_once:
                moves += status.at_once
            if status.timers:
                timers += status.timers
            if status.anytime:
                anytime += status.anytime
        if self.untimed:
            return [(move, []) for move in (*moves, *(timer.move for timer in timers), *anytime)]
        if moves or not timers:
            return [(move, []) for move in moves + anytime]
        return self._rings(state, timers, anytime)

    def _rings(self, state: State, timers: list[Any], anytime: list[Move]) -> list[tuple[Move, list[tuple[int, int]]]]:
        values = self.space.values
        left = [(0, timer.high) if timer.slot is None else values[state[timer.slot]] for timer in timers]
        first = min(high for _, high in left)
        found = []
        for turn, timer in enumerate(timers):
            low = left[turn][0]
            if low <= first:
                found.append((timer.move, self._pass(state, timers, left, turn, low, first)))
        if anytime:
            passed = self._pass(state, timers, left, -1, 0, first)
            found += [(move, passed) for move in anytime]
        return found

    def _pass(self, state: State, timers: list[Any], left: list[Any], rung: int, least: int, most: int) -> Any:
        """Return the cells of all other timers after a time between *least* and *most*."""
        if most == FOREVER:
            return []
        changed = []
        for turn, timer in enumerate(timers):
            if turn != rung and timer.slot is not None:
                value = self.space.value("timers", lowered(left[turn], least, most))
                if value != state[timer.slot]:
                    changed.append((timer.slot, value))
        return changed

    def digest(self, item: Item, leaf: Leaf, passed: list[tuple[int, int]]) -> int:
        """Return the digest of the state to which a leaf leads."""
        state, digest, _ = item
        digest ^= leaf.delta
        token = self.space.token
        for slot, value in passed:
            digest ^= token(slot, state[slot]) ^ token(slot, value)
        if leaf.plain:
            return digest
        now = dict(passed)
        for slot, begun in leaf.timers:
            old = now.get(slot, state.get(slot))
            if old is not None:
                digest ^= token(slot, old)
            if begun is not None:
                digest ^= token(slot, begun)
            now[slot] = begun  # type: ignore[assignment]
        for pid in leaf.erased:
            for slot in self.space.owned.get(pid, ()):
                old = now.get(slot, state.get(slot))
                if old is not None:
                    digest ^= token(slot, old)
        return digest

    def follow(self, item: Item, leaf: Leaf, passed: list[tuple[int, int]], digest: int) -> Item:
        """Return the state to which a leaf leads."""
        state, acts = item[0].copy(), item[2].copy()
        if passed:
            state.update(passed)
        for slot, value in leaf.writes:
            if value is None:
                state.pop(slot, None)
            else:
                state[slot] = value
        if not leaf.plain:
            self._beside(state, acts, leaf)
        learner = self.learner
        for subject in learner.ask_again(leaf):
            status = learner.status(subject, state)
            if status:
                acts[subject] = status
            else:
                acts.pop(subject, None)
        return state, digest, acts

    def _beside(self, state: State, acts: Acts, leaf: Leaf) -> None:
        for slot, value in leaf.timers:
            if value is None:
                state.pop(slot, None)
            else:
                state[slot] = value
        for pid in leaf.erased:
            for slot in self.space.owned.get(pid, ()):
                state.pop(slot, None)
                acts.pop(slot, None)


Progress = Callable[[int, int], None]

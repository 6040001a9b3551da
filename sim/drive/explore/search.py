"""Breadth first over all states of a space, one core.

A state is its table, its digest and what each subject may do in it. A step costs what it changes: the leaf says which
cells, the digest follows, and only a state that was not met before is built. What is kept of a met state is its digest
and how it was reached. Source: ARCHITECTURE.md, "Speed is part of the design".
"""

from __future__ import annotations

from array import array

from sim.drive.explore.clocks import Boxes, next_ring
from sim.drive.explore.learn import Learner, Leaf, Move, Status, Timer
from sim.drive.explore.space import TOKEN_BITS, State

Acts = dict[int, Status]
Item = tuple[State, int, Acts]
Choice = tuple[Move, int]  # with the box after the time that passes before it
MASK = (1 << TOKEN_BITS) - 1


class Found:
    """The states that were met: their digests in order, for each the one before it, the move that led there, its box."""

    def __init__(self) -> None:
        self.index: dict[int, int] = {}
        self.before, self.moves, self.boxes, self.choices = array("I"), array("I"), array("I"), array("H")

    def __len__(self) -> int:
        return len(self.before)

    def add(self, key: int, before: int, move: int, box: int) -> int:
        """Keep a state and return its number."""
        number = self.index[key] = len(self.before)
        self.before.append(before)
        self.moves.append(move)
        self.boxes.append(box)
        self.choices.append(0)
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
        self.boxes = Boxes()
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

    def choices(self, acts: Acts, box: int) -> list[Choice]:
        """Return what may happen next."""
        moves: list[Move] = []
        anytime: list[Move] = []
        timers: list[Timer] = []
        for status in acts.values():
            if status.at_once:
                moves += status.at_once
            if status.timers:
                timers += status.timers
            if status.anytime:
                anytime += status.anytime
        if self.untimed:
            return [(move, box) for move in (*moves, *(timer.move for timer in timers), *anytime)]
        if moves or not timers:
            return [(move, box) for move in moves + anytime]
        return self._rings(box, timers, anytime)

    def _rings(self, box: int, timers: list[Timer], anytime: list[Move]) -> list[Choice]:
        boxes = self.boxes
        kept = {timer: (low, high) for timer, low, high in boxes.boxes[box]}
        left = [(0, timer.high) if timer.slot == 0 else kept[timer.slot] for timer in timers]
        first = next_ring(left)
        running = frozenset(timer.slot for timer in timers)
        found = [
            (timer.move, boxes.passed(box, running, timer.slot, low, first))
            for timer, (low, _) in zip(timers, left, strict=True)
            if low <= first
        ]
        if anytime:
            later = boxes.passed(box, running, 0, 0, first)
            found += [(move, later) for move in anytime]
        return found

    def after(self, state: State, digest: int, leaf: Leaf, box: int) -> tuple[int, int]:
        """Return digest and box of the state to which a leaf leads."""
        digest ^= leaf.delta
        if leaf.erased:
            space, gone = self.space, set()
            for pid in leaf.erased:
                for slot in space.owned.get(pid, ()):
                    value = state.get(slot)
                    if value is not None:
                        digest ^= space.token(slot, value)
                    gone.add(slot)
            return digest, self.boxes.changed(box, leaf.timers, frozenset(gone)) if box else 0
        if leaf.timers:
            box = self.boxes.changed(box, leaf.timers, frozenset())
        return digest, box

    def follow(self, state: State, acts: Acts, leaf: Leaf) -> tuple[State, Acts]:
        """Return the state to which a leaf leads, and what may happen there."""
        state, acts = state.copy(), acts.copy()
        for slot, value in leaf.writes:
            if value is None:
                state.pop(slot, None)
            else:
                state[slot] = value
        for pid in leaf.erased:
            for slot in self.space.owned.get(pid, ()):
                state.pop(slot, None)
                acts.pop(slot, None)
        learner = self.learner
        for subject in learner.ask_again(leaf):
            status = learner.status(subject, state)
            if status:
                acts[subject] = status
            else:
                acts.pop(subject, None)
        return state, acts

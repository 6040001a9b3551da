"""How states follow each other: what may happen in one, and where it leads.

A state is its table, its digest and what each subject may do in it. A step costs what it changes: the leaf says which
cells, the digest follows, and only the subjects that read those cells are asked again. Ops that are confluent are taken
at once, so that a state that others see has none. Source: ARCHITECTURE.md, "Decisions, with reasons".
"""

from __future__ import annotations

from collections.abc import Callable

from sim.drive.explore.clocks import Boxes, next_ring
from sim.drive.explore.learn import NOTHING, Leaf, Learner, Move, Readiness, Timer
from sim.drive.explore.space import TOKEN_BITS, State

Acts = dict[int, Readiness]
Here = tuple[State, int, Acts, int]  # with the box
Choice = tuple[Move, int]  # with the box after the time that passes before it
MASK = (1 << TOKEN_BITS) - 1
AHEAD = 10_000  # confluent ops in a row


class Walker:
    """How states follow each other, with the trees of a learner. *ahead* counts the confluent ops that were taken.

    With *exact* states that differ in their boxes alone are kept apart.
    """

    def __init__(self, learner: Learner, *, untimed: bool, exact: bool = False) -> None:
        self.learner, self.space, self.untimed, self.exact = learner, learner.space, untimed, exact
        self.boxes = Boxes(learner.tickers)
        space_swaps = learner.space.swaps
        self.copies = len(space_swaps) + 1
        self._back = [0, *(space_swaps.index(swap.inverse) + 1 for swap in space_swaps)]
        self._boxes: dict[tuple[int, int], int] = {}
        self.ahead = 0
        self.taken: Callable[[Move], None] | None = None  # is told of confluent ops

    def place(self, digest: int, box: int) -> tuple[int, int]:
        """Return what all states share that differ in the names of exchangeable containers alone, and their box."""
        turn = 0 if self.copies == 1 else self._turn(digest)
        box = self._swapped(box, turn)
        key = digest >> TOKEN_BITS * turn & MASK
        return key ^ self.boxes.bits(box) if self.exact else key, box

    def own_box(self, digest: int, box: int) -> int:
        """Return the box of a state, given that of all states which differ from it in names alone."""
        return box if self.copies == 1 else self._swapped(box, self._back[self._turn(digest)])

    def _turn(self, digest: int) -> int:
        return min(range(self.copies), key=lambda turn: digest >> TOKEN_BITS * turn & MASK)

    def _swapped(self, box: int, turn: int) -> int:
        if not turn or not box:
            return box
        found = self._boxes.get((box, turn))
        if found is None:
            space, swap = self.space, self.space.swaps[turn - 1]
            named = [
                (space.slot(space.slots[timer][0], swap(space, space.slots[timer][1])), low, high)
                for timer, low, high in self.boxes.boxes[box]
            ]
            found = self._boxes[box, turn] = self.boxes.number(tuple(sorted(named)))
        return found

    def root(self, state: State, box: int) -> Here:
        """Return the first state, with what may happen in it, after the confluent ops that begin there."""
        acts = self.acts(state)
        return self._settle(state.copy(), self.space.digest(state), acts, box, list(acts))

    def acts(self, state: State) -> Acts:
        """Return what may happen in a state."""
        return {s: status for s in self.learner.subjects(state) if (status := self.learner.status(s, state))}

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
        left = [kept[timer.slot] for timer in timers]
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
            return digest, self.boxes.changed(box, leaf.timers, frozenset(gone)) if box or leaf.timers else 0
        if leaf.timers:
            box = self.boxes.changed(box, leaf.timers, frozenset())
        return digest, box

    def reach(self, state: State, acts: Acts, leaf: Leaf, digest: int, box: int) -> Here:
        """Return the state to which a leaf leads, whose digest and box are known, and on over confluent ops."""
        state, acts = state.copy(), acts.copy()
        return self._settle(state, digest, acts, box, list(self._apply(state, acts, leaf)))

    def _settle(self, state: State, digest: int, acts: Acts, box: int, changed: list[int]) -> Here:
        for _ in range(AHEAD):
            move = self._first(acts, changed)
            if move is None:
                return state, digest, acts, box
            self.ahead += 1
            if self.taken is not None:
                self.taken(move)
            leaf = self.learner.leaf(move, state)
            digest, box = self.after(state, digest, leaf, box)
            changed += self._apply(state, acts, leaf)
        raise AssertionError(f"more than {AHEAD} confluent ops in a row: they go round")

    def _first(self, acts: Acts, changed: list[int]) -> Move | None:
        """Return a confluent move of the subjects that were asked again, and forget those that have none."""
        while changed:
            status = acts.get(changed[-1])
            if status is not None and status.first is not None:
                return status.first
            changed.pop()
        return None

    def _apply(self, state: State, acts: Acts, leaf: Leaf) -> tuple[int, ...]:
        """Change a state to what a leaf makes of it; return the subjects that were asked again."""
        owned = self.space.owned
        leaf.write(state, owned)
        for pid in leaf.erased:
            for slot in owned.get(pid, ()):
                acts.pop(slot, None)
        learner = self.learner
        asked = learner.ask_again(leaf)
        for subject in asked:
            status = learner.status(subject, state)
            if status is not NOTHING:
                acts[subject] = status
            elif subject in acts:
                del acts[subject]
        return asked

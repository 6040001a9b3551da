"""Breadth first over all states, a layer at a time; one part of them, or all.

What is kept of a state that was met is its digest, the state before it with the move that led there, and the box of its
timers. A layer is expanded whole before the next begins, so what is found does not depend on how the states are parted
among processes: a state belongs to the part that the zone in its digest says, and all parts end a layer together. The
zone changes with the memory of programs alone, so that most states lie in the part of the one before.
"""

from __future__ import annotations

from array import array
from typing import Any

from sim.drive.explore.clocks import Box
from sim.drive.explore.learn import Move
from sim.drive.explore.space import KEY_BITS, State
from sim.drive.explore.walker import Acts, Here, Walker

Arrival = tuple[int, int, Box, int, int, State]  # key, digest, box, before, move, state
Edge = tuple[int, int]


class VisitedStates:
    """The states of a part that were met: digest, the one before (its number among all parts), move, box, choices."""

    def __init__(self) -> None:
        self.index: dict[int, int] = {}
        self.before, self.moves, self.boxes, self.choices = array("Q"), array("I"), array("I"), array("H")

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


class Part:
    """One part of a search. *shown* says for each property where it first did not hold.

    Of those in *liveness* (by the cell of the property) it says at which end; *edges* join states in which it does not.
    """

    def __init__(self, walker: Walker, part: int = 0, parts: int = 1, liveness: tuple[int, ...] = ()) -> None:
        self.walker, self.part, self.parts, self.liveness = walker, part, parts, liveness
        self.found = VisitedStates()
        self.layer: dict[int, tuple[State, int, Acts]] = {}
        self.boxes: dict[int, int] = {}  # of the layer, as it began
        self.coming: dict[int, tuple[State, int, Acts]] = {}
        self.away: dict[int, list[Arrival]] = {}
        self.fresh = 0
        self.work = 0
        self.ends: dict[int, None] = {}
        self.shown: dict[int, int] = {}
        self.edges: dict[int, list[Edge]] = {slot: [] for slot in liveness}
        self._raw: dict[tuple[int, int], tuple[int, int]] = {}
        self._raw_before: dict[tuple[int, int], tuple[int, int]] = {}
        self._sent: dict[int, Any] = {}
        self._checks = tuple(slot for slot in walker.learner.check_slots if slot not in liveness)

    def begin(self, here: Here) -> None:
        """Take the first state, if it belongs to this part."""
        state, digest, acts, box = here
        key, box = self.walker.place(digest, box)
        if (key >> KEY_BITS) % self.parts == self.part:
            self.coming[self._add(key, self.part, 0, box, acts)] = state, digest, acts

    def turn(self) -> int:
        """Go on with the next layer; return how many states it has."""
        self.layer, self.coming, self.away = self.coming, {}, {}
        self._raw_before, self._raw = self._raw, {}
        self.fresh = len(self.found)
        self.boxes = {number: self.found.boxes[number] for number in self.layer}
        return len(self.layer)

    def expand(self, number: int) -> None:
        """Take every choice of a state of the layer."""
        state, digest, acts = self.layer[number]
        found, walker = self.found, self.walker
        choices = walker.choices(acts, walker.own_box(digest, self.boxes[number]))
        if all(move.costs for move, _ in choices):
            self._end(number, acts)
        found.choices[number] = len(choices)
        self.work += len(choices)
        leaf_of, after, place = walker.learner.leaf, walker.after, walker.place
        for move, passed in choices:
            leaf = leaf_of(move, state)
            there, box = raw = after(state, digest, leaf, passed)
            key, shared = place(there, box)
            if key not in found.index:
                known = self._raw.get(raw) or self._raw_before.get(raw)
                if known is None:
                    reached = walker.reach(state, acts, leaf, there, box)
                    self._raw[raw] = reached[1], reached[3]
                    self._meet(number, move, *place(reached[1], reached[3]), reached)
                    continue
                key, shared = place(*known)
            if self._is_news(number, key, shared, acts):
                self._meet(number, move, key, shared, walker.reach(state, acts, leaf, there, box))

    def _end(self, number: int, acts: Acts) -> None:
        self.ends[number] = None
        for slot in self.liveness:
            if slot in acts:
                self.shown.setdefault(slot, number)

    # -- meeting a state ------------------------------------------------------------------------------

    def _add(self, key: int, before: int, move: int, box: int, acts: Acts) -> int:
        number = self.found.add(key, before, move, box)
        for slot in self._checks:
            if slot in acts and slot not in self.shown:
                self.shown[slot] = number
        return number

    def _is_news(self, number: int, key: int, box: int, acts: Acts) -> bool:
        """Say whether a state that was met before has to be built again."""
        known = self.found.index.get(key)
        if known is None:
            return self._sent.get(key) != box
        if known not in self.coming and self._grown(known, box) != self.found.boxes[known]:
            return True
        self._grow(known, box)
        self._edge(number, known, acts)
        return False

    def _meet(self, number: int, move: Move, key: int, box: int, reached: Here) -> None:
        """Keep a state that was built, with the box that it shares with its like; or send it to its part."""
        state, digest, acts, _ = reached
        before = number * self.parts + self.part
        if self.parts > 1 and (key >> KEY_BITS) % self.parts != self.part:
            self._send((key, digest, self.walker.boxes.boxes[box], before, move.number, state), box)
            return
        known = self.found.index.get(key)
        if known is None:
            known = self._add(key, before, move.number, box, acts)
            self.coming[known] = state, digest, acts
        elif self._grow(known, box):
            self.coming[known] = state, digest, acts
        self._edge(number, known, self.layer[number][2])

    def _grow(self, known: int, box: int) -> bool:
        """Let the box of a state grow; say whether the state must be built to be explored again."""
        before, grown = self.found.boxes[known], self._grown(known, box)
        self.found.boxes[known] = grown
        return grown != before and known not in self.coming

    def _grown(self, known: int, box: int) -> int:
        boxes, before = self.walker.boxes, self.found.boxes[known]
        if box == before:
            return box
        return boxes.hull(before, box) if known >= self.fresh else boxes.joined(before, box)

    def _edge(self, number: int, known: int, acts: Acts) -> None:
        for slot in self.liveness:
            if slot in acts:
                self.edges[slot].append((number, known))

    # -- states of other parts ------------------------------------------------------------------------

    def _send(self, arrival: Arrival, box: int) -> None:
        key = arrival[0]
        if self._sent.get(key) != box:
            self._sent[key] = box
            self.away.setdefault((key >> KEY_BITS) % self.parts, []).append(arrival)

    def receive(self, arrivals: list[Arrival]) -> None:
        """Meet states that other parts found."""
        walker, found = self.walker, self.found
        for key, digest, box, before, move, state in arrivals:
            shared = walker.boxes.number(box)
            known = found.index.get(key)
            if known is None:
                acts = walker.acts(state)
                self.coming[self._add(key, before, move, shared, acts)] = state, digest, acts
            elif self._grow(known, shared):
                self.coming[known] = state, digest, walker.acts(state)

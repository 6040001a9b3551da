"""The way to a violation that is easiest to read: fewest faults, then fewest changes of program, then fewest steps.

The way of the breadth-first search is short in steps alone. First it is tidied: what it can do without is left out,
and what belongs to one program is drawn together. Then a search by cost over states and who acted last, without taking
confluent ops first, looks for a better one; where it ends within its limit, there is none. Along a way the timers'
boxes are exact: what is told can happen.

The nearest passing sibling is found from the end backwards: the last state from which, without more faults, a run can
still come to an end in which the property holds. Source: Dijkstra, 1959; ARCHITECTURE.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from heapq import heappop, heappush

import msgspec

from sim.drive.explore.exploration import Base, Exploration
from sim.drive.explore.learn import Move
from sim.drive.explore.walker import Choice, Here, Walker
from sim.kernel.records import Pid
from sim.model import Action, Deliver, Go, Late

NOBODY: Pid = -1
SIBLING_DEPTH, SIBLING_STEPS = 80, 4_000
Cost = tuple[int, int, int]  # faults, changes of program, steps


class Way(msgspec.Struct, frozen=True):
    """Plain actions from the first world to the violation; *least* says that no way has fewer faults, changes, steps.

    *allowed* says that the timers' lengths allow it: a state holds the boxes of all ways to it, which is more.
    *sibling* is the place of the last action that could have been another one, and that one: then it goes well.
    """

    actions: tuple[Action, ...]
    least: bool
    cost: Cost
    sibling: tuple[int, Action] | None = None
    allowed: bool = True


class SearchNode:
    """A state on a way."""

    __slots__ = ("before", "cost", "here", "last", "move")

    def __init__(self, here: Here, cost: Cost, last: Pid, before: SearchNode | None, move: Move | None) -> None:
        self.here, self.cost, self.last, self.before, self.move = here, cost, last, before, move

    def way(self) -> list[SearchNode]:
        """Return the nodes from the first on."""
        nodes, node = [], self
        while node is not None:
            nodes.append(node)
            node = node.before  # type: ignore[assignment]
        return nodes[::-1]


def shortest(found: Exploration, name: str, *, states: int = 20_000) -> Way:
    """Return the way to the violation of a property that *found* shows; *states* is the limit of the search."""
    plain = found.path_to(found.shown[name]).actions
    with _every_order(found.base):
        search = _Search(found.base, name)
        nodes, allowed = search.along(plain)
        nodes = search.tidied(nodes) if allowed else nodes
        better, least = search.run(states, nodes[-1].cost)
        if better is not None:
            nodes, allowed = better.way(), True
        return msgspec.structs.replace(search.told(nodes, least=least), allowed=allowed)


def is_allowed(found: Exploration, name: str) -> bool:
    """Say whether the timers' lengths allow the way on which *found* came to what it shows of a property."""
    plain = found.path_to(found.shown[name]).actions
    with _every_order(found.base):
        return _Search(found.base, name).along(plain)[1]


@contextmanager
def _every_order(base: Base) -> Iterator[None]:
    """Take no op first for a while."""
    first = base.learner.first
    base.learner.take_first(frozenset())
    try:
        yield
    finally:
        base.learner.take_first(first)


def actor_of(action: Action) -> Pid:
    """Return the process that acts, NOBODY for the environment."""
    if isinstance(action, (Go, Late)):
        return action.fid[0]
    return action.pid if isinstance(action, Deliver) else NOBODY


class _Search:
    """What is looked for: a state in which the check of a property fails, or an end in which it does."""

    def __init__(self, base: Base, name: str) -> None:
        self.base, self.at_end = base, base.asked[name].kind == "eventually"
        self.slot = next(slot for slot, known in base.learner.check_slots.items() if known == name)
        self.walker: Walker = base.walker

    def choices(self, here: Here) -> list[Choice]:
        return sorted(self.walker.choices(here[2], here[3]), key=lambda choice: str(choice[0].action))

    def broken(self, here: Here) -> bool:
        if self.slot not in here[2]:
            return False
        return not self.at_end or all(move.costs for move, _ in self.walker.choices(here[2], here[3]))

    def after(self, here: Here, choice: Choice) -> Here:
        state, digest, acts, _ = here
        move, passed = choice
        leaf = self.base.learner.leaf(move, state)
        return self.walker.reach(state, acts, leaf, *self.walker.after(state, digest, leaf, passed))

    def root(self) -> SearchNode:
        return SearchNode(self.base.root(), (0, 0, 0), NOBODY, None, None)

    def run(self, states: int, bound: Cost) -> tuple[SearchNode | None, bool]:
        """Return the cheapest violation below *bound*, if there is one, and whether that is sure."""
        root = self.root()
        heap: list[tuple[Cost, int, SearchNode, Choice | None]] = [(root.cost, 0, root, None)]
        met: set[tuple[int, Pid]] = set()
        count = 0
        while heap:
            cost, _, node, choice = heappop(heap)
            if choice is not None:
                who = actor_of(choice[0].action)
                if (self.key(node.here, choice), who) in met:
                    continue
                node = SearchNode(self.after(node.here, choice), cost, who, node, choice[0])
            key = self.walker.place(node.here[1], 0)[0], node.last
            if key in met:
                continue
            if len(met) == states:
                return None, False
            met.add(key)
            if self.broken(node.here):
                return node, True
            for following in self.choices(node.here):
                there = self.cost(node, following[0])
                if there < bound:
                    count += 1
                    heappush(heap, (there, count, node, following))
        return None, True

    def cost(self, node: SearchNode, move: Move) -> Cost:
        faults, changes, steps = node.cost
        return faults + move.costs, changes + (actor_of(move.action) != node.last), steps + 1

    def key(self, here: Here, choice: Choice) -> int:
        """Return the key of the state after a choice, without building it."""
        leaf = self.base.learner.leaf(choice[0], here[0])
        return self.walker.place(self.walker.after(here[0], here[1], leaf, 0)[0], 0)[0]

    def step(self, node: SearchNode, action: Action, *, stretched: bool = False) -> SearchNode | None:
        """Return the node after an action, None where it cannot be taken; *stretched*: whatever its timer's length."""
        move = self.base.learner.move(action)
        choice = next((choice for choice in self.walker.choices(*node.here[2:]) if choice[0] is move), None)
        if choice is None and stretched:
            choice = move, node.here[3]
        if choice is None:
            return None
        return SearchNode(self.after(node.here, choice), self.cost(node, move), actor_of(action), node, move)

    # -- a way that is known --------------------------------------------------------------------------

    def along(self, plain: tuple[Action, ...]) -> tuple[list[SearchNode], bool]:
        """Return the nodes of a way that is known, and whether the timers' lengths allow it."""
        lock = self.base.lockstep()
        node, allowed = self.root(), True
        for action in plain[len(self.base.prologue) :]:
            named = lock.named(action)
            lock.take(action)
            after = self.step(node, named)
            allowed = allowed and after is not None
            after = after or self.step(node, named, stretched=True)
            assert after is not None
            node = after
        return node.way(), allowed

    def tidied(self, nodes: list[SearchNode]) -> list[SearchNode]:
        """Return a way with fewer actions and fewer changes of program that leads to a violation as well."""
        actions = [node.move.action for node in nodes if node.move is not None]
        for place in range(len(actions) - 1, -1, -1):
            shorter = self.taken(actions[:place] + actions[place + 1 :])
            if shorter is not None:
                nodes, actions = shorter, actions[:place] + actions[place + 1 :]
        drawn = self.drawn_together(actions)
        return drawn if drawn is not None and drawn[-1].cost < nodes[-1].cost else nodes

    def taken(self, actions: list[Action]) -> list[SearchNode] | None:
        """Return the nodes of these actions, None where one cannot be taken or nothing is violated."""
        node: SearchNode | None = self.root()
        for action in actions:
            node = None if node is None else self.step(node, action)
            if node is None:
                return None
        assert node is not None
        return node.way() if self.broken(node.here) else None

    def drawn_together(self, actions: list[Action]) -> list[SearchNode] | None:
        """Let each program go on as long as it can, with the same actions in its own order."""
        node, left = self.root(), list(actions)
        while left:
            others = [number for number, action in enumerate(left) if actor_of(action) == node.last][:1]
            firsts = {actor_of(action): number for number, action in reversed(list(enumerate(left)))}
            for number in (*others, *sorted(firsts.values())):
                after = self.step(node, left[number])
                if after is not None:
                    node = after
                    del left[number]
                    break
            else:
                return None
        return node.way() if self.broken(node.here) else None

    def told(self, nodes: list[SearchNode], *, least: bool) -> Way:
        """Return a way with plain numbers, and its nearest passing sibling."""
        sibling = self.sibling(nodes)
        lock = self.base.lockstep()
        actions = list(self.base.prologue.actions)
        other: tuple[int, Action] | None = None
        for place, node in enumerate(nodes[1:]):
            if sibling is not None and place == sibling[0]:
                other = len(actions), lock.plain(sibling[1].action)
            assert node.move is not None
            actions.append(lock.plain(node.move.action))
            lock.take(actions[-1])
        return Way(tuple(actions), least, nodes[-1].cost, other)

    # -- the sibling ----------------------------------------------------------------------------------

    def sibling(self, nodes: list[SearchNode]) -> tuple[int, Move] | None:
        """Return the last place of a way at which another action leads to a good end, and that action."""
        for place in range(len(nodes) - 2, max(-1, len(nodes) - 2 - SIBLING_DEPTH), -1):
            taken = nodes[place + 1].move
            for choice in self.choices(nodes[place].here):
                other = choice[0] is not taken and not choice[0].costs
                if other and self.ends_well(self.after(nodes[place].here, choice)):
                    return place, choice[0]
        return None

    def ends_well(self, here: Here) -> bool:
        """Say whether a run without more faults comes to an end and the property holds as it should."""
        todo, met = [here], set[int]()
        while todo and len(met) < SIBLING_STEPS:
            here = todo.pop()
            if here[1] in met or (self.slot in here[2] and not self.at_end):
                continue
            met.add(here[1])
            choices = [choice for choice in self.choices(here) if not choice[0].costs]
            if not choices:
                if self.slot not in here[2]:
                    return True
                continue
            todo += [self.after(here, choice) for choice in reversed(choices)]
        return False

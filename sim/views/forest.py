"""Process trees for a picture: what stands in each box, and what became of a process between two trees.

Two trees of one run are compared by pid, those of two runs by role and container, since numbers differ there. Leaves
out where boxes stand and how they look. Source: `sim.views.tree` (networkx graphs, parent to child); proc(5).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from sim.engine.role import Kind
from sim.views.names import counted, look_of, rank_of, role_of

if TYPE_CHECKING:
    import networkx

MOVED, NEW, GONE, SAME = "moved", "new", "gone", ""
HERE, ELSEWHERE = "only here", "other parent"  # of two runs, neither of which is before the other
ORPHAN = "orphan"
SECOND = " in the second alone"
WORDS = {Kind.INIT: "PID 1", Kind.PAYLOAD: "program"}


class Box(msgspec.Struct, frozen=True):
    """A process: *parent* is the place of its parent among the tree's boxes, -1 for none.

    *state* is what /proc says (S, T, Z); *change* is what became of it: in the first tree `gone` or `moved`, in the
    second `new` or `moved`; between two runs `only here` or `other parent`.
    """

    pid: int
    parent: int
    role: str
    container: str
    comm: str
    threads: int
    state: str = "S"
    orphan: bool = False
    change: str = SAME

    @property
    def look(self) -> str:
        """Return how it is drawn: by what lost its parent, else by what its role is."""
        return ORPHAN if self.orphan else look_of(self.role)

    @property
    def role_is_init(self) -> bool:
        """Return whether it is PID 1."""
        return role_of(self.role).kind is Kind.INIT

    @property
    def words(self) -> str:
        """Return what it is, in a word: its role, but for those that nobody knows by it."""
        return WORDS.get(role_of(self.role).kind, self.role)


class Forest(msgspec.Struct, frozen=True):
    """The boxes of one moment, parents before children, siblings in the order in which they are shown."""

    title: str
    boxes: tuple[Box, ...]

    def children(self) -> dict[int, list[int]]:
        """Return the places of each box's children; those of no parent stand under -1."""
        found: dict[int, list[int]] = {-1: []}
        for place, box in enumerate(self.boxes):
            found.setdefault(place, [])
            found[box.parent].append(place)
        return found

    def adopter(self, box: Box) -> str:
        """Return who has an orphan: PID 1, or the subreaper of the host by its name and number."""
        parent = None if box.parent < 0 else self.boxes[box.parent]
        return "PID 1" if parent is None or parent.role_is_init else f"{parent.comm} {parent.pid}"


def forest(graph: networkx.DiGraph[int], title: str = "", root: int | None = None) -> Forest:
    """Return the boxes of a graph as `sim.views.tree.tree` makes it; from *root* downwards if one is given.

    >>> import networkx
    >>> graph = networkx.DiGraph([(1, 7)])
    >>> [(box.pid, box.parent) for box in forest(graph).boxes]
    [(1, -1), (7, 0)]
    """
    boxes: list[Box] = []
    roots = [node for node, degree in graph.in_degree() if not degree] if root is None else [root]
    waiting = [(pid, -1) for pid in sorted(roots, reverse=True)]
    while waiting:
        pid, parent = waiting.pop()
        boxes.append(_box(graph.nodes[pid], pid, parent))
        below = sorted(graph.successors(pid), key=lambda it: _rank(graph.nodes[it], it), reverse=True)
        waiting += [(child, len(boxes) - 1) for child in below]
    return Forest(title, tuple(boxes))


def _rank(node: dict[str, Any], pid: int) -> tuple[int, int]:
    return rank_of(node.get("role") or ""), pid


def _box(node: dict[str, Any], pid: int, parent: int) -> Box:
    role, threads = node.get("role") or "", node.get("threads", 0)
    return Box(
        pid=pid,
        parent=parent,
        role=role,
        container=node.get("container") or "",
        comm=node.get("comm") or "",
        threads=threads if isinstance(threads, int) else len(threads),
        state=node.get("state") or "S",
        orphan=node.get("orphan", False),
    )


def compared(one: Forest, other: Forest, *, by_pid: bool = True) -> tuple[Forest, Forest]:
    """Mark what became of each process between two trees: those of one run by pid, else by role and container."""
    keys = [_keys(tree, by_pid) for tree in (one, other)]
    parents = [
        {key: own[box.parent] if box.parent >= 0 else None for key, box in zip(own, tree.boxes, strict=True)}
        for tree, own in zip((one, other), keys, strict=True)
    ]
    marked = []
    for number, (tree, own) in enumerate(zip((one, other), keys, strict=True)):
        here, there = parents[number], parents[1 - number]
        lost = HERE if not by_pid else NEW if number else GONE
        moved = MOVED if by_pid else ELSEWHERE
        changes = [lost if key not in there else moved if there[key] != here[key] else SAME for key in own]
        boxes = (msgspec.structs.replace(box, change=it) for box, it in zip(tree.boxes, changes, strict=True))
        marked.append(Forest(tree.title, tuple(boxes)))
    return marked[0], marked[1]


def _keys(tree: Forest, by_pid: bool) -> list[Hashable]:
    """Name each box so that the same process has the same name in both trees."""
    if by_pid:
        return [box.pid for box in tree.boxes]
    seen: Counter[tuple[str, str, str]] = Counter()
    names: list[Hashable] = []
    for box in tree.boxes:
        name = (box.role or box.comm, box.container, box.comm)
        names.append((*name, seen[name]))
        seen[name] += 1
    return names


def finding(trees: Sequence[Forest]) -> str:
    """Say what the picture shows: of a pair what moved, went, came, died or stopped; of one what is wrong in it.

    >>> box = Box(7, 0, "shim", "web", "shim", 9, orphan=True)
    >>> finding([Forest("", (Box(1, -1, "init", "", "systemd", 0), box))])
    'under PID 1: 1 shim'
    """
    boxes = [box for tree in trees for box in tree.boxes]
    last, before = trees[-1].boxes, {(box.pid, box.state) for box in trees[0].boxes}
    kinds: list[tuple[str, list[Box]]]
    if len(trees) == 1:
        kinds = [
            *_adopted("under", trees[-1], [box for box in last if box.orphan]),
            ("zombies", [box for box in last if box.state == "Z"]),
            ("stopped by a signal", [box for box in last if box.state == "T"]),
        ]
        calm = "no orphan, no zombie"
    else:
        kinds = [
            *_adopted("moved to", trees[-1], [box for box in last if box.change == MOVED and box.orphan]),
            ("moved", [box for box in last if box.change == MOVED and not box.orphan]),
            ("gone", [box for box in boxes if box.change == GONE]),
            ("new", [box for box in boxes if box.change == NEW]),
            *_adopted("under", trees[-1], [it for it in last if it.change == ELSEWHERE and it.orphan], SECOND),
            ("under another parent", [box for box in last if box.change == ELSEWHERE and not box.orphan]),
            ("only in the first", [box for box in trees[0].boxes if box.change == HERE]),
            ("only in the second", [box for box in last if box.change == HERE]),
            ("zombies now", [box for box in last if box.state == "Z" and (box.pid, "Z") not in before]),
            ("stopped now", [box for box in last if box.state == "T" and (box.pid, "T") not in before]),
        ]
        calm = "both trees are the same"
    return "; ".join(f"{words}: {_numbers(found)}" for words, found in kinds if found) or calm


def _adopted(words: str, tree: Forest, orphans: list[Box], where: str = "") -> list[tuple[str, list[Box]]]:
    """Return orphans by who has them."""
    found: dict[str, list[Box]] = {}
    for box in orphans:
        found.setdefault(f"{words} {tree.adopter(box)}{where}", []).append(box)
    return list(found.items())


def _numbers(boxes: Sequence[Box]) -> str:
    """Count boxes by role, as `6 shims and dockerd`.

    >>> _numbers([Box(1, 0, "dockerd", "", "", 0), Box(2, 0, "proxy", "a", "", 0), Box(3, 0, "proxy", "b", "", 0)])
    'dockerd and 2 proxies'
    """
    counts = Counter(box.role or box.comm for box in boxes)
    words = [counted(*it) for it in sorted(counts.items(), key=lambda it: _rank({"role": it[0]}, 0))]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"

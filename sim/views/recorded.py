"""What is shown at each of many moments, kept once: lines of texts and boxes of trees, and what changes from one
moment to the next.

A report holds some hundred moments that differ in a few lines each. Leaves out how a text is printed, which whoever
asks says. Source: none; the project's own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

import msgspec

from sim.engine.setup import Microseconds
from sim.trace import Trace
from sim.views.forest import forest
from sim.views.story import Story
from sim.views.table import ProcessRow, Table
from sim.views.tree import tree

Printer = Callable[[Story, Table], str]
Change = tuple[int, int, int, list[int]]  # moment, where, how many go, numbers of what comes instead


class Shown(msgspec.Struct, frozen=True):
    """One process of the tree: *orphan* has lost the parent that it was made for."""

    pid: int
    ppid: int
    role: str
    container: str
    comm: str
    threads: int
    state: str
    orphan: bool


class Recorded(msgspec.Struct, frozen=True):
    """The things by their numbers, and for each text, and for the tree, its changes in order."""

    lines: tuple[str, ...]
    boxes: tuple[Shown, ...]
    texts: dict[str, tuple[Change, ...]]
    tree: tuple[Change, ...]


class Pool:
    """Things that are stored once, each with a number."""

    def __init__(self) -> None:
        self.numbers: dict[Any, int] = {}

    def number(self, thing: Hashable) -> int:
        """Return the number of a thing, a new one if it was not seen before."""
        return self.numbers.setdefault(thing, len(self.numbers))


class Changing:
    """A list of numbers that changes from moment to moment.

    >>> text = Changing()
    >>> text.set(0, [1, 2, 3]), text.set(1, [1, 2, 3]), text.set(2, [1, 5, 6, 3])
    (None, None, None)
    >>> text.changes
    [(0, 0, 0, [1, 2, 3]), (2, 1, 1, [5, 6])]
    """

    def __init__(self) -> None:
        self.now: list[int] = []
        self.changes: list[Change] = []

    def set(self, moment: int, new: list[int]) -> None:
        """Say what the list is from a moment on."""
        old = self.now
        if new == old:
            return
        most = min(len(old), len(new))
        head = next((n for n in range(most) if old[n] != new[n]), most)
        tail = next((n for n in range(most - head) if old[-1 - n] != new[-1 - n]), most - head)
        self.changes.append((moment, head, len(old) - head - tail, new[head : len(new) - tail]))
        self.now = new


def recorded(
    trace: Trace, moments: Iterable[Microseconds], of_table: Mapping[str, Printer], of_story: Mapping[str, Printer]
) -> Recorded:
    """Print each text at each moment (clock values, in order); those *of_table* only where that has changed."""
    story = Story(trace)
    before: tuple[ProcessRow, ...] = ()
    lines, boxes, drawn = Pool(), Pool(), Changing()
    texts = {name: Changing() for name in (*of_table, *of_story)}
    for number, at in enumerate(moments):
        table = story.to(at).table()
        changed = table.procs != before
        for name, printer in (*(of_table if changed else {}).items(), *of_story.items()):
            texts[name].set(number, [lines.number(line) for line in printer(story, table).split("\n")])
        if changed:
            drawn.set(number, [boxes.number(box) for box in _boxes(table)])
        before = table.procs
    kept = {name: tuple(text.changes) for name, text in texts.items()}
    return Recorded(tuple(lines.numbers), tuple(boxes.numbers), kept, tuple(drawn.changes))


def _boxes(table: Table) -> list[Shown]:
    found = forest(tree(table)).boxes
    return [
        Shown(
            box.pid,
            found[box.parent].pid if box.parent >= 0 else 0,
            box.role,
            box.container,
            box.comm,
            box.threads,
            box.state,
            box.orphan,
        )
        for box in found
    ]

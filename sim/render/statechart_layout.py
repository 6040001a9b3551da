"""Where everything of a statechart stands: the story in one column from top to bottom, side branches beside it.

The story follows `next` from the first op, and past a loop the way out of it; what is left are branches, in a second
column from where they begin. Rows lie on a grid, the second column's a quarter of a row lower, so that no line runs on
another one: a line leaves a box at its middle, goes up or down in a lane between the columns (back edges: at the outer
side), and comes in above the box that it leads to. All lines to one box from one side share a lane. Measures are inches
from the chart's upper left corner, down; letters are as wide as DejaVu Sans Mono's. Leaves out an order of
lanes with the fewest crossings. Source: the project's own; a lane for each interval is greedy colouring.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from sim.views.statechart import Chart, Edge, beside, together

SIZE = 7.2  # points
LETTER, LINE = SIZE * 0.602 / 72, SIZE * 1.17 / 72
ROW, BOX, GAP = 0.30, 0.19, 0.11
LOWER = ROW / 4  # the second column's rows against the first one's
LANE, STUB, PAD = 0.08, 0.07, 0.07
START = 0.16
TROUBLE = ("late", "lost", "failed", "refused", "bad")
WRAP = 24

Point = tuple[float, float]
LEFT, RIGHT = "left", "right"


class Rectangle(msgspec.Struct, frozen=True):
    """Where an op stands: left, top, width, height."""

    index: int
    x: float
    y: float
    width: float
    height: float


class Wire(msgspec.Struct, frozen=True):
    """A line through *points* that ends at the box of op *target*."""

    source: int
    target: int
    points: tuple[Point, ...]


class EdgeLabel(msgspec.Struct, frozen=True):
    """What is written beside the line from *source*, about this height, from *x* on (or up to it, for the left)."""

    source: int
    target: int
    text: str
    x: float
    y: float
    side: str
    trouble: bool


class ChartLayout(msgspec.Struct, frozen=True):
    """A chart with a place for everything."""

    chart: Chart
    width: float
    height: float
    boxes: tuple[Rectangle, ...]
    wires: tuple[Wire, ...]
    words: tuple[EdgeLabel, ...]


class Bend(msgspec.Struct):
    """A line that leaves a box sideways: *rows* of the grid for its words, *line* the first of them."""

    source: int
    target: int
    text: str
    trouble: bool
    side: str
    rows: int
    line: int = 0


def plan(chart: Chart) -> ChartLayout:
    """Lay out one chart."""
    return Layout(chart).plan()


class Layout:
    """The work of laying out one chart, step by step."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.chains = [*story(chart)]
        self.column = {index: min(place, 1) for place, chain in enumerate(self.chains) for index in chain}
        self.order = {index: n for n, index in enumerate(index for chain in self.chains for index in chain)}
        self.straight = self._straight()
        self.bends = [self._bend(edges) for edges in together(self._bent()).values()]
        self.rows = {node.index: self._number_lines(node.index) for node in chart.nodes}
        self.row = self._place()

    # -- rows ---------------------------------------------------------------------------------------

    def _straight(self) -> set[tuple[int, int]]:
        """Return the pairs of ops between which an arrow goes straight down."""
        follows = {pair for chain in self.chains for pair in pairwise(chain)}
        return {(e.source, e.target) for e in self.chart.edges if e.why == "next" and (e.source, e.target) in follows}

    def _bent(self) -> list[Edge]:
        pairs = self.straight
        return [edge for edge in self.chart.edges if edge.why != "next" or (edge.source, edge.target) not in pairs]

    def _bend(self, edges: Sequence[Edge]) -> Bend:
        source, target = edges[0].source, edges[0].target
        text = textwrap.fill(beside(edges), WRAP, break_long_words=False)
        back = self.order[target] <= self.order[source]
        if self.column[source] == 0:
            side = LEFT if self.column[target] == 0 and back else RIGHT
        else:
            side = LEFT if self.column[target] == 0 else RIGHT
        rows = (text.count("\n") + 2) // 2
        return Bend(source, target, text, all(edge.why in TROUBLE for edge in edges), side, rows)

    def _number_lines(self, index: int) -> int:
        """Give each line that leaves a box its row within it; return how many rows the box takes."""
        most = 1
        for side in (LEFT, RIGHT):
            line = 0
            for bend in self.bends:
                if bend.source == index and bend.side == side:
                    bend.line = line
                    line += bend.rows
            most = max(most, line)
        return most

    def _place(self) -> dict[int, int]:
        """Return the row of each op; a branch begins below the first line that leads to it, where there is room."""
        row: dict[int, int] = {}
        self._stack(self.chains[0], 0, row)
        taken: list[tuple[int, int]] = []
        waiting = list(self.chains[1:])
        while waiting:
            known = [(self._wanted(chain, row), self._height(chain), n) for n, chain in enumerate(waiting)]
            wanted, height, number = min(known, key=lambda it: (it[0] + it[1], it[2]))  # short ones stay near
            chain = waiting.pop(number)
            while any(wanted < stop + 1 and start < wanted + height + 1 for start, stop in taken):
                wanted += 1
            self._stack(chain, wanted, row)
            taken.append((wanted, wanted + height))
        return row

    def _wanted(self, chain: Sequence[int], row: dict[int, int]) -> int:
        """Return the row below the first line that leads to a chain; a large one while no such line has a place."""
        rows = [row[e.source] + e.line + 1 for e in self.bends if e.target in chain and e.source in row]
        return min(rows, default=1_000_000)

    def _height(self, chain: Sequence[int]) -> int:
        return self._stack(chain, 0, {})

    def _stack(self, chain: Sequence[int], top: int, row: dict[int, int]) -> int:
        """Put a chain's ops below each other, with a free row where none leads to the next; return the end."""
        for before, index in zip((-1, *chain), chain, strict=False):
            if before >= 0 and (before, index) not in self.straight:
                top += 1
            row[index] = top
            top += self.rows[index]
        return top

    # -- heights ------------------------------------------------------------------------------------

    def top(self, index: int) -> float:
        """Return where an op's box begins."""
        return START + self.row[index] * ROW + GAP + LOWER * self.column[index]

    def leaves(self, bend: Bend) -> float:
        """Return at which height a line leaves its box."""
        return self.top(bend.source) + bend.line * ROW + BOX / 2

    def enters(self, index: int) -> float:
        """Return at which height lines come in to an op."""
        return self.top(index) - GAP / 2

    # -- lanes --------------------------------------------------------------------------------------

    def gutter(self, bend: Bend) -> int:
        """Return in which gutter a line goes up or down: 0 left, 1 and 2 between the columns, 3 right."""
        if self.column[bend.source] == self.column[bend.target] == 0:
            return 0 if bend.side == LEFT else 1
        return 3 if self.column[bend.source] == self.column[bend.target] else 2

    def _lanes(self) -> list[dict[int, int]]:
        """Return for each gutter the lane of each target; 0 is the one nearest to the boxes that it serves."""
        found = []
        for number in range(4):
            spans: dict[int, list[float]] = {}
            for bend in self.bends:
                if self.gutter(bend) == number:
                    spans.setdefault(bend.target, [self.enters(bend.target)]).append(self.leaves(bend))
            found.append(lanes({target: (min(span), max(span)) for target, span in spans.items()}))
        return found

    # -- the plan -----------------------------------------------------------------------------------

    def plan(self) -> ChartLayout:
        """Return where everything stands."""
        chosen = self._lanes()
        count = [max(lane.values(), default=-1) + 1 for lane in chosen]
        wide = [self._box_width(column) for column in (0, 1)]
        room = [[self._room(column, side) for side in (LEFT, RIGHT)] for column in (0, 1)]
        begin = [count[0] * LANE + room[0][0], 0.0]
        middle = begin[0] + wide[0] + room[0][1]
        begin[1] = middle + (count[1] + count[2]) * LANE + room[1][0]
        last = begin[1] + wide[1] + room[1][1]
        zero = [count[0] * LANE, middle, middle + (count[1] + count[2]) * LANE, last]
        step = (-LANE, LANE, -LANE, LANE)
        at = [{target: zero[n] + step[n] * (lane + 0.5) for target, lane in chosen[n].items()} for n in range(4)]
        boxes = {node.index: self._box(node.index, begin, wide) for node in self.chart.nodes}
        wires = [*self._downs(boxes), *(self._wire(bend, boxes, at[self.gutter(bend)]) for bend in self.bends)]
        words = [self._words(bend, boxes[bend.source]) for bend in self.bends if bend.text]
        lows = [box.y + box.height for box in boxes.values()]
        lows += [y for wire in wires for _, y in wire.points]
        lows += [it.y + (it.text.count("\n") + 1) * LINE / 2 for it in words]
        width = last + count[3] * LANE
        return ChartLayout(self.chart, width, max(lows), tuple(boxes.values()), tuple(wires), tuple(words))

    def _box_width(self, column: int) -> float:
        names = [len(node.name) for node in self.chart.nodes if self.column[node.index] == column]
        return max(names) * LETTER + 2 * PAD if names else 0.0

    def _room(self, column: int, side: str) -> float:
        """Return how much room the words on a side of a column need, with what leads to them."""
        lines = [e.text.split("\n") for e in self.bends if self.column[e.source] == column and e.side == side]
        longest = max((len(line) for text in lines for line in text), default=-1)
        if longest < 0:
            incoming = column == 1 and side == LEFT and 1 in self.column.values()
            return STUB if incoming else 0.0
        return STUB if longest == 0 else longest * LETTER + 3 * STUB

    def _box(self, index: int, begin: Sequence[float], wide: Sequence[float]) -> Rectangle:
        column = self.column[index]
        return Rectangle(index, begin[column], self.top(index), wide[column], self.rows[index] * ROW - GAP)

    def _downs(self, boxes: dict[int, Rectangle]) -> list[Wire]:
        found = []
        for source, target in sorted(self.straight):
            one, other = boxes[source], boxes[target]
            x = one.x + one.width / 2
            found.append(Wire(source, target, ((x, one.y + one.height), (x, other.y))))
        return found

    def _wire(self, bend: Bend, boxes: dict[int, Rectangle], lane: dict[int, float]) -> Wire:
        one, other = boxes[bend.source], boxes[bend.target]
        start = one.x if bend.side == LEFT else one.x + one.width
        out, into, x = self.leaves(bend), self.enters(bend.target), lane[bend.target]
        middle = other.x + other.width / 2
        points = ((start, out), (x, out), (x, into), (middle, into), (middle, other.y))
        return Wire(bend.source, bend.target, points)

    def _words(self, bend: Bend, box: Rectangle) -> EdgeLabel:
        x = box.x - STUB if bend.side == LEFT else box.x + box.width + STUB
        y = self.leaves(bend) + (bend.rows - 1) * ROW / 2
        return EdgeLabel(bend.source, bend.target, bend.text, x, y, bend.side, bend.trouble)


# -- the story --------------------------------------------------------------------------------------


def story(chart: Chart) -> Iterable[list[int]]:
    """Return chains of ops: first the story, then the branches in the table's order.

    >>> from sim.views.statechart import OpNode
    >>> nodes = tuple(OpNode(n, "do", "x") for n in (0, 1, 3, 4))
    >>> ways = (Edge(0, 1, "next"), Edge(0, 3, "label", "out"), Edge(1, 0, "next"), Edge(1, 4, "late", "late"))
    >>> list(story(Chart("p", "p.q", (), nodes, ways)))
    [[0, 1, 3], [4]]
    """
    after: dict[int, list[int]] = {node.index: [] for node in chart.nodes}
    follows: dict[int, int] = {}
    for edge in chart.edges:
        after[edge.source].append(edge.target)
        if edge.why == "next":
            follows[edge.source] = edge.target
    placed: set[int] = set()
    for node in chart.nodes:
        chain: list[int] = []
        index: int | None = None if node.index in placed else node.index
        while index is not None:
            chain.append(index)
            placed.add(index)
            ahead = follows.get(index, next((it for it in after[index] if it not in placed), None))
            if ahead in placed and node.index == 0 and ahead is not None:  # a loop is closed: go on with a way out
                ahead = next((it for it in after[ahead] if it not in placed), None)
            index = None if ahead in placed else ahead
        if chain:
            yield chain


def lanes(spans: dict[int, tuple[float, float]]) -> dict[int, int]:
    """Return a lane for each span so that none in one lane touch; short ones are nearest.

    >>> lanes({1: (0, 9), 2: (1, 2), 3: (3, 4)})
    {2: 0, 3: 0, 1: 1}
    """
    used: list[list[tuple[float, float]]] = []
    found = {}
    for target, (start, stop) in sorted(spans.items(), key=lambda item: (item[1][1] - item[1][0], item[0])):
        free = (n for n, lane in enumerate(used) if all(stop + GAP < a or b + GAP < start for a, b in lane))
        number = next(free, len(used))
        if number == len(used):
            used.append([])
        used[number].append((start, stop))
        found[target] = number
    return found

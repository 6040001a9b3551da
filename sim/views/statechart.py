"""A program's procedures as statecharts: the ops are nodes, the ways that lead from one to the next are edges.

A node is an op at which a goroutine stands or through which it passes silently. Leaves out gotos, which cost nothing
(an edge leads through them), a return that nothing reaches, which way is taken when, and goroutines that a function
starts by itself. Source: the tables of `sim.engine.procedure`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from sim.designs import Design
from sim.engine import ops
from sim.engine.ops import Op
from sim.engine.procedure import Procedure
from sim.engine.program import Program

if TYPE_CHECKING:
    import networkx

Place = tuple[str, int]  # a procedure's full name and the number of one of its ops

KINDS: dict[type[Op], str] = {
    ops.Do: "do", ops.Wait: "wait", ops.Sleep: "sleep", ops.Every: "tick", ops.Ask: "ask", ops.Answered: "answer",
    ops.Serve: "serve", ops.Switch: "switch", ops.Push: "push", ops.Fork: "fork", ops.Reap: "reap",
    ops.ReapAny: "reap", ops.ReapOrphans: "reap", ops.Go: "go", ops.Join: "join", ops.Lock: "lock",
    ops.Unlock: "unlock", ops.Exit: "exit", ops.Return: "return", ops.Interval: "sleep",
    ops.Read: "read", ops.Write: "write",
}  # fmt: skip


class OpNode(msgspec.Struct, frozen=True):
    """An op: its number in the table, its kind, its name, the labels that stand before it, the procedures it starts."""

    index: int
    kind: str
    name: str
    labels: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()


class Edge(msgspec.Struct, frozen=True):
    """A way from an op to another: *why* is next, label, late, lost, failed, refused, good (status 0) or bad.

    *label* is the table's, "" for next; for a server that goes on serving, the kind of request. *limit* is the time
    after which a wait is late, or the name of the function that gives it.
    """

    source: int
    target: int
    why: str
    label: str = ""
    limit: str = ""

    @property
    def word(self) -> str:
        """Return what is written beside the edge: the label, or why it is taken.

        >>> Edge(1, 2, "label", "busy").word, Edge(1, 2, "late", "kill", "16 s").word, Edge(1, 2, "next").word
        ('busy', 'late', 'next')
        """
        return self.label if self.why == "label" else self.why


class Chart(msgspec.Struct, frozen=True):
    """One procedure: nodes in the table's order, edges by source; *signals* are those that it handles.

    *reached* holds the numbers of the ops that were reached, None where nobody looked.
    """

    program: str
    procedure: str
    signals: tuple[str, ...]
    nodes: tuple[OpNode, ...]
    edges: tuple[Edge, ...]
    reached: frozenset[int] | None = None

    @property
    def name(self) -> str:
        """Return the procedure's name within its program."""
        return self.procedure.partition(".")[2]

    def is_reached(self, index: int) -> bool:
        """Say whether the op was reached; every op counts as reached where nobody looked."""
        return self.reached is None or index in self.reached


def charts(design: Design, reached: Collection[Place] | None = None, program: str = "") -> tuple[Chart, ...]:
    """Return the charts of a design's procedures, or of one program's, in the design's order."""
    chosen = [design.programs[program]] if program else list(design.programs.values())
    return tuple(chart(one, table, reached) for one in chosen for table in one.procedures)


def chart(program: Program, table: Procedure, reached: Collection[Place] | None = None) -> Chart:
    """Return the chart of one procedure."""
    edges = [edge for index in range(len(table.ops)) for edge in ways(table, index)]
    kept = _from_first(edges)
    nodes = tuple(_node(program, table, index) for index in sorted(kept))
    signals = tuple(signal for signal, name in program.handlers if table.name == f"{program.name}.{name}")
    came = None if reached is None else frozenset(index for index in kept if (table.name, index) in reached)
    return Chart(program.name, table.name, signals, nodes, tuple(e for e in edges if e.source in kept), came)


def graph(chart: Chart) -> networkx.DiGraph[int]:
    """Build the graph: nodes are op numbers with `kind`, `name`, `labels`, `starts` and `reached`.

    An edge has `words`, one for each way that it stands for, and `label`, these as one text.
    """
    import networkx  # heavy: only who asks for a graph pays

    found = networkx.DiGraph(name=chart.procedure, program=chart.program)
    for node in chart.nodes:
        came = None if chart.reached is None else node.index in chart.reached
        found.add_node(node.index, kind=node.kind, name=node.name, labels=node.labels, starts=node.starts, reached=came)
    for (source, target), edges in together(chart.edges).items():
        words = tuple(dict.fromkeys(edge.word for edge in edges))
        found.add_edge(source, target, words=words, label=", ".join(words))
    return found


def together(edges: Collection[Edge]) -> dict[tuple[int, int], list[Edge]]:
    """Return the edges by source and target, in their order."""
    found: dict[tuple[int, int], list[Edge]] = {}
    for edge in edges:
        found.setdefault((edge.source, edge.target), []).append(edge)
    return found


def beside(edges: Sequence[Edge]) -> str:
    """Return what is written beside the line that stands for these edges; nothing where no label leads that way.

    >>> beside([Edge(1, 2, "next")]), beside([Edge(1, 2, "next"), Edge(1, 2, "late", "x", "2 s")])
    ('', 'next, late 2 s')
    >>> beside([Edge(1, 2, "label", "next")])
    'next'
    """
    if all(edge.why == "next" for edge in edges):
        return ""
    return ", ".join(dict.fromkeys(f"{edge.word} {edge.limit}".rstrip() for edge in edges))


# -- what a table says -----------------------------------------------------------------------------


def ways(table: Procedure, index: int) -> Iterator[Edge]:
    """Yield the ways that lead on from an op; none from a goto, which nobody stands at.

    A server goes on serving, one way for each kind of request; a switch always goes to a label.
    """
    op = table.ops[index]
    if isinstance(op, ops.Jump):
        return
    if isinstance(op, ops.Serve):
        yield from (Edge(index, index, "label", kind) for kind in op.table)
        return
    if not op.ends and not isinstance(op, ops.Switch):
        yield Edge(index, table.next[index], "next")
    for why, label in _named(op):
        yield Edge(index, table.goto[label], why, label, _limit(op) if why == "late" else "")


def _named(op: Op) -> Iterator[tuple[str, str]]:
    """Yield why each of an op's labels is gone to."""
    if isinstance(op, ops.Answered):
        yield from zip(("lost", "failed", "label"), op.labels, strict=False)
    elif isinstance(op, ops.Ask):
        yield "refused", op.labels[0]
    elif isinstance(op, ops.Reap):
        yield from ((why, label) for why, label in (("good", op.good), ("bad", op.bad)) if label)
    else:
        timed = op.within is not None
        yield from (("label", label) for label in (op.labels[:-1] if timed else op.labels))
        if timed:
            yield "late", op.labels[-1]


def _limit(op: Op) -> str:
    """Return a wait's limit in words.

    >>> wait = ops.Wait(ops.reading(lambda world, frame: ())(lambda world, frame: True), within=2_500_000, late="x")
    >>> _limit(wait)
    '2.5 s'
    """
    if callable(op.within):
        return op.within.__name__
    return f"{(op.within or 0) / 1_000_000:g} s"


def _from_first(edges: Collection[Edge]) -> set[int]:
    """Return the ops that can be reached from the first."""
    after: dict[int, list[int]] = {}
    for edge in edges:
        after.setdefault(edge.source, []).append(edge.target)
    found, todo = {0}, [0]
    while todo:
        fresh = set(after.get(todo.pop(), ())) - found
        found |= fresh
        todo.extend(fresh)
    return found


def _node(program: Program, table: Procedure, index: int) -> OpNode:
    op = table.ops[index]
    labels = tuple(label for label, at in table.goto.items() if at == index)
    started = op.table.values() if isinstance(op, ops.Serve) else (op.procedure,) if isinstance(op, ops.Go) else ()
    return OpNode(index, kind_of(op), _name(op), labels, tuple(f"{program.name}.{name}" for name in started))


def kind_of(op: Op) -> str:
    """Return the kind of an op; one that a program made for itself is a wait, or a sleep if time alone ends it."""
    known = (KINDS[one] for one in type(op).__mro__ if one in KINDS)
    return next(known, "sleep" if op.timer else "wait")


def _name(op: Op) -> str:
    """Return an op's name, with what tells it from others of that name.

    >>> _name(ops.Unlock("container/{c}")), _name(ops.Exit(1))
    ('unlock_container', 'exit 1')
    """
    if isinstance(op, ops.Unlock):
        return f"un{op.name}"
    if isinstance(op, ops.Exit) and isinstance(op.status, int):
        return f"exit {op.status}"
    return op.name

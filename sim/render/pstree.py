"""Draw a process table as `pstree` would, equal branches folded into `N*[...]`.

Models: the text of psmisc 23.7 with line symbols or ASCII, with or without pids, on a terminal of a given width or
none. Leaves out: its other options (-a, -g, -n, -s, -u, -T, ...) and threads under names of their own. Where a table
only counts threads, their numbers are the next free ones.
Source: psmisc 23.7, rules seen by running it on many tables.
"""

from collections.abc import Iterator

import msgspec

from sim.render.cells import pstree_text
from sim.views.table import Table, thread_ids


class Symbols(msgspec.Struct, frozen=True):
    """Name the pieces of line between two labels."""

    single: str
    first: str
    middle: str
    last: str
    bar: str
    cut: str  # what a cut prints that lands on a piece of line


UTF8 = Symbols("───", "─┬─", "├─", "└─", "│ ", "+++")
ASCII = Symbols("---", "-+-", "|-", "`-", "| ", "+")
NO_BAR = "  "


class PstreeNode(msgspec.Struct):
    """Hold what is drawn for a process, a thread, or a parent that is not listed (`?`)."""

    pid: int
    name: str
    uid: int
    children: "list[PstreeNode]" = []
    shape: int = 0  # equal for branches that look the same

    def rank(self) -> tuple[bytes, int]:
        """Order siblings: by the bytes of the name, then by user."""
        return self.name.encode("utf-8", "surrogateescape"), self.uid


class _Turn(msgspec.Struct):
    """Hold a node that waits to be drawn: what stands before its symbol on a new line, and where it stands."""

    node: PstreeNode
    base: str  # text that precedes the symbol of this node's line
    times: int
    closing: int  # brackets that each leaf below must close
    continues: bool  # the first child goes on with its parent's line
    last: bool
    root: bool = False


def pstree(table: Table, root: int = 1, *, ascii: bool = False, pids: bool = False, width: int | None = 132) -> str:
    """Draw what descends from *root* (a process or a thread); nothing if there is no such number.

    *width* counts characters; None stands for no limit. With *pids* nothing is folded.

    >>> from sim.views.table import Meta, ProcessRow
    >>> rows = (ProcessRow(1, 0, 1, 1, "init"), ProcessRow(9, 1, 9, 9, "db", threads=2), ProcessRow(8, 1, 8, 8, "sh"))
    >>> print(pstree(Table(Meta(btime=0, now=9), rows)), end="")
    init─┬─db───2*[{db}]
         └─sh
    """
    node = _nodes(table).get(root)
    if node is None:
        return ""
    _shapes(node)
    symbols = ASCII if ascii else UTF8
    lines = _draw(node, symbols, pids=pids, width=width)
    return "".join(_cut(line, symbols, width) + "\n" for line in lines)


def _nodes(table: Table) -> dict[int, PstreeNode]:
    """Link all nodes as they are read: pid ascending, a process's threads before itself."""
    tids = thread_ids(table)
    rows = table.by_pid()
    nodes = {row.pid: PstreeNode(row.pid, row.comm15, row.uid) for row in rows}
    nodes |= {tid: PstreeNode(tid, f"{{{row.comm15}}}", row.uid) for row in rows for tid in tids[row.pid]}
    missing: list[PstreeNode] = []
    for row in rows:
        nodes[row.pid].children += [nodes[tid] for tid in sorted(tids[row.pid])]
        parent = 0 if row.ppid == row.pid else row.ppid
        if parent not in nodes:
            nodes[parent] = PstreeNode(parent, "?", 0)
            missing.append(nodes[parent])
        nodes[parent].children.append(nodes[row.pid])
    _adopt(missing, nodes)
    for node in nodes.values():
        node.children.sort(key=PstreeNode.rank)
    return nodes


def _adopt(missing: list[PstreeNode], nodes: dict[int, PstreeNode]) -> None:
    """Hang unlisted parents under pid 1, the latest found first; number 0 stays the parent of all and hangs nowhere."""
    first = nodes.setdefault(1, PstreeNode(1, "?", 0))
    first.children += [node for node in reversed(missing) if node.pid not in (0, 1)]


def _shapes(root: PstreeNode) -> None:
    """Number the shapes of all branches from the leaves up: equal names over equal children, in order."""
    known: dict[tuple[str, tuple[int, ...]], int] = {}
    for node in reversed(list(_preorder(root))):
        key = node.name, tuple(child.shape for child in node.children)
        node.shape = known.setdefault(key, len(known))


def _preorder(root: PstreeNode) -> Iterator[PstreeNode]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.children


def _draw(root: PstreeNode, symbols: Symbols, *, pids: bool, width: int | None) -> Iterator[str]:
    """Yield the lines, whole; a line ends at a leaf, or at a label beyond the width."""
    line = ""
    waiting = [_Turn(root, "", 1, 0, continues=True, last=True, root=True)]
    while waiting:
        turn = waiting.pop()
        label = (f"{turn.times}*[" if turn.times > 1 else "") + pstree_text(turn.node.name)
        label += f"({turn.node.pid})" if pids else ""
        if not turn.continues:
            line = turn.base + (symbols.last if turn.last else symbols.middle)
        line += label
        if not turn.node.children:
            yield line + "]" * turn.closing
        elif width is not None and len(line) >= width - 1:
            yield line + symbols.first
        else:
            below = _turns_below(turn, len(label), symbols, fold=not pids)
            line += symbols.single if len(below) == 1 else symbols.first
            waiting += below


def _turns_below(turn: _Turn, label_width: int, symbols: Symbols, *, fold: bool) -> list[_Turn]:
    """List the children's turns, last first, folding each with all its equal siblings."""
    base = turn.base + ("" if turn.root else NO_BAR if turn.last else symbols.bar) + " " * (label_width + 1)
    groups: dict[int, list[PstreeNode]] = {}
    for place, child in enumerate(turn.node.children):
        groups.setdefault(child.shape if fold else place, []).append(child)
    equals = list(groups.values())
    turns = [
        _Turn(
            nodes[0],
            base,
            len(nodes),
            turn.closing + (len(nodes) > 1),
            continues=nodes is equals[0],
            last=nodes is equals[-1],
        )
        for nodes in equals
    ]
    return turns[::-1]


def _cut(line: str, symbols: Symbols, width: int | None) -> str:
    """Cut a line of *width* characters or more to one less and a plus."""
    if width is None or len(line) < width:
        return line
    kept = max(width - 1, 0)
    on_symbol = not line[kept : kept + 1].isascii()
    return line[:kept] + (symbols.cut if on_symbol else "+")

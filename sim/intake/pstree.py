"""The trees that `pstree` draws, in each of its alphabets, with numbers (`-p`) and without.

Models: the first branch on its parent's line (`a-+-b`, `a---b`), the others below it by their column, `{x}` and
`4*[{x}]` for threads, `3*[x---y]` for equal branches. Lines are read by the columns in which names begin; what stands
between is drawing. Leaves out arguments (`-a`) and users (`-u`). Source: psmisc 23.7 src/pstree.c [S].
"""

from __future__ import annotations

import re

import msgspec

from sim.intake.pieces import Piece
from sim.intake.records import Branch, Process, Table
from sim.intake.tables import LARGEST_COUNT, LARGEST_PID, number

LINK = re.compile(r"(?:-\+-|---|─┬─|───|qwq|qqq)")
PREFIX = re.compile(r"[\s|│x]*(?=\|-|`-|├─|└─|tq|mq)(?:\|-|`-|├─|└─|tq|mq)|\s*")
NODE = re.compile(
    r"(?:(?P<count>\d{1,9})\*\[)?(?P<open>\{)?(?P<comm>[^{}()\[\]]*?)\}?(?:\((?P<pid>\d{1,10})(?:,[^)]*)?\))?\]*\}?\Z"
)
DEEPEST = 500


class _Node(msgspec.Struct):
    column: int
    comm: str
    pid: int | None
    threads: int
    count: int
    is_thread: bool
    below: list[_Node]
    offset: int


def read(piece: Piece) -> Table | Branch | None:
    """Return the processes of a tree with numbers as a table, one without as a branch; None if it is no tree."""
    roots: list[_Node] = []
    line_of: list[_Node] = []
    for offset, line in enumerate(piece.lines):
        for node in _nodes(line, offset):
            while line_of and line_of[-1].column >= node.column:
                line_of.pop()
            (line_of[-1].below if line_of else roots).append(node)
            line_of.append(node)
            if len(line_of) > DEEPEST:
                return None
    if len(roots) != 1 or not (roots[0].below or roots[0].pid):
        return None
    root = roots[0]
    if root.pid is None:
        return _branch(root, piece)
    rows = tuple(_rows(root, None, piece))
    return Table(rows, frozenset({"PPID", "PID", "NLWP"}), "pstree", root.pid == 1, piece.place())


def _nodes(line: str, offset: int) -> list[_Node]:
    """Return the names of a line with the columns in which they begin."""
    prefix = PREFIX.match(line)
    column = prefix.end() if prefix else 0
    found = []
    for part, begin in _parts(line[column:], column):
        match = NODE.match(part.strip())
        if match is None or not match["comm"].strip():
            continue
        count = number(match["count"], LARGEST_COUNT, 1) or 1
        pid = number(match["pid"], LARGEST_PID, 1)
        threads = count if match["open"] else 0
        found.append(_Node(begin, match["comm"].strip(), pid, threads, count, bool(match["open"]), [], offset))
    return found


def _parts(text: str, column: int) -> list[tuple[str, int]]:
    """Cut a line at its links; a name that holds three dashes cannot be told from one."""
    found, place = [], 0
    for match in LINK.finditer(text):
        found.append((text[place : match.start()], column + place))
        place = match.end()
    return [*found, (text[place:], column + place)]


def _rows(root: _Node, parent: int | None, piece: Piece) -> list[Process]:
    found: list[Process] = []
    waiting: list[tuple[_Node, int | None]] = [(root, parent)]
    while waiting:
        node, above = waiting.pop()
        if node.pid is None or node.is_thread:
            continue
        threads = 1 + sum(it.threads for it in node.below if it.is_thread)
        found.append(Process(node.pid, above, threads=threads, comm=node.comm[:15], place=piece.place(node.offset)))
        waiting += [(it, node.pid) for it in reversed(node.below) if not it.is_thread]
    return found


def _branch(node: _Node, piece: Piece) -> Branch:
    threads = sum(it.threads for it in node.below if it.is_thread)
    below = tuple(_branch(it, piece) for it in node.below if not it.is_thread)
    return Branch(node.comm, threads, node.count, below, piece.place(node.offset))

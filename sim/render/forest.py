"""Order processes as `ps f` does and say which branches stand before each command.

Models: the forest of procps-ng up to 4.0.5, where children of pid 1 stay at the left edge. Leaves out: the forest of
4.0.6 and later, which indents them, and `--sort` together with a forest.
Source: procps-ng 4.0.4, rules seen by running it on many tables.
"""

from collections.abc import Iterable, Iterator

from sim.views.table import ProcessRow

BRANCH, BAR, BLANK = " \\_ ", " |  ", "    "

Pieces = tuple[str, ...]
_Step = tuple[ProcessRow, Pieces, Pieces]  # a row, its own pieces, and those that its children's begin with


def forest(rows: Iterable[ProcessRow]) -> Iterator[tuple[ProcessRow, Pieces]]:
    """Yield each row once with the four-cell pieces of its prefix, parents before children, siblings by start time.

    Roots are the rows whose parent is not among the rows, and they come from the end of the order backwards.

    >>> rows = [ProcessRow(pid=p, ppid=q, pgid=p, sid=p, comm="x") for p, q in [(9, 7), (1, 0), (7, 1), (8, 7)]]
    >>> ["".join(prefix) + str(row.pid) for row, prefix in forest(rows)]
    ['1', '7', ' \\\\_ 8', ' \\\\_ 9']
    """
    ordered = sorted(rows, key=lambda row: (row.ppid, row.start_ticks, row.pid))
    listed = {row.pid for row in ordered}
    children: dict[int, list[ProcessRow]] = {}
    for row in ordered:
        children.setdefault(row.ppid, []).append(row)
    waiting: list[_Step] = [(row, (), ()) for row in ordered if row.ppid not in listed]
    return _depth_first(waiting, children)


def _depth_first(waiting: list[_Step], children: dict[int, list[ProcessRow]]) -> Iterator[tuple[ProcessRow, Pieces]]:
    """Walk with a list instead of recursion: a chain of processes may be longer than Python's stack."""
    while waiting:
        row, prefix, below = waiting.pop()
        yield row, prefix
        siblings = children.get(row.pid, [])
        for child in reversed(siblings):
            if row.pid == 1:
                waiting.append((child, (), ()))
            else:
                bar = BLANK if child is siblings[-1] else BAR
                waiting.append((child, (*below, BRANCH), (*below, bar)))

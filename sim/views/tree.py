"""See a process table as a directed graph from parents to children.

Models: the parent-child relation of one moment. Leaves out: threads as nodes (their tids or count are an attribute)
and the order of siblings, which each view derives from its own rule; a parent that is not listed gets no node.
Source: proc(5), man-pages 6.03, ppid.
"""

from typing import TYPE_CHECKING, Any

from sim.views.table import ProcessRow, Table

if TYPE_CHECKING:
    import networkx


def tree(table: Table) -> "networkx.DiGraph[int]":
    """Build the graph: nodes are pids with the row's fields (`argv` for args), edges go from parent to child.

    >>> init = ProcessRow(pid=1, ppid=0, pgid=1, sid=1, comm="init")
    >>> from sim.views.table import Meta
    >>> graph = tree(Table(Meta(btime=0, now=1), (init, ProcessRow(pid=7, ppid=1, pgid=7, sid=7, comm="sh"))))
    >>> list(graph.edges), graph.nodes[7]["comm"]
    ([(1, 7)], 'sh')
    """
    import networkx  # heavy: only who asks for a graph pays

    graph = networkx.DiGraph()
    rows = table.by_pid()
    graph.add_nodes_from((row.pid, _attributes(row)) for row in rows)
    graph.add_edges_from((row.ppid, row.pid) for row in rows if row.ppid in graph)
    return graph


def subtree(table: Table, root: int) -> Table:
    """Keep only *root* and what descends from it, rows in their order; an unknown root keeps nothing.

    >>> from sim.views.table import Meta
    >>> rows = [ProcessRow(pid=pid, ppid=ppid, pgid=pid, sid=pid, comm="x") for pid, ppid in [(1, 0), (5, 1), (3, 5)]]
    >>> [row.pid for row in subtree(Table(Meta(btime=0, now=1), tuple(rows)), 5).procs]
    [5, 3]
    """
    children = table.children()
    kept: set[int] = set()
    waiting = [root] if any(row.pid == root for row in table.procs) else []
    while waiting:
        pid = waiting.pop()
        if pid not in kept:
            kept.add(pid)
            waiting += [row.pid for row in children.get(pid, [])]
    return Table(table.meta, tuple(row for row in table.procs if row.pid in kept))


def _attributes(row: ProcessRow) -> dict[str, Any]:
    return {
        "pid": row.pid,
        "ppid": row.ppid,
        "pgid": row.pgid,
        "sid": row.sid,
        "comm": row.comm15,
        "argv": row.args,
        "threads": row.threads,
        "state": row.state,
        "role": row.role,
        "container": row.container,
        "orphan": row.orphan,
    }

"""Name the views of a process table.

Models: one literal table from the name of a view to the function that prints it from some process downwards, whole
lines (as with `ps ww` and `pstree -l`). Leaves out: views of containers and events, which are made from other data.
What a view prints is clean: names that would steer the terminal lose the characters that do so, where the real tool
may let them through.
Source: none; the project's own convention.
"""

from collections.abc import Callable

from sim.render.clean import printable_lines
from sim.render.ps import ps_auxf, ps_axjf, ps_ef, ps_eo
from sim.render.pstree import pstree
from sim.views.table import Table
from sim.views.tree import subtree

View = Callable[[Table, int], str]


def _rows_from(view: Callable[[Table], str]) -> View:
    """Show only the rows that descend from the root; from pid 1 all rows, those of no parent included."""
    return lambda table, root: printable_lines(view(table if root == 1 else subtree(table, root)))


VIEWS: dict[str, View] = {
    "pstree": lambda table, root: pstree(table, root, width=None),
    "pstree-ascii": lambda table, root: pstree(table, root, ascii=True, width=None),
    "pstree-p": lambda table, root: pstree(table, root, pids=True, width=None),
    "ps-axjf": _rows_from(ps_axjf),
    "ps-ef": _rows_from(ps_ef),
    "ps-eo": _rows_from(ps_eo),
    "ps-auxf": _rows_from(ps_auxf),
}

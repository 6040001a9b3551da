"""What pstree and ps print: a process table from some process downwards, in whole lines (`ps ww`, `pstree -l`).

Names that would steer the terminal lose the characters that do so, where the real tool may let them through.
Source: `sim.render.pstree`, `sim.render.ps`.
"""

from __future__ import annotations

from typing import Any

from sim.views.table import Table
from sim.views.view import OfTable, TableView

PROCESSES: dict[str, Any] = {"group": "processes", "order": 0}


def _pstree(**options: bool) -> OfTable:
    def show(table: Table, root: int) -> str:
        from sim.render.pstree import pstree

        return pstree(table, root, width=None, **options)

    return show


def _ps(name: str) -> OfTable:
    """Show only the rows that descend from the root; from pid 1 all rows, those of no parent included."""

    def show(table: Table, root: int) -> str:
        from sim.render import ps
        from sim.render.clean import printable_lines
        from sim.views.tree import subtree

        return printable_lines(getattr(ps, name)(table if root == 1 else subtree(table, root)))

    return show


VIEWS = (
    TableView(name="pstree", show=_pstree(), **PROCESSES),
    TableView(name="pstree-ascii", show=_pstree(ascii=True), **PROCESSES),
    TableView(name="pstree-p", show=_pstree(pids=True), **PROCESSES),
    TableView(name="ps-axjf", show=_ps("ps_axjf"), **PROCESSES),
    TableView(name="ps-ef", show=_ps("ps_ef"), **PROCESSES),
    TableView(name="ps-eo", show=_ps("ps_eo"), **PROCESSES),
    TableView(name="ps-auxf", show=_ps("ps_auxf"), **PROCESSES),
)

"""The process tree for other tools: DOT, Mermaid, GraphML. Source: `sim.render.tree_text`."""

from __future__ import annotations

from typing import Any

from sim.views.table import Table
from sim.views.view import OfTable, TableView

DATA: dict[str, Any] = {"group": "tree as data", "order": 60, "on_host": False}


def _tree(name: str) -> OfTable:
    """Show the trees of all rows that descend from the root; from pid 1 those of no parent, too."""

    def show(table: Table, root: int) -> str:
        from sim.render import tree_text
        from sim.views.forest import forest
        from sim.views.tree import subtree, tree

        text: str = getattr(tree_text, name)(forest(tree(table if root == 1 else subtree(table, root))))
        return text

    return show


VIEWS = tuple(TableView(name=name, show=_tree(name), **DATA) for name in ("dot", "mermaid", "graphml"))

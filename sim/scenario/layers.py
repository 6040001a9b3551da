"""One mapping laid over another, key by key.

Models: deep merge as a second -f file does it: mappings by key, lists that add up (ports, volumes, …) joined without
repeats, anything else replaced; so steps and expectations are replaced as a whole. Leaves out Compose's !reset and
!override. Source: Compose specification, "Merge".
"""

from __future__ import annotations

import os
from dataclasses import replace

from sim.scenario.text import Node

JOINED = frozenset(
    "ports volumes expose dns dns_search tmpfs external_links assumptions cap_add cap_drop devices".split()
)


def merge(under: Node, over: Node, key: str = "") -> Node:
    """Return *over* laid over *under*; places stay with the values that are kept."""
    if isinstance(under.value, dict) and isinstance(over.value, dict):
        both = dict(under.value)
        for name, node in over.value.items():
            both[name] = merge(both[name], node, name) if name in both else node
        return Node(both, over.mark, over.key)
    if over.value is None and under.value is not None and isinstance(under.value, dict):
        return under
    if key in JOINED and isinstance(under.value, list) and isinstance(over.value, list):
        known = [node.plain() for node in under.value]
        return Node(under.value + [node for node in over.value if node.plain() not in known], over.mark, over.key)
    return over


def beside(file: str, other: str) -> str:
    """Return the path of *other* as written in *file*."""
    return os.path.normpath(os.path.join(os.path.dirname(file), other))


def without(root: Node, key: str) -> Node:
    """Return *root* without *key*."""
    assert isinstance(root.value, dict)
    return replace(root, value={name: node for name, node in root.value.items() if name != key})

"""An entry of `expect:` as its author wrote it, on one line, for messages. Source: the project's scenario language."""

from __future__ import annotations

from sim.scenario.text import Node
from sim.scenario.words import listed


def text_of(node: Node) -> str:
    """Return the entry on one line, for people."""
    assert isinstance(node.value, dict)
    parts = []
    for key, below in node.value.items():
        value = below.plain()
        shown_value = "[" + listed(map(item_text, value)) + "]" if isinstance(value, list) else str(value)
        if isinstance(value, bool):
            shown_value = str(value).lower()
        parts.append(f"{key}: {'(text)' if chr(10) in shown_value else shown_value}")
    return listed(parts)


def item_text(item: object) -> str:
    """Return one item of a list as the file has it."""
    if not isinstance(item, dict):
        return str(item)
    return "{" + listed(f"{key}: {item_text(value)}" for key, value in item.items()) + "}"

"""List the branches of Go functions: each place where what an engine does depends on what it finds.

Kinds: `if`, `else if`, `else`, `case` and `default` (of select and switch), and `return` for one that is not the last
statement of its function. Loops, deferred calls and goroutines are not branches; what stands in a function literal
belongs to the function around it. tree-sitter's Go grammar reads the files, from a checkout or from a git directory. A
short condition is printed beside a branch for whoever has the source; the tables here have none, since the source is
another project's.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

LONGEST = 60  # characters of a condition that is told
KINDS = {
    "if_statement": "if",
    "expression_case": "case",
    "type_case": "case",
    "communication_case": "case",
    "default_case": "default",
    "return_statement": "return",
}
FUNCTIONS = ("function_declaration", "method_declaration", "func_literal")
CONDITIONS = ("condition", "value", "communication", "type")  # fields of a node that hold what is asked


@dataclass(frozen=True, order=True)
class Branch:
    """One place where a function goes one way or another."""

    file: str
    line: int
    kind: str
    function: str  # Type.method, or the function's name
    condition: str  # empty if there is none, or if it is too long to be told

    @property
    def place(self) -> tuple[str, str, int, str]:
        """Where it stands, and its kind."""
        return self.file, self.function, self.line, self.kind


def reader(place: Path) -> Callable[[str, str], bytes]:
    """Return what reads a file of a version: from a checkout of it, or a git directory that has its tag."""

    def read(tag: str, file: str) -> bytes:
        if (place / file).is_file():
            return (place / file).read_bytes()
        asked = ["git", "-C", str(place), "show", f"{tag}:{file}"]
        return subprocess.run(asked, check=True, capture_output=True).stdout

    return read


def has(place: Path, tag: str, file: str) -> bool:
    """Return whether a place has a file of a version."""
    asked = ["git", "-C", str(place), "cat-file", "-e", f"{tag}:{file}"]
    return (place / file).is_file() or subprocess.run(asked, check=False, capture_output=True).returncode == 0


def branches(file: str, source: bytes, functions: Set[str]) -> list[Branch]:
    """Return the branches of *functions* of a file, by line; raise KeyError for one that is not there."""
    import tree_sitter_go
    from tree_sitter import Language, Parser

    root = Parser(Language(tree_sitter_go.language())).parse(source).root_node
    bodies = {_name(node): node for node in root.children if node.type in FUNCTIONS}
    if missing := sorted(functions - set(bodies)):
        raise KeyError(f"{file} has no {', '.join(missing)}; it has {', '.join(sorted(bodies))}")
    return sorted(it for name in functions for it in _inside(file, name, bodies[name]))


def _name(function: Node) -> str:
    """Return a function's name, with the receiver's type before a method's."""
    name = _text(function.child_by_field_name("name"))
    receiver = function.child_by_field_name("receiver")
    if receiver is None:
        return name
    return f"{_text(receiver).strip('()').split()[-1].lstrip('*')}.{name}"


def _inside(file: str, function: str, node: Node) -> Iterator[Branch]:
    """Yield the branches below a node."""
    for child in node.children:
        kind = KINDS.get(child.type)
        if child.type == "else" and (after := child.next_sibling) and after.type == "block":
            kind = "else"
        if kind == "if" and child.prev_sibling is not None and child.prev_sibling.type == "else":
            kind = "else if"
        if kind is not None and not (kind == "return" and _is_last(child)):
            yield Branch(file, child.start_point[0] + 1, kind, function, _condition(child))
        yield from _inside(file, function, child)


def _is_last(node: Node) -> bool:
    """Return whether a return is the last statement of its function or function literal."""
    statements = node.parent
    block = statements.parent if statements is not None and statements.type == "statement_list" else statements
    if statements is None or block is None or block.parent is None or block.type != "block":
        return False
    later = (it for it in statements.named_children if it.start_byte > node.start_byte and it.type != "comment")
    return block.parent.type in FUNCTIONS and not any(later)


def _condition(node: Node) -> str:
    """Return what is asked, on one line; nothing if it is long."""
    for field in CONDITIONS:
        if found := node.children_by_field_name(field):
            text = " ".join(", ".join(_text(it) for it in found if it.is_named).split())
            return text if len(text) <= LONGEST else ""
    return ""


def _text(node: Node | None) -> str:
    return "" if node is None or node.text is None else node.text.decode()

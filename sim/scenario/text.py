"""YAML as people write it for Compose, with the place of every value.

Models: YAML 1.1 documents with anchors and merge keys, read with PyYAML's composer over its parser (libyaml's where it
is built in; libyaml's own composer recurses in C, and deep nesting overflows its stack). Leaves out: PyYAML's implicit
types. Only `null`, `true`/`false`, plain decimal integers and plain decimal fractions are not text: `no`, `on`,
`22:22`, `0123`, dates and `1e5` stay the words that were written. Tags of one's own and keys that are not scalars are
refused. Source: YAML 1.1, PyYAML 6 (`yaml.nodes`, start marks), Compose's use of anchors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import yaml
from yaml.composer import Composer

from sim.errors import InputError, Problem
from sim.scenario.words import Refusal

MAX_NODES = 200_000  # after aliases are followed: a small file may otherwise stand for billions of values
MAX_DEPTH = 60
MAX_PROBLEMS = 100

Key = str | int
Path = tuple[Key, ...]
Scalar = str | int | float | bool | None


class Fraction(float):
    """A decimal fraction that remembers how it was written, so that a label `1.10` stays `1.10`."""

    text: str

    def __new__(cls, text: str) -> Fraction:
        self = super().__new__(cls, text)
        self.text = text
        return self

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file; line and column count from 1. Line 0 is a place without lines, such as an option."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Node:
    """A value with its place, the place of the key that holds it, and its tag if the reader takes that one."""

    value: Scalar | dict[str, Node] | list[Node]
    mark: Mark
    key: Mark | None = None
    tag: str = ""

    def find(self, path: Path) -> Node | None:
        """Return the node at *path*, or None."""
        node: Node | None = self
        for step in path:
            node = node.child(step) if node else None
        return node

    def child(self, step: Key) -> Node | None:
        """Return the value under a key or a list index, or None."""
        if isinstance(self.value, dict):
            return self.value.get(str(step))
        if isinstance(self.value, list) and isinstance(step, int) and 0 <= step < len(self.value):
            return self.value[step]
        return None

    def place(self, path: Path, of_key: bool = False) -> Mark:
        """Return where *path* is, or where the nearest thing above it is; *of_key* asks for the key's own place."""
        node, reached = self, True
        for step in path:
            below = node.child(step)
            if below is None:
                reached = False
                break
            node = below
        return node.key if node.key and (of_key or not reached) else node.mark

    def plain(self) -> object:
        """Return dicts, lists and scalars without places."""
        if isinstance(self.value, dict):
            return {key: below.plain() for key, below in self.value.items()}
        if isinstance(self.value, list):
            return [below.plain() for below in self.value]
        return self.value


@dataclass
class Problems:
    """Problems found so far; raised together."""

    found: list[tuple[Mark, Problem]] = field(default_factory=list)

    def add(self, mark: Mark, what: str, hint: str = "") -> None:
        """Note one problem once."""
        problem = Problem(str(mark), printable(what.removesuffix(".")), printable(hint))
        if all(known != problem for _, known in self.found):
            self.found.append((mark, problem))

    def raise_if_any(self) -> None:
        """Raise InputError with all problems in the order of files and lines; nothing happens if there are none."""
        if not self.found:
            return
        ordered = sorted(self.found, key=lambda it: (it[0].file, it[0].line, it[0].column))
        problems = [problem for _, problem in ordered]
        if len(problems) > MAX_PROBLEMS:
            more = len(problems) - MAX_PROBLEMS
            problems = [
                *problems[:MAX_PROBLEMS],
                Problem(problems[MAX_PROBLEMS].where, f"and {more} more problems", ""),
            ]
        raise InputError(problems)


def printable(text: str) -> str:
    """Return *text* with a ? for each character that would move a terminal's cursor or hide."""
    return "".join(c if c.isprintable() else "?" for c in text)


def read(text: str, file: str, problems: Problems, tags: frozenset[str] = frozenset()) -> list[Node]:
    """Return the documents of *text* that could be read; what is wrong goes to *problems*. *tags* stay with values."""
    documents: list[Node] = []
    try:
        documents.extend(composed(text, file, problems, tags))  # those before what is too much stay
    except TooMuch as much:
        problems.add(Mark(file, much.line + 1, much.column + 1), much.what)
    return documents


def composed(text: str, file: str, problems: Problems, tags: frozenset[str] = frozenset()) -> Iterator[Node]:
    """Yield the documents of *text*; what is not YAML goes to *problems*. Raises TooMuch."""
    try:
        for root in yaml.compose_all(text, Loader=PlainLoader):
            if root is not None:
                yield Converter(file, problems, tags).convert(root)
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        mark = Mark(file, place.line + 1, place.column + 1) if place else Mark(file, 1, 1)
        problems.add(mark, f"not YAML: {error.problem or error.context or 'cannot be read'}.", yaml_hint(error))
    except yaml.reader.ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        mark = Mark(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        problems.add(mark, "not YAML: a character that may not stand in a text file.")
    except UnicodeEncodeError as error:  # half a character: text that was not read from a file
        mark = Mark(file, text.count("\n", 0, error.start) + 1, 1)
        problems.add(mark, "not YAML: a character that may not stand in a text file.")


def yaml_hint(error: yaml.MarkedYAMLError) -> str:
    """Return what usually is the cause of *error*."""
    problem = error.problem or ""
    if "cannot start any token" in problem:
        return "Indent with blanks, not tabs, and quote text that begins with @, ` or %."
    if "mapping values are not allowed" in problem:
        return "Quote text that contains ': '."
    return ""


# -- types of plain scalars ------------------------------------------------------------------------

TAG = "tag:yaml.org,2002:"
INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
FRACTION = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}\Z")
NULLS = {"", "~", "null", "Null", "NULL"}
BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}

BaseLoader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class TooMuch(Exception):
    """More than is read: nesting beyond MAX_DEPTH, a value that contains itself, or more values than MAX_NODES."""

    def __init__(self, what: str, mark: yaml.Mark) -> None:
        super().__init__(what)
        self.what, self.line, self.column = what, mark.line, mark.column


def check_depth(depth: int, mark: yaml.Mark) -> None:
    """Raise TooMuch for what is nested deeper than anything that is read."""
    if depth > MAX_DEPTH:
        raise TooMuch(f"nested deeper than {MAX_DEPTH} levels.", mark)


class Nesting(Composer):
    """PyYAML's composer, which counts how deep it is before it descends."""

    depth = 0
    peek_event: Callable[[], Any]  # the parser's

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Return the node that the next events make."""
        check_depth(self.depth, self.peek_event().start_mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class PlainLoader(Nesting, BaseLoader):  # type: ignore[misc]  # chosen at import: C if it is there
    """PyYAML's loader with our own idea of what plain text means."""

    def __init__(self, stream: str) -> None:
        Nesting.__init__(self)
        BaseLoader.__init__(self, stream)  # type: ignore[misc]

    def resolve(self, kind: type, value: str | None, implicit: object) -> str:
        """Return the tag of an untagged node."""
        if kind is not yaml.ScalarNode:
            return TAG + ("seq" if kind is yaml.SequenceNode else "map")
        plain = isinstance(implicit, tuple) and bool(implicit[0])
        return TAG + (kind_of_plain(value or "") if plain else "str")


def kind_of_plain(text: str) -> str:
    """Return null, bool, int, float, merge or str for an unquoted scalar."""
    if text in NULLS:
        return "null"
    if text in BOOLEANS:
        return "bool"
    if INTEGER.match(text):
        return "int"
    if FRACTION.match(text):
        return "float"
    return "merge" if text == "<<" else "str"


def scalar(tag: str, text: str) -> Scalar:
    """Return the value of a scalar with *tag*; raise ValueError if it is none of ours."""
    match tag.removeprefix(TAG):
        case "null":
            return None
        case "bool":
            return BOOLEANS[text] if text in BOOLEANS else fail()
        case "int":
            return int(text) if INTEGER.match(text) else fail()
        case "float":
            return Fraction(text) if FRACTION.match(text) or INTEGER.match(text) else fail()
        case "str" | "merge":
            return text
    return fail()


def fail() -> Scalar:
    """Refuse a tag."""
    raise ValueError


def parse_value(text: str) -> Scalar | object:
    """Return *text* read as one YAML value, for `--set PATH=VALUE`; text that is not YAML stays text.

    Raises Refusal for what is YAML and nested too deep or too large.
    """
    problems = Problems()
    try:
        found = list(composed(text, "--set", problems))
    except TooMuch as much:
        raise Refusal(much.what) from None
    return found[0].plain() if len(found) == 1 and not problems.found else (text or None)


# -- from PyYAML's nodes to ours -------------------------------------------------------------------


@dataclass
class Converter:
    """Turns one document's nodes into ours: follows aliases, merges `<<`, refuses duplicate keys."""

    file: str
    problems: Problems
    tags: frozenset[str] = frozenset()
    count: int = 0

    def convert(self, node: yaml.Node, key: Mark | None = None, depth: int = 0) -> Node:
        """Return *node* with all below it."""
        self.count += 1
        if self.count > MAX_NODES:
            raise TooMuch(f"more than {MAX_NODES} values once its aliases are followed.", node.start_mark)
        check_depth(depth, node.start_mark)
        mark, tag = self.mark(node), node.tag if node.tag in self.tags else ""
        if isinstance(node, yaml.MappingNode):
            return Node(self.mapping(node, depth), mark, key, tag)
        if isinstance(node, yaml.SequenceNode):
            return Node([self.convert(below, None, depth + 1) for below in node.value], mark, key, tag)
        if tag:
            return Node(scalar(TAG + kind_of_plain(node.value), node.value), mark, key, tag)
        return Node(self.scalar(node, mark), mark, key)

    def mark(self, node: yaml.Node) -> Mark:
        return Mark(self.file, node.start_mark.line + 1, node.start_mark.column + 1)

    def scalar(self, node: yaml.Node, mark: Mark) -> Scalar:
        try:
            return scalar(node.tag, node.value)
        except ValueError:
            self.problems.add(
                mark, f"the tag {node.tag.replace(TAG, '!!')} is not understood.", "Write the value alone."
            )
            return None

    def mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Node]:
        """Return the pairs of a mapping: its own keys first, then those that `<<` brings and that it has not."""
        own: dict[str, Node] = {}
        merged: list[dict[str, Node]] = []
        for key_node, value_node in node.value:
            mark = self.mark(key_node)
            if not isinstance(key_node, yaml.ScalarNode):
                self.problems.add(mark, "a key must be a word.")
            elif key_node.tag == TAG + "merge":
                merged += list(self.merges(value_node, depth))
            elif key_node.value in own:
                first = own[key_node.value].key
                self.problems.add(
                    mark, f"{key_node.value}: this key stands twice.", f"The first is at line {line_of(first)}."
                )
            else:
                own[key_node.value] = self.convert(value_node, mark, depth + 1)
        for mapping in merged:
            for name, below in mapping.items():
                own.setdefault(name, below)
        return own

    def merges(self, node: yaml.Node, depth: int) -> Iterator[dict[str, Node]]:
        """Yield the mappings that a merge key brings."""
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for below in nodes:
            if isinstance(below, yaml.MappingNode):
                converted = self.convert(below, None, depth + 1).value
                assert isinstance(converted, dict)
                yield converted
            else:
                self.problems.add(self.mark(below), "<< takes a mapping or a list of mappings.")


def line_of(mark: Mark | None) -> int:
    """Return the line of *mark*, 0 if there is none."""
    return mark.line if mark else 0


def moved(value: object, mark: Mark) -> Node:
    """Return plain *value* as nodes that all stand at *mark* (for values that come from a command line)."""
    if isinstance(value, dict):
        return Node({str(k): replace(moved(v, mark), key=mark) for k, v in value.items()}, mark)
    if isinstance(value, list):
        return Node([moved(v, mark) for v in value], mark)
    assert value is None or isinstance(value, str | int | float | bool)
    return Node(value, mark)

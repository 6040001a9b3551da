"""`properties:` of a scenario: names of the table and sentences of one's own.

An own property has a kind, an expression and a name; one without a name is called property1, property2, … by its place.
Leaves out what is asked of worlds (`property_asked`) and judging (`verdict_properties`, `to_explore`). Source: the
project's scenario language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sim.engine.setup import Setup
from sim.model import design_of
from sim.properties import KINDS, PROPERTIES, in_words_of
from sim.scenario.check import Report, spelt
from sim.scenario.expect import Expectation, PropertyExpect
from sim.scenario.expression import Expression, parse
from sim.scenario.instants import STEP_ID, Names
from sim.scenario.steps import entries
from sim.scenario.text import Node, Path
from sim.scenario.words import Refusal, did_you_mean, listed, shown

EXAMPLE = "Write always: open(8080, remote) or down(dockerd), or a name such as V3."
QUOTE = "Between braces a comma ends a value: put the expression in quotes."


class OwnProperty(msgspec.Struct, frozen=True):
    """A property that a file states: plain data, so that it can be passed between processes."""

    name: str
    kind: str
    text: str
    expression: Expression
    line: int = 0


Listed = str | OwnProperty  # a name of PROPERTIES, or one's own


def read_properties(root: Node, names: Names, ports: Mapping[int, str], report: Report) -> tuple[Listed, ...]:
    """Return what the file lists, in its order; what is wrong goes to *report*."""
    found: dict[str, Listed] = {}
    for path, node in entries(root, "properties", report):
        try:
            entry = _table_name(node) if isinstance(node.value, str) else _own(root, path, node, names, ports, report)
        except Refusal as refusal:
            report.refuse(root, path, refusal)
            continue
        name = name_of(entry)
        if name in found:
            report.refuse(root, path, Refusal(f"{shown(name)} stands twice.", "Give it another name:."))
        found.setdefault(name, entry)
    return tuple(found.values())


def name_of(entry: Listed) -> str:
    """Return the name of a property that a file lists."""
    return entry if isinstance(entry, str) else entry.name


def worded(expectations: Iterable[Expectation], setup: Setup) -> tuple[Expectation, ...]:
    """Return expectations whose properties of the table have the words of the design that runs, upgrades included."""
    design = design_of(setup)
    return tuple(
        msgspec.structs.replace(it, sentence=in_words_of(PROPERTIES[it.name], design).sentence)
        if isinstance(it, PropertyExpect) and it.name in PROPERTIES
        else it
        for it in expectations
    )


def _table_name(node: Node) -> str:
    name = str(node.value)
    if name in PROPERTIES:
        return name
    kind = name.partition(" ")[0].rstrip(":")
    hint = f"Write {{{kind}: …}}." if kind in KINDS else did_you_mean(name, PROPERTIES) or known_names()
    raise Refusal(f"there is no property {shown(name)}.", hint)


def known_names(own: Iterable[str] = ()) -> str:
    """List the names of a file's own properties and of the invariants; laws and guards are not named."""
    return f"Known: {listed((*own, *(name for name in PROPERTIES if name[1].isdigit())))}."


def _own(root: Node, path: Path, node: Node, names: Names, ports: Mapping[int, str], report: Report) -> OwnProperty:
    """Return a property of one's own; raise Refusal for the whole entry, note what is wrong with its values."""
    if not isinstance(node.value, dict):
        raise Refusal(f"{shown(node.plain())} is not a property.", EXAMPLE)
    for key, below in node.value.items():
        if key not in (*KINDS, "name"):
            hint = did_you_mean(key, (*KINDS, "name")) or f"Valid: {listed((*KINDS, 'name'))}."
            if below.value is None and ")" in key:
                raise Refusal(f"{shown(key)} is no key.", QUOTE)
            report.problems.add(below.key or below.mark, f"{spelt((*path, key))}: unknown key.", hint)
    kinds = [key for key in node.value if key in KINDS]
    if len(kinds) != 1:
        what = f"has {listed(kinds)}." if kinds else "says nothing."
        raise Refusal(what, f"Give it one of {listed(KINDS)}.")
    name = _name(node, f"property{int(path[1]) + 1}")
    text = node.value[kinds[0]].plain()
    try:
        expression = parse(text, names, ports)
    except Refusal as refusal:
        raise Refusal(refusal.what, refusal.hint, (kinds[0],)) from None
    return OwnProperty(name, kinds[0], " ".join(str(text).split()), expression, node.mark.line)


def _name(node: Node, otherwise: str) -> str:
    given = node.child("name")
    if given is None or given.value is None:
        return otherwise
    name = given.value
    if not isinstance(name, str) or not STEP_ID.match(name) or "." in name:
        raise Refusal(f"{shown(given.plain())} is not a name.", "It begins with a letter, as a step's id.", ("name",))
    if name in PROPERTIES:
        raise Refusal(f"{shown(name)} is a property of the table.", "Choose another name.", ("name",))
    return name

"""Keys that the engine of a file does not have: refused, and taken out.

Models: the rows of a design's vocabulary, asked with the version that the file names; keys of daemon.json in a step may
also be of a version that an upgrade brings. A key that switches off what is not there changes nothing and stays, and so
does one that the engine's room notes. What is taken out is not refused a second time by the readers. Source:
`sim.engine.vocabulary`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sim.designs import Design
from sim.engine.setup import EngineSetup
from sim.engine.vocabulary import Key, name_of, number_of
from sim.scenario.check import Report, spelt
from sim.scenario.engines import design_of
from sim.scenario.text import Node, Path
from sim.scenario.words import Refusal

Versions = tuple[tuple[str, Design], ...]  # as the file spells them
DEFAULT = EngineSetup().design


def without_unknown(root: Node, report: Report) -> Node:
    """Return *root* without the keys that its engine does not have; each is refused."""
    first, *later = _named(root)
    for path, section, versions in _sections(root, (first,), (first, *later)):
        mapping = root.find(path)
        if mapping is None or not isinstance(mapping.value, dict):
            continue  # what it stands in was refused
        for key, below in mapping.value.items():
            refusal = None if below.value in (None, False) else refused(section, key, versions)
            if refusal is not None:
                at = (*path, key)
                report.problems.add(below.key or below.mark, f"{spelt(at)}: {refusal.what}", refusal.hint)
                root = _without(root, at)
    return root


def releases_of(root: Node) -> list[Design]:
    """Return the version of the engine that a file begins with, and those that its steps may bring."""
    return [design for _, design in _named(root)]


def version_of(root: Node) -> Versions:
    """Return the version of the engine that a file begins with, as it is spelt there."""
    return _versions(root, [("engine", "design")]) or ((DEFAULT, design_of(DEFAULT)),)


def _named(root: Node) -> Versions:
    first = version_of(root)
    later = _versions(root, [("steps", place, "upgrade", "to") for place in range(_length(root, ("steps",)))])
    return (*first, *later)


def refused(section: str, key: str, versions: Versions) -> Refusal | None:
    """Return why none of *versions* can be told *key*, None if one can."""
    found = [_refusal(name, key, design.engine.vocabulary.get(section, {}).get(key)) for name, design in versions]
    return None if None in found else found[0]


def _refusal(name: str, key: str, row: Key | None) -> Refusal | None:
    version = number_of(name)
    if row is None or row.noted or row.is_known_to(version):
        return None
    if row.why_not:
        return Refusal(f"{name} has no {key}: {row.why_not}.")
    if version < number_of(row.since):
        return Refusal(f"{name} has no {key}.", f"{name_of(row.since, name)} is the first that has.")
    return Refusal(f"{name} has no {key}.", f"{name_of(row.until, name)} is the last that has.")


def _versions(root: Node, paths: list[Path]) -> Versions:
    """Return the designs that are named at *paths*; names that stand for none are refused elsewhere."""
    found = []
    for path in paths:
        node = root.find(path)
        if node is not None and isinstance(node.value, str):
            try:
                found.append((node.value, design_of(node.value)))
            except Refusal:
                continue
    return tuple(found)


def _sections(root: Node, first: Versions, all_: Versions) -> Iterator[tuple[Path, str, Versions]]:
    """Yield each mapping of the file whose keys are an engine's: its path, its section, who may read it."""
    yield from _at(root, ("engine", "daemon"), "daemon", first)
    yield from _at(root, ("engine", "unit"), "unit", first)
    yield from _at(root, ("engine", "unverified"), "unverified", all_)
    services = root.child("services")
    for name in services.value if services is not None and isinstance(services.value, dict) else ():
        yield from _at(root, ("services", name), "service", first)
        yield from _at(root, ("services", name, "healthcheck"), "healthcheck", first)
    for place in range(_length(root, ("steps",))):
        yield from _at(root, ("steps", place, "host", "daemon.json"), "daemon", all_)


def _at(root: Node, path: Path, section: str, versions: Versions) -> Iterator[tuple[Path, str, Versions]]:
    node = root.find(path)
    if node is not None and isinstance(node.value, dict):
        yield path, section, versions


def _length(root: Node, path: Path) -> int:
    node = root.find(path)
    return len(node.value) if node is not None and isinstance(node.value, list) else 0


def _without(node: Node, path: Path) -> Node:
    """Return *node* without what stands at *path*."""
    first, rest = path[0], path[1:]
    if isinstance(node.value, list):
        entries = [_without(below, rest) if place == first else below for place, below in enumerate(node.value)]
        return replace(node, value=entries)
    assert isinstance(node.value, dict)
    if not rest:
        return replace(node, value={key: below for key, below in node.value.items() if key != first})
    return replace(node, value={**node.value, str(first): _without(node.value[str(first)], rest)})

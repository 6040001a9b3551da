"""What differs between two designs: words and numbers (traits), and which programs take other steps.

A program differs if one has a procedure that the other has not, or has with other ops. Source: the designs themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import asdict

from sim.designs import DESIGNS, Design
from sim.designs.reads import reads
from sim.designs.takes import had_by, is_version_of
from sim.engine.procedure import Procedure
from sim.engine.program import Program
from sim.engine.traits import MEANINGS, Words


class Difference(msgspec.Struct, frozen=True):
    """One thing that two designs do or have differently; *source* says who says so."""

    what: str
    one: str
    other: str
    source: str = ""


def differences(one: Design, other: Design) -> tuple[Difference, ...]:
    """Return the traits that differ, then the programs."""
    return (*_traits(one, other), *_programs(one, other))


def _traits(one: Design, other: Design) -> Iterator[Difference]:
    for field, (meaning, source) in MEANINGS.items():
        first, second = (_flat(design, field, meaning) for design in (one, other))
        for what in dict.fromkeys((*first, *second)):
            if first.get(what) != second.get(what):
                yield Difference(what, _said(first.get(what)), _said(second.get(what)), source)


def _flat(design: Design, field: str, name: str) -> dict[str, object]:
    """Return a trait's parts by name, but those that the design does not have; a trait without parts is its own."""
    if not _is_of(design, field):
        return {}
    value = getattr(design.traits, field)
    if isinstance(value, Words):
        return {f"{name}: {program}": words for program, words in _command_lines(design, value).items()}
    if not isinstance(value, msgspec.Struct):
        return {name: value}
    return {f"{name}: {part}": it for part, it in had_by(design, field, asdict(value)).items()}


def _is_of(design: Design, field: str) -> bool:
    """Return whether a trait is one of a design: a version of its engine reads it, or shared code alone does."""
    if field == "unit":
        return bool(design.traits.engine_unit)
    versions = [design, *(it for it in DESIGNS.values() if is_version_of(design, it))]
    return any(field in reads(it) for it in versions) or not any(field in reads(it) for it in DESIGNS.values())


def _command_lines(design: Design, words: Words) -> dict[str, object]:
    """Return the command lines by program: one for each field that a role names, and that of the engine's daemon."""
    found: dict[str, str] = {}
    for program, role in sorted(design.roles.items(), key=lambda row: row[1].order):
        if role.words and role.words not in found.values():
            found[program] = role.words
    own = {design.traits.engine: words.dockerd} if design.traits.engine else {}
    return {program: getattr(words, field) for program, field in found.items()} | own


def _said(value: object) -> str:
    if value in (None, "", ()):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(value) if isinstance(value, tuple) else str(value)


def _programs(one: Design, other: Design) -> Iterator[Difference]:
    for name in dict.fromkeys((*one.programs, *other.programs)):
        mine, theirs = one.programs.get(name), other.programs.get(name)
        if mine is None or theirs is None:
            there = ("none", "has it") if mine is None else ("has it", "none")
            yield Difference(f"program {name}", *there)
            continue
        first, second = _own(mine, theirs), _own(theirs, mine)
        if first or second:
            yield Difference(f"program {name}", _listed(first), _listed(second))


def _own(program: Program, other: Program) -> list[str]:
    """Return the names of the procedures that *other* has not, or otherwise."""
    theirs = {table.name: _shape(table) for table in other.procedures}
    own = (table.name for table in program.procedures if theirs.get(table.name) != _shape(table))
    return [name.partition(".")[2] for name in own]


def _shape(table: Procedure) -> tuple[tuple[object, ...], ...]:
    return tuple((op.name, op.labels, getattr(op, "function", None)) for op in table.ops)


def _listed(names: list[str]) -> str:
    return f"its own {', '.join(names)}" if names else "nothing of its own"

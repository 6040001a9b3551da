"""What a file, or a command line, wants to be compared with: values for paths, faults, a window, how often.

Models: lists of values (`a,b`), ranges (`1..5`, `1s..9s..2s`), grids (every value with every other), zips (first with
first) and lists of settings. A text that only looks like a range is quoted. Leaves out what a fault is, and what is
measured. Source: the project's scenario
language, `whatif:`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import product
from typing import Any

import msgspec

from sim.scenario.check import Report, check
from sim.scenario.instants import Names, parse_instant
from sim.scenario.must import Must, read_must
from sim.scenario.schema import WhatifFile
from sim.scenario.settings import set_path
from sim.scenario.text import Node, Path, parse_value
from sim.scenario.words import Refusal, listed, shown

MOST = 1_000  # alternatives of one question
RANGE = re.compile(
    r"(?P<low>-?[0-9]{1,15}(?:\.[0-9]{1,9})?)(?P<unit>[a-zA-Zµ%]*)\.\."
    r"(?P<high>-?[0-9]{1,15}(?:\.[0-9]{1,9})?)(?P<unit2>[a-zA-Zµ%]*)"
    r"(?:\.\.(?P<step>[0-9]{1,15}(?:\.[0-9]{1,9})?)(?P<unit3>[a-zA-Zµ%]*))?\Z"
)

Settings = tuple[str, ...]  # PATH=VALUE each
Dimension = tuple[str, tuple[str, ...]]  # a path and its values


class Asked(msgspec.Struct, frozen=True):
    """What `whatif:` and `must:` of a file ask for; None and () where they say nothing."""

    alternatives: tuple[Settings, ...] = ()
    faults: tuple[str, ...] = ()
    window: tuple[str, str] | None = None
    seeds: int | None = None
    precision: str | None = None
    most: int | None = None
    must: tuple[Must, ...] = ()


# -- values ----------------------------------------------------------------------------------------


def dimension(setting: str) -> Dimension:
    """Read `PATH=V1,V2`: commas part values, but not within brackets and quotes. Raises Refusal.

    >>> dimension("host.cores=1,4..6")
    ('host.cores', ('1', '4', '5', '6'))
    """
    path, sign, text = setting.partition("=")
    if not sign or not path.strip():
        raise Refusal(f"{shown(setting)} is not a setting.", "Write PATH=VALUE, like engine.daemon.live-restore=true.")
    return path.strip(), tuple(value for part in parts(text) for value in expanded(part))


def parts(text: str) -> list[str]:
    """Part a text at its commas.

    >>> parts('[1, 2],"a,b",c')
    ['[1, 2]', '"a,b"', 'c']
    """
    found, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        else:
            depth += (letter in "[{(") - (letter in "]})")
        if letter == "," and not depth and not quote:
            found.append("")
        else:
            found[-1] += letter
    return [part.strip() for part in found]


def expanded(text: str) -> list[str]:
    """Return the values of a range, or the text itself. Raises Refusal.

    >>> expanded("1s..5s..2s"), expanded("0.5..1..0.25"), expanded("on-failure")
    (['1s', '3s', '5s'], ['0.5', '0.75', '1'], ['on-failure'])
    """
    found = RANGE.match(text)
    if found is None:
        return [text]
    units = {unit for unit in (found["unit"], found["unit2"], found["unit3"]) if unit}
    if len(units) > 1:
        raise Refusal(f"{shown(text)} mixes units.", "Write 500ms..2000ms..500ms.")
    low, high, step = Decimal(found["low"]), Decimal(found["high"]), Decimal(found["step"] or 1)
    if low > high or not step:
        raise Refusal(f"{shown(text)} holds no value.", "Write the smaller number first, LOW..HIGH..STEP.")
    count = int((high - low) / step) + 1
    if count > MOST:
        raise Refusal(f"{shown(text)} are {count} values; {MOST} are the most.", "Give a larger step, LOW..HIGH..STEP.")
    return [f"{(low + n * step).normalize():f}{''.join(units)}" for n in range(count)]


def grid(dimensions: Sequence[Dimension]) -> tuple[Settings, ...]:
    """Return every value with every other. Raises Refusal where they are too many.

    >>> grid([("a", ("1", "2")), ("b", ("x",))])
    (('a=1', 'b=x'), ('a=2', 'b=x'))
    """
    count = 1
    for _, values in dimensions:
        count *= len(values)
    if count > MOST:
        raise Refusal(f"these are {count} alternatives; {MOST} are the most.", "Give fewer values, or take a zip.")
    named = [[f"{path}={value}" for value in values] for path, values in dimensions]
    return tuple(product(*named)) if named else ()


def zipped(dimensions: Sequence[Dimension]) -> tuple[Settings, ...]:
    """Return first values together, then second ones. Raises Refusal where there are not equally many.

    >>> zipped([("a", ("1", "2")), ("b", ("x", "y"))])
    (('a=1', 'b=x'), ('a=2', 'b=y'))
    """
    if len({len(values) for _, values in dimensions}) > 1:
        counts = listed(f"{path} has {len(values)}" for path, values in dimensions)
        raise Refusal(f"a zip takes as many values of each path: {counts}.", "A grid takes every one with every other.")
    return tuple(zip(*([f"{path}={value}" for value in values] for path, values in dimensions), strict=True))


def spelled_values(value: object) -> tuple[str, ...]:
    """Return a value of `whatif:`, or each of a list, as the text of a setting."""
    values = value if isinstance(value, list) else [value]
    return tuple(text for it in values for text in (expanded(it) if isinstance(it, str) else [spelled(it)]))


def spelled(value: object) -> str:
    """Return a plain value so that YAML reads it back.

    >>> spelled(True), spelled("no"), spelled("7"), spelled([1, "a"])
    ('true', 'no', '"7"', '[1, "a"]')
    """
    if isinstance(value, str) and _reads_back(value):
        return value
    if isinstance(value, float):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _reads_back(text: str) -> bool:
    """Return whether YAML reads *text* as itself."""
    try:
        return parse_value(text) == text
    except Refusal:
        return False


# -- the block -------------------------------------------------------------------------------------


def read_asked(root: Node, names: Names, report: Report) -> Asked:
    """Return what `whatif:` and `must:` ask for; what is wrong with it goes to *report*."""
    file, must = check(WhatifFile, root, ("whatif",), report), read_must(root, report)
    if file is None:
        return Asked(must=must)
    found: list[Settings] = []
    for key, combine, given in (("grid", grid, file.grid), ("zip", zipped, file.zip)):
        found += _combined(root, ("whatif", key), combine, given, report)
    for place, settings in enumerate(file.list_):
        found += _combined(root, ("whatif", "list", place), _alone, settings, report)
    for place, instant in enumerate(file.window or ()):
        try:
            parse_instant(instant, names)
        except Refusal as refusal:
            report.refuse(root, ("whatif", "window", place), refusal)
    window = None if file.window is None else (str(file.window[0]), str(file.window[1]))
    faults = tuple(spelled(fault) for fault in file.faults)
    return Asked(tuple(found), faults, window, file.seeds, file.precision, file.most, must)


def _alone(dimensions: Sequence[Dimension]) -> tuple[Settings, ...]:
    return (tuple(f"{path}={value}" for path, values in dimensions for value in values),)


def _combined(root: Node, path: Path, combine: Any, given: Mapping[str, object], report: Report) -> Iterable[Settings]:
    """Return the alternatives of one part; a path that nothing reads is refused at its own place."""
    if not given:
        return ()
    try:
        alone = combine is _alone
        dimensions = [(name, (spelled(it),) if alone else spelled_values(it)) for name, it in given.items()]
        for name in given:
            try:
                set_path(root, name, None)
            except Refusal as refusal:
                raise Refusal(refusal.what, refusal.hint, (name,)) from None
        return tuple(combine(dimensions))
    except Refusal as refusal:
        report.refuse(root, path, refusal)
        return ()

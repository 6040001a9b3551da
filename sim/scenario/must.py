"""What a file says must hold after an act: how many containers may be lost or replaced, how long ports may be dark.

Models: acts by the words of `shimulator blast --only`, limits as counts and durations. Leaves out whether there is such
an act, which only the running host tells. Source: the project's scenario language, `must:`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sim.engine.setup import Microseconds
from sim.scenario.check import Report, check
from sim.scenario.schema import MustFile
from sim.scenario.text import Node
from sim.scenario.units import duration
from sim.scenario.words import Refusal, shown

NONE = "none"
LIMITS = ("lose", "replace", "max-dark", "back-within")


class Must(msgspec.Struct, frozen=True):
    """What must hold after each of some acts; None where nothing is said. *place* is where it is said: file, line."""

    on: tuple[str, ...]
    lose: int | None = None
    replace: int | None = None
    max_dark: Microseconds | None = None
    back_within: Microseconds | None = None
    place: tuple[str, int] = ("", 0)


def read_must(root: Node, report: Report) -> tuple[Must, ...]:
    """Return what `must:` asks for; what is wrong with it goes to *report*."""
    node = root.child("must")
    if node is None or node.value is None:
        return ()
    if not isinstance(node.value, list):
        what, hint = f"must: {shown(node.plain())} is not a list.", "Write must: [{on: upgrade, lose: none}]."
        report.problems.add(node.mark, what, hint)
        return ()
    found = (_entry(root, place, report) for place in range(len(node.value)))
    return tuple(it for it in found if it is not None)


def _entry(root: Node, place: int, report: Report) -> Must | None:
    path = ("must", place)
    file = check(MustFile, root, path, report)
    if file is None:
        return None
    on = (file.on,) if isinstance(file.on, str) else tuple(file.on)
    mark = root.place(path)
    given = dict(zip(LIMITS, (file.lose, file.replace, file.max_dark, file.back_within), strict=True))
    try:
        return must_of(on, given, (mark.file, mark.line))
    except Refusal as refusal:
        report.refuse(root, path, refusal)
        return None


def must_of(on: tuple[str, ...], given: Mapping[str, object], place: tuple[str, int] = ("", 0)) -> Must:
    """Return what limits say that are given in words, by their names in a file. Raises Refusal."""
    if not on:
        raise Refusal("there is no act.", "Write on: upgrade, or another act of shimulator blast.")
    if all(value is None for value in given.values()):
        raise Refusal("there is no limit.", f"Give one of {', '.join(LIMITS)}.")
    lose, replace = (_count(key, given[key]) for key in LIMITS[:2])
    max_dark, back_within = (_time(key, given[key]) for key in LIMITS[2:])
    return Must(on, lose, replace, max_dark, back_within, place)


def _count(key: str, value: object) -> int | None:
    if value is None:
        return None
    if value == NONE:
        return 0
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    raise Refusal(f"{shown(value)} is no number of containers.", "Write none, or how many may be.", (key,))


def _time(key: str, value: object) -> Microseconds | None:
    try:
        return None if value is None else duration(value)
    except Refusal as refusal:
        raise Refusal(refusal.what, refusal.hint, (key,)) from None

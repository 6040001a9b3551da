"""A step that is taken again and again: `{id: kill, at: 60s, every: 5s, kill: shim/web, times: 6}`.

The file's step becomes as many steps as it is taken, each in a terminal of its own: it comes at its time although the
one before may still wait for an answer. The first has the id of the file, the others are called `kill#2`, `kill#3`. How
many there are must be known before the run: by `times`, or by an end whose distance from the begin the file tells.
Leaves out a period that varies. Source: the project's scenario language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from sim.engine.setup import Instant, Microseconds
from sim.scenario import units
from sim.scenario.fields import whole
from sim.scenario.instants import Names, parse_instant
from sim.scenario.text import Node
from sim.scenario.words import Refusal, counted

T = TypeVar("T")
EVERY, TIMES, UNTIL = KEYS = ("every", "times", "until")
MOST = 1_000  # of one step: each has a terminal
HINT = "Write times: 6, or until: with a time."
times = whole(2, MOST, "a number of times")


class Repeated(NamedTuple):
    """How often a step is taken, and in what period (µs)."""

    every: Microseconds = 0
    times: int = 1


ONCE = Repeated()


def repeated(root: Node, place: int, names: Names) -> Repeated:
    """Return how often the step at a place of the file is taken. Raises Refusal, with the key below the step."""
    node = root.find(("steps", place))
    said = _said(node)
    if node is None or not said:
        return ONCE
    if EVERY not in said:
        raise Refusal(f"{said[0]} needs every, the period.", "Write {every: 5s, times: 6}.", (said[0],))
    if len(said) == len(KEYS):
        raise Refusal("has both times and until.", "Leave one of them out.", (TIMES,))
    every = _read(node, EVERY, units.duration)
    if not every:
        raise Refusal("the period is 0.", "Write every: 5s.", (EVERY,))
    if TIMES in said:
        return Repeated(every, _read(node, TIMES, times))
    key = UNTIL if UNTIL in said else EVERY
    long = _length(root, place, names, key)
    if long < every:
        ends = "comes" if key == UNTIL else "the run ends"
        raise Refusal(f"{ends} before the step is taken twice.", "Leave every out.", (key,))
    count = long // every + 1
    if count > MOST:
        raise Refusal(f"that is {counted(count, 'time')}; {MOST} are the most.", "", (key,))
    return Repeated(every, count)


def with_repeats(root: Node, names: Names) -> Names:
    """Return the names with one for each later time of a step; what is wrong is refused where it is read."""
    found, ids = list(names.steps), names.steps
    for place, id_ in enumerate(ids):
        if not _said(root.find(("steps", place))):
            continue
        try:
            often = repeated(root, place, replace(names, steps=tuple(found)))
        except Refusal:
            continue
        found += [nth(id_, number) for number in range(2, often.times + 1)]
    return replace(names, steps=tuple(found))


def _said(node: Node | None) -> list[str]:
    """Return the keys of a repetition that a step has."""
    return [key for key in KEYS if node is not None and node.child(key) is not None]


def nth(id_: str, number: int) -> str:
    """Return the id of a step that is taken the n-th time.

    >>> nth("kill", 1), nth("kill", 3)
    ('kill', 'kill#3')
    """
    return id_ if number == 1 else f"{id_}#{number}"


def is_repeat(id_: str) -> bool:
    """Return whether a step is one of the later times of another."""
    return "#" in id_


# -- how long -------------------------------------------------------------------------------------------


def _length(root: Node, place: int, names: Names, key: str) -> Microseconds:
    """Return the time from the step to its end: its own `until`, or that of the run."""
    ends = root.find(("steps", place, UNTIL)) if key == UNTIL else root.child(UNTIL)
    if ends is None or ends.value is None:
        raise Refusal("does not say how often, and the run has no until.", HINT, (key,))
    first, last = _from_zero(root, _at(root, place, names), names), _instant(ends, names)
    last = _from_zero(root, last, names)
    if first is None or last is None or replace(first, offset=0) != replace(last, offset=0):
        raise Refusal("how often that is cannot be known before the run.", HINT, (key,))
    return last.offset - first.offset


def _at(root: Node, place: int, names: Names) -> Instant | None:
    """Return when a step comes; one that does not say comes with the one before it."""
    node = root.find(("steps", place, "at"))
    if node is not None:
        return _instant(node, names)
    return Instant("step", names.steps[place - 1]) if place else Instant()  # ids come first, in the order of the file


def _from_zero(root: Node, instant: Instant | None, names: Names) -> Instant | None:
    """Follow steps to what they count from, t = 0 if it can be told; None for what cannot be read, or is a circle."""
    for _ in names.steps:
        if instant is None or instant.base != "step":
            return instant
        id_, _, number = instant.name.partition("#")
        place = names.steps.index(id_)
        before, node = _at(root, place, names), root.find(("steps", place))
        if before is None or node is None:
            return None
        later = (int(number) - 1) * _read(node, EVERY, units.duration) if number else 0
        instant = replace(before, offset=before.offset + instant.offset + later)
    return None


def _instant(node: Node, names: Names) -> Instant | None:
    try:
        return parse_instant(node.plain(), names)
    except Refusal:
        return None  # said where it is read


def _read(node: Node, key: str, read: Callable[[object], T]) -> T:
    below = node.child(key)
    try:
        return read(None if below is None else below.plain())
    except Refusal as refusal:
        raise Refusal(refusal.what, refusal.hint, (key, *refusal.below)) from None

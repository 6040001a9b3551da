"""What a property is, and what keeps its history.

A property is asked of a world between two steps. What it must know of the past stands in marks of the world, which the
watchers of the property set: rules (world before the event, event) -> marks. A mark is a pair (name, number) that is
told from the world before the event alone, so two properties may share a watcher, and a trace that holds the marks
already may be watched again. Marks have three parts, `V14:runs:web`; the last is a container or empty. Their numbers
have few values and are never numbers of processes. Source: ARCHITECTURE.md, "The one idea".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from sim.world import World

Mark = tuple[str, int]
Watcher = Callable[[World, Any], Iterable[str | Mark]]
Watch = tuple[tuple[type, Watcher], ...]

ALWAYS, SOMETIMES, EVENTUALLY = KINDS = ("always", "sometimes", "eventually")


def _nothing(_: Any) -> str:
    return ""


class Property(msgspec.Struct, frozen=True):
    """A sentence about worlds.

    Places in it, such as `{daemon}`, are filled with a design's *words*, or with general ones (those of None). *lacks*
    returns why it says nothing of a design, so that it follows the design's name ("has no daemon"); "" where it
    applies.

    *kind* `always`: it holds in every state. `sometimes`: in at least one, else a model or a scenario is empty.
    `eventually`: at every end of a run, and somewhere on every cycle. *said* tells what is so where it does not hold.
    """

    name: str
    kind: str
    sentence: str
    holds: Callable[[World], bool]
    watch: Watch = ()
    source: str = ""
    said: Callable[[World], str] = _nothing
    lacks: Callable[[Any], str] = _nothing
    words: Callable[[Any], Mapping[str, str]] | None = None


def stated(
    name: str,
    kind: str,
    sentence: str,
    faults: Callable[[World], Iterator[str]],
    source: str = "",
    watch: Watch = (),
    lacks: Callable[[Any], str] = _nothing,
    words: Callable[[Any], Mapping[str, str]] | None = None,
) -> Property:
    """Return a property that holds where *faults* finds nothing; what it finds is what is said."""
    return Property(
        name,
        kind,
        sentence,
        lambda world: next(faults(world), None) is None,
        watch,
        source,
        lambda world: "; ".join(faults(world)),
        lacks,
        words,
    )


def in_words_of(prop: Property, design: Any) -> Property:
    """Return a property with a sentence in a design's own words; one that does not apply claims nothing of it."""
    if prop.words is None:
        return prop
    lacks = prop.lacks(design)
    sentence = prop.sentence.format_map(prop.words(None if lacks else design))
    return msgspec.structs.replace(prop, sentence=f"Where it applies: {sentence}" if lacks else sentence, words=None)


def watchers(
    properties: Iterable[Property], before: Mapping[type, tuple[Watcher, ...]] | None = None
) -> dict[type, tuple[Watcher, ...]]:
    """Return who watches for each type of event: those of *before* (a world's own), then the properties', each once."""
    table: dict[type, tuple[Watcher, ...]] = dict(before or {})
    for prop in properties:
        for kind, watcher in prop.watch:
            if watcher not in table.get(kind, ()):
                table[kind] = (*table.get(kind, ()), watcher)
    return table


def mark(number: str, what: str, container: str = "") -> str:
    """Return the name of a mark.

    >>> mark("V14", "runs", "web")
    'V14:runs:web'
    """
    return f"{number}:{what}:{container}"

"""The list of `events:`: words as docker events prints them, with their container, and their signal or exit code.

`die web`, `network connect web`, `{die web: 137}`, `{kill web: TERM}`; the container may be left out where the entry
names it or the scenario has one alone. `daemon reload` is about dockerd. `{next: start web}` is the very next event
after the one before it. Leaves out other attributes. Source: engine-1.13 §13.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from sim.model import WORDS
from sim.scenario import fields
from sim.scenario.expect import Word
from sim.scenario.instants import Names
from sim.scenario.known import SIGNALS
from sim.scenario.units import Range, code_range
from sim.scenario.words import Refusal, listed, one_of, shown

BESIDE = ("network connect", "network disconnect", "volume mount", "volume unmount")  # of a network, of a volume
DAEMON = "daemon reload"
NEXT = "next"


def signal_number(value: object) -> Range:
    """Take a signal by name or number; return its number, which docker events prints."""
    number = SIGNALS[fields.signal(value)]
    return Range(number, number)


VALUES: dict[str, tuple[str, Callable[[object], Range]]] = {  # word -> (attribute, what it may be)
    "kill": ("signal", signal_number),
    "die": ("exitCode", code_range),
}


def read_words(value: object, names: Names, whose: str | None, *, exact: bool, gapless: bool) -> tuple[Word, ...]:
    """Return the events of a list; *whose* is the container that all are about, None if each names its own.

    An *exact* list may be empty, and has no gaps to forbid; in a *gapless* one each event is next to the one before.
    """
    if not isinstance(value, list):
        raise Refusal(f"{shown(value)} is not a list of events.", "Write [die web, start web].")
    if not value and (whose is None or not exact):
        raise Refusal("the list is empty.", "That nothing comes is {events: [], container: web, exact: true}.")
    found = []
    for place, item in enumerate(value):
        try:
            found.append(_item(item, names, whose, first=not place, exact=exact))
        except Refusal as refusal:
            raise Refusal(refusal.what, refusal.hint, (place, *refusal.below)) from None
    return tuple(replace(word, next=word.next or (gapless and place > 0)) for place, word in enumerate(found))


def _item(item: object, names: Names, whose: str | None, *, first: bool, exact: bool) -> Word:
    """Return one entry of the list: an event, or `{next: EVENT}`."""
    if not isinstance(item, dict) or list(item) != [NEXT]:
        return _word(item, names, whose)
    if exact:
        raise Refusal("an exact list has no gaps that next could forbid.", "Leave out next, or exact.", (NEXT,))
    if first:
        raise Refusal("no event stands before it in the list.", "Write [die web, {next: start web}].", (NEXT,))
    try:
        return replace(_word(item[NEXT], names, whose), next=True)
    except Refusal as refusal:
        raise Refusal(refusal.what, refusal.hint, (NEXT, *refusal.below)) from None


def _word(item: object, names: Names, whose: str | None) -> Word:
    """Return one event: text, or a mapping of it to its signal or exit code."""
    if not isinstance(item, dict):
        return Word(*_said(str(item), names, whose))
    if len(item) != 1:
        raise Refusal(f"{shown(item)} of {len(item)} is not an event.", "Write each on its own: {die web: 137}.")
    ((key, value),) = item.items()
    word, container = _said(str(key), names, whose)
    if word not in VALUES:
        takes = listed(f"{name} ({attribute})" for name, (attribute, _) in VALUES.items())
        raise Refusal(f"{word} has no value here.", f"These have one: {takes}.", (key,))
    try:
        return Word(word, container, VALUES[word][1](value))
    except Refusal as refusal:
        raise Refusal(refusal.what, refusal.hint, (key,)) from None


def _said(text: str, names: Names, whose: str | None) -> tuple[str, str]:
    """Return word and container of `die web`, `network connect web`, or of a word alone."""
    parts = text.split(None, 2)
    length = 2 if parts[:1] in (["network"], ["volume"], ["daemon"]) else 1
    word, rest = " ".join(parts[:length]), text.split(None, length)[length:]
    one_of(word, (*WORDS, *BESIDE, DAEMON), "a word of docker events")
    if word == DAEMON:
        if rest or whose:
            raise Refusal(f"{shown(text)} is about dockerd, and not about {rest[0] if rest else whose}.")
        return word, ""
    if rest:
        container = names.container(rest[0].strip())
        if whose not in (None, container):
            raise Refusal(f"{shown(text)} is about another container than {whose}.", "Leave container: out.")
        return word, container
    known = tuple(dict.fromkeys(names.containers.values()))
    if whose is None and len(known) != 1:
        raise Refusal(f"{shown(text)} does not say of which container.", f"Write '{word} {(*known, 'web')[0]}'.")
    return word, whose or known[0]

"""What would have helped, as lines: each setting with how the containers fare under it, against how it went.

Source: the project's own layout.
"""

from __future__ import annotations

import math
from typing import Any

from msgspec import to_builtins

from sim.render.clean import printable
from sim.render.fates_text import FOR_GOOD, names_text
from sim.views.remedies import Outcome, Remedies, Remedy


def remedies_text(found: Remedies) -> str:
    """Return what helps, the best first, and what was tried besides."""
    rows = [("now", _outcome(found.now)), *((_words(it), _outcome(it.outcome)) for it in found.helps)]
    width = max(len(words) for words, _ in rows)
    lines = [f"  {printable(words):<{width}}  {outcome}" for words, outcome in rows]
    for place, remedy in reversed(list(enumerate(found.helps, 1))):
        lines[place + 1 : place + 1] = [f"  {'':{width}}  price: {printable(text)}" for text in remedy.prices]
    title = "What helps (each alone, same seed):" if found.helps else "Nothing that was tried helps:"
    tried = ", ".join(printable(_words(it)) for it in found.others)
    return "\n".join([title, *lines, *([f"  tried without gain: {tried}"] if tried else [])])


def _words(remedy: Remedy) -> str:
    return remedy.words + (f" for {names_text(remedy.containers)}" if remedy.containers else "")


def _outcome(outcome: Outcome) -> str:
    """Return an outcome in words.

    >>> _outcome(Outcome(20, {"kept": 20}, 0, {"loopback": 2.31}))
    '20 of 20 kept; dark: loopback 2.31 s'
    """
    counts = ", ".join(f"{count} of {outcome.containers} {word}" for word, count in outcome.fates.items())
    killed = f", {outcome.killed} killed" if outcome.killed else ""
    dark = ", ".join(
        f"{client} {FOR_GOOD if math.isinf(time) else f'{time:.2f} s'}" for client, time in outcome.dark.items()
    )
    return (counts or "no container ran") + killed + (f"; dark: {dark}" if dark else "")


def remedies_json(found: Remedies) -> dict[str, Any]:
    """Return an object that JSON can hold; a port that is not back has no seconds."""
    return {
        "now": _json(found.now),
        "helps": [{**to_builtins(it), "outcome": _json(it.outcome)} for it in found.helps],
        "others": [{**to_builtins(it), "outcome": _json(it.outcome)} for it in found.others],
    }


def _json(outcome: Outcome) -> dict[str, Any]:
    dark = {client: None if math.isinf(time) else time for client, time in outcome.dark.items()}
    fates = [{"fate": word, "of": count} for word, count in outcome.fates.items()]
    return {**to_builtins(outcome), "fates": fates, "dark": dark}

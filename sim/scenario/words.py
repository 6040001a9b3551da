"""Words that people get nearly right: the nearest spelling, lists for messages, and the error that carries both.

Models nothing; every reader of the scenario package refuses a value with `Refusal(what, hint)` and the caller adds
the place. Distance is the optimal string alignment distance (Damerau-Levenshtein without overlaps).
"""

from __future__ import annotations

from collections.abc import Iterable

MAX_SHOWN = 60


class Refusal(ValueError):
    """A value that cannot be used: *what* is wrong and a *hint* what to do; the place is added by the caller.

    *below* leads from the value that was checked to the part of it that is wrong, to its key with *of_key*.
    """

    def __init__(self, what: str, hint: str = "", below: tuple[str | int, ...] = (), of_key: bool = False) -> None:
        super().__init__(f"{what} {hint}".rstrip())
        self.what = what
        self.hint = hint
        self.below = below
        self.of_key = of_key


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return `Did you mean X?` for the choice nearest to *word*, or "" if none is near."""
    near = nearest(word, choices)
    return f"Did you mean {near}?" if near else ""


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that is nearest to *word* and near enough to be meant."""
    low = word.lower()[:80]
    best: tuple[int, str] | None = None
    for choice in sorted(set(choices)):
        limit = max(1, min(3, max(len(low), len(choice)) // 3))
        away = distance(low, choice.lower())
        if away <= limit and (best is None or (away, choice) < best):
            best = (away, choice)
    return best[1] if best else None


def distance(one: str, two: str) -> int:
    """Return how many insertions, deletions, replacements and swaps of neighbours turn *one* into *two*."""
    if abs(len(one) - len(two)) > 3:
        return abs(len(one) - len(two))
    before: list[int] = []
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        new = [i]
        for j, b in enumerate(two, 1):
            cost = min(row[j] + 1, new[j - 1] + 1, row[j - 1] + (a != b))
            if i > 1 and j > 1 and a == two[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            new.append(cost)
        before, row = row, new
    return row[-1]


def listed(words: Iterable[str]) -> str:
    """Return *words* as `a, b, c` in the given order."""
    return ", ".join(words)


def shown(value: object) -> str:
    """Return *value* for a message: short, on one line, without control characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = str(value)
    text = "".join(c if c.isprintable() else "?" for c in text[: MAX_SHOWN + 1])
    return f"'{text[:MAX_SHOWN]}…'" if len(text) > MAX_SHOWN else f"'{text}'"


def counted(count: int, one: str, many: str = "") -> str:
    """Return `1 service`, `9 services`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def one_of(value: object, choices: Iterable[str], noun: str) -> str:
    """Return *value* if it is one of *choices*; raise Refusal with the valid words and the nearest one."""
    known = list(choices)
    if isinstance(value, str) and value in known:
        return value
    near = did_you_mean(value, known) if isinstance(value, str) else ""
    raise Refusal(f"{shown(value)} is not {noun}; valid: {listed(known)}.", near)

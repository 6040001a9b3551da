"""What became of each container, as a table: equal rows are one, whatever their process numbers and their names.

Below each row stands why. Of the dark time of a port the longest and the shortest of a group are told. Leaves out which
port of several it was. Source: the project's own layout.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from msgspec import to_builtins

from sim.render.clean import printable
from sim.views.fates import KEPT, Dark, Fate, general

WIDTH = 100
NAMED = 3  # so many containers are named; of more the first and the last, or some
FOR_GOOD = "for good"
NUMBERED = re.compile(r"(.*?)(\d+)")
HEADS = ("container", "policy", "fate", "engine says", "exit", "new", "dark")


def fates_text(fates: Sequence[Fate], since: str, width: int = WIDTH) -> str:
    """Return the table with a heading that says since when; "" of no container."""
    if not fates:
        return ""
    groups = grouped(fates)
    rows = [HEADS, *(_cells(group) for group in groups)]
    used = [n for n in range(len(HEADS)) if n < 3 or any(row[n] for row in rows[1:])]
    widths = {n: max(len(row[n]) for row in rows) for n in used}
    lines = [("  " + "  ".join(row[n].ljust(widths[n]) for n in used)).rstrip() for row in rows]
    told = [lines[0]]
    for line, group in zip(lines[1:], groups, strict=True):
        told += [line, *_why(group, width)]
    return "\n".join([f"Containers since {printable(since)}: {counted(fates)}", *told])


def fates_rows(fates: Sequence[Fate]) -> list[tuple[str, ...]]:
    """Return the same table as cells, the heads first, with why in the last column."""
    groups = grouped(fates)
    return [(*HEADS, "why"), *((*_cells(group), _reason(group)) for group in groups)]


def counted(fates: Sequence[Fate]) -> str:
    """Return how many containers have which fate.

    >>> fate = Fate("web", "no", "kept", "running", None, 0, (), "", False)
    >>> counted([fate, fate])
    '2 of 2 kept'
    """
    words = dict.fromkeys(it.fate for it in fates)
    numbers = {word: sum(it.fate == word for it in fates) for word in words}
    return ", ".join(f"{count} of {len(fates)} {word}" for word, count in numbers.items())


def grouped(fates: Sequence[Fate]) -> list[tuple[Fate, ...]]:
    """Return the containers that fared alike together, in the order of their first ones."""
    keys = [_alike(fate) for fate in fates]
    order = {key: place for place, key in reversed(list(enumerate(keys)))}
    ranked = sorted(zip(keys, fates, strict=True), key=lambda it: order[it[0]])
    return [tuple(fate for _, fate in rows) for _, rows in groupby(ranked, key=lambda it: order[it[0]])]


def _alike(fate: Fate) -> tuple[object, ...]:
    dark = tuple(sorted({(it.client, it.seconds is None) for it in fate.dark}))
    return fate.policy, fate.fate, fate.status, fate.exit_code, fate.restarts, dark, fate.orphaned, general(fate)


def names_text(names: Sequence[str]) -> str:
    """Return the names of a group in short: numbered ones as a range.

    >>> names_text(["db"]), names_text(["web1", "web2", "web3", "web4"])
    ('db', 'web1..web4')
    >>> names_text(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    if len(names) <= NAMED:
        return ", ".join(names)
    parts = [part for name in names if (part := NUMBERED.fullmatch(name))]
    row = [(parts[0][1], int(parts[0][2]) + n) for n in range(len(names))] if parts else []
    if parts and [(part[1], int(part[2])) for part in parts] == row:
        return f"{names[0]}..{names[-1]}"
    return f"{', '.join(names[:NAMED])} and {len(names) - NAMED} more"


def _cells(group: Sequence[Fate]) -> tuple[str, ...]:
    first = group[0]
    return (
        printable(names_text([it.container for it in group])),
        first.policy,
        first.fate + (", orphaned" if first.orphaned and first.fate == KEPT else ""),
        first.status,
        "" if first.exit_code is None else str(first.exit_code),
        str(first.restarts) if first.restarts else "",
        dark_text([dark for fate in group for dark in fate.dark]),
    )


def dark_text(found: Sequence[Dark]) -> str:
    """Return for how long ports were dark, by class of clients.

    >>> dark_text([Dark(80, "tcp", "remote", 0.5), Dark(81, "tcp", "remote", 1.2), Dark(80, "tcp", "loopback", None)])
    'remote 0.50–1.20 s, loopback for good'
    """
    clients = dict.fromkeys(it.client for it in found)
    times = {client: [it.seconds for it in found if it.client == client] for client in clients}
    return ", ".join(f"{client} {_times(values)}" for client, values in times.items())


def _times(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return FOR_GOOD
    low, high = f"{min(known):.2f}", f"{max(known):.2f}"
    return f"{low} s" if low == high else f"{low}–{high} s"


def _why(group: Sequence[Fate], width: int) -> list[str]:
    wrapper = textwrap.TextWrapper(
        width, initial_indent="      ", subsequent_indent="      ", break_long_words=False, break_on_hyphens=False
    )
    return wrapper.wrap(printable(_reason(group)))


def _reason(group: Sequence[Fate]) -> str:
    return group[0].why if len(group) == 1 else general(group[0])


def fate_json(fate: Fate) -> dict[str, Any]:
    """Return a fate as an object that JSON can hold; a port that never came back has no seconds and is not *back*."""
    dark = [
        {"port": it.port, "proto": it.proto, "client": it.client, "dark_s": it.seconds, "back": it.seconds is not None}
        for it in fate.dark
    ]
    return {**to_builtins(fate), "dark": dark}

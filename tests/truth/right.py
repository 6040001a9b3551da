"""The list of rows that are right, `right.txt`: it grows, and a row leaves it with its reason alone.

A line is a row's key, or `off KEY -- REASON`. `make truth ACCEPT=yes` adds rows that have become right; nothing is
taken off by itself, and rows that were never right are not on it. Source: none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from tests.truth.judge import Judged

FILE = Path(__file__).parent / "right.txt"
HEAD = """\
# Rows of tests/truth/experiments that the model has right: EXPERIMENT | KIND | SUBJECT | MOMENT.
# `make truth ACCEPT=yes` adds those that have become right. One that shall be wrong from now on, and one that no
# experiment has any more, gets `off ` before it and ` -- REASON` behind it; see docs/truth.md.
"""
OFF, WHY = "off ", " -- "


class Listed(NamedTuple):
    """What the file says: keys that must be right, and why others need not be any more."""

    right: tuple[str, ...]
    off: dict[str, str]


def read(text: str | None = None) -> Listed:
    """Read the list. Raises ValueError with the line."""
    right, off = [], {}
    for number, line in enumerate((text if text is not None else FILE.read_text(encoding="utf-8")).splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        key, _, reason = line.removeprefix(OFF).partition(WHY)
        if not line.startswith(OFF):
            right.append(line)
        elif reason.strip():
            off[key] = reason.strip()
        else:
            raise ValueError(f"right.txt:{number}: a row is taken off with its reason: off KEY -- REASON")
    return Listed(tuple(right), off)


def lost(found: Iterable[Judged], listed: Listed) -> list[Judged]:
    """Return the rows that the list has and that are wrong now."""
    must = set(listed.right)
    return [it for it in found if it.right is not True and it.row.key in must]


def gone(keys: Collection[str], listed: Listed) -> list[str]:
    """Return the keys of the list that no experiment has."""
    return [key for key in listed.right if key not in keys]


def won(found: Iterable[Judged], listed: Listed) -> list[str]:
    """Return the keys of rows that are right and not on the list."""
    return sorted({it.row.key for it in found if it.right} - set(listed.right) - set(listed.off))


def written(listed: Listed, more: Iterable[str]) -> str:
    """Return the file with more rows."""
    off = "".join(f"{OFF}{key}{WHY}{why}\n" for key, why in sorted(listed.off.items()))
    return HEAD + off + "".join(f"{key}\n" for key in sorted({*listed.right, *more}))

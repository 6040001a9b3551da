"""How many branches of an engine's source the model takes with an op, and why it does not take the others.

The section is one of docs/validation.md. Source: docs/truth.md.
"""

from __future__ import annotations

from collections import Counter

from tests.source import table as tables

DIVIDED = ("not modelled",)  # reasons of which each part is counted


def unmatched(names: list[str]) -> str:
    """Return how many branches of each table have an op, and how many none for which reason, as Markdown."""
    rows = {name: tables.read(name) for name in names}
    lines = ["| | " + " | ".join(rows) + " |", "|---|" + "---|" * len(rows)]
    lines.append(_line("branches", [len(it) for it in rows.values()]))
    lines.append(_line("an op", [sum(bool(row.op) for row in it) for it in rows.values()]))
    for why, meaning in tables.REASONS.items():
        lines.append(_line(f"{why}: {meaning}", [_count(it, why) for it in rows.values()]))
        for what in _told(rows, why) if why in DIVIDED else ():
            lines.append(_line(f"– {what}", [_count(it, why, what) for it in rows.values()]))
    return "\n".join(lines)


def _line(title: str, counts: list[int]) -> str:
    return f"| {title} | {' | '.join(map(str, counts))} |"


def _count(rows: list[tables.Row], why: str, what: str | None = None) -> int:
    """Count the rows with a reason, or of those the ones that tell *what*."""
    return sum(not it.op and it.why == why and what in (None, it.what) for it in rows)


def _told(rows: dict[str, list[tables.Row]], why: str) -> list[str]:
    """Return what the rows with a reason tell, the most frequent first."""
    counts = Counter(it.what for found in rows.values() for it in found if it.why == why)
    return sorted(counts, key=lambda what: (-counts[what], what))


def section() -> str:
    """Return the section of docs/validation.md."""
    return f"""## The engine's source, branch by branch

`tests/source` lists each if, else, case and early return of the functions that create, start, stop, kill, remove,
pause, restart, restore, probe and run commands ([truth.md](truth.md) says how). A row of its tables has the op that
takes the branch in the model, or the reason why none does.

{unmatched(tables.tables())}
"""

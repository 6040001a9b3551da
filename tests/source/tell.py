"""How many branches of an engine's source the model takes with an op, and why it does not take the others.

The section is one of docs/validation.md. Source: docs/truth.md.
"""

from __future__ import annotations

from collections import Counter

from tests.source import table as tables


def unmatched(names: list[str]) -> str:
    """Return how many branches of each table have an op, and how many none for which reason, as Markdown."""
    rows = {name: tables.read(name) for name in names}
    lines = ["| | " + " | ".join(rows) + " |", "|---|" + "---|" * len(rows)]
    lines.append("| branches | " + " | ".join(str(len(it)) for it in rows.values()) + " |")
    lines.append("| an op | " + " | ".join(str(sum(bool(row.op) for row in it)) for it in rows.values()) + " |")
    counts = {name: Counter(row.why for row in it if not row.op) for name, it in rows.items()}
    for why, meaning in tables.REASONS.items():
        lines.append(f"| {why}: {meaning} | " + " | ".join(str(counts[name][why]) for name in rows) + " |")
    return "\n".join(lines)


def section() -> str:
    """Return the section of docs/validation.md."""
    return f"""## The engine's source, branch by branch

`tests/source` lists each if, else, case and early return of the functions that create, start, stop, kill, remove,
pause, restart, restore, probe and run commands ([truth.md](truth.md) says how). A row of its tables has the op that
takes the branch in the model, or the reason why none does.

{unmatched(tables.tables())}
"""

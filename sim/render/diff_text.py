"""Two moments side by side as lines: a row for each process, container and port that differs.

Source: the project's own layout.
"""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from sim.render.clean import printable
from sim.views.diff import Change, Difference, Pair, Process

WIDEST = 70  # of a command line
MOST = 40  # rows of one kind; --json has all


def diff_text(found: Difference) -> str:
    """Return what differs, or that nothing does."""
    head = f"{found.one} → {found.other}"
    if found.empty:
        return printable(f"{head}: nothing differs")
    rows = [
        *_rows("gone", [_process(it) for it in found.gone]),
        *_rows("new", [_process(it) for it in found.new]),
        *_rows("replaced", [_replaced(it) for it in found.replaced]),
        *_rows("re-parented", [_moved(it) for it in found.reparented]),
        *_rows("changed", [_change(it) for it in found.states]),
        *_rows("container", [_change(it) for it in found.containers]),
        *_rows("port", [_change(it) for it in found.ports]),
    ]
    width = max(len(kind) for kind, _ in rows)
    lines = [f"  {kind:<{width}}  {text}".rstrip() for kind, text in rows]
    return "\n".join(printable(line) for line in [f"{head}: {_counts(found)}", *lines])


def _rows(kind: str, texts: list[str]) -> list[tuple[str, str]]:
    shown = texts if len(texts) <= MOST else texts[: MOST - 1]
    more = [] if len(shown) == len(texts) else [f"… and {len(texts) - len(shown)} more: --json"]
    return [(kind if not place else "", text) for place, text in enumerate([*shown, *more])]


def _counts(found: Difference) -> str:
    counts = {
        "gone": found.gone, "new": found.new, "replaced": found.replaced, "re-parented": found.reparented,
        "changed": found.states, "containers": found.containers, "ports": found.ports,
    }  # fmt: skip
    return ", ".join(f"{len(items)} {word}" for word, items in counts.items() if items)


def _short(name: str) -> str:
    return name if len(name) <= WIDEST else name[: WIDEST - 1] + "…"


def _process(it: Process) -> str:
    return f"{_short(it.name)} {it.pid}, child of {it.parent}"


def _replaced(it: Pair) -> str:
    parents = "" if _bare(it.before) == _bare(it.after) else f", child of {it.after.parent} (was {it.before.parent})"
    return f"{_short(it.before.name)} {it.before.pid} → {it.after.pid}{parents}"


def _bare(it: Process) -> str:
    """Return the parent of a process without its number."""
    return it.parent.rpartition(" ")[0]


def _moved(it: Pair) -> str:
    return f"{_short(it.before.name)} {it.before.pid}: {it.before.parent} → {it.after.parent}"


def _change(it: Change) -> str:
    return f"{_short(it.what)}: {it.before} → {it.after}"


def diff_json(found: Difference) -> dict[str, Any]:
    """Return an object that JSON can hold."""
    return {"equal": found.empty, **to_builtins(found)}

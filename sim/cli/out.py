"""Printing: text that the terminal can carry, JSON, progress."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

ASCII = str.maketrans({
    "─": "-", "┬": "+", "├": "|", "└": "`", "│": "|", "✓": "+", "✗": "x", "⋯": "...", "·": "|", "–": "-", "−": "-",
    "→": "->", "←": "<-", "≤": "<=", "≥": ">=", "…": "...", "×": "x", "⚠": "!",
})  # fmt: skip


def carries_lines() -> bool:
    """Say whether stdout's encoding has the line symbols and marks."""
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    try:
        "─┬├└│✓✗⋯".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def say(text: str, end: str = "\n") -> None:
    """Print a result."""
    if not carries_lines():
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        text = text.translate(ASCII).encode(encoding, "replace").decode(encoding)
    sys.stdout.write(text + end)
    sys.stdout.flush()


def say_json(value: Any) -> None:
    """Print one JSON object."""
    say(json.dumps(value, ensure_ascii=True, indent=2))


def note(text: str) -> None:
    """Say something on stderr."""
    print(text, file=sys.stderr)


def progress(label: str, quiet: bool) -> Callable[[int, int], None] | None:
    """Return a function (done, of) that shows a bar on a terminal; None where nobody would see it."""
    if quiet or not sys.stderr.isatty():
        return None

    def show(done: int, of: int) -> None:
        width = 24
        full = width * done // max(of, 1)
        tail = "\n" if done >= of else ""
        sys.stderr.write(f"\r{label} [{'#' * full}{'.' * (width - full)}] {done}/{of}{tail}")
        sys.stderr.flush()

    return show

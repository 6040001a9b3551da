"""Printing: text that the terminal can carry and that cannot steer it, JSON, progress.

Everything that is printed passes `carried`: what strangers chose (names, titles, argv) loses its control characters,
and an encoding without line symbols gets ASCII. Source: ECMA-48; locale(7) for LC_ALL=C.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

from sim.render.clean import printable_lines

if TYPE_CHECKING:
    from sim.trace import Trace

ASCII = str.maketrans({
    "─": "-", "┬": "+", "├": "|", "└": "`", "│": "|", "✓": "+", "✗": "x", "⋯": "...", "·": "|", "–": "-", "−": "-",
    "→": "->", "←": "<-", "≤": "<=", "≥": ">=", "…": "...", "×": "x", "⚠": "!", "‘": "'", "’": "'", "“": '"', "”": '"',
    "µ": "u", "—": "-", "σ": "sigma",
})  # fmt: skip
SYMBOLS = "─┬├└│✓✗⋯·–←‘’…"


def carries_lines(stream: TextIO | None = None) -> bool:
    """Say whether a stream's encoding has the line symbols, and the locale is not C by word of LC_ALL."""
    encoding = _encoding(sys.stdout if stream is None else stream)
    if os.environ.get("LC_ALL") in ("C", "POSIX") and not os.environ.get("PYTHONIOENCODING"):
        return False
    try:
        SYMBOLS.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _encoding(stream: TextIO | None) -> str:
    return getattr(stream, "encoding", None) or "ascii"


def carried(text: str, stream: TextIO | None) -> str:
    """Return *text* as *stream* can carry it, without control characters but newlines."""
    text = printable_lines(text)
    if carries_lines(stream):
        return text
    return text.translate(ASCII).encode("ascii", "replace").decode("ascii")


def say(text: str, end: str = "\n") -> None:
    """Print a result."""
    if sys.stdout is None:  # closed by the caller: `>&-`
        return
    sys.stdout.write(carried(text + end, sys.stdout))
    sys.stdout.flush()


def say_json(value: Any) -> None:
    """Print one JSON object, in ASCII."""
    say(json.dumps(value, ensure_ascii=True, indent=2).replace("\x7f", "\\u007f"))


def note(text: str) -> None:
    """Say something on stderr."""
    if sys.stderr is not None:
        print(carried(text, sys.stderr), file=sys.stderr, flush=True)


def width() -> int | None:
    """Return how many columns a terminal has; None where stdout is none, and nothing is cut."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    from shutil import get_terminal_size

    return max(get_terminal_size().columns, 40)


def progress(label: str, quiet: bool) -> Callable[[int, int], None] | None:
    """Return a function (done, of) that shows a bar on a terminal; None where nobody would see it."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        return None

    def show(done: int, of: int) -> None:
        columns = 24
        full = columns * done // max(of, 1)
        tail = "\r\x1b[K" if done >= of else ""
        sys.stderr.write(f"\r{label} [{'#' * full}{'.' * (columns - full)}] {done}/{of}{tail}")
        sys.stderr.flush()

    return show


def begun(trace: Trace) -> tuple[None, ...]:
    """Return an undetermined verdict for a run that never came to t = 0, and say why; none for one that did."""
    if trace.opened:
        return ()
    note(f"shimulator: {trace.note}")
    return (None,)

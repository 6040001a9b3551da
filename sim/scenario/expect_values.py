"""Values of expectations that are more than a word or a number: ends of processes, paths, the text of a tree.

Source: the project's scenario language.
"""

from __future__ import annotations

from pathlib import Path

from sim.engine.paths import DOCKER_PID
from sim.scenario import fields, units
from sim.scenario.known import SIGNALS
from sim.scenario.layers import beside
from sim.scenario.words import Refusal, did_you_mean, shown

MOST = 255  # wait(2): eight bits


def exit_status(value: object) -> tuple[units.Range | None, str | None]:
    """Take 2, 1..127 or a signal by name."""
    if isinstance(value, str) and value.upper().removeprefix("SIG") in SIGNALS:
        return None, fields.signal(value)
    try:
        found = units.parse_range(value)
    except Refusal as refusal:
        hint = did_you_mean(str(value), SIGNALS) or "Write 2, 1..127, or a signal: KILL."
        raise Refusal(f"{shown(value)} is not an exit status.", hint) from refusal
    if found.low > MOST:
        raise Refusal(f"no process ends with {found}; {MOST} is the most.", "Of one that KILL ended a shell says 137.")
    return found, None


def file_path(value: object) -> str:
    """Take the whole path of a file on the host."""
    path = fields.text(value)
    if not path.startswith("/"):
        raise Refusal(f"{shown(path)} is not a whole path.", f"Write it like {DOCKER_PID}.")
    return path


def tree_text(value: object, named_in: str) -> tuple[str, tuple[str, ...]]:
    """Return file name and lines of a tree; *named_in* is the file that says it. Blanks at ends do not count."""
    text, file = fields.text(value), ""
    if "\n" not in text:
        file = text
        try:
            text = Path(beside(named_in, text)).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "not text in UTF-8"
            raise Refusal(
                f"{shown(file)}: {why.lower()}.", "Files are looked for beside the one that names them."
            ) from None
    lines = tuple(line.rstrip() for line in text.rstrip().splitlines())
    if not lines:
        raise Refusal(f"{shown(file)} is empty.")
    return file, lines

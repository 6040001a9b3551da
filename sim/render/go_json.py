"""Write JSON as Go's encoder does: the clients of engines print objects with it.

Models: encoding/json (`<`, `>`, `&` escaped where the client lets it) and RFC 3339 with as many digits as there are.
Letters that would steer the terminal are escaped, which is the same JSON. Source: Go 1.10, encoding/json,
time.RFC3339Nano.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

from sim.render.clean import printable
from sim.views.rows import When

NEVER = "0001-01-01T00:00:00Z"


def go_json(value: Any, indent: int, *, html: bool = True) -> str:
    """Write a value with so many blanks a level as Go's encoder does, which escapes what HTML would take, or not.

    >>> print(go_json({"Names": [], "Created": When(0.0), "Is": "a<b"}, 2, html=False), end="")
    {
      "Names": [],
      "Created": "1970-01-01T00:00:00Z",
      "Is": "a<b"
    }
    """
    text = json.dumps(_timed(value), indent=indent, ensure_ascii=False)
    return "".join(shielded(line, html=html) + "\n" for line in text.split("\n"))


def go_time(unix: float | None, offset_min: int = 0) -> str:
    """Write a moment (unix seconds, None for never) in a zone, whole microseconds, zeros at the end cut.

    >>> go_time(1606960140.25), go_time(1606960140, 480), go_time(None)
    ('2020-12-03T01:49:00.25Z', '2020-12-03T09:49:00+08:00', '0001-01-01T00:00:00Z')
    """
    if unix is None:
        return NEVER
    second, fraction = divmod(round(unix * 1_000_000), 1_000_000)
    digits = f".{fraction:06d}".rstrip("0").rstrip(".")
    hours, minutes = divmod(abs(offset_min), 60)
    zone = f"{'-' if offset_min < 0 else '+'}{hours:02}:{minutes:02}" if offset_min else "Z"
    local = datetime.fromtimestamp(second, tz=UTC) + timedelta(minutes=offset_min)
    return f"{local:%Y-%m-%dT%H:%M:%S}{digits}{zone}"


def _unknown(value: Any) -> bool:
    return isinstance(value, When) and value.unix == -math.inf


def _timed(value: Any) -> Any:
    """Write the times within; a key whose moment is not known is left out."""
    if isinstance(value, When):
        return go_time(value.unix, value.offset_min)
    if isinstance(value, list):
        return [_timed(one) for one in value]
    if isinstance(value, dict):
        return {key: _timed(inner) for key, inner in value.items() if not _unknown(inner)}
    return value


def shielded(text: str, *, html: bool = True) -> str:
    """Escape as Go's encoder does (`<`, `>`, `&`), and whatever could steer a terminal: the value stays the same."""
    escaped = "<>&" if html else ""
    return "".join(
        letter if printable(letter) == letter and letter not in escaped else _unicode_escape(letter) for letter in text
    )


def _unicode_escape(letter: str) -> str:
    return json.dumps(letter)[1:-1] if ord(letter) > 0x7F else f"\\u{ord(letter):04x}"

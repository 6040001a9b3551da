"""Print what the engine tells its listeners, as `docker events` would.

Models: the lines of docker 1.13.1 and its `--format '{{json .}}'`, and the filters type, event, container and image.
Leaves out: other templates and filters, and the tool's local time zone (the caller gives its offset from UTC). Names
that would steer the terminal lose the characters that do so, where the real tool lets them through.
Source: docker 1.13.1, cli/command/system/events.go, api/types/events/events.go, daemon/events, as known, not compared
with the running tool.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sim.render.clean import printable
from sim.render.go_json import shielded
from sim.views.rows import EventRow

FILTERS = ("type", "event", "container", "image")
_FROM_IMAGE = "image"


def docker_events(
    rows: Iterable[EventRow],
    offset_min: int = 0,
    *,
    format: str = "text",
    filters: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Print the events that pass the filters in their order, as `text` or `json` lines; *offset_min* is east of UTC.

    Raises ValueError for another format or filter.

    >>> row = EventRow(1606960050123456, "container", "start", "17d0801f3a10", (("name", "g"), ("image", "g/g")))
    >>> print(docker_events([row], 480), end="")
    2020-12-03T09:47:30.123456000+08:00 container start 17d0801f3a10 (image=g/g, name=g)
    """
    if format not in ("text", "json"):
        raise ValueError(f"format {format!r} is unknown; valid: text, json")
    for key in filters or {}:
        if key not in FILTERS:
            raise ValueError(f"filter {key!r} is unknown; valid: {', '.join(FILTERS)}")
    shown = [row for row in rows if passes(row, filters or {})]
    return "".join((_json(row) if format == "json" else docker_event(row, offset_min)) + "\n" for row in shown)


def passes(row: EventRow, filters: Mapping[str, Sequence[str]]) -> bool:
    """Say whether an event meets every filter: values of one filter are alternatives, containers go by prefix too.

    >>> passes(EventRow(0, "container", "die", "17d0"), {"event": ["start", "die"], "container": ["17"]})
    True
    """
    tests = {
        "type": lambda wanted: row.type == wanted,
        "event": lambda wanted: row.action == wanted,
        "container": lambda wanted: _names(row, "container", wanted),
        "image": lambda wanted: _names_image(row, wanted),
    }
    return all(any(map(tests[key], wanted)) for key, wanted in filters.items() if wanted)


def rfc3339_nano(at_unix_us: int, offset_min: int) -> str:
    """Write a time with nine digits of a second and the offset from UTC, which itself is `Z`.

    >>> rfc3339_nano(0, 0), rfc3339_nano(1, -210)
    ('1970-01-01T00:00:00.000000000Z', '1969-12-31T20:30:00.000001000-03:30')
    """
    seconds, micros = divmod(at_unix_us, 1_000_000)
    local = datetime.fromtimestamp(seconds, tz=UTC) + timedelta(minutes=offset_min)
    hours, minutes = divmod(abs(offset_min), 60)
    zone = f"{'-' if offset_min < 0 else '+'}{hours:02}:{minutes:02}" if offset_min else "Z"
    return f"{local:%Y-%m-%dT%H:%M:%S}.{micros:06}000{zone}"


def docker_event(row: EventRow, offset_min: int) -> str:
    """Return the line of one event."""
    notes = ", ".join(f"{key}={value}" for key, value in sorted(row.attributes))
    words = f"{row.type} {row.action} {row.id}" + (f" ({notes})" if notes else "")
    return f"{rfc3339_nano(row.at_unix_us, offset_min)} {printable(words)}"


def _json(row: EventRow) -> str:
    """Write the message as the engine's API does; the old keys in front are given for containers and images only."""
    old: dict[str, Any] = {}
    if row.type in ("container", "image"):
        old = {"status": row.action, "id": row.id}
    if row.type == "container" and dict(row.attributes).get(_FROM_IMAGE):
        old["from"] = dict(row.attributes)[_FROM_IMAGE]
    actor = {"ID": row.id, "Attributes": dict(sorted(row.attributes))}
    times = {"time": row.at_unix_us // 1_000_000, "timeNano": row.at_unix_us * 1000}
    message = {**old, "Type": row.type, "Action": row.action, "Actor": actor, **times}
    return shielded(json.dumps(message, ensure_ascii=False, separators=(",", ":")))


def _names(row: EventRow, kind: str, wanted: str) -> bool:
    names = (row.id, dict(row.attributes).get("name", ""))
    return row.type == kind and any(name.startswith(wanted) for name in names)


def _names_image(row: EventRow, wanted: str) -> bool:
    """An image is named by its id or name, a container by the image that it came from; a tag may be left off."""
    notes = dict(row.attributes)
    names = {"image": (row.id, notes.get("name", "")), "container": (notes.get(_FROM_IMAGE, ""),)}.get(row.type, ())
    return any(wanted in (name, name.rpartition(":")[0]) for name in names)

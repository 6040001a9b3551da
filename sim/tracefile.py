"""A trace as JSON Lines: a header (version, title, seed, times, setup), then one record a line.

Frozen records become objects whose `$` names their class; tuples become lists, sets `{"$set": [...]}`. What is read is
checked: a line that is no record is refused with its number. Source: the project's own format, `schema_version` 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from sim import facts
from sim.engine import goroutine, records, setup
from sim.errors import InputError, Problem, nearest
from sim.kernel import events
from sim.kernel import records as kernel_records
from sim.trace import Record, Trace

SCHEMA_VERSION = 1
MODULES = (facts, events, kernel_records, records, setup, goroutine)
CLASSES: dict[str, type[msgspec.Struct]] = {
    name: kind
    for module in MODULES
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
}
EVENTS = frozenset(
    name for module in (facts, events) for name, kind in vars(module).items() if name in CLASSES and name != "Message"
) - {"Fifo", "Image", "Rule"}


# -- out --------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Return *value* as what JSON can say.

    >>> plain(events.Reaped(7, 1))
    {'$': 'Reaped', 'pid': 7, 'by_pid': 1}
    """
    if value is None or isinstance(value, (int, str, float)):
        return value
    if isinstance(value, msgspec.Struct):
        named: dict[str, Any] = {"$": type(value).__name__}
        for name in value.__struct_fields__:
            named[name] = plain(getattr(value, name))
        return named
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, frozenset):
        return {"$set": sorted(value)}
    raise TypeError(f"{type(value).__name__} has no place in a trace")


def lines(trace: Trace, title: str = "") -> Iterator[bytes]:
    """Return the file's lines, header first, each with its newline."""
    encode = msgspec.json.encode
    header = {
        "schema_version": SCHEMA_VERSION,
        "title": title,
        "seed": trace.seed,
        "origin": trace.origin,
        "end": trace.end,
        "skipped": trace.skipped,
        "note": trace.note,
        "setup": plain(trace.setup),
    }
    yield encode(header) + b"\n"
    for record in trace.records:
        yield encode([record.seq, record.at, record.cause, plain(record.event)]) + b"\n"


# -- in ---------------------------------------------------------------------------------------------


class _Wrong(Exception):
    """A value is not what its place asks for."""


def restore(value: Any) -> Any:
    """Return the value that `plain` was given; raise ValueError for anything else.

    >>> restore({"$": "Reaped", "pid": 7, "by_pid": 1})
    Reaped(pid=7, by_pid=1)
    """
    if isinstance(value, list):
        return tuple(restore(item) for item in value)
    if not isinstance(value, dict):
        return value
    if "$set" in value:
        return frozenset(value["$set"])
    name = value.get("$")
    if name is None:
        return {key: restore(item) for key, item in value.items()}
    kind = CLASSES.get(name)
    if kind is None:
        raise _Wrong(f"{name!r} is no record of a trace. {nearest(str(name), CLASSES)}".strip())
    fields = {key: restore(item) for key, item in value.items() if key != "$"}
    unknown = [key for key in fields if key not in kind.__struct_fields__]
    if unknown:
        raise _Wrong(f"{name} has no field {unknown[0]!r}; it has {', '.join(kind.__struct_fields__)}")
    try:
        return kind(**fields)
    except TypeError as error:
        raise _Wrong(f"{name}: {error}") from None


def read(content: Iterable[bytes], name: str) -> tuple[Trace, str]:
    """Return a trace and its title from the lines of a file called *name*; raise InputError with the line."""
    trace, title = None, ""
    for number, line in enumerate(content, 1):
        if not line.strip():
            continue
        try:
            value = msgspec.json.decode(line)
            if trace is None:
                trace, title = _header(value)
            else:
                trace.records.append(_record(value, len(trace.records)))
        except (msgspec.DecodeError, _Wrong, KeyError, TypeError, ValueError, AttributeError) as error:
            text = f"missing key {error}" if isinstance(error, KeyError) else str(error)
            raise InputError([Problem(f"{name}:{number}:1", text, "A trace is what shimsim run writes.")]) from None
    if trace is None:
        raise InputError([Problem(f"{name}:1:1", "the file is empty", "A trace is what shimsim run writes.")])
    return trace, title


def _header(value: Any) -> tuple[Trace, str]:
    if not isinstance(value, dict) or "schema_version" not in value:
        raise _Wrong("the first line is not the header of a trace")
    if value["schema_version"] != SCHEMA_VERSION:
        raise _Wrong(f"schema_version is {value['schema_version']}; this shimsim reads {SCHEMA_VERSION}")
    made = restore(value["setup"])
    if not isinstance(made, setup.Setup):
        raise _Wrong("setup is not a setup")
    trace = Trace(made, value["seed"])
    trace.origin, trace.end = value["origin"], value["end"]
    trace.skipped, trace.note = value["skipped"], value["note"]
    return trace, value["title"]


def _record(value: Any, expected: int) -> Record:
    if not isinstance(value, list) or len(value) != 4:
        raise _Wrong("a record is [seq, at, cause, event]")
    seq, at, cause, event = value
    if seq != expected:
        raise _Wrong(f"record {seq} stands where {expected} belongs")
    made = restore(event)
    if type(made).__name__ not in EVENTS:
        raise _Wrong(f"{type(made).__name__} is no event")
    if not (at is None or isinstance(at, int)) or not isinstance(cause, int):
        raise _Wrong("at and cause are whole numbers")
    return Record(seq, at, cause, made)

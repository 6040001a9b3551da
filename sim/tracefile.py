"""A trace as JSON Lines: a header (version, title, seed, times, setup), then one record a line.

Frozen records become objects whose `$` names their class; tuples become lists, sets `{"$set": [...]}`. What is read is
checked, its types, its order, and that each fact can follow those before it: a line that is wrong is refused with its
number and column. Leaves out whether a run could have gone like that. Source: the project's own format, version 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from os import SEEK_END
from types import NoneType, UnionType
from typing import Any, BinaryIO, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import asdict

from sim import durations, facts, parts
from sim.designs import DESIGNS
from sim.engine import goroutine, records, setup
from sim.errors import InputError, Problem, nearest
from sim.kernel import events
from sim.kernel import records as kernel_records
from sim.trace import LeftOut, Record, Replay, Trace

SCHEMA_VERSION = 1
MODULES = (facts, events, kernel_records, records, setup, goroutine, durations)
CLASSES: dict[str, type[msgspec.Struct]] = {
    name: kind
    for module in MODULES
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
}
EVENTS = frozenset(
    name for module in (facts, events) for name, kind in vars(module).items() if name in CLASSES and name != "Message"
) - {"Fifo", "Image", "Rule"}

HEADER: dict[str, type] = {
    "schema_version": int, "title": str, "seed": int, "origin": int, "end": int, "skipped": int, "note": str,
    "setup": setup.Setup,
}  # fmt: skip
LEFT_OUT = "left_out"  # a key that only the header of a run has that has jumped over rounds
HINT = "A trace is what shimulator run writes."
ATOMS = frozenset({NoneType, bool, int, str, float})  # what is written as it is
ROOM = 1000  # bytes left free in a header that is written before the run: numbers and a note
LARGEST = 10**18  # µs, bytes, numbers: what a run never reaches
YEAR_9000 = 221_845_392_000


# -- out --------------------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """Return *value* as what JSON can say.

    >>> plain(events.Reaped(7, 1))
    {'$': 'Reaped', 'pid': 7, 'by_pid': 1}
    """
    if type(value) in ATOMS:
        return value
    if isinstance(value, msgspec.Struct):
        named = {"$": type(value).__name__, **asdict(value)}
        for name in _deep(type(value)):
            if type(named[name]) not in ATOMS:
                named[name] = plain(named[name])
        return named
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, frozenset):
        return {"$set": sorted(value)}
    raise TypeError(f"{type(value).__name__} has no place in a trace")


@cache
def _deep(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the fields of a record that may hold more than JSON can say by itself: anything but words and numbers."""
    return tuple(name for name, hint in _hints(kind).items() if not _is_flat(hint))


def _is_flat(hint: Any) -> bool:
    parts = [part for part in get_args(hint) if part is not Ellipsis]
    return all(map(_is_flat, parts)) if get_origin(hint) in (tuple, Union, UnionType) else hint in ATOMS


def lines(trace: Trace, title: str = "") -> Iterator[bytes]:
    """Return the file's lines, header first, each with its newline."""
    yield _head(trace, title, trace.note) + b"\n"
    yield from map(_line, trace.records)


def _head(trace: Trace, title: str, note: str) -> bytes:
    header: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "title": title,
        "seed": trace.seed,
        "origin": trace.origin,
        "end": trace.end,
        "skipped": trace.skipped,
        "note": note,
    }
    if trace.left_out is not None:
        header[LEFT_OUT] = trace.left_out
    return msgspec.json.encode(header | {"setup": plain(trace.setup)})


def _line(record: Record) -> bytes:
    return msgspec.json.encode([record.seq, record.at, record.cause, plain(record.event)]) + b"\n"


class Writer:
    """Write a run to *file* while it goes on, so that nothing need be kept: `Timed(..., keep=False, sink=writer.add)`.

    The header says how the run ended, which is known last: its place is left free, and `end` fills it in. So the file
    must be one that can be gone back in.
    """

    def __init__(self, file: BinaryIO, setup: setup.Setup, seed: int, title: str = "") -> None:
        self._file, self._title = file, title
        head = _head(Trace(setup, seed), title, "")
        self._begin, self._size = file.tell(), len(head) + ROOM
        file.write(head.ljust(self._size) + b"\n")

    def add(self, record: Record) -> None:
        """Write one record more."""
        self._file.write(_line(record))

    def end(self, trace: Trace) -> None:
        """Say in the header how the run of *trace* ended; of a note that is too long the beginning is written."""
        head = _head(trace, self._title, trace.note[: ROOM // 10])
        self._file.seek(self._begin)
        self._file.write(head.ljust(self._size))
        self._file.seek(0, SEEK_END)


# -- in ---------------------------------------------------------------------------------------------


class _Wrong(Exception):
    """A value is not what its place asks for; *needle* is the text in its line that is to blame."""

    def __init__(self, what: str, needle: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.needle, self.hint = needle, hint


def restore(value: Any) -> Any:
    """Return the value that `plain` was given; raise an error for anything else.

    >>> restore({"$": "Reaped", "pid": 7, "by_pid": 1})
    Reaped(pid=7, by_pid=1)
    """
    if isinstance(value, list):
        return tuple(restore(item) for item in value)
    if not isinstance(value, dict):
        return value
    if "$set" in value:
        return _set(value)
    if "$" not in value:
        return {key: restore(item) for key, item in value.items()}
    name = value["$"]
    kind = CLASSES.get(name) or _of_parts().get(name) if isinstance(name, str) else None
    if kind is None:
        word = str(name)[:60]
        raise _Wrong(f"{word!r} is no record of a trace", str(name), nearest(word, CLASSES))
    return _built(kind, {key: restore(item) for key, item in value.items() if key != "$"})


@cache
def _of_parts() -> dict[str, type[msgspec.Struct]]:
    """Return by name the classes that only an engine or a word of steps knows."""
    kept = (kind for design in DESIGNS.values() for kind in design.engine.records)
    commands = (module.WORD.command for module in parts.modules("steps"))
    return {kind.__name__: kind for kind in (*kept, *commands)}


parts.when_changed(lambda: _of_parts.cache_clear())


def _set(value: dict[str, Any]) -> frozenset[str]:
    items = value["$set"]
    if len(value) > 1 or not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise _Wrong("$set is a list of words", "$set")
    return frozenset(items)


def _built(kind: type[msgspec.Struct], fields: dict[str, Any]) -> msgspec.Struct:
    """Return a record of *kind*, each field checked against its annotation."""
    name, hints = kind.__name__, _hints(kind)
    for key, item in fields.items():
        if key not in hints:
            raise _Wrong(f"{name} has no field {key[:60]!r}", key, f"Valid: {', '.join(hints) or 'none'}.")
        if not _fits(item, hints[key]):
            raise _Wrong(f"{key} of {name} is {_shown(item)}; valid: {_words(hints[key])}", key)
    missing = [key for key in _required(kind) if key not in fields]
    if missing:
        raise _Wrong(f"{name} lacks {', '.join(missing)}", name)
    return kind(**fields)


@cache
def _hints(kind: type[msgspec.Struct]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {name: hints[name] for name in kind.__struct_fields__}


@cache
def _required(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(kind) if field.required)


def _fits(value: Any, hint: Any) -> bool:
    """Say whether *value* is what an annotation of a record asks for."""
    if hint is Any or hint is object:
        return True
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if len(parts) == 2 and parts[1] is Ellipsis:
            return all(_fits(item, parts[0]) for item in value)
        return len(value) == len(parts) and all(map(_fits, value, parts))
    if hint is int:
        return type(value) is int and abs(value) <= LARGEST
    if hint is float:
        return type(value) in (int, float)
    return isinstance(value, NoneType if hint is None else origin or hint)


def _words(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and get_origin(hint) is None else str(hint).replace("sim.", "")


def _shown(value: Any) -> str:
    return type(value).__name__ if isinstance(value, (msgspec.Struct, tuple, dict, frozenset)) else repr(value)[:40]


def read(content: Iterable[bytes], name: str) -> tuple[Trace, str]:
    """Return a trace and its title from the lines of a file called *name*; raise InputError with line and column."""
    trace, title, numbers = None, "", []
    for number, line in enumerate(content, 1):
        if not line.strip():
            continue
        try:
            value = msgspec.json.decode(line)
            if trace is None:
                trace, title = _header(value)
            else:
                trace.records.append(_record(value, trace))
                numbers.append(number)
        except (msgspec.DecodeError, _Wrong, RecursionError, UnicodeDecodeError) as error:
            raise _refused(name, number, _column(line, error), str(error), getattr(error, "hint", "")) from None
    if trace is None:
        raise _refused(name, 1, 1, "the file is empty")
    _check_replay(trace, name, numbers)
    return trace, title


def _refused(name: str, line: int, column: int, what: str, hint: str = "") -> InputError:
    return InputError([Problem(f"{name}:{line}:{column}", what, f"{hint} {HINT}".strip())])


def _column(line: bytes, error: Exception) -> int:
    """Return the column, from 1, of what is to blame in a line."""
    if isinstance(error, _Wrong):
        return max(line.find(f'"{error.needle}"'.encode("utf-8", "replace")), 0) + 1 if error.needle else 1
    place = re.search(r"\(byte (\d+)\)", str(error))
    return int(place[1]) + 1 if place else len(line.rstrip(b"\n")) + 1


def _header(value: Any) -> tuple[Trace, str]:
    if not isinstance(value, dict) or "schema_version" not in value:
        raise _Wrong("the first line is not the header of a trace, an object with schema_version")
    if value["schema_version"] != SCHEMA_VERSION:
        version = str(value["schema_version"])[:20]
        raise _Wrong(f"schema_version is {version}; this shimulator reads {SCHEMA_VERSION}", "schema_version")
    for key, kind in HEADER.items():
        if key not in value:
            raise _Wrong(f"the header lacks {key}; it has {', '.join(HEADER)}")
        if kind is not setup.Setup and not _fits(value[key], kind):
            raise _Wrong(f"{key} is {_shown(value[key])}; valid: {kind.__name__}", key)
    unknown = [key for key in value if key not in (*HEADER, LEFT_OUT)]
    if unknown:
        raise _Wrong(f"the header has no {unknown[0][:60]!r}", unknown[0], f"Valid: {', '.join(HEADER)}.")
    made = restore(value["setup"])
    _check_setup(made)
    trace = Trace(made, value["seed"])
    trace.origin, trace.end = value["origin"], value["end"]
    trace.skipped, trace.note, trace.left_out = value["skipped"], value["note"], _left_out(value.get(LEFT_OUT))
    return trace, value["title"]


def _left_out(value: Any) -> LeftOut | None:
    """Return the rounds that were jumped over, if there are any."""
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4 or not all(_fits(it, int) and it >= 0 for it in value):
        raise _Wrong(f"{LEFT_OUT} is {_shown(value)}; valid: four numbers", LEFT_OUT)
    return LeftOut(*value)


def _check_setup(made: Any) -> None:
    """Refuse a setup in which no run can begin, or whose clock no calendar has."""
    if not isinstance(made, setup.Setup):
        raise _Wrong("setup is not a Setup", "setup")
    if not (0 <= made.host.epoch <= YEAR_9000 and abs(made.host.tz_minutes) < 1440):
        raise _Wrong("host.epoch or host.tz_minutes lies outside the calendar", "epoch")
    try:
        Trace(made).first_world()
    except Exception as error:
        raise _Wrong(f"no run can begin from this setup ({type(error).__name__}: {error})", "setup") from None


def _record(value: Any, trace: Trace) -> Record:
    expected = len(trace.records)
    if not isinstance(value, list) or len(value) != 4:
        raise _Wrong("a record is [seq, at, cause, event]")
    seq, at, cause, event = value
    if seq != expected or type(seq) is not int:
        raise _Wrong(f"record {str(seq)[:20]} stands where {expected} belongs")
    if not (at is None or _fits(at, int)) or not _fits(cause, int):
        raise _Wrong("at and cause are whole numbers")
    before = trace.records[-1].at if trace.records else 0
    if (at or 0) < (before or 0):
        raise _Wrong(f"at {at} lies before {before}, that of the record before it")
    if not -1 <= cause < max(seq, 1):
        raise _Wrong(f"cause {cause} is no earlier record")
    made = restore(event)
    if type(made).__name__ not in EVENTS:
        name = type(made).__name__
        raise _Wrong(f"{name} is no event", name, nearest(name, EVENTS))
    of_daemon = isinstance(made, facts.EngineEvent) and (made.kind, made.container) == ("daemon", "")
    if isinstance(made, (facts.EngineEvent, facts.BecameReady)) and not of_daemon:
        _check_container(made.container, trace)
    return Record(seq, at, cause, made)


def _check_container(name: str, trace: Trace) -> None:
    names = [service.name for service in trace.setup.services]
    if name not in names:
        raise _Wrong(f"there is no container {name[:60]!r} in setup", name, f"Valid: {', '.join(names) or 'none'}.")


def _check_replay(trace: Trace, name: str, numbers: list[int]) -> None:
    """Refuse a record that cannot follow those before it: a process ends that never began."""
    replay = Replay(trace)
    for record, number in zip(trace.records, numbers, strict=True):
        try:
            replay.step()
        except Exception as error:
            event = type(record.event).__name__
            what = f"{event} cannot follow what stands before it ({type(error).__name__}: {error})"
            raise _refused(name, number, 1, what) from None

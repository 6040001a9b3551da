"""Find everything that is wrong with a process table before it becomes records.

Models: the shape of the document (keys, types, ranges) and what a kernel could not show (a number used twice, a
process that is its own ancestor). Leaves out: whether the tree is likely; a parent that is not listed is allowed,
since `ps` may have been filtered, and so is a number above pid_max.
Source: the fields of /proc/PID/stat and /proc/PID/status, proc(5), man-pages 6.03.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from sim.errors import Problem, nearest
from sim.views.zone import VALID, utc_offset_s

STATES = "RSDTtZXI"


class ValueType(msgspec.Struct, frozen=True):
    """Describe what a key may hold: words for people and the test for it."""

    valid: str
    accepts: Callable[[Any], bool]


def check_document(document: object, name: str) -> list[Problem]:
    """List all problems of a decoded table; *name* is the file that they are reported for.

    >>> [str(p) for p in check_document({"procs": []}, "t.json")]
    ["t.json: meta: the key is missing. Add it: an object with 'btime', 'now'."]
    """
    if not isinstance(document, dict):
        return [Problem(name, f"the document is {_show(document)}", "A table is an object with 'meta' and 'procs'.")]
    problems = list(_keys(document, TOP, f"{name}: "))
    meta, procs = document.get("meta"), document.get("procs")
    if isinstance(meta, dict):
        problems += _keys(meta, META, f"{name}: meta.")
        problems += _users(meta.get("users"), f"{name}: meta.users")
    if isinstance(procs, list):
        problems += _procs(procs, name)
    return problems


def _procs(procs: list[Any], name: str) -> Iterator[Problem]:
    """Check the rows one by one, then what only the whole table can tell."""
    for index, proc in enumerate(procs):
        where = f"{name}: procs[{index}]"
        if isinstance(proc, dict):
            yield from _keys(proc, PROC, where + ".")
        else:
            yield Problem(where, f"the value is {_show(proc)}", "A process is an object with pid, ppid, comm, ...")
    yield from _numbers_used_twice(procs, name)
    yield from _own_ancestors(procs, name)


def _keys(record: Mapping[str, Any], spec: Mapping[str, tuple[ValueType, bool]], prefix: str) -> Iterator[Problem]:
    """Check one object against its literal table of keys; null stands for a missing optional key."""
    for key, value in record.items():
        if key not in spec:
            hint = nearest(key, spec) or "Valid keys: " + ", ".join(spec) + "."
            yield Problem(f"{prefix}{_show(key)[1:-1]}", "the key is unknown", hint)
            continue
        kind, required = spec[key]
        if value is None and not required:
            continue
        if not kind.accepts(value):
            yield Problem(f"{prefix}{key}", f"the value is {_show(value)}", f"Valid: {kind.valid}.")
    for key, (kind, required) in spec.items():
        if required and key not in record:
            yield Problem(f"{prefix}{key}", "the key is missing", f"Add it: {kind.valid}.")


def _users(users: object, where: str) -> Iterator[Problem]:
    if not isinstance(users, dict):
        return
    for uid, user in users.items():
        if not uid.isascii() or not uid.isdigit() or not _is_text(user):
            yield Problem(
                f"{where}.{_show(uid)[1:-1]}",
                f"the value is {_show(user)}",
                'Valid: a number as key, a name as value, such as {"0": "root"}.',
            )


def _numbers_used_twice(procs: list[Any], name: str) -> Iterator[Problem]:
    """Processes and threads share one number space, so any number may appear once."""
    seen: dict[int, str] = {}
    for number, path in _numbers(procs):
        if number in seen:
            yield Problem(
                f"{name}: {path}",
                f"the value is {number}, as {seen[number]} is",
                "Pids and tids share one number space: use each number once.",
            )
        seen.setdefault(number, path)


def _numbers(procs: list[Any]) -> Iterator[tuple[int, str]]:
    for index, proc in enumerate(procs):
        if not isinstance(proc, dict):
            continue
        if _is_pid(proc.get("pid")):
            yield proc["pid"], f"procs[{index}].pid"
        threads = proc.get("threads")
        for place, tid in enumerate(threads if isinstance(threads, list) else []):
            if _is_pid(tid):
                yield tid, f"procs[{index}].threads[{place}]"


def _thread_numbers(row: Mapping[str, Any]) -> list[int]:
    """Return the numbers of a row's threads, where it gives any; a parent may be named by one."""
    threads = row.get("threads")
    return [number for number in threads if _is_pid(number)] if isinstance(threads, list) else []


def _own_ancestors(procs: list[Any], name: str) -> Iterator[Problem]:
    """Report each circle of parents once, at its row of the lowest index."""
    rows = [p if isinstance(p, dict) else {} for p in procs]
    parents = {p["pid"]: p.get("ppid") for p in rows if _is_pid(p.get("pid"))}
    index_of = {p["pid"]: i for i, p in reversed(list(enumerate(rows))) if _is_pid(p.get("pid"))}
    owners = {tid: p["pid"] for p in rows if _is_pid(p.get("pid")) for tid in _thread_numbers(p)}
    done: set[int] = set()
    for pid in parents:
        path: list[int] = []
        step: Any = pid
        while _is_pid(step) and step in parents and step not in done:
            done.add(step)
            path.append(step)
            parent: Any = parents[step]
            step = owners.get(parent, parent)
        if step in path:
            circle = path[path.index(step) :]
            first = min(circle, key=index_of.__getitem__)
            chain = " -> ".join(map(str, [*circle, circle[0]]))
            yield Problem(
                f"{name}: procs[{index_of[first]}].ppid",
                f"process {first} is its own ancestor ({chain})",
                "Give one of them a parent outside the circle, such as 0.",
            )


def _show(value: object) -> str:
    """Quote a value shortly, with no character that could disturb a terminal."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_int(value) and value >= 0


def _is_pid(value: Any) -> bool:
    return _is_int(value) and value >= 1


def _is_text(value: object) -> bool:
    """Say whether the kernel could hold it: bytes, written as UTF-8 or as escaped stray bytes, without NUL."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_threads(value: object) -> bool:
    return _is_count(value) or (isinstance(value, list) and all(map(_is_pid, value)))


def _is_tty(value: object) -> bool:
    if not isinstance(value, str):
        return False
    number = value.removeprefix("pts/") if value.startswith("pts/") else value.removeprefix("tty")
    return number != value and number.isascii() and number.isdigit()


def _is_locale(value: object) -> bool:
    return isinstance(value, str) and (value in ("C", "POSIX") or value.lower().endswith((".utf-8", ".utf8")))


PID = ValueType("a process number, 1 or more", _is_pid)
COUNT = ValueType("a whole number, 0 or more", _is_count)
WHOLE = ValueType("a whole number", _is_int)
TEXT = ValueType("a text without NUL", _is_text)
TEXTS = ValueType("a list of texts without NUL", _is_texts)

TOP: dict[str, tuple[ValueType, bool]] = {
    "schema_version": (ValueType("1", lambda value: _is_int(value) and value == 1), False),
    "meta": (ValueType("an object with 'btime', 'now'", lambda value: isinstance(value, dict)), True),
    "procs": (ValueType("a list of processes", lambda value: isinstance(value, list)), True),
}
META: dict[str, tuple[ValueType, bool]] = {
    "btime": (ValueType("the time of boot in unix seconds", _is_count), True),
    "now": (ValueType("the time of the view in unix seconds", _is_count), True),
    "hertz": (ValueType("clock ticks in a second, 1 or more", _is_pid), False),
    "pid_max": (ValueType("the kernel's pid_max, 1 or more", _is_pid), False),
    "tz": (ValueType(VALID, lambda value: isinstance(value, str) and utc_offset_s(value) is not None), False),
    "locale": (ValueType("C, POSIX or a UTF-8 locale such as C.UTF-8", _is_locale), False),
    "users": (ValueType("an object of uid: name", lambda value: isinstance(value, dict)), False),
    "mem_total_kib": (ValueType("the memory of the host in KiB, 1 or more", _is_pid), False),
    "notes": (TEXTS, False),
}
PROC: dict[str, tuple[ValueType, bool]] = {
    "pid": (PID, True),
    "ppid": (COUNT, True),
    "pgid": (COUNT, True),
    "sid": (COUNT, True),
    "comm": (TEXT, True),
    "args": (TEXTS, True),
    "state": (
        ValueType(
            "one of " + ", ".join(STATES), lambda value: isinstance(value, str) and len(value) == 1 and value in STATES
        ),
        True,
    ),
    "start_ticks": (COUNT, True),
    "uid": (COUNT, True),
    "threads": (ValueType("the extra threads: a count, a list of tids, or null", _is_threads), False),
    "tty": (ValueType("pts/N, ttyN, or null for none", _is_tty), False),
    "tpgid": (ValueType("a process group, or -1", lambda value: _is_int(value) and value >= -1), False),
    "nice": (ValueType("-20 to 19", lambda value: _is_int(value) and -20 <= value <= 19), False),
    "utime": (COUNT, False),
    "stime": (COUNT, False),
    "vsize": (COUNT, False),
    "rss": (COUNT, False),
    "lock_kb": (COUNT, False),
    "role": (TEXT, False),
    "container": (TEXT, False),
    "orphan": (ValueType("true or false", lambda value: isinstance(value, bool)), False),
    "derived": (TEXTS, False),
    "unknown": (TEXTS, False),
}

"""Kinds of rows: what each asks of a run, by the public interface alone (docs/python.md, docs/expect.md).

Either a row is a list of entries of `expect:`, which must all hold, or it is a question to a run and a comparison. A
new kind is one row of KINDS. Source: docs/expect.md, docs/python.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from sim.experiment.run import Run
from tests.truth.rows import LOOP, Row

Entry = dict[str, Any]
NOT_COMPARED = re.compile(r"exec_|health_status|attach|detach|resize|top|rename|update|archive|oom")


class Asked:
    """A run that several rows ask: each of its tables is made once, and moments are seconds."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._tables: dict[str, list[dict[str, Any]]] = {}
        self._zero = run.moment("0s")

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return a table of docs/python.md."""
        if table not in self._tables:
            self._tables[table] = self.run.rows(table)
        return self._tables[table]

    def at(self, instant: str) -> float:
        """Return an instant in seconds from t = 0. Raises InputError."""
        return (self.run.moment(instant) - self._zero) / 1e6


class Kind(NamedTuple):
    """What rows of a kind ask: *entries* of `expect:`, or a question *ask* whose answer must be *same*."""

    about: str
    subject: str
    entries: Callable[[Row], list[Entry]] | None = None
    ask: Callable[[Row, Asked], Any] | None = None
    same: Callable[[Row, Any], bool] = lambda row, found: str(found) == row.expected


# -- by entries of expect: -------------------------------------------------------------------------------------------


def container(key: str, value: Callable[[str], Any] = str) -> Callable[[Row], list[Entry]]:
    """Return a maker of an entry about one key of a container."""
    return lambda row: [{"at": row.instants[0], "container": row.subject, key: value(row.expected)}]


def status(row: Row) -> list[Entry]:
    """Return an entry about what the engine says, or that it knows no such container."""
    about = {"exists": False} if row.expected == "removed" else {"status": row.expected}
    return [{"at": row.moment, "container": row.subject} | about]


def pid(row: Row) -> list[Entry]:
    """Return an entry about whether a container still has the process that it had."""
    at, since = row.instants
    return [{"at": at, "container": row.subject, "pid": row.expected, "since": since}]


def process(key: str, value: Callable[[str], Any] = str) -> Callable[[Row], list[Entry]]:
    """Return a maker of an entry about processes, as the kernel knows them."""
    return lambda row: [{"at": row.moment, "process": row.subject, key: value(row.expected)}]


def return_code(row: Row) -> list[Entry]:
    """Return an entry about how a command ended, or that it still waits."""
    if row.expected == "unanswered":
        return [{"at": row.moment, "step": row.subject, "unanswered": True}]
    return [{"at": row.moment, "step": row.subject, "exit_code": int(row.expected)}]


def text(row: Row) -> list[Entry]:
    """Return an entry about words that a command printed."""
    return [{"at": row.moment, "step": row.subject, "error": row.expected}]


def command_s(row: Row) -> list[Entry]:
    """Return two entries: not yet answered at the shortest time, answered at the longest."""
    low, high = (f"{row.subject}+{round(it * 1e6)}us" for it in row.bounds)
    late = [{"at": high, "step": row.subject, "unanswered": False}]
    return late + [{"at": low, "step": row.subject, "unanswered": True}] * (row.bounds[0] > 0)


def port(row: Row) -> list[Entry]:
    """Return an entry about whether clients of a class reach a port."""
    number, client = row.subject.split()
    return [{"at": row.moment, "port": int(number), "from": client, "open": row.expected == "open"}]


def found(row: Row) -> list[Entry]:
    """Return an entry about what a connect finds."""
    number, _, client = re.fullmatch(r"(\d+)(/\w+)? (\w+)", row.subject).groups()  # type: ignore[union-attr]
    return [{"at": row.moment, "port": int(number), "from": client, "finds": row.expected}]


# -- by questions to a run -------------------------------------------------------------------------------------------


def within(row: Row, found: Any) -> bool:
    """Return whether a number lies within the tolerance."""
    low, high = row.bounds
    return isinstance(found, int | float) and low <= found <= high


def seconds(row: Row, run: Asked) -> float:
    """Return the time between two instants."""
    first, second = row.instants
    return round(run.at(second) - run.at(first), 3)


def lives(it: dict[str, Any], at: float) -> bool:
    """Return whether a row of the table of processes is of one that lives at a time."""
    return it["start_s"] <= at and (it["end_s"] is None or it["end_s"] > at)


def found_of(run: Asked, target: str, at: str) -> dict[str, Any] | None:
    """Return the row of the first living process that `role/container` names at an instant."""
    role, _, name = target.partition("/")
    when = run.at(at)
    there = [it for it in run.rows("processes") if lives(it, when)]
    return next((it for it in there if it["role"] == role and name in ("", it["container"])), None)


def kept(row: Row, run: Asked) -> str:
    """Return whether the process that lived at the second instant lives at the first."""
    at, since = row.instants
    there = found_of(run, row.subject, since)
    if there is None:
        return "there was none"
    return "kept" if lives(there, run.at(at)) else "gone"


def pid_gap(row: Row, run: Asked) -> int | None:
    """Return how far apart the numbers of two processes are."""
    first, second = (found_of(run, target, row.moment) for target in row.subject.split(".."))
    return None if first is None or second is None else second["pid"] - first["pid"]


def of_ps(column: int) -> Callable[[Row, Asked], str]:
    """Return a question: whose number stands in a column of `ps axj` at a process; `own` for its own."""

    def ask(row: Row, run: Asked) -> str:
        mine = found_of(run, row.subject, row.moment)
        if mine is None:
            return "there is none"
        lines = [line.split()[:4] for line in str(run.run.show("ps-axjf", row.moment)).splitlines()]
        (number,) = [cells[column] for cells in lines if cells[1] == str(mine["pid"])]
        if number == str(mine["pid"]):
            return "own"
        leader = next((it for it in run.rows("processes") if str(it["pid"]) == number), None)
        return leader["role"] if leader else number

    return ask


def gaps(row: Row, run: Asked) -> tuple[bool, float] | None:
    """Return whether a port is dark at the end, and its longest dark time that ends after the first instant."""
    number, proto, client = re.fullmatch(r"(\d+)(?:/(\w+))? (\w+)", row.subject).groups()  # type: ignore[union-attr]
    since = run.at(row.instants[0])
    mine = [it for it in run.rows("ports") if (it["port"], it["client"]) == (int(number), client)]
    mine = [it for it in mine if it["proto"] == (proto or "tcp") and it["end_s"] > since]
    if not mine:
        return None
    mine.sort(key=lambda it: it["start_s"])
    dark = not mine[-1]["open"]
    closed = [it["end_s"] - it["start_s"] for it in mine[: -1 if dark else None] if not it["open"]]
    return dark, max(closed, default=0.0)


def dark_s(row: Row, run: Asked) -> float | str:
    """Return the longest time without an answer, of a port that comes back."""
    found = gaps(row, run)
    return "no such port" if found is None else "stays dark" if found[0] else round(found[1], 3)


def port_end(row: Row, run: Asked) -> str:
    """Return whether a port answers in the end."""
    found = gaps(row, run)
    return "no such port" if found is None else "dark" if found[0] else "answers"


def events(*kinds: str) -> Callable[[Row, Asked], str]:
    """Return a question: what the engine said of a container after an instant, in order."""

    def ask(row: Row, run: Asked) -> str:
        since, until = row.instants[0], row.instants[1] or "end"
        first, last = run.at(since), run.at(until)
        said = [it for it in run.rows("events") if it["container"] == row.subject and it["kind"] in kinds]
        said = [it for it in said if first - 0.001 <= it["time_s"] <= last and not NOT_COMPARED.match(it["action"])]
        return ", ".join(_word(it) for it in said if it["kind"] == "container" or it["action"].endswith("connect"))

    return ask


def _word(it: dict[str, Any]) -> str:
    if it["kind"] == "network":
        return f"network {it['action']}"
    value = {"die": it["exit_code"], "kill": it["signal"]}.get(it["action"])
    return it["action"] if value is None else f"{it['action']} {value}"


def alike(row: Row, found: Any) -> bool:
    """Return whether events are the same; of a crash loop, the same words and about as many ends."""
    if row.tolerance != LOOP:
        return bool(found == row.expected)
    mine, theirs = found.split(", "), row.expected.split(", ")
    ends = [sum(word.startswith("die") for word in words) for words in (mine, theirs)]
    return set(mine) == set(theirs) and abs(ends[0] - ends[1]) <= max(1, 0.15 * ends[1])


def yes(word: str) -> bool:
    """Return what yes or no stands for."""
    return {"yes": True, "no": False}[word]


CONTAINER, PROCESS, STEP = "a container", "role, or role/container", "the id of a step"
KINDS: dict[str, Kind] = {
    "status": Kind("what the engine says; `removed`", CONTAINER, status),
    "exit code": Kind("its exit code, as the engine believes", CONTAINER, container("exit_code", int)),
    "restarts": Kind("RestartCount, or ATTEMPT; may be a range", CONTAINER, container("restarts")),
    "pid": Kind("same or new: `INSTANT since INSTANT`", CONTAINER, pid),
    "health": Kind("starting, healthy, unhealthy", CONTAINER, container("health")),
    "oom killed": Kind("yes or no, as the engine says", CONTAINER, container("oom_killed", yes)),
    "lost": Kind("bytes of its output that nobody will read", CONTAINER, container("lost")),
    "process": Kind("yes or no: it is there", PROCESS, process("exists", yes)),
    "count": Kind("how many processes there are", PROCESS, process("count")),
    "parent": Kind("whose child it is", PROCESS, process("parent")),
    "state": Kind("its letter of ps", PROCESS, process("state")),
    "kept": Kind("kept or gone: what was there, `INSTANT since INSTANT`", PROCESS, None, kept),
    "group": Kind("the leader of its process group; own", PROCESS, None, of_ps(2)),
    "session": Kind("the leader of its session; own", PROCESS, None, of_ps(3)),
    "pid gap": Kind("the second's number less the first's", "PROCESS..PROCESS", None, pid_gap, within),
    "return code": Kind("what a command exits with; `unanswered`", STEP, return_code),
    "text": Kind("a part of the words that a command prints", STEP, text),
    "command s": Kind("seconds until a command is answered", STEP, command_s),
    "seconds": Kind("seconds from `INSTANT..INSTANT`", "in words", None, seconds, within),
    "port": Kind("open or closed", "PORT CLIENT", port),
    "found": Kind("what a connect finds", "PORT[/udp] CLIENT", found),
    "port end": Kind("answers or dark at the end", "PORT[/udp] CLIENT", None, port_end),
    "dark s": Kind("the longest time without an answer, from an instant on", "PORT[/udp] CLIENT", None, dark_s, within),
    "events": Kind("all that is said of it from an instant on", CONTAINER, None, events("container"), alike),
    "net events": Kind("the same with its networks", CONTAINER, None, events("container", "network"), alike),
}

"""A run as tidy tables for analysis: one row a thing, one column a value, one unit a column.

Five tables: what the engine said (events), every process that lived (processes), what each daemon and container was
from when to when (intervals), whether each published port answered (ports), and what became of each container
(containers). Times are seconds from t = 0 or another moment, negative before it. Leaves out what `sim.views.intervals`
leaves out. Source: the trace.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec

from sim.engine.setup import Microseconds
from sim.facts import EngineEvent
from sim.kernel.events import Execed, Exited, Forked, Reparented
from sim.kernel.records import NO_POWER, OUTSIDE, Process, Status
from sim.kernel.signals import NAMES
from sim.trace import Replay, Trace
from sim.views.comparison import WhatIf
from sim.views.fates import FATES, Fate, fates
from sim.views.interval_parts import IN_TABLES, Intervals, Lane, PortTrack, Window
from sim.views.intervals import intervals

Row = dict[str, Any]


class Column(msgspec.Struct, frozen=True):
    """A column: *kind* is text, number (whole), seconds, figure or truth; a value that is not known is None."""

    name: str
    kind: str
    meaning: str


def _columns(*rows: tuple[str, str, str]) -> tuple[Column, ...]:
    return tuple(Column(*row) for row in rows)


SPAN = (
    ("start_s", "seconds", "when it began"),
    ("end_s", "seconds", "when it was over; the run's end if it was not"),
)
HELD = (
    "who looks after it: the daemon whose child its holder is, init, reattached, nobody; where holders live under PID "
    "1 the holder, unattached, unheld; where the engine is the parent itself own, adopted; else empty"
)
COLUMNS: dict[str, tuple[Column, ...]] = {
    "events": _columns(
        ("time_s", "seconds", "when the engine said it"),
        ("kind", "text", "container, network or daemon"),
        ("action", "text", "create, start, die, kill, connect, ..."),
        ("container", "text", "whom it is about; empty for the daemon"),
        ("exit_code", "number", "of a die, what the engine believes"),
        ("signal", "text", "of a kill, as TERM; else empty"),
        ("network", "text", "of connect and disconnect; else empty"),
    ),
    "processes": _columns(
        ("pid", "number", "its number; a number may come again later"),
        ("ppid", "number", "its first parent, who forked it"),
        ("last_ppid", "number", "its parent in the end; 1 for an orphan, and where PID 1 is its place"),
        ("role", "text", "its last program, by the name that its design gives it: payload, child, ..."),
        ("container", "text", "whom it serves or is; empty for none"),
        ("comm", "text", "its name, cut to 15 bytes as the kernel does"),
        ("start_s", "seconds", "its fork"),
        ("end_s", "seconds", "its exit; unknown if it lives on"),
        ("exit_code", "number", "0 to 255; unknown if it lives on or a signal ended it"),
        ("signal", "text", "the signal that ended it, as KILL; empty for none"),
    ),
    "intervals": _columns(
        ("lane", "text", "a daemon of the engine's, or a container"),
        ("kind", "text", "daemon or container"),
        ("state", "text", "absent, starting, unready, running, stopping, dead; down, booting, up, leaving, frozen"),
        ("parent", "text", HELD),
        ("pid", "number", "the process meant; unknown if there is none"),
        *SPAN,
    ),
    "ports": _columns(
        ("container", "text", "who publishes it"),
        ("port", "number", "on the host"),
        ("proto", "text", "tcp or udp"),
        ("client", "text", "remote (other hosts) or loopback (127.0.0.1); by IPv6 remote6, loopback6"),
        ("open", "truth", "whether a connection succeeds"),
        *SPAN,
    ),
    "containers": _columns(
        ("container", "text", "its name in the file"),
        ("policy", "text", "the restart policy that its engine goes by in the end"),
        ("fate", "text", f"what became of it since the first fault, or since `since`: {', '.join(FATES)}"),
        ("status", "text", "what its engine says of it in the end; empty: it knows nothing of it"),
        ("exit_code", "number", "of the process that ran before, as its engine says; unknown if that lives on"),
        ("restarts", "number", "the processes that were started for it since"),
        ("orphaned", "truth", "whether it, or who holds it, has lost its parent since"),
        ("remote_dark_s", "figure", "the longest that one of its ports was dark for other hosts; inf: not back"),
        ("loopback_dark_s", "figure", "the same for 127.0.0.1"),
        ("why", "text", "why, with the source of the rule"),
    ),
}  # fmt: skip

PAIRS = _columns(
    ("variant", "text", "the settings that were changed"),
    ("metric", "text", "what was measured, as result.json names it"),
    ("label", "text", "the same in words"),
    ("unit", "text", "s for seconds, empty for a count"),
    ("seed", "number", "of both runs of the pair"),
    ("now", "figure", "the figure as the file is; inf: not back by the end"),
    ("then", "figure", "the figure under the changed settings; inf: not back by the end"),
    ("difference", "figure", "then - now; unknown (nan) where neither is back, or there is nothing to measure"),
)


def rows(trace: Trace, table: str, zero: Microseconds | None = None) -> list[Row]:
    """Return the rows of one of the tables, times counted from *zero* (clock value, µs; by default t = 0).

    Raises KeyError for another name.
    """
    columns, since = COLUMNS[table], trace.origin if zero is None else zero
    found = _containers(trace, zero) if table == "containers" else TABLES[table](trace)
    assert all(list(row) == [column.name for column in columns] for row in found), f"{table} has other columns"
    times = [column.name for column in columns if column.kind == "seconds"]
    for row in found:
        row.update((name, (row[name] - since) / 1_000_000) for name in times if row[name] is not None)
    return found


def _events(trace: Trace) -> list[Row]:
    found = []
    for record in trace.records:
        event = record.event
        if isinstance(event, EngineEvent):
            said = dict(event.attributes)
            found.append({
                "time_s": record.at or 0,
                "kind": event.kind,
                "action": event.action,
                "container": event.container,
                "exit_code": int(said["exitCode"]) if "exitCode" in said else None,
                "signal": NAMES[int(said["signal"])] if "signal" in said else "",
                "network": said.get("name", "") if event.kind == "network" else "",
            })  # fmt: skip
    return found


# -- processes --------------------------------------------------------------------------------------


def _processes(trace: Trace) -> list[Row]:
    """Return a row for each fork, in their order; the host's first process was not forked."""
    replay = Replay(trace)
    found: list[Row] = []
    living: dict[int, Row] = {}
    for process in replay.world.host.procs.values():
        living[process.pid] = _process(process, OUTSIDE, 0)
        found.append(living[process.pid])
    for record in trace.records:
        replay.step()
        event, at = record.event, record.at or 0
        if isinstance(event, Forked):
            living[event.pid] = _process(replay.world.host.procs[event.pid], event.ppid, at)
            found.append(living[event.pid])
        elif isinstance(event, Execed):
            living[event.pid].update(_image(replay.world.host.procs[event.pid]))
        elif isinstance(event, Reparented):
            living[event.pid]["last_ppid"] = event.ppid
        elif isinstance(event, Exited):
            living[event.pid].update(_end(event.status, at))
    return found


def _process(process: Process, ppid: int, at: Microseconds) -> Row:
    begun = {"pid": process.pid, "ppid": ppid, "last_ppid": ppid, **_image(process), "start_s": at}
    return {**begun, "end_s": None, "exit_code": None, "signal": ""}


def _image(process: Process) -> Row:
    image = process.image
    return {"role": image.program, "container": image.container, "comm": image.comm}


def _end(status: Status, at: Microseconds) -> Row:
    signal = "" if status >= 0 or status == NO_POWER else NAMES[-status]
    return {"end_s": at, "exit_code": status if status >= 0 else None, "signal": signal}


# -- stretches of time ------------------------------------------------------------------------------


def _intervals(trace: Trace) -> list[Row]:
    run = intervals(trace, ())
    daemons = [row for lane in run.daemons for row in _lane(lane, "daemon", trace.origin)]
    return daemons + [row for lane in run.containers for row in _lane(lane, "container", trace.origin)]


def _lane(lane: Lane, kind: str, origin: Microseconds) -> list[Row]:
    return [
        {
            "lane": lane.name, "kind": kind, "state": it.state, "parent": it.parent, "pid": it.pid or None,
            "start_s": it.start + origin, "end_s": it.end + origin,
        }
        for it in lane.intervals
    ]  # fmt: skip


def _ports(trace: Trace) -> list[Row]:
    run = intervals(trace, IN_TABLES)
    return [row for track in run.ports for row in _track(track, run, trace.origin)]


def _track(track: PortTrack, run: Intervals, origin: Microseconds) -> list[Row]:
    about = {"container": track.container, "port": track.port, "proto": track.proto, "client": track.client}
    return [
        {**about, "open": opened, "start_s": start + origin, "end_s": end + origin}
        for start, end, opened in stretches(track.opened, run.begin, run.end)
    ]


def stretches(opened: tuple[Window, ...], begin: Microseconds, end: Microseconds) -> list[tuple[int, int, bool]]:
    """Return the whole of [begin, end] as stretches that are open or not.

    >>> stretches(((2, 5),), 0, 9)
    [(0, 2, False), (2, 5, True), (5, 9, False)]
    """
    found = []
    for start, stop in opened:
        found += [(begin, start, False), (start, stop, True)]
        begin = stop
    return [stretch for stretch in (*found, (begin, end, False)) if stretch[0] < stretch[1]]


def _containers(trace: Trace, since: Microseconds | None) -> list[Row]:
    return [
        {
            "container": it.container,
            "policy": it.policy,
            "fate": it.fate,
            "status": it.status,
            "exit_code": it.exit_code,
            "restarts": it.restarts,
            "orphaned": it.orphaned,
            "remote_dark_s": _longest(it, "remote"),
            "loopback_dark_s": _longest(it, "loopback"),
            "why": it.why,
        }
        for it in fates(trace, since)
    ]


def _longest(fate: Fate, client: str) -> float:
    times = [math.inf if it.seconds is None else it.seconds for it in fate.dark if it.client == client]
    return max(times, default=0.0)


TABLES: dict[str, Callable[[Trace], list[Row]]] = {
    "events": _events, "processes": _processes, "intervals": _intervals, "ports": _ports,
}  # fmt: skip


# -- comparisons ------------------------------------------------------------------------------------


def pairs(found: WhatIf) -> list[Row]:
    """Return a row for each alternative, metric and pair of runs."""
    return [
        dict(zip((column.name for column in PAIRS), (it.name, row.metric, row.label, row.unit, *pair), strict=True))
        for it in found.variants
        for row in it.rows
        for pair in zip(found.seeds, row.base.values, row.other.values, row.differences, strict=True)
    ]

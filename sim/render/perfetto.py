"""A run in Chrome's JSON trace event format, which the viewers of Perfetto and Chrome open.

Spans are complete events (`X`), of those that begin together the longest first, as Perfetto sorts them: it keeps a
stack for each track. Arrows are flows (`s`, `t`, `f`) behind the spans of their moment, since a flow is bound to what
lies on top of the stack. What is counted are counters (`C`), moments are instants (`i`). ts is the trace's clock in µs.
Leaves out colours, which each viewer chooses. Source: Trace Event Format (2016); Perfetto's importer, slice_tracker.cc
and flow_tracker.cc.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sim.render.clean import printable
from sim.views.span_parts import Span, SpanArrow, Spans

Event = dict[str, Any]


def perfetto(run: Spans) -> str:
    """Return the file, one event a line."""
    events = sorted(_timed(run), key=lambda it: it[0])
    lines = [json.dumps(event, separators=(",", ":")) for event in _metadata(run)]
    lines += [json.dumps(event, separators=(",", ":")) for _, event in events]
    setup = run.trace.setup.engine
    about = {"design": setup.design, "profile": setup.profile, "seed": run.trace.seed, "t0_us": run.trace.origin}
    head = f'{{"displayTimeUnit":"ms","otherData":{json.dumps(about)},"traceEvents":[\n'
    return (head + ",\n".join(lines) + "\n]}\n").replace("\x7f", "\\u007f")


def _metadata(run: Spans) -> Iterator[Event]:
    """Yield names and places of all groups and tracks."""
    for place, group in enumerate(run.groups):
        yield _meta("process", "name", group.id, None, printable(group.name))
        yield _meta("process", "sort_index", group.id, None, place)
    for place, track in enumerate(run.tracks):
        yield _meta("thread", "name", track.group, track.id, printable(track.name))
        yield _meta("thread", "sort_index", track.group, track.id, place)


def _meta(of: str, key: str, pid: int, tid: int | None, value: str | int) -> Event:
    return {"ph": "M", "name": f"{of}_{key}", "pid": pid, "tid": pid if tid is None else tid, "args": {key: value}}


def _timed(run: Spans) -> Iterator[tuple[tuple[int, ...], Event]]:
    """Yield every event with its place in the file: time, kind, then what lies around others first."""
    group = {track.id: track.group for track in run.tracks}
    host = run.groups[1].id
    for level in run.levels:
        yield (level.at, 0), {"ph": "C", "name": level.name, "pid": host, "ts": level.at, "args": dict(level.values)}
    for span in run.spans:
        yield (span.start, 1, span.start - span.end, span.depth), _span(span, group[span.track])
    for number, arrow in enumerate(run.arrows):
        for place, event in _flow(arrow, number, group):
            yield (event["ts"], 2, number, place), event
    for point in run.points:
        event = _event("i", point.kind, point.name, group[point.track], point.track, point.at)
        yield (point.at, 3), event | {"s": "g" if point.everywhere else "t", "args": _args(point.args)}


def _event(ph: str, kind: str, name: str, pid: int, tid: int, ts: int) -> Event:
    return {"ph": ph, "cat": kind, "name": printable(name), "pid": pid, "tid": tid, "ts": ts}


def _span(span: Span, pid: int) -> Event:
    event = _event("X", span.kind, span.name, pid, span.track, span.start)
    return event | {"dur": span.end - span.start, "args": _args(span.args)}


def _flow(arrow: SpanArrow, number: int, group: dict[int, int]) -> Iterator[tuple[int, Event]]:
    """Yield a start, steps, and an end that is bound to the span around it, not to the next one."""
    last = len(arrow.ends) - 1
    for place, (track, at) in enumerate(arrow.ends):
        ph = "s" if not place else "f" if place == last else "t"
        event = _event(ph, arrow.kind, arrow.name, group[track], track, at) | {"id": number + 1}
        yield place, event | ({"bp": "e"} if ph == "f" else {})


def _args(args: dict[str, Any]) -> dict[str, Any]:
    return {printable(key): _value(value) for key, value in args.items()}


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return [printable(item) for item in value]
    return printable(value) if isinstance(value, str) else value

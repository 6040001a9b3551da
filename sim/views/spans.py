"""A run as spans on tracks, for viewers of traces: what each process, goroutine, container and person did from when on.

A process is a group of tracks of its own, also where its number was another's before. On its main track stands its
life, in it the procedure of its main goroutine, in that the ops that took time; ops that took none are named by the one
after them. Other goroutines have tracks beside it. What a process does to others stands at its moment as a span of no
duration, from which arrows begin. Times are the trace's clock (µs). Leaves out locks, queues and memory. Source:
`sim.views.spanning`, `sim.views.intervals`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from sim.engine.setup import Microseconds
from sim.facts import EngineEvent, UnitChanged
from sim.trace import Trace
from sim.views import interval_parts as v
from sim.views.intervals import intervals
from sim.views.span_parts import HOST, LIFE, PEOPLE, Args, Group, Level, Point, Span, Spans, SpanTrack
from sim.views.spanning import Spanning
from sim.views.timeline_parts import open_counts


def spans(trace: Trace, until: Microseconds | None = None) -> Spans:
    """Return a run's spans up to a clock value, by default to its end."""
    last = trace.end if until is None else until
    walk = Spanning(trace, last)
    walk.run()
    host = _Host(trace, last, walk.new_id)
    processes, process_tracks = walk.groups()
    found, points = (*walk.spans, *host.spans()), (*walk.points, *host.points())
    told = {span.track for span in found} | {point.track for point in points}
    tracks = (*walk.terminals(), *host.tracks.values(), *process_tracks)
    return Spans(
        trace=trace,
        groups=(Group(walk.people, PEOPLE), Group(host.id, HOST), *processes),
        tracks=tuple(track for track in tracks if track.id in told),
        spans=found,
        points=points,
        arrows=tuple(walk.arrows),
        levels=(*walk.levels, *host.levels()),
    )


class _Host:
    """What containers and daemons were, each with a track in one group, and how many ports were open."""

    def __init__(self, trace: Trace, until: Microseconds, new_id: Any) -> None:
        self.trace, self.until, self.id = trace, until, new_id()
        self.run = intervals(trace)
        lanes = [("daemon", lane) for lane in (self.run.engine, self.run.second)]
        lanes += [("container", lane) for lane in self.run.containers]
        self.lanes = {f"{kind} {lane.name}": lane for kind, lane in lanes}
        self.tracks = {name: SpanTrack(new_id(), self.id, name) for name in self.lanes}

    def spans(self) -> Iterator[Span]:
        """Yield the states of each, but that there is none."""
        for name, lane in self.lanes.items():
            for it in lane.intervals:
                start, end = it.start + self.trace.origin, min(it.end + self.trace.origin, self.until)
                if it.state not in (v.ABSENT, v.DOWN) and start <= end:
                    args: Args = {"pid": it.pid} if it.pid else {}
                    args |= {"looked_after_by": it.parent} if it.parent else {}
                    yield Span(self.tracks[name].id, start, end, LIFE, "state", it.state, args)

    def points(self) -> Iterator[Point]:
        """Yield what `docker events` prints and the states of the engine's unit."""
        origin = self.tracks[f"daemon {self.run.engine.name}"].id
        if self.trace.origin <= self.until:
            yield Point(origin, self.trace.origin, "step", "t = 0", {}, everywhere=True)
        for record in self.trace.records:
            at, event = record.at or 0, record.event
            if at > self.until:
                break
            cause: Args = {"seq": record.seq, "cause": record.cause}
            if isinstance(event, EngineEvent):
                track = self.tracks.get(f"container {event.container}")
                name = event.action if event.kind == "container" else f"{event.kind} {event.action}"
                place = origin if track is None else track.id
                yield Point(place, at, "engine", name, cause | dict(event.attributes))
            elif isinstance(event, UnitChanged):
                yield Point(origin, at, "unit", f"{event.unit}.service {event.state}", cause)

    def levels(self) -> Iterator[Level]:
        """Yield how many published ports are open to each class of clients."""
        for client in v.EVERYONE:
            opened = [window for track in self.run.ports if track.client == client for window in track.opened]
            steps = open_counts(opened, self.run.begin, self.run.end)
            counts = [(self.run.begin, -1, -1), *steps]
            for (_, _, before), (start, _, count) in pairwise(counts):
                if count != before and start + self.trace.origin <= self.until:
                    yield Level(f"open ports, {client}", start + self.trace.origin, (("open", count),))

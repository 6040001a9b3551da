"""What a report's page holds, as plain JSON: moments, texts, trees, the timeline, the story, causes.

Times are µs from the timeline's moment 0. Lines, boxes and links are named by their numbers; of a text the page has
what changes at which moment. Every string is printable. Read by `sim/render/page/*.js`; leaves out how the page looks.
Source: none; the project's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import astuple

from sim.render.clean import printable
from sim.render.headline import dark_text, duration
from sim.render.registry import HOST_OFF, RUN_VIEWS, VIEWS, events_view, paged
from sim.render.run_text import note_of, text_of
from sim.render.timeline_axis import axis_titles, ticks
from sim.render.timeline_looks import LOOKS
from sim.views.activity import Segment
from sim.views.names import kind_of
from sim.views.recorded import Pool, Printer, Recorded
from sim.views.report import FILL, STEP, ReportData
from sim.views.summary import Summary
from sim.views.timeline_parts import LaneData, Note, Strip, TimelineData
from sim.views.why_chain import Link

INCHES = 10.0  # of the time axis, for the distance of its ticks
LINKS, LAST = 24, 6  # of a longer chain the nearest causes and the last ones are shown
KINDS = {STEP: "s", FILL: "f"}
CHANGE = "c"


def of_table(view: str) -> Printer:
    """Return what prints a view of the process table."""
    return lambda story, table: HOST_OFF if story.off else VIEWS[view](table, 1)


def of_story(view: str) -> Printer:
    """Return what prints a view of the run."""
    return lambda story, table: HOST_OFF if story.off else RUN_VIEWS[view].show(story, ())


OF_TABLE = {view: of_table(view) for view in ("pstree", "ps-axjf")}
TITLES = {"pstree": "pstree", "ps-axjf": "ps -axjf"}


def of_client(client: str) -> dict[str, Printer]:
    """Return what prints the views of a command that asks the engine."""
    return {view: of_story(view) for view in paged(client)}


def page_data(
    data: ReportData, shown: Recorded, run: TimelineData, summary: Summary, events: Sequence[str]
) -> dict[str, Any]:
    """Return everything that the page's script reads.

    *events* has what the host's command printed of each event up to the end, "" where it printed nothing.
    """
    first, last = run.begin, run.end
    told = [(line, *turn) for line, turn in zip(events, data.events, strict=True) if line]
    event_view = events_view(summary.client)
    of_events = [] if event_view is None else [event_view.name]
    asked = [*paged(summary.client), *of_events]
    chains = {seq: number for number, seq in enumerate(data.causes.chains)}
    links = Pool()
    found = clean({
        "base": next((mark.id for mark in run.marks if mark.at == 0), ""),
        "origin": run.origin,
        "clock": [summary.epoch, summary.tz_minutes, summary.wall_clock],
        "moments": [moment.at - data.zero for moment in data.moments],
        "kinds": "".join(KINDS.get(moment.rank, CHANGE) for moment in data.moments),
        "lines": shown.lines,
        "texts": shown.texts,
        "titles": TITLES | {view: view.replace("-", " ", 1) for view in asked},
        "eventView": "".join(of_events),
        "eventLines": [line for line, _, _ in told],
        "events": [[at - data.zero, chains.get(seq, -1)] for _, at, seq in told],
        "boxes": [astuple(box) for box in shown.boxes],
        "roles": {box.role: list(kind_of(box.role)) for box in shown.boxes if box.role},
        "tree": shown.tree,
        "axis": _axis(run, data.pieces),
        "lanes": [*(_lane("daemon", it) for it in run.daemons), *(_lane("container", it) for it in run.lanes)],
        "strips": [_strip(strip) for strip in run.strips],
        "looks": {name: [look.hatch, look.rail] for name, look in LOOKS.items()},
        "marks": [[mark.at, mark.text] for mark in run.marks if first <= mark.at <= last],
        "story": [
            [it.at - data.zero, it.until - data.zero, text_of(it, summary.at_boot), note_of(it, summary.ports),
             chains.get(it.seq, -1)]
            for it in summary.lines
            if first <= it.at - data.zero <= last
        ],
        "chains": [list(shortened(chain, data.zero, links)) for chain in data.causes.chains.values()],
        "links": list(links.numbers),
        "processes": _turns(data.causes.processes, chains, data.zero),
        "daemons": _turns(data.causes.daemons, chains, data.zero),
        "containers": _turns(data.causes.containers, chains, data.zero),
    })  # fmt: skip
    assert isinstance(found, dict)
    return found


def clean(value: Any) -> Any:
    """Return a value for JSON in which every string is printable; every sequence is a list."""
    if isinstance(value, str):
        return printable(value)
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, dict):
        return {printable(str(key)): clean(item) for key, item in value.items()}
    return [clean(item) for item in value]


def shortened(chain: Sequence[Link], zero: int, links: Pool) -> Iterator[int]:
    """Yield the numbers of the links, nearest first; of too many a negative one says how many are left out."""
    between = len(chain) - LINKS
    for place, link in enumerate(chain):
        if between > 0 and place == LINKS - LAST:
            yield -between
        if between <= 0 or not LINKS - LAST <= place < LINKS - LAST + between:
            yield links.number((None if link.at is None else link.at - zero, link.text))


def _turns(turns: Mapping[Any, Sequence[tuple[int, int]]], chains: Mapping[int, int], zero: int) -> dict[str, Any]:
    """Return when things became what they are, with the numbers of their chains."""
    found = {str(key): [[at - zero, chains[seq]] for at, seq in row if seq in chains] for key, row in turns.items()}
    return {key: row for key, row in found.items() if row}


# -- the timeline -----------------------------------------------------------------------------------


def _axis(run: TimelineData, pieces: Sequence[Segment]) -> dict[str, Any]:
    found = []
    for number, piece in enumerate(pieces):
        closing = number + 1 < len(pieces) and pieces[number + 1].start == piece.end
        found.append({
            "start": piece.start, "end": piece.end, "share": piece.share,
            "cut": duration(piece.cut, up=False) if piece.cut else "",
            "ticks": ticks(piece, INCHES * piece.share, closing),
        })  # fmt: skip
    return {"pieces": found, "titles": axis_titles(run.since, pieces)}


def _lane(kind: str, lane: LaneData) -> dict[str, Any]:
    return {
        "kind": kind, "name": lane.name, "notes": _notes(lane.notes), "ticks": lane.ticks, "outcome": lane.outcome,
        "bars": list(map(astuple, lane.bars)), "spells": list(map(astuple, lane.spells)),
    }  # fmt: skip


def _strip(strip: Strip) -> dict[str, Any]:
    return {
        "kind": "strip", "name": strip.client, "total": strip.total, "steps": strip.steps,
        "notes": _notes(strip.notes), "outcome": dark_text(strip),
    }  # fmt: skip


def _notes(notes: Sequence[Note]) -> list[Any]:
    return [(note.start, note.end, note.right, note.texts) for note in notes]

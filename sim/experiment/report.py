"""The report of one run as a page: gathered from the trace, printed by the views' own printers.

Leaves out other seeds. Source: the project's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.render.registry import event_lines
from sim.render.report import About, Page, page
from sim.render.report_data import OF_TABLE, of_client
from sim.scenario.resolved import resolved
from sim.version import __version__
from sim.views.recorded import recorded
from sim.views.report import report_data
from sim.views.summary import Summary

if TYPE_CHECKING:
    from sim.experiment.played import Played
    from sim.views.timeline_parts import TimelineData


def report(run: Played, timeline: TimelineData, told: Summary, command: str = "") -> Page:
    """Return the page of a run over the time that *timeline* shows, with what is *told* of it; *command* repeats it."""
    data = report_data(run.trace, timeline, (line.seq for line in told.lines))
    found = recorded(run.trace, (moment.at for moment in data.moments), OF_TABLE, of_client(told.client))
    events = event_lines(run.story(data.zero + timeline.end))
    again = command or f"shimulator report {told.source} --seed {told.seed} -o report.html"
    return page(data, found, timeline, told, events, About(__version__, again, resolved(run.scenario)))

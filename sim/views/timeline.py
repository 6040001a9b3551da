"""A run as the timeline shows it: bars per lane, a few words on them, how many ports are open, and how it ended.

Plain data, times in µs from the fault (the step that the picture is about). Leaves out where things are drawn and in
which colour. Source: the project's picture "timeline"; `sim.views.intervals`.
"""

from __future__ import annotations

from msgspec.structs import asdict, replace

from sim.designs import DESIGNS
from sim.designs.takes import had_by
from sim.engine.setup import Docker, Microseconds, S, SetNextPid, Setup, TakePid
from sim.trace import Trace
from sim.views import interval_parts as v
from sim.views.fault import command_text, fault_of, subject
from sim.views.intervals import intervals, outcome
from sim.views.processes import Processes, processes
from sim.views.timeline_lanes import container_lanes, daemon_lanes
from sim.views.timeline_parts import Counts, MarkData, TimelineData
from sim.views.timeline_processes import process_bars, process_lanes
from sim.views.timeline_roles import role_stacks
from sim.views.timeline_strips import strip_of

WAYS = ("container", "process", "role")  # what the lanes can be


def timeline_data(
    trace: Trace,
    title: str = "",
    *,
    about: str = "",
    step: str | None = None,
    clients: tuple[str, ...] = v.EVERYONE,
    window: tuple[Microseconds | None, Microseconds | None] = (None, None),
    by: str = "container",
) -> TimelineData:
    """Gather what the timeline of a run shows, from its fault (or the step called *step*) on.

    *title* names the run beside another, *about* what it is of. *window* (µs from t = 0) is what to show, by default
    all from a minute before the fault on; what is said of ports and containers is of the whole run from the fault on.
    *by* says what the lanes are: `WAYS`. Raises KeyError if *step* never began.
    """
    assert by in WAYS, f"a timeline goes by {', '.join(WAYS)}, not by {by}"
    run = intervals(trace, clients)
    fault = fault_of(run, step)
    zero = fault.at if fault is not None else 0
    start, stop = window
    first = max(zero - 60 * S if start is None else start, run.begin)
    last = run.end if stop is None else min(stop, run.end)
    design = DESIGNS[trace.setup.engine.design]
    data = TimelineData(
        title=title,
        engine=f"{design.name} ({design.title})",
        profile=trace.setup.engine.profile,
        seed=trace.seed,
        containers=len(run.containers),
        fault=subject(run, fault, design),
        typed=fault is not None and isinstance(fault.command, Docker),
        since=command_text(fault) if fault is not None else "power on" if run.boots else "t = 0",
        origin=zero,
        begin=first - zero,
        end=last - zero,
        counts=counts(run, zero),
        daemons=daemon_lanes(run, zero),
        lanes=container_lanes(run, zero),
        strips=tuple(strip_of(run, client, zero) for client in clients if run.ports),
        marks=_marks(run, zero),
        settings=settings_of(trace.setup),
        about=about,
        names=run.names,
    )
    return data if by == "container" else _by(by, data, processes(trace))


def _by(by: str, data: TimelineData, found: Processes) -> TimelineData:
    """Return the same run with other lanes: a lane per process, or a stack per role."""
    zero = data.origin
    if by == "role":
        bars = [(it.program, process_bars(it, zero)) for it in found.lived]
        return replace(data, by=by, lanes=(), stacks=role_stacks(data.lanes, bars, data.begin, data.end, data.names))
    names = [lane.name for lane in data.lanes]
    lanes, arrows = process_lanes(found, names, zero, data.begin + zero, data.end + zero, data.names.errands)
    return replace(data, by=by, daemons=(), lanes=lanes, arrows=arrows)


def settings_of(setup: Setup) -> tuple[tuple[str, str], ...]:
    """Return the engine's settings as (name, text), such as `live-restore` and `true`."""
    engine = setup.engine
    flat = [("design", engine.design), ("profile", engine.profile)]
    for section, part in (("daemon", engine.daemon), ("unit", engine.unit)):
        for name, value in had_by(DESIGNS[engine.design], section, asdict(part)).items():
            flat.append((name.replace("_", "-"), str(value).lower() if isinstance(value, bool) else str(value)))
    flat += [
        (f"{name}.{key.replace('_', '-')}", str(value))
        for name, unit in engine.units
        for key, value in asdict(unit).items()
    ]
    return tuple(flat)


def counts(run: v.Intervals, zero: Microseconds) -> Counts:
    """Count what became of the processes that ran just before the fault."""
    all_of = [found for lane in run.containers if (found := outcome(run, lane.name, zero)).before]
    kept = sum(found.kept for found in all_of)
    gone = sum(not found.after for found in all_of)
    return Counts(len(all_of), kept, len(all_of) - kept - gone, gone)


def _marks(run: v.Intervals, zero: Microseconds) -> tuple[MarkData, ...]:
    found: dict[tuple[Microseconds, str], MarkData] = {}
    for mark in run.marks:
        if not isinstance(mark.command, SetNextPid | TakePid):  # they only move numbers
            found.setdefault((mark.at, mark.text), MarkData(mark.at - zero, mark.id, command_text(mark)))
    return tuple(found.values())

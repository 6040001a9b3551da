"""A run as the timeline shows it: bars per lane, a few words on them, how many ports are open, and how it ended.

Plain data, times in µs from the fault (the step that the picture is about). Leaves out where things are drawn and in
which colour. Source: the project's picture "timeline"; `sim.views.intervals`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from sim.designs import DESIGNS
from sim.engine.setup import MS, Docker, KillProcess, Microseconds, S, Setup, Systemctl, Upgrade
from sim.trace import Trace
from sim.views import intervals as v
from sim.views.fault import command_text, fault_of, subject

FLUSH_NEAR = 2 * MS  # a port that closes so soon after a flush was closed by it
LATE_KILL = 500 * MS  # KILL so long after the stop signal means that the signal was in vain


class Bar(msgspec.Struct, frozen=True):
    """A stretch of a lane that looks one way: `containerd`, `init`, `reattached`, `nobody`, `stopping`, `unready`,
    `starting`, `up`, `booting`, `leaving` or `frozen`."""

    start: Microseconds
    end: Microseconds
    look: str


class Note(msgspec.Struct, frozen=True):
    """Words on a lane for [start, end], longest first; *right* sets them at the end of it."""

    start: Microseconds
    end: Microseconds
    texts: tuple[str, ...]
    right: bool = False


class LaneData(msgspec.Struct, frozen=True):
    """One lane; *ticks* are moments marked on it, *outcome* stands at its end."""

    name: str
    bars: tuple[Bar, ...]
    notes: tuple[Note, ...] = ()
    ticks: tuple[Microseconds, ...] = ()
    outcome: str = ""


class Strip(msgspec.Struct, frozen=True):
    """How many of *total* ports are open to a class of clients: *steps* are (from, to, count)."""

    client: str
    total: int
    steps: tuple[tuple[Microseconds, Microseconds, int], ...]
    dark: Microseconds
    not_back: int = 0
    notes: tuple[Note, ...] = ()


class Counts(msgspec.Struct, frozen=True):
    """How many containers had a process before the fault, and how many of these kept it, got another or have none."""

    before: int
    kept: int
    replaced: int
    gone: int


class MarkData(msgspec.Struct, frozen=True):
    """A step of the scenario."""

    at: Microseconds
    id: str
    text: str


class TimelineData(msgspec.Struct, frozen=True):
    """What one run's timeline shows. *fault* names the step as a noun (`a killed dockerd`), *since* as an instant.

    *settings* are the engine's, by their names in the scenario; two runs are told apart by where theirs differ.
    """

    title: str
    engine: str
    profile: str
    seed: int
    containers: int
    fault: str
    since: str
    origin: Microseconds
    begin: Microseconds
    end: Microseconds
    counts: Counts
    daemons: tuple[LaneData, ...]
    lanes: tuple[LaneData, ...]
    strips: tuple[Strip, ...]
    marks: tuple[MarkData, ...]
    settings: tuple[tuple[str, str], ...] = ()
    about: str = ""

    def instants(self) -> tuple[Microseconds, ...]:
        """Return every moment at which the picture changes."""
        bars = (bar for lane in (*self.daemons, *self.lanes) for bar in lane.bars)
        steps = (step for strip in self.strips for step in strip.steps)
        edges = {edge for bar in bars for edge in (bar.start, bar.end)} | {edge for s in steps for edge in s[:2]}
        edges |= {mark.at for mark in self.marks} | {tick for lane in self.daemons for tick in lane.ticks}
        return tuple(sorted(moment for moment in edges if self.begin < moment < self.end))


def timeline_data(
    trace: Trace,
    title: str = "",
    *,
    about: str = "",
    step: str | None = None,
    clients: tuple[str, ...] = v.EVERYONE,
    window: v.Window | None = None,
) -> TimelineData:
    """Gather what the timeline of a run shows, from its fault (or the step called *step*) on.

    *title* names the run beside another, *about* what it is of. *window* (µs from t = 0) is what to show; dark time is
    counted within it too, but never before the fault. Raises KeyError if *step* never began.
    """
    run = v.intervals(trace, clients)
    fault = fault_of(run, step)
    zero = fault.at if fault is not None else 0
    first, last = window if window is not None else (zero - 60 * S, run.end)
    first, last = max(first, run.begin), min(last, run.end)
    design = trace.setup.engine.design
    return TimelineData(
        title=title,
        engine=f"{design} ({DESIGNS[design].title})",
        profile=trace.setup.engine.profile,
        seed=trace.seed,
        containers=len(run.containers),
        fault=subject(run, fault),
        since=command_text(fault) if fault is not None else "power on" if run.boots else "t = 0",
        origin=zero,
        begin=first - zero,
        end=last - zero,
        counts=counts(run, zero),
        daemons=(_dockerd(run, zero), _containerd(run, zero)),
        lanes=_containers(run, zero),
        strips=tuple(_strip(run, client, zero, first, last) for client in clients if run.ports),
        marks=_marks(run, zero),
        settings=settings_of(trace.setup),
        about=about,
    )


def settings_of(setup: Setup) -> tuple[tuple[str, str], ...]:
    """Return the engine's settings as (name, text), such as `live-restore` and `true`."""
    engine = setup.engine
    flat = [("design", engine.design), ("profile", engine.profile)]
    for part in (engine.daemon, engine.unit):
        for name in part.__struct_fields__:
            value = getattr(part, name)
            flat.append((name.replace("_", "-"), str(value).lower() if isinstance(value, bool) else str(value)))
    return tuple(flat)


# -- how it ended ----------------------------------------------------------------------------------


def counts(run: v.Intervals, zero: Microseconds) -> Counts:
    """Count what became of the processes that ran just before the fault."""
    all_of = [found for lane in run.containers if (found := v.outcome(run, lane.name, zero)).before]
    kept = sum(found.kept for found in all_of)
    gone = sum(not found.after for found in all_of)
    return Counts(len(all_of), kept, len(all_of) - kept - gone, gone)


def _marks(run: v.Intervals, zero: Microseconds) -> tuple[MarkData, ...]:
    found: dict[tuple[Microseconds, str], MarkData] = {}
    for mark in run.marks:
        if isinstance(mark.command, Docker | Systemctl | KillProcess | Upgrade):
            found.setdefault((mark.at, mark.text), MarkData(mark.at - zero, mark.id, command_text(mark)))
    return tuple(found.values())


# -- lanes ------------------------------------------------------------------------------------------


def _bars(lane: v.Lane, zero: Microseconds) -> tuple[Bar, ...]:
    """Return the bars of a lane, those of one look joined; where nothing runs there is none."""
    bars: list[Bar] = []
    for interval in lane.intervals:
        look = interval.parent if interval.state == v.RUNNING else interval.state
        if look in (v.ABSENT, v.DEAD, v.DOWN):
            continue
        start = interval.start - zero
        if bars and bars[-1].look == look and bars[-1].end == start and interval.state == v.RUNNING:
            start = bars.pop().start
        bars.append(Bar(start, interval.end - zero, look))
    return tuple(bars)


def _dockerd(run: v.Intervals, zero: Microseconds) -> LaneData:
    bars, notes = _bars(run.dockerd, zero), []
    for bar, after in zip(bars, (*bars[1:], None), strict=True):
        if bar.look == v.BOOTING and bar.end > 0:
            who = "systemd restarts dockerd" if bar.start > 0 and not run.boots else "dockerd boots"
            ready = after is not None and after.look == v.UP
            long = f"{who}, {_plus(bar.start)}" if bar.start > 0 else who
            notes.append(Note(bar.start, bar.end, (long, "booting")))
            if after is not None and ready:
                notes.append(Note(after.start, after.end, (f"READY, API answers, {_plus(after.start)}", "READY")))
        elif bar.look == v.FROZEN:
            notes.append(Note(bar.start, bar.end, ("frozen: answers nobody", "frozen")))
    return LaneData("dockerd", bars, tuple(notes))


def _containerd(run: v.Intervals, zero: Microseconds) -> LaneData:
    bars, notes, ticks = _bars(run.containerd, zero), [], []
    for connection in run.connections:
        at = connection.at - zero
        if at > 0:
            end = next((bar.end for bar in bars if bar.end > at), at)
            tries = f" at {_nth(connection.attempt)} try" if connection.attempt > 1 else ""
            notes.append(Note(at, end, (f"connected{tries}, {_plus(at)}", "connected")))
            ticks.append(at)
    notes += [Note(b.start, b.end, ("frozen: answers nobody", "frozen")) for b in bars if b.look == v.FROZEN]
    return LaneData("containerd", bars, tuple(notes), tuple(ticks))


def _nth(number: int) -> str:
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number if number < 20 else number % 10, 'th') }"


def _plus(at: Microseconds) -> str:
    return f"+{at / S:.2f} s" if at < 100 * S else f"+{at / S:.0f} s"


def _containers(run: v.Intervals, zero: Microseconds) -> tuple[LaneData, ...]:
    """Return a lane per container; words that hold for many stand on the first of them only."""
    said: set[str] = set()
    lanes = []
    for lane in run.containers:
        bars = _bars(lane, zero)
        lives = [life for life in run.lives if life.container == lane.name]
        notes = [note for bar in bars if (note := _note(run, bar, lives, zero, said)) is not None]
        lanes.append(LaneData(lane.name, bars, tuple(notes), (), _outcome_text(v.outcome(run, lane.name, zero))))
    return tuple(lanes)


def _note(run: v.Intervals, bar: Bar, lives: Sequence[v.Life], zero: Microseconds, said: set[str]) -> Note | None:
    if bar.end <= 0:
        return None
    if bar.look == v.STOPPING:
        life = next((life for life in lives if life.end is not None and life.end - zero == bar.end), None)
        return _kill_note(bar, life)
    if bar.look in said:
        return None
    unread = run.dockerd.at(bar.start + zero).state in (v.DOWN, v.BOOTING)
    texts = {
        v.INIT: ("shims under PID 1; nobody reads stdout", "shims under PID 1") if unread else ("shim under PID 1",),
        v.REATTACHED: ("re-attached",),
        v.NOBODY: ("no shim: its exit will be seen by nobody", "no shim"),
    }.get(bar.look)
    if texts is None:
        return None
    said.add(bar.look)
    return Note(bar.start, bar.end, texts)


def _kill_note(bar: Bar, life: v.Life | None) -> Note | None:
    """Say that the stop signal was in vain, if KILL came well after it."""
    if life is None or len(life.told) < 2:
        return None
    (first, signal), (last, final) = life.told[0], life.told[-1]
    if final != "KILL" or signal == "KILL" or last - first < LATE_KILL:
        return None
    after = f"{(last - first) / S:.0f} s"
    texts = (f"SIG{signal} ignored: KILL at {after}", f"{signal} ignored: KILL at {after}", f"KILL at {after}", "KILL")
    return Note(bar.start, bar.end, texts, right=True)


def _outcome_text(found: v.Outcome) -> str:
    """Say how a container came out of it: the last exit code, how many there were, and whose process runs."""
    if not found.before and not found.after and not found.codes:
        return ""
    if found.kept:
        return "same pid"
    words = f"exit {found.codes[-1]}" if found.codes else ""
    if len(found.codes) > 1:
        words = f"{len(found.codes)} exits, last {found.codes[-1]}"
    last = "not back" if not found.after else "new pid" if found.before else "running"
    return f"{words}, {last}" if words else last


# -- strips -----------------------------------------------------------------------------------------


def _strip(run: v.Intervals, client: str, zero: Microseconds, first: Microseconds, last: Microseconds) -> Strip:
    tracks = [track for track in run.ports if track.client == client]
    steps = open_counts([window for track in tracks for window in track.opened], run.begin, run.end)
    worst = v.longest_dark(run, client, (max(first, zero - 1) if first < zero else first, last))
    moved = tuple((start - zero, end - zero, count) for start, end, count in steps)
    notes = _strip_notes(run, client, moved, zero, worst.longest)
    return Strip(client, len(tracks), moved, worst.longest, worst.open_ended, notes)


def open_counts(
    opened: Iterable[v.Window], begin: Microseconds, end: Microseconds
) -> tuple[tuple[Microseconds, Microseconds, int], ...]:
    """Return how many windows are open, as (from, to, count) without a hole.

    >>> open_counts([(0, 4), (2, 6)], 0, 8)
    ((0, 2, 1), (2, 4, 2), (4, 6, 1), (6, 8, 0))
    """
    change: dict[Microseconds, int] = {begin: 0, end: 0}
    for start, stop in opened:
        change[start] = change.get(start, 0) + 1
        change[stop] = change.get(stop, 0) - 1
    count, steps, moments = 0, [], sorted(change)
    for start, stop in pairwise(moments):
        count += change[start]
        steps.append((start, stop, count))
    return tuple(steps)


def _strip_notes(
    run: v.Intervals,
    client: str,
    steps: tuple[tuple[Microseconds, Microseconds, int], ...],
    zero: Microseconds,
    longest: Microseconds,
) -> tuple[Note, ...]:
    """Say why ports closed, where the cause is one of two that are easily missed."""
    if not longest:
        return ()
    drops = [after for before, after in pairwise(steps) if before[2] > after[2] and after[0] > 0]
    if client == "remote":
        flushes = [flush - zero for flush in run.flushes if flush > zero]
        for drop in drops:
            if any(0 <= drop[0] - flush <= FLUSH_NEAR for flush in flushes):
                texts = ("NAT chains flushed, rebuilt port by port", "NAT chains flushed")
                return (Note(0, drop[0], texts, right=True),)
    left = [at - zero for at in run.proxies_left if at > zero]
    if client != "remote" and left and drops and left[0] >= drops[0][0] - FLUSH_NEAR:
        end = next((start for start, _, count in steps if start > left[-1] and count), steps[-1][1])
        again = ", return one by one" if end < steps[-1][1] else ""
        return (Note(left[-1], end, (f"proxies die with dockerd{again}", "proxies die with dockerd")),)
    return ()

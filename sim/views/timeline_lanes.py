"""The lanes of daemons and containers: bars, words on them, and how each ended.

Leaves out processes (`sim.views.timeline_processes`). Source: `sim.views.intervals`; the project's picture "timeline".
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from sim.engine.setup import MS, Microseconds, S
from sim.views import interval_parts as v
from sim.views.intervals import ContainerOutcome, outcome
from sim.views.spells import OOM
from sim.views.timeline_parts import Bar, LaneData, Note

LATE_KILL = 500 * MS  # KILL so long after the stop signal means that the signal was in vain


def daemon_lanes(run: v.Intervals, zero: Microseconds) -> tuple[LaneData, ...]:
    """Return the lanes of the engine and of the daemon beside it, as far as there are any."""
    return tuple(lane(run, zero) for it, lane in ((run.engine, _engine), (run.second, _second)) if it.name)


def _bars(lane: v.Lane, zero: Microseconds) -> tuple[Bar, ...]:
    """Return the bars of a lane, those of one look joined; where nothing runs there is none."""
    bars: list[Bar] = []
    for interval in lane.intervals:
        look = interval.held if interval.state == v.RUNNING else interval.state
        if look in (v.ABSENT, v.DEAD, v.DOWN):
            continue
        start = interval.start - zero
        if bars and bars[-1].look == look and bars[-1].end == start and interval.state == v.RUNNING:
            start = bars.pop().start
        bars.append(Bar(start, interval.end - zero, look))
    return tuple(bars)


def _engine(run: v.Intervals, zero: Microseconds) -> LaneData:
    bars, notes = _bars(run.engine, zero), []
    for bar, after in zip_longest(bars, bars[1:]):
        if bar.look == v.BOOTING and bar.end > 0:
            name = run.engine.name
            who = f"systemd restarts {name}" if bar.start > 0 and not run.boots else f"{name} boots"
            ready = after is not None and after.look == v.UP
            long = f"{who}, {_plus(bar.start)}" if bar.start > 0 else who
            notes.append(Note(bar.start, bar.end, (long, "booting")))
            if after is not None and ready:
                notes.append(Note(after.start, after.end, (f"READY, API answers, {_plus(after.start)}", "READY")))
        elif bar.look == v.FROZEN:
            notes.append(Note(bar.start, bar.end, ("frozen: answers nobody", "frozen")))
    return LaneData(run.engine.name, bars, tuple(notes))


def _second(run: v.Intervals, zero: Microseconds) -> LaneData:
    bars, notes, ticks = _bars(run.second, zero), [], []
    for connection in run.connections:
        at = connection.at - zero
        if at > 0:
            end = next((bar.end for bar in bars if bar.end > at), at)
            tries = f" at {_nth(connection.attempt)} try" if connection.attempt > 1 else ""
            notes.append(Note(at, end, (f"connected{tries}, {_plus(at)}", "connected")))
            ticks.append(at)
    notes += [Note(b.start, b.end, ("frozen: answers nobody", "frozen")) for b in bars if b.look == v.FROZEN]
    return LaneData(run.second.name, bars, tuple(notes), tuple(ticks))


def _nth(number: int) -> str:
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number if number < 20 else number % 10, 'th') }"


def _plus(at: Microseconds) -> str:
    return f"+{at / S:.2f} s" if at < 100 * S else f"+{at / S:.0f} s"


def container_lanes(run: v.Intervals, zero: Microseconds) -> tuple[LaneData, ...]:
    """Return a lane per container; words that hold for many stand on the first of them only."""
    said: set[str] = set()
    return tuple(_container(run, lane, zero, said) for lane in run.containers)


def _container(run: v.Intervals, lane: v.Lane, zero: Microseconds, said: set[str]) -> LaneData:
    bars = _bars(lane, zero)
    lives = [life for life in run.lives if life.container == lane.name]
    spells = [spell for spell in run.spells if spell.container == lane.name]
    notes = [note for bar in bars if (note := _note(run, bar, lives, zero, said)) is not None]
    over = tuple(Bar(it.start - zero, it.end - zero, it.kind) for it in spells if it.kind != OOM)
    longest = {bar.look: bar for bar in sorted(over, key=lambda bar: bar.end - bar.start) if bar.end > 0}
    notes += [Note(bar.start, bar.end, SPELL_WORDS[bar.look]) for bar in longest.values()]
    killed = any(spell.kind == OOM and spell.start >= zero for spell in spells)
    ended = _outcome_text(outcome(run, lane.name, zero), killed)
    return LaneData(lane.name, bars, tuple(notes), (), ended, over)


SPELL_WORDS = {
    "paused": ("paused",),
    "halted": ("stopped by a signal", "stopped"),
    "backoff": ("waits to be restarted", "waits"),
    "unhealthy": ("unhealthy",),
    "blocked": ("blocked: nobody reads its output", "blocked"),
}


def _note(run: v.Intervals, bar: Bar, lives: Sequence[v.Life], zero: Microseconds, said: set[str]) -> Note | None:
    if bar.end <= 0:
        return None
    if bar.look == v.STOPPING:
        life = next((life for life in lives if life.end is not None and life.end - zero == bar.end), None)
        return _kill_note(bar, life)
    if bar.look in said:
        return None
    unread = run.engine.at(bar.start + zero).state in (v.DOWN, v.BOOTING)
    holder, holders, nobody = run.names.holder, run.names.holders, f"no {run.names.keeper} attached"
    unseen = (f"no {holder}: its exit will be seen by nobody", f"no {holder}")
    reaper = run.names.reaper
    orphans = (f"{holders} under {reaper}; nobody reads stdout", f"{holders} under {reaper}")
    texts = {
        v.ORPHANED: orphans if unread else (f"{holder} under {reaper}",),
        v.REATTACHED: ("re-attached",),
        v.UNATTACHED: (*(f"{nobody}; nobody reads stdout",) * unread, nobody),
        v.NOBODY: unseen,
        v.UNHELD: unseen,
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


def _outcome_text(found: ContainerOutcome, out_of_memory: bool) -> str:
    """Say how a container came out of it: the last exit code, how many there were, and whose process runs."""
    if not found.before and not found.after and not found.codes:
        return ""
    if found.kept:
        return "same pid"
    words = f"exit {found.codes[-1]}" if found.codes else ""
    if len(found.codes) > 1:
        words = f"{len(found.codes)} exits, last {found.codes[-1]}"
    if out_of_memory:
        words = f"OOM, {words}" if words else "OOM"
    last = "not back" if not found.after else "new pid" if found.before else "running"
    return f"{words}, {last}" if words else last

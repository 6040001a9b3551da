"""How many published ports are open to a class of clients, the longest gap, and why they closed.

Leaves out single ports. Source: `sim.views.intervals`; engine-1.13 §6.
"""

from __future__ import annotations

from itertools import pairwise

from sim.engine.setup import MS, Microseconds
from sim.views import interval_parts as v
from sim.views.intervals import longest_dark
from sim.views.timeline_parts import Note, Steps, Strip, open_counts

FLUSH_NEAR = 2 * MS  # a port that closes so soon after a flush was closed by it


def strip_of(run: v.Intervals, client: str, zero: Microseconds) -> Strip:
    """Count the ports that are open to *client*; dark time counts from *zero* (µs from t = 0) to the run's end."""
    tracks = [track for track in run.ports if track.client == client and not track.spare]
    steps = open_counts([window for track in tracks for window in track.opened], run.begin, run.end)
    worst = longest_dark(run, client, (max(run.begin, zero - 1), run.end))
    moved = tuple((start - zero, end - zero, count) for start, end, count in steps)
    notes = _strip_notes(run, client, moved, zero, worst.longest)
    return Strip(client, len(tracks), moved, worst.longest, worst.open_ended, notes)


def _strip_notes(
    run: v.Intervals, client: str, steps: Steps, zero: Microseconds, longest: Microseconds
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
        died = f"{run.names.forwarders} die with {run.names.engine}"
        return (Note(left[-1], end, (f"{died}{again}", died)),)
    return ()

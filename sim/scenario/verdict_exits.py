"""Judge of ends: with what the processes that a target names have ended, as whoever waits for them would be told.

A signal's number n is 128 + n as a shell says it. A process that goes with the power has no status: nobody sees it.
Source: wait(2), POSIX.1 "Exit Status for Commands".
"""

from __future__ import annotations

import msgspec

from sim.engine.setup import Microseconds
from sim.engines.host.client import named_by
from sim.facts import Marked
from sim.kernel import events as e
from sim.kernel.records import NO_POWER, Process, Status
from sim.kernel.signals import NAMES
from sim.model import OPENED
from sim.predicates import spelled
from sim.scenario.expect import At, ExitExpect
from sim.scenario.verdict_said import Judged, Window
from sim.scenario.verdict_words import tally
from sim.trace import Replay, Trace
from sim.views.kinds import end_of


class End(msgspec.Struct, frozen=True):
    """One process, when it ended, and with what."""

    at: Microseconds
    process: Process
    status: Status


def judge_exits(expectation: ExitExpect, trace: Trace, window: Window) -> Judged:
    """Return whether it holds (None: undetermined), and what was found."""
    if window.start > trace.end:
        return None, f"the run ended before {window.place(window.start)}"
    at_once = isinstance(expectation.when, At)
    ends = _ends(expectation, trace, None if at_once else window.start, window.stop)
    ends = ends[-1:] if at_once else ends
    faults = [f"{spelled(it.process)} {_said(it, window)}" for it in ends if not _is(it.status, expectation)]
    if faults:
        return False, tally(len(ends), faults)
    if window.stop > trace.end:
        return None, f"the run ended before {window.last}"
    if not ends:
        return False, f"no {expectation.target} has ended"
    return True, tally(len(ends), (), f"{spelled(ends[0].process)} {_said(ends[0], window)}")


def _ends(expectation: ExitExpect, trace: Trace, start: Microseconds | None, stop: Microseconds) -> list[End]:
    """Return the ends up to *stop*, from *start* or t = 0 on: what came before is not part of a scenario."""
    replay, found = Replay(trace), []
    opened = trace.setup.host.begin != "steady"
    for record in trace:
        at, event = record.at or 0, record.event
        if at > stop:
            break
        opened = opened or (isinstance(event, Marked) and event.name == OPENED)
        if isinstance(event, e.Exited) and opened and (start is None or at >= start):
            process = replay.world.host.procs[event.pid]
            if named_by(replay.world, expectation.target, process.image):
                found.append(End(at, process, event.status))
        replay.step()
    return found


def _is(status: Status, wanted: ExitExpect) -> bool:
    if status == NO_POWER:
        return False
    if wanted.signal is not None:
        return status < 0 and NAMES[-status] == wanted.signal
    assert wanted.status is not None, "the reader gives one of both"
    return (status if status >= 0 else 128 - status) in wanted.status


def _said(end: End, window: Window) -> str:
    return f"{end_of(end.status)} at {window.place(end.at)}"

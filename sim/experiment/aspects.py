"""The words of a cell of the fault matrix, read off a run: `sim.views.fault_cells.ASPECTS` says what they mean.

Every word is computed from what the kernel did (processes, ports, exit codes) and from what the engine says (events,
`docker ps`); none from the design's name. Leaves out what web's clients get answered. Source: the three truths of
designs §11 2: what lives, what was stored, what the engine shows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from sim.engine.records import Container
from sim.engine.setup import Microseconds
from sim.engines.host.output import LogPath, is_shared, printing
from sim.experiment.metrics import LOST
from sim.experiment.reading import Reading, seconds
from sim.facts import StepDone, StepTaken, WriteBlocked
from sim.trace import Trace
from sim.views.fault_cells import NONE
from sim.views.interval_parts import Gap
from sim.views.intervals import engine_gaps
from sim.views.story import Story

AT_ONCE = 500_000  # µs after the fault: a shim's end kills within 300 ms (designs §3.8 F5), a restart takes longer
LOOK = 10_000_000  # µs between two looks at who reads what is printed
BEFORE = 1_000  # µs before the probe
BROKEN_PIPE = 128 + 13  # the code of a program that SIGPIPE has ended


class RunAspects(msgspec.Struct, frozen=True):
    """What one run gave: a word for each aspect, times in s, and the length of the window.

    *counts* says of a host of one's own how many containers ended how.
    """

    words: dict[str, str]
    seconds: dict[str, float]
    window_s: float
    counts: dict[str, int] = {}


def read_cell(trace: Trace) -> RunAspects:
    """Return the words of a run of the fault matrix's scenario."""
    taken = {r.event.id: (r.at or 0) - trace.origin for r in trace if type(r.event) is StepTaken}
    fault, probe = taken["fault"], taken["probe"]
    reading = Reading(trace, (fault, probe))
    ports = {client: _longest(reading, client) for client in ("remote", "loopback", "container")}
    words = {
        "now": _at_once(reading, "web"),
        "end": _end(reading, "web"),
        "deaf": _end(reading, "deaf"),
        "exit": _exit(reading, trace, "web"),
        "left": _exit(reading, trace, "job"),
        **{client: _port(reading, client) for client in ports},
        "api": _api(reading),
        "view": _view(reading, trace),
        "log": _log(reading, trace),
        "exec": _exec(reading, trace),
        "next": "again" if "web" in reading.running(reading.run.end) else "nothing",
    }
    times = {**ports, "api": max((_length(gap) for gap in _api_gaps(reading)), default=0.0)}
    return RunAspects(words, times, seconds(probe - fault))


# -- processes -------------------------------------------------------------------------------------


def _at_once(reading: Reading, name: str) -> str:
    before = reading.before.get(name)
    if before is None:
        return NONE
    return "lives" if before.end is None or before.end > reading.first + AT_ONCE else "dies"


def _end(reading: Reading, name: str) -> str:
    before, after = reading.before.get(name), reading.running(reading.last - BEFORE).get(name)
    if before is None:
        return NONE
    return "none" if after is None else "same" if after.start == before.start else "new"


def _exit(reading: Reading, trace: Trace, name: str) -> str:
    """Say what the engine told of the end of the process that ran when the fault came: by an event, or in its record.

    Both count until the next process of the container begins, or the run ends.
    """
    life = reading.before.get(name)
    if life is None or life.end is None:
        return NONE
    until = min((it.start for it in reading.run.lives if it.container == name and it.start > life.start),
                default=reading.run.end)  # fmt: skip
    told = [it for it in reading.run.deaths if it.container == name and reading.first <= it.at <= until]
    if told:
        return _as_told(told[0].code, life.code, early=told[0].at < life.end)
    record = _recorded(trace, name, life.end, until) or Story(trace).to(until - 1 + trace.origin).believed(name)
    return "never" if record is None or record.running else _as_told(record.exit_code, life.code)


def _as_told(said: int, true: int | None, *, early: bool = False) -> str:
    return "exact" if said == true and not early else "lost" if said in LOST else "wrong"


def _recorded(trace: Trace, name: str, since: Microseconds, until: Microseconds) -> Container | None:
    """Return the last record in which the engine has a container down as stopped, within a stretch of time."""
    found = None
    for record in trace:
        value = getattr(record.event, "value", None)
        if isinstance(value, Container) and value.name == name and not value.running:
            found = value if since <= (record.at or 0) - trace.origin <= until else found
    return found


# -- ports, API ------------------------------------------------------------------------------------


def _gaps(reading: Reading, client: str) -> list[Sequence[Gap]]:
    return [gaps for key, gaps in reading.gaps.items() if key[0] == "web" and key[2] == client]


def _port(reading: Reading, client: str) -> str:
    return _word(_gaps(reading, client), ("open", "gap", "dark"))


def _word(found: Sequence[Sequence[Gap]], words: tuple[str, str, str]) -> str:
    gaps = [gap for each in found for gap in each]
    if not found:
        return NONE
    return words[0] if not gaps else words[1] if all(gap[2] for gap in gaps) else words[2]


def _longest(reading: Reading, client: str) -> float:
    found = _gaps(reading, client)
    return max((_length(gap) for gaps in found for gap in gaps), default=0.0) if found else math.nan


def _length(gap: Gap) -> float:
    start, end, closed = gap
    return seconds(end - start) if closed else math.inf


def _api_gaps(reading: Reading) -> tuple[Gap, ...]:
    return engine_gaps(reading.run, (reading.first, reading.last)) if reading.has_daemon else ()


def _api(reading: Reading) -> str:
    return _word([_api_gaps(reading)], ("up", "gap", "dark")) if reading.has_daemon else NONE


# -- what the engine says --------------------------------------------------------------------------


def _view(reading: Reading, trace: Trace) -> str:
    """Say whether `docker ps` is right, before the probe and at the end; silent where nobody answers."""
    story, found = Story(trace), []
    for moment in (reading.last - BEFORE, reading.run.end):
        now, lives = story.to(moment + trace.origin), reading.running(moment)
        said = {service.name: now.believed(service.name) for service in trace.setup.services}
        up = {name for name, record in said.items() if record is not None and record.running and not record.restarting}
        found.append("silent" if now.daemon() is None else "right" if up == set(lives) else "wrong")
    return max(found, key=("right", "silent", "wrong").index)


def _log(reading: Reading, trace: Trace) -> str:
    """Say what became of what chat prints: lost, too, if nobody reads it any more, or SIGPIPE has ended chat."""
    ended = (life.code for life in reading.run.lives if life.container == "chat" and reading.within(life.end))
    lost = reading.of_window(reading.tally.lost or ())
    if BROKEN_PIPE in ended or lost[-1] > lost[0] or _unread(reading, trace):
        return "lost"
    first, last = reading.first + trace.origin, reading.last + trace.origin
    blocked = (r for r in trace if type(r.event) is WriteBlocked and r.event.container == "chat")
    return "stalls" if any(first <= (r.at or 0) < last for r in blocked) else "flows"


def _unread(reading: Reading, trace: Trace) -> bool:
    """Return whether chat ever runs on while nobody reads what it prints, or somebody throws part of it away.

    Looked at each 10 s.
    """
    story = Story(trace)
    moments = range(reading.first + AT_ONCE, reading.last - BEFORE, LOOK)
    return any(_is_unread(reading, story, moment, trace.origin) for moment in (*moments, reading.last - BEFORE))


def _is_unread(reading: Reading, story: Story, moment: Microseconds, origin: Microseconds) -> bool:
    life, world = reading.running(moment).get("chat"), story.to(moment + origin).world
    if life is None:
        return False
    if is_shared(world, "chat"):
        return True
    ways = (LogPath(world, "chat", frame.local["stream"], frame.local["pipe"]) for frame in printing(world, life.pid))
    return any(way.shim is None for way in ways)


def _exec(reading: Reading, trace: Trace) -> str:
    ended = [(r.at or 0) - trace.origin for r in trace if type(r.event) is StepDone and r.event.id == "exec"]
    if ended and ended[0] < reading.first:
        return NONE
    return "cut" if ended and ended[0] < reading.last else "kept"

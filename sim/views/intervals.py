"""A run as intervals: what each container, daemon and published port was, from when to when.

One replay of a trace follows what the kernel did (processes, signals, listeners, rules), and from the engine only
what it says of itself: `start`, `die`, `create`, `destroy`, the connection, the unit. States are looked at when a
moment is over, so a change that is undone within the same microsecond is not seen. Leaves out exec'd processes, and
payloads that an engine has forgotten once a newer one of the same container runs. Source: engine-1.13 §1.1, §6,
§16.10; `sim.engines.host.reach`.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sim.engine.setup import Microseconds
from sim.trace import Trace
from sim.views.interval_parts import EVERYONE, UP, Gap, Intervals, PortKey, PortTrack, Window
from sim.views.replaying import Replaying


class ContainerOutcome(msgspec.Struct, frozen=True):
    """What became of a container since a moment: its process then and at the end (0: none), and the codes between."""

    container: str
    before: int
    after: int
    codes: tuple[int, ...] = ()

    @property
    def kept(self) -> bool:
        """Say whether the process of then still runs."""
        return bool(self.before) and self.before == self.after


class Dark(msgspec.Struct, frozen=True):
    """The longest gap of one port or of many: how long, whose (a port and its container), and whether all came back.

    *longest* 0 means that there was no gap, then *container* is "". *open_ended* counts the ports that were not back.
    """

    longest: Microseconds
    container: str = ""
    port: int = 0
    open_ended: int = 0
    gaps: tuple[Gap, ...] = ()

    @property
    def back(self) -> bool:
        """Say whether every gap was over when the window ended."""
        return not self.open_ended


def intervals(trace: Trace, clients: tuple[str, ...] = EVERYONE) -> Intervals:
    """Replay a trace once and return its intervals; ports are followed for *clients* alone."""
    return Replaying(trace, clients).run()


def outcome(of: Trace | Intervals, container: str, since: Microseconds) -> ContainerOutcome:
    """Compare a container's process at *since* with the one at the end.

    Codes are those that the engine said; where it said nothing of a process that ended, the kernel's.
    """
    run = of if isinstance(of, Intervals) else intervals(of, ())
    lane = run.lane(container)
    before, last = lane.at(since - 1), lane.intervals[-1]
    codes = tuple(death.code for death in run.deaths if death.container == container and death.at >= since)
    if not codes:
        mine = (life for life in run.lives if life.container == container)
        codes = tuple(life.code for life in mine if life.code is not None and (life.end or 0) >= since)
    return ContainerOutcome(container, before.pid, last.pid, codes)


# -- dark time --------------------------------------------------------------------------------------


def port_gaps(
    of: Trace | Intervals, clients: Iterable[str] = EVERYONE, window: Window | None = None
) -> dict[PortKey, tuple[Gap, ...]]:
    """Return, of each published port and class of clients, the gaps within *window* (by default from t = 0 to the end).

    A port counts from its first opening on, on a host that boots from t = 0 on, and one that never opens from the
    first process of its container on. Of a range, a number that the engine never chose has no gap, and one that its
    container has left is dark. A gap that is still there when the window ends has False as its third part. A port
    number that is published for tcp and udp is dark while either is.
    """
    wanted = tuple(clients)
    run = of if isinstance(of, Intervals) else intervals(of, wanted)
    first, last = window if window is not None else (max(run.begin, 0), run.end)
    began = first_starts(run)
    found: dict[PortKey, tuple[Gap, ...]] = {}
    for track in run.ports:
        if track.client in wanted:
            key = (track.container, track.port, track.client)
            gaps = gaps_of(run, track, (first, last), began.get(track.container))
            found[key] = _united(found[key] + gaps) if key in found else gaps
    return found


def first_starts(run: Intervals) -> dict[str, Microseconds]:
    """Return when the first process of each container began."""
    return {life.container: life.start for life in reversed(run.lives)}


def gaps_of(run: Intervals, track: PortTrack, window: Window, began: Microseconds | None) -> tuple[Gap, ...]:
    """Return the gaps of one port as clients of a class see it; *began* is when its container first had a process."""
    since = 0 if run.boots else None if track.opened else began
    return () if track.spare else _gaps(track.opened, *window, since)


def dark(of: Trace | Intervals, port: int, client: str, window: Window | None = None) -> Dark:
    """Return the gaps of one published port of the host; raise KeyError if nobody publishes it."""
    found = {key: gaps for key, gaps in port_gaps(of, (client,), window).items() if key[1] == port}
    if not found:
        raise KeyError(port)
    return _longest(found)


def longest_dark(
    of: Trace | Intervals, client: str, window: Window | None = None, container: str | None = None
) -> Dark:
    """Return the longest gap of all published ports, or of those of one container."""
    found = port_gaps(of, (client,), window)
    return _longest({key: gaps for key, gaps in found.items() if container in (None, key[0])})


def engine_gaps(of: Trace | Intervals, window: Window | None = None) -> tuple[Gap, ...]:
    """Return the times within *window* in which the engine's API did not answer, from its first READY on."""
    run = of if isinstance(of, Intervals) else intervals(of, ())
    first, last = window if window is not None else (max(run.begin, 0), run.end)
    up = tuple((interval.start, interval.end) for interval in run.engine.intervals if interval.state == UP)
    return _gaps(up, first, last, 0 if run.boots else None)


def _longest(found: dict[PortKey, tuple[Gap, ...]]) -> Dark:
    """Choose the longest gap; of equal ones the first by container and port."""
    best = Dark(0)
    for (container, port, _), gaps in sorted(found.items()):
        for start, end, _ in gaps:
            if end - start > best.longest:
                best = Dark(end - start, container, port, gaps=gaps)
    still = {key[:2] for key, gaps in found.items() if gaps and not gaps[-1][2]}
    return msgspec.structs.replace(best, open_ended=len(still))


def _gaps(
    opened: tuple[Window, ...], first: Microseconds, last: Microseconds, since: Microseconds | None
) -> tuple[Gap, ...]:
    """Return what *opened* leaves of the window.

    >>> _gaps(((0, 10), (14, 20)), 5, 30, None)
    ((10, 14, True), (20, 30, False))
    """
    start = opened[0][0] if opened else None
    begin = since if since is not None else start
    if begin is None:
        return ()
    gaps: list[Gap] = []
    at = max(begin, first)
    for low, high in opened:
        if low > at and at < last:
            gaps.append((at, min(low, last), low <= last))
        at = max(at, high)
    if at < last:
        gaps.append((at, last, False))
    return tuple(gaps)


def _united(gaps: tuple[Gap, ...]) -> tuple[Gap, ...]:
    """Join gaps that overlap.

    >>> _united(((0, 5, True), (3, 9, False)))
    ((0, 9, False),)
    """
    joined: list[Gap] = []
    for start, end, closed in sorted(gaps):
        if joined and start <= joined[-1][1]:
            before = joined[-1]
            later = end > before[1]
            over = closed if later else before[2] if end < before[1] else closed and before[2]
            joined[-1] = (before[0], max(end, before[1]), over)
        else:
            joined.append((start, end, closed))
    return tuple(joined)

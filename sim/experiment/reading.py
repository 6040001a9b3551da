"""One run within its window: what the metrics read, each thing found once.

A container counts if its process runs when the window opens (with `begin: boot`: if the disk says that it ran). The
default window goes from the first step that harms something to the end of the run; if there is none, from t = 0.
Leaves out ports before their first opening. Source: `sim.views.intervals`, `sim.views.tally`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cached_property

from sim.designs import DESIGNS
from sim.engine.setup import Instant, Microseconds
from sim.engines.host.reach import CLIENTS
from sim.errors import InputError, Problem
from sim.facts import WriteBlocked
from sim.scenario.verdict_words import instant_text
from sim.trace import Trace
from sim.views.fate_causes import Trail
from sim.views.fates import Fate, fates_of
from sim.views.fault import since_harm
from sim.views.interval_parts import UP, Gap, Life, PortKey, Window
from sim.views.intervals import port_gaps
from sim.views.moments import Moments
from sim.views.replaying import Replaying
from sim.views.tally import ProcessCount, Tally
from sim.views.tracks import Both

ASKED = CLIENTS[:4]  # the classes of clients that are asked: not those that look a name up


class Reading:
    """One run within its window: what the metrics read, each thing found once. Times are µs from t = 0."""

    def __init__(self, trace: Trace, window: Window | None = None) -> None:
        self.setup = trace.setup
        self.first, self.last = default_window(trace) if window is None else window
        tally, self._trail = Tally(trace), Trail(trace)
        self._walk = Replaying(trace, ASKED, Both(tally, self._trail))
        self.run = self._walk.run()
        blocked = (r.at or 0 for r in trace if type(r.event) is WriteBlocked)
        self.waits = tuple(at - trace.origin for at in blocked)
        self.tally = tally.close(self.run.end)

    def running(self, moment: Microseconds) -> dict[str, Life]:
        """Return the process of each container that has one at a moment."""
        return {life.container: life for life in self.run.lives if life.start <= moment < _end(life)}

    @cached_property
    def before(self) -> dict[str, Life]:
        """Return the processes that run when the window opens, whatever happens in that µs."""
        return self.running(self.first - 1)

    @cached_property
    def after(self) -> dict[str, Life]:
        """Return the processes that run when it closes."""
        return self.running(self.last)

    @cached_property
    def fates(self) -> tuple[Fate, ...]:
        """Return what became of each container since the window opened."""
        return fates_of(self._walk, self._trail, self.first)

    @cached_property
    def expected(self) -> tuple[str, ...]:
        """Return the containers that count."""
        boot = self.run.boots and self.first == 0
        return tuple(s.name for s in self.setup.services if s.name in self.before or (boot and s.at_begin))

    @cached_property
    def gaps(self) -> dict[PortKey, tuple[Gap, ...]]:
        """Return when which port was dark, of the containers that count; one that was never open is dark throughout."""
        never = {(p.container, p.port, p.client) for p in self.run.ports if not p.opened and not p.spare}
        found = port_gaps(self.run, ASKED, (self.first, self.last))
        whole = ((self.first, self.last, False),)
        return {key: whole if key in never else gaps for key, gaps in found.items() if key[0] in self.expected}

    @property
    def has_daemon(self) -> bool:
        """Say whether a daemon answers for the engine at all."""
        design = DESIGNS[self.setup.engine.design]
        return design.traits.engine in design.programs

    @cached_property
    def loads(self) -> list[ProcessCount]:
        """Return what the host carried in the window, what it carried at its begin first."""
        earlier = [load for load in self.tally.loads if load.at <= self.first]
        return [*earlier[-1:], *(load for load in self.tally.loads if self.first < load.at <= self.last)]

    def of_window(self, values: tuple[tuple[Microseconds, int], ...]) -> list[int]:
        """Return the values that something had in the window, 0 before the first one."""
        earlier = [value for at, value in values if at <= self.first]
        return [*(earlier[-1:] or [0]), *(value for at, value in values if self.first < at <= self.last)]

    @cached_property
    def served(self) -> tuple[Window, ...]:
        """Return when dockerd answered, within the window."""
        return self.cut((it.start, it.end) for it in self.run.engine.intervals if it.state == UP)

    def cut(self, windows: Iterable[Window]) -> tuple[Window, ...]:
        """Return what of some stretches of time lies in the window."""
        inside = ((max(low, self.first), min(high, self.last)) for low, high in windows)
        return tuple((low, high) for low, high in inside if low < high)

    def within(self, moment: Microseconds | None) -> bool:
        """Say whether a moment lies in the window."""
        return moment is not None and self.first <= moment <= self.last


def _end(life: Life) -> float:
    return math.inf if life.end is None else life.end


def seconds(micros: Microseconds) -> float:
    """Return µs as seconds."""
    return micros / 1_000_000


def default_window(trace: Trace) -> Window:
    """Return the window from the first fault to the end; from t = 0 if no fault came."""
    return since_harm(trace), trace.end - trace.origin


def window_from(trace: Trace, start: Instant | None) -> Window:
    """Return the window from *start* to the end, the default one for None. Raises InputError."""
    if start is None:
        return default_window(trace)
    at = Moments(trace, (start,)).at(start)
    if at is None or at > trace.end:
        what = f"{instant_text(start)} does not come in the run with seed {trace.seed}"
        raise InputError([Problem("--window", what, "Name a moment that comes in every run.")])
    return max(at - trace.origin, 0), trace.end - trace.origin


def overlap(some: Iterable[Window], others: Iterable[Window]) -> tuple[Window, ...]:
    """Return the stretches that lie in both; each of the two is in order and without overlaps.

    >>> overlap([(0, 5), (8, 12)], [(3, 9)])
    ((3, 5), (8, 9))
    """
    others = tuple(others)
    cuts = ((max(a, c), min(b, d)) for a, b in some for c, d in others)
    return tuple((low, high) for low, high in cuts if low < high)

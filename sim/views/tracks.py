"""What a replay keeps of one thing on its way through a trace, a value, a container, a daemon, and who looks on.

Values of no duration are dropped and equal neighbours joined, so that a lane has no hole, no overlap and no double
border. Source: none; bookkeeping of `sim.views.replaying`.
"""

from __future__ import annotations

from copy import copy
from typing import Any, Protocol

from sim.engine.setup import Microseconds, Service
from sim.kernel.records import Pid
from sim.views import interval_parts as v
from sim.views.names import Names
from sim.world import World


class Track:
    """The values that something had, one after the other, with the time of each."""

    __slots__ = ("done", "since", "value")

    def __init__(self, at: Microseconds, value: Any) -> None:
        self.since, self.value = at, value
        self.done: list[tuple[Microseconds, Microseconds, Any]] = []

    def set(self, at: Microseconds, value: Any) -> None:
        """Change the value at a moment."""
        if value != self.value:
            self._keep(at)
            self.since, self.value = at, value

    def copy(self) -> Track:
        """Return a track with the same values, to which others may be added."""
        twin = Track(self.since, self.value)
        twin.done = self.done.copy()
        return twin

    def close(self, end: Microseconds) -> list[tuple[Microseconds, Microseconds, Any]]:
        """Return all values with the time of each."""
        self._keep(end)
        return self.done

    def _keep(self, at: Microseconds) -> None:
        if at <= self.since and (self.done or self.value is not None):
            return
        if self.done and self.done[-1][2] == self.value and self.done[-1][1] == self.since:
            self.done[-1] = (self.done[-1][0], at, self.value)
        else:
            self.done.append((self.since, at, self.value))


class Observer(Protocol):
    """Whoever is shown each fact before it is applied, and each moment when it is over; times are µs from t = 0."""

    def see(self, now: Microseconds, world: World, event: Any) -> None: ...

    def settle(self, now: Microseconds, world: World) -> None: ...


class Both:
    """Two who look on, the one after the other."""

    def __init__(self, one: Observer, other: Observer) -> None:
        self.one, self.other = one, other

    def see(self, now: Microseconds, world: World, event: Any) -> None:
        """Show both a fact that is not applied yet."""
        self.one.see(now, world, event)
        self.other.see(now, world, event)

    def settle(self, now: Microseconds, world: World) -> None:
        """Show both a moment that is over."""
        self.one.settle(now, world)
        self.other.settle(now, world)


class Watched:
    """What the replay keeps of a container: its newest payload, and which engine said `start` last."""

    __slots__ = (
        "asked", "attached_to", "execed", "exists", "life", "pid", "ran", "ready", "service", "starts", "told",
        "track",
    )  # fmt: skip

    def __init__(self, service: Service, at: Microseconds, ran: bool) -> None:
        self.service, self.ran, self.exists = service, ran, ran
        self.pid: Pid = 0  # of its newest program
        self.attached_to: Pid = 0
        self.starts = 0
        self.asked: Microseconds | None = None  # when a start began that has not come to an execve
        self.execed = self.ready = False
        self.told: list[tuple[Microseconds, str]] = []
        self.life = -1
        self.track = Track(at, (v.DEAD if ran else v.ABSENT, "", 0))

    def copy(self) -> Watched:
        """Return the same container as far as it was watched."""
        twin = copy(self)
        twin.told, twin.track = self.told.copy(), self.track.copy()
        return twin

    def lane(self, names: Names, end: Microseconds) -> v.Lane:
        """Close what is open and return its lane, in which programs have their names."""
        named = {v.KEPT: names.keeper, v.ORPHANED: names.init, v.ATTACHED: names.holder, v.ALONE: names.holder}
        states = ((a, b, *state) for a, b, state in self.track.close(end))
        found = (v.Interval(a, b, it, named.get(held, held), pid, held) for a, b, it, held, pid in states)
        return v.Lane(self.service.name, tuple(found))


class DaemonTrack:
    """What the replay keeps of a daemon."""

    __slots__ = ("frozen", "pid", "state", "track")

    def __init__(self, at: Microseconds) -> None:
        self.pid: Pid = 0
        self.frozen, self.state = False, v.DOWN
        self.track = Track(at, (v.DOWN, 0))

    def copy(self) -> DaemonTrack:
        """Return the same daemon as far as it was watched."""
        twin = copy(self)
        twin.track = self.track.copy()
        return twin

    def set(self, at: Microseconds, state: str, pid: Pid = 0) -> None:
        """Change the state; a new *pid* is a new daemon."""
        if pid:
            self.pid, self.frozen = pid, False
        if state == v.DOWN:
            self.pid, self.frozen = 0, False
        self.state = state
        self.track.set(at, (v.FROZEN if self.frozen else state, self.pid))

    def freeze(self, at: Microseconds, frozen: bool) -> None:
        """Note that it was stopped or continued by a signal."""
        self.frozen = frozen
        self.set(at, self.state)

    def lane(self, name: str, end: Microseconds) -> v.Lane:
        """Close what is open and return its lane."""
        return v.Lane(name, tuple(v.Interval(a, b, state, pid=pid) for a, b, (state, pid) in self.track.close(end)))

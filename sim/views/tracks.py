"""What a replay keeps of one thing while it goes through a trace: a value over time, a container, a daemon.

Values of no duration are dropped and equal neighbours joined, so that a lane has no hole, no overlap and no double
border. Source: none; bookkeeping of `sim.views.replaying`.
"""

from __future__ import annotations

from typing import Any

from sim.engine.setup import Microseconds, Service
from sim.kernel.records import Pid
from sim.views import interval_parts as v

STARTS = (  # the goroutines in which an engine starts a container
    "dockerd.start", "podman.run", "podman.run_unit", "podman.start", "containerd.start_container",
    "crio.start_container",
)  # fmt: skip


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


class Watched:
    """What the replay keeps of a container: its newest payload, and which dockerd said `start` last."""

    __slots__ = (
        "asked", "attached_to", "execed", "exists", "life", "payload", "ran", "ready", "service", "starts", "told",
        "track",
    )  # fmt: skip

    def __init__(self, service: Service, at: Microseconds, ran: bool) -> None:
        self.service, self.ran, self.exists = service, ran, ran
        self.payload: Pid = 0
        self.attached_to: Pid = 0
        self.starts = 0
        self.asked: Microseconds | None = None  # when a start began that has not come to an execve
        self.execed = self.ready = False
        self.told: list[tuple[Microseconds, str]] = []
        self.life = -1
        self.track = Track(at, (v.DEAD if ran else v.ABSENT, "", 0))


class Daemon:
    """What the replay keeps of dockerd or containerd."""

    __slots__ = ("frozen", "pid", "state", "track")

    def __init__(self, at: Microseconds) -> None:
        self.pid: Pid = 0
        self.frozen, self.state = False, v.DOWN
        self.track = Track(at, (v.DOWN, 0))

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

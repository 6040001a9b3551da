"""Containers and events as plain rows, of which the listings of engines are made.

Leaves out what docker 1.13.1 does not list. Source: docker 1.13.1, api/types.Container and api/types/events.Message.
"""

from __future__ import annotations

import msgspec

# private number, public number or None, host address ("" if unpublished), protocol
PortRow = tuple[int, int | None, str, str]


class When(msgspec.Struct, frozen=True):
    """A moment in unix seconds; None is never, -inf one before the run that nobody says. It is told in a zone."""

    unix: float | None
    offset_min: int = 0


class ContainerRow(msgspec.Struct, frozen=True):
    """Describe one container as the engine believes it to be: times in unix seconds, None for never.

    `path` and `args` are the command; `health` is starting, healthy, unhealthy or None without a health check.

    >>> ContainerRow(id="17d0801f3a10" + "0" * 52, image="grafana/grafana", path="/run.sh", created=0.0).running
    False
    """

    id: str
    image: str
    path: str
    created: float
    args: tuple[str, ...] = ()
    started: float | None = None
    finished: float | None = None
    running: bool = False
    paused: bool = False
    restarting: bool = False
    dead: bool = False
    removing: bool = False
    health: str | None = None
    exit_code: int = 0
    ports: tuple[PortRow, ...] = ()
    name: str = ""
    said: str = ""  # the engine's own word for the state, where it has one

    @property
    def state(self) -> str:
        """Return the state in one word, as `docker inspect` does (State.StateString), or in the engine's own.

        >>> ContainerRow("", "", "", 0, running=True, paused=True).state, ContainerRow("", "", "", 0, dead=True).state
        ('paused', 'dead')
        """
        if self.said:
            return self.said
        if self.running:
            return "paused" if self.paused else "restarting" if self.restarting else "running"
        if self.removing or self.dead:
            return "removing" if self.removing else "dead"
        return "created" if self.started is None else "exited"


class EventRow(msgspec.Struct, frozen=True):
    """Describe one message: unix time in microseconds, the type and id of what it happened to, notes in any order.

    >>> EventRow(0, "container", "start", "17d0801f3a10", (("name", "grafana"),)).action
    'start'
    """

    at_unix_us: int
    type: str
    action: str
    id: str
    attributes: tuple[tuple[str, str], ...] = ()

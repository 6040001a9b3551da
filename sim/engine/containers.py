"""The short words that many programs share: a container's service, its id, its folders."""

from __future__ import annotations

from sim.engine.goroutine import Goroutine
from sim.engine.setup import Service
from sim.kernel.records import Pid
from sim.world import Frame, World


def service_of(g: Goroutine) -> Service:
    """Return the service of the container in variable `c`."""
    service = g.world.services[g["c"]]
    assert isinstance(service, Service)
    return service


def pinned(g: Goroutine, number: Pid | None = None) -> Pid | None:
    """Return the number that was observed for the first start, or None once it is used up."""
    return number if number in g.world.host.reserved else None


def identity(world: World, frame: Frame) -> str:
    """Return the id of the container in variable `c`."""
    return str(world.services[frame.local["c"]].id)

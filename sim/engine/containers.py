"""The short words that many programs share: a container's service, its id, its folders."""

from __future__ import annotations

from sim.engine.goroutine import Goroutine
from sim.engine.setup import Pins, Service
from sim.world import Frame, World


def service_of(g: Goroutine) -> Service:
    """Return the service of the container in variable `c`."""
    service = g.world.services[g["c"]]
    assert isinstance(service, Service)
    return service


def identity(world: World, frame: Frame) -> str:
    """Return the id of the container in variable `c`."""
    return str(world.services[frame.local["c"]].id)


def pins(world: World, frame: Frame) -> Pins:
    """Return the numbers that were observed for the first start of the container in variable `c`."""
    found: Pins = world.services[frame.local["c"]].pins
    return found

"""The short words that many programs share: a container's service, its id, its folders."""

from __future__ import annotations

from collections.abc import Iterable

from sim.engine.goroutine import Goroutine
from sim.engine.setup import Pins, Service
from sim.kernel.events import IdsReleased
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


def drop_pins(g: Goroutine, names: Iterable[str]) -> None:
    """Free the observed numbers of containers whose first start has come to nothing, so that nobody waits for them."""
    numbers = (number for name in names for number in g.world.services[name].pins.numbers())
    kept = [number for number in numbers if number in g.world.host.reserved]
    if kept:
        g.emit(IdsReleased(tuple(kept)))

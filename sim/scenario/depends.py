"""`depends_on` between the containers of a file, and what it tells of them.

A service whose completion others wait for is one that ends: where nothing says when, it is assumed to leave with 0. One
whose health others wait for has a check: where the file has none, its image does. Only `compose up`, `start` and
`restart`, and what comes before t = 0, go by it; the engine never does. Source: Compose file reference, "depends_on".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from sim.engine.setup import Ends, Need, S, Service
from sim.scenario.networks import started_before
from sim.scenario.schema import ServiceFile
from sim.scenario.services import Assumed

ENDS = Ends(0, 1 * S)
FOR_EVER = ("always", "unless-stopped")


def needs_of(file: ServiceFile, aliases: Mapping[str, str]) -> tuple[Need, ...]:
    """Return what a service depends on, by the engine's names of containers that are there; whom it joins, too."""
    said = {need.container: need for need in file.depends_on}
    wanted = {**{name: Need(name) for name in started_before(file)}, **said}
    found = [(need, aliases.get(name)) for name, need in wanted.items()]
    return tuple(replace(need, container=name) for need, name in found if name is not None)


def with_depends(
    services: Iterable[Service], depends: Mapping[str, tuple[Need, ...]], assumed: Assumed
) -> list[Service]:
    """Return the containers with what they depend on; those that others wait for to complete leave by themselves."""
    wanted: dict[str, set[str]] = {}
    for needs in depends.values():
        for need in needs:
            wanted.setdefault(need.container, set()).add(need.condition)
    found = []
    for service in services:
        conditions = wanted.get(service.name, set())
        if "completed" in conditions:
            service = _ending(service, assumed)
        if "healthy" in conditions and service.healthcheck is None:
            assumed.note("others wait for its health and the file has no check: its image's succeeds once it is ready",
                         service.name)  # fmt: skip
        needs = depends.get(service.name, ())
        found.append(replace(service, depends=needs) if needs else service)
    return found


def _ending(service: Service, assumed: Assumed) -> Service:
    """Return a container whose program leaves, as others wait for that."""
    payload = service.payload
    if payload.exits is None and payload.fails is None and not payload.fails_to_start:
        after = ENDS.after // S
        assumed.note(f"others wait until it has completed: it leaves with 0 after {after} s", service.name)
        service = replace(service, payload=replace(payload, exits=ENDS))
    if service.restart.name in FOR_EVER:
        assumed.note(f"restart: {service.restart.name} starts it again for ever: nobody sees that it completed",
                     service.name)  # fmt: skip
    return service

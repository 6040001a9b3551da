"""Guards: what must be so in at least one state, or a model or a scenario shows nothing.

Each function tells that it is not so yet. Source: none; a check that passes where nothing happens is worth nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.engine.program import is_orphan
from sim.engines.host.reach import reachable
from sim.engines.host.systemd.starter import starter
from sim.kernel.records import INIT
from sim.predicates import believed, dockerd, programs, said_to_run
from sim.world import World

Faults = Iterator[str]


def nothing_runs(world: World) -> Faults:
    """Find that no container runs."""
    if not any(programs(world, name) for name, _ in said_to_run(world)):
        yield "no container runs"


def nothing_answers(world: World) -> Faults:
    """Find that no remote client reaches a published port."""
    ports = ((port.host, port.proto) for service in world.services.values() for port in service.published)
    if not any(reachable(world, port, "remote", proto) for port, proto in ports):
        yield "no published port is open to remote clients"


def no_shim_is_an_orphan(world: World) -> Faults:
    """Find that every holder is with the parent that it was born to."""
    tops = dict.fromkeys((INIT, starter(world)))
    children = (world.host.procs[pid] for top in tops for pid in world.host.children.get(top, ()))
    roles = world.design.holders
    if not any(it.image.program in roles and it.alive and is_orphan(world, it.pid) for it in children):
        yield f"no {' or '.join(roles)} is a child of PID 1"


def nothing_was_restarted(world: World) -> Faults:
    """Find that no policy has restarted a container."""
    records = (believed(world, name) for name in world.services)
    if not any(record is not None and record.restart_count for record in records):
        yield "no policy has restarted a container"


def nothing_has_ended(world: World) -> Faults:
    """Find that no container is said to have ended."""
    records = (believed(world, name) for name in world.services)
    if not any(record is not None and record.started and not record.running for record in records):
        yield "no container has ended"


def dockerd_never_left(world: World) -> Faults:
    """Find that the engine's daemon lives."""
    if dockerd(world) is not None:
        yield f"{world.design.traits.engine} lives"

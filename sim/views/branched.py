"""A walk through a run that goes on in a branch of it: what was found before is kept, what follows is shown to it.

`sim.views.replaying` goes through a trace with a world of its own. Of many runs with one begin
(`sim.drive.branch`) it goes through that once; a copy of it then looks at each branch while that is run, in the world
that the driver moves. Leaves out the begin's records, which the branch's own trace has. Source: none.
"""

from __future__ import annotations

from copy import copy

from sim.trace import Trace
from sim.views.replaying import Replaying
from sim.views.tracks import Observer
from sim.world import World


def branched(walk: Replaying, trace: Trace, world: World, observer: Observer) -> Replaying:
    """Return a walk that has seen what *walk* has, and is shown by `see` what happens in *world* from now on."""
    other = copy(walk)
    other.trace, other.world, other.tally = trace, world, observer
    other.containers = {name: watched.copy() for name, watched in walk.containers.items()}
    other.payloads = {pid: other.containers[watched.service.name] for pid, watched in walk.payloads.items()}
    other.engine, other.second = walk.engine.copy(), walk.second.copy()
    other.keeper = other.engine if walk.keeper is walk.engine else other.second
    other.spells = walk.spells.copy()
    other.steps = {step.id: step for terminal in trace.setup.terminals for step in terminal}
    for name in (
        "lives",
        "deaths",
        "marks",
        "connections",
        "flushes",
        "proxies_left",
        "starts",
        "dirty",
        "dirty_ports",
    ):
        setattr(other, name, getattr(walk, name).copy())
    other.ports = {key: {who: it.copy() for who, it in tracks.items()} for key, tracks in walk.ports.items()}
    other.leads = {address: ports.copy() for address, ports in walk.leads.items()}
    return other

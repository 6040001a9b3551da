"""A start asks for other containers: whose network or pid namespace it shares, and those that `--link` names.

Each of them must run, and not be between two runs. To ask takes its lock, so that a start waits for one of the other's
that has begun: after a boot a container comes up behind the one that it joins, although no order says so. Leaves out
`ipc: container:`, the environment that links make, and that a network's container is asked for once more when the
bundle is written. Source: D daemon/container_operations.go 844-888 (IsRunning takes the lock of container.State, which
is the container's own), container_operations_unix.go 78-86 getPidContainer, setupLinkedContainers; likewise moby
v26.1.5; H4 of the recorded hosts: a container came up 0.1 s behind the one whose network it shares [M].
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Goto, Label, Lock, Unlock
from sim.engine.records import Container
from sim.engine.setup import Service
from sim.engine.traits import traits

NETWORK, LINK, PIDS = "network", "link", "pids"


class Asked(NamedTuple):
    """What a start needs of another container."""

    what: str
    whom: str


def asks(service: Service) -> tuple[Asked, ...]:
    """Return whom a start asks for, in this order.

    >>> from sim.engine.setup import Payload
    >>> app = Service("app", "", "", "", (), Payload("", ()), network_mode="container:vpn", pid_of="vpn")
    >>> [tuple(it) for it in asks(app)]
    [('network', 'vpn'), ('pids', 'vpn')]
    """
    network = (Asked(NETWORK, service.joins),) if service.joins else ()
    pids = (Asked(PIDS, service.pid_of),) if service.pid_of else ()
    return (*network, *(Asked(LINK, name) for name in service.links), *pids)


def first_asked(g: Goroutine) -> str | None:
    """Go on to the first container that the start asks for, if it asks for any."""
    found = asks(service_of(g))
    if not found:
        return None
    g["asked"], g["other"] = 0, found[0].whom
    return "ask"


def look_at(g: Goroutine) -> None:
    """Refuse the start if the other container does not run, or waits for its policy."""
    other = g.world.services[g["other"]]
    record = g.recall(f"container/{other.name}")
    what = asks(service_of(g))[g["asked"]].what
    if not isinstance(record, Container):
        g["error"] = f"No such container: {other.id}"
    elif not record.running:
        g["error"] = not_running(g, what, other)
    elif record.restarting and what != LINK:
        g["error"] = f"Container {other.id} is restarting, wait until the container is running"


def not_running(g: Goroutine, what: str, other: Service) -> str:
    """Return what dockerd says of a container that does not run."""
    if what == NETWORK:
        return f"cannot join network of a non running container: {other.id}"
    if what == LINK:
        return f"Cannot link to a non running container: /{other.name} AS /{g['c']}/{other.name}"
    return traits(g.world, g.pid).pids_refused.format(id=other.id)


def next_asked(g: Goroutine) -> str | None:
    """Go on to the next one, after the last to the bundle; one that refuses ends the start."""
    found = asks(service_of(g))
    if g["error"]:
        return "exists" if found[0].what == NETWORK else "release"
    g["asked"] = g["asked"] + 1
    if g["asked"] == len(found):
        return "bundle"
    g["other"] = found[g["asked"]].whom
    return None


def ask_others() -> list[Any]:
    """Ask for each with its lock held; ends at one of the start's labels `bundle`, `release`, `exists`."""
    return [
        Label("ask"),
        Lock("container/{other}"),
        Do(look_at),
        Unlock("container/{other}"),
        Do(next_asked, "bundle", "release", "exists"),
        Goto("ask"),
    ]

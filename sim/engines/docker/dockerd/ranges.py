"""One host port out of a range (`8080-8083:80`): which one libnetwork's port allocator picks.

The allocator remembers of each range, by address and protocol, which port it gave last, and goes on behind it, past
those that are allocated. So a container gets another port at its next start, and the first one from a new dockerd.
Up to 27 a stored mapping keeps the end of its range: a dockerd that restores it takes it for the range that begins with
the stored port, and so has given that port before the container is started again. Each family has a port of its own
then, and one that cannot be bound fails the start. Since 28 both families get the same, the stored mapping is that port
alone, and up to ten are tried. Leaves out that 28 maps exact ports before ranges, and ports that the engine chooses
without a range. Source: moby v26.1.5 libnetwork/portallocator/portallocator.go 227-247 findPort,
bridge/port_mapping_linux.go 131-182 allocatePort (HostPort is set, HostPortEnd stays), bridge/bridge_store.go
restorePortAllocations; likewise v1.13.1 below vendor; v28.0.0 portallocator.go RequestPortsInRange,
port_mapping_linux.go 441-475 bindHostPorts.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.goroutine import Goroutine
from sim.engine.networks import bound
from sim.engine.records import Endpoint
from sim.engine.setup import Port, PortRange
from sim.engine.traits import traits
from sim.kernel import syscalls

ATTEMPTS = 10  # maxAllocatePortAttempts
ALL_ALLOCATED = "all ports are allocated"


def _key(asked: PortRange) -> str:
    return f"range/{asked.proto}:{asked.ip}:{asked.host}-{asked.last}"


def _order(g: Goroutine, asked: PortRange) -> tuple[int, ...]:
    """Return the ports of a range in the order in which they are looked at: those behind the last one that it gave."""
    last = g.recall(_key(asked), asked.last)
    return (*range(last + 1, asked.last + 1), *range(asked.host, last + 1))


def bind_one(found: PortRange, number: int, *, alone: bool) -> Port:
    """Return the mapping of one port out of a range; *alone*: it forgets the range."""
    return Port(number, found.container, found.proto, found.ip) if alone else replace(found, host=number)


def pick_port(g: Goroutine, endpoint: Endpoint, number: int) -> bool:
    """Choose the host port of the endpoint's port *number*, which is a range; return whether one is free."""
    asked = endpoint.ports[number]
    assert isinstance(asked, PortRange)
    alone = traits(g.world, g.pid).binds_first
    same = [
        n for n, port in enumerate(endpoint.ports) if n == number or (alone and replace(port, ip=asked.ip) == asked)
    ]
    places = {host: [bound(replace(endpoint.ports[n], host=host)) for n in same] for host in _order(g, asked)}
    free = [host for host, them in places.items() if all(g.recall(it) is None for it in them)]
    tried = free[: ATTEMPTS if alone else 1]
    if not tried:
        return False
    idle = (host for host in tried if not any(syscalls.conflicts(g.world.host, it) for it in places[host]))
    chosen = next(idle, tried[-1])
    g.remember(_key(asked), chosen)
    ports = list(endpoint.ports)
    for n in same:
        found = ports[n]
        assert isinstance(found, PortRange)
        ports[n] = bind_one(found, chosen, alone=alone)
    g.remember(f"endpoint/{endpoint.container}", replace(endpoint, ports=tuple(ports)))
    return True


def first_free(ports: tuple[Port, ...], taken: set[str], *, alone: bool) -> tuple[Port, ...]:
    """Return *ports* with the first port of each range that is not *taken* yet, and note in *taken* what they take.

    >>> first_free((PortRange(80, 80, last=81),), {"tcp:0.0.0.0:80"}, alone=True)
    (Port(host=81, container=80, proto='tcp', ip='0.0.0.0'),)
    """
    found = []
    for port in ports:
        if isinstance(port, PortRange):
            free = (it.host for it in port.singles() if bound(it) not in taken)
            port = bind_one(port, next(free, port.host), alone=alone)
        taken.add(bound(port))
        found.append(port)
    return tuple(found)

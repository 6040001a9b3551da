"""Addresses of networks, and what a published port is bound to: arithmetic that every engine's networking shares.

Leaves out who hands addresses out, which each engine does in its own way. Source: L bridge, ipam; podman netavark; CNI
host-local: all count from the network's own address.
"""

from __future__ import annotations

import ipaddress

from msgspec.structs import replace

from sim.engine.settings import daemon_of
from sim.engine.setup import HOST, NONE, IPv4Port, Network, Port, Service
from sim.engine.traits import traits
from sim.kernel.records import Pid
from sim.world import World

HIGHEST = {2: 65_534, 3: 254}  # octets that are shared -> the last address that a container can have

WITHOUT_NAMES = ("bridge", HOST, NONE)  # networks on which nobody looks names up


def base_of(world: World, network: str) -> str:
    """Return the octets that all addresses of a network share, with the dots: two of a /16, three of a /24."""
    return octets(_network(world, network).prefix)


def octets(prefix: str) -> str:
    """Return the octets that all addresses of a network share whose *prefix* is given.

    >>> octets("172.18.0."), octets("10.0.3.")
    ('172.18.', '10.0.3.')
    """
    return ".".join(prefix.split(".")[:2]) + "." if prefix.endswith(".0.") else prefix


def _network(world: World, name: str) -> Network:
    return next(network for network in world.setup.networks if network.name == name)


def numbers(world: World, network: str) -> tuple[int, int]:
    """Return the first and the last number of an address that a container can have: not the gateway's, nor the last.

    A number counts from the address of the /16 or /24 in which the network lies, which may be a smaller part of it.
    """
    found = _network(world, network)
    if not found.subnet:
        return 2, HIGHEST[octets(found.prefix).count(".")]
    subnet = ipaddress.ip_network(found.subnet)
    own = number_in(octets(found.prefix), str(subnet.network_address))
    return own + 2, own + subnet.num_addresses - 2


def address(world: World, network: str, number: int) -> str:
    """Return the address that stands *number* places after the network's own."""
    base = base_of(world, network)
    return f"{base}{number >> 8}.{number & 255}" if base.count(".") == 2 else f"{base}{number}"


def number_in(base: str, address: str) -> int:
    """Return how many places after the network's own an address stands; *base* are the octets that all share.

    >>> number_in("172.18.", "172.18.1.4"), number_in("10.0.3.", "10.0.3.9")
    (260, 9)
    """
    *rest, last = address.removeprefix(base).split(".")
    return int(rest[0]) * 256 + int(last) if rest else int(last)


def endpoint_name(service: Service, network: str) -> str:
    """Return what a container's place on a network is called: as the container, where its ports are published.

    >>> from sim.engine.setup import Payload
    >>> service = Service("web", "", "", "", (), Payload("", ()), network="front", more_networks=("back",))
    >>> [endpoint_name(service, network) for network in service.networks]
    ['web', 'web/back']
    """
    return service.name if network == service.network else f"{service.name}/{network}"


def has_resolver(service: Service) -> bool:
    """Return whether dockerd looks names up for a container: on networks of people's own alone."""
    return any(network not in WITHOUT_NAMES for network in service.networks)


def bindings(ports: tuple[Port, ...], addresses: tuple[str, ...]) -> tuple[Port, ...]:
    """Return what is bound for *ports*: one that is published on every address is bound on each of *addresses*.

    >>> given = (Port(80, 80), Port(81, 81, ip="127.0.0.1"), IPv4Port(82, 82))
    >>> [port.ip for port in bindings(given, ("0.0.0.0", "::"))]
    ['0.0.0.0', '::', '127.0.0.1', '0.0.0.0']
    """
    return tuple(
        _at(port, ip) for port in ports for ip in (addresses if port.ip == "0.0.0.0" and _is_any(port) else (port.ip,))
    )


def _is_any(port: Port) -> bool:
    return not isinstance(port, IPv4Port)


def _at(port: Port, ip: str) -> Port:
    """Return a port as it is bound at an address."""
    if isinstance(port, IPv4Port):
        return Port(port.host, port.container, port.proto, ip)
    return port if port.ip == ip else replace(port, ip=ip)


def host_addresses(world: World, pid: Pid) -> tuple[str, ...]:
    """Return where a daemon binds a port that is published on every address; 0 is one of the design's own version.

    Without userland proxies only in the family of the networks' addresses, which is IPv4 (moby v26.1.5 libnetwork
    port_mapping_linux.go 63-70): nothing can go from IPv6 to them.
    """
    addresses = traits(world, pid).proxy_addresses or ("0.0.0.0",)
    return addresses if daemon_of(world, pid).userland_proxy else addresses[:1]


def bound(port: Port) -> str:
    """Return the address on the host that a published port is bound to."""
    return f"{port.proto}:{port.ip}:{port.host}"

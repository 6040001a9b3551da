"""Who reaches a published port: remote clients by DNAT, host loopback and containers of the bridge by the proxy.

A client sees a port as open when its path leads to a process that listens and is not stopped. A process of the
host that uses the host's own address goes by DNAT as well, but is not forwarded; a container that looks a name up on a
user-defined network needs dockerd, in which the resolver lives. Leaves out IPv6 and conntrack. Source: engine-1.13
§16.10.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.paths import runtime_state
from sim.engine.role import Kind
from sim.engine.setup import Port
from sim.kernel.records import Process, Rule
from sim.world import Key, World

CLIENTS = ("remote", "loopback", "container", "host", "dns")
DNAT = "nat/DOCKER"
ACCEPT = "filter/DOCKER"
MASQUERADE = "nat/POSTROUTING"
NETNS = "/var/run/docker/netns/"


def listening(world: World, address: str) -> bool:
    """Say whether a process that runs accepts connections at *address*."""
    pid = world.host.listeners.get(address)
    return pid is not None and world.host.procs[pid].runs


def inner(proto: str, address: str, port: int) -> str:
    """Return the address of a port inside a container's network namespace."""
    return f"net/{proto}:{address}:{port}"


def address_of(world: World, container: str, port: Port) -> str | None:
    """Return where the container listens for a published port; None before its network is moved in."""
    address = world.host.files.get(NETNS + container)
    return None if address is None else inner(port.proto, str(address), port.container)


def address_in(world: World, name: str) -> str | None:
    """Return the container's address, None while it has no network."""
    found = world.host.files.get(NETNS + name)
    return None if found is None else str(found)


def is_open(world: World, container: str, port: int) -> bool:
    """Say whether a neighbour on the same network reaches *port* of the container directly."""
    address = world.host.files.get(NETNS + container)
    return address is not None and listening(world, inner("tcp", str(address), port))


def answers_reads(world: World, container: str) -> tuple[Key, ...]:
    """Name what `answers` depends on."""
    place = runtime_state(world.services[container].id)
    state: Any = world.host.files.get(place)
    first = None if state is None else state.pid
    main = _main_program(world, container)
    runs = () if main is None else (("proc", main.pid), ("running", main.pid, f"{main.image.program}.main"))
    ports = [address_of(world, container, port) for port in world.services[container].ports]
    listeners = (("listen", it) for it in ports if it is not None)
    network = ("file", NETNS + container)
    return (("file", place), network, ("proc", first), ("children", first), *runs, *listeners)


def answers(world: World, container: str) -> bool:
    """Say whether the container's program is ready, runs, and listens on all of its ports."""
    main = _main_program(world, container)
    if main is None or not main.runs or world.running(main.pid, f"{main.image.program}.main"):
        return False
    places = [address_of(world, container, port) for port in world.services[container].ports]
    return all(place is not None and listening(world, place) for place in places)


def _main_program(world: World, container: str) -> Process | None:
    """Return the process that runs the container's program: its first one, or docker-init's child."""
    state: Any = world.host.files.get(runtime_state(world.services[container].id))
    if state is None or not world.services[container].init:
        return None if state is None else world.host.procs.get(state.pid)
    below = (world.host.procs[pid] for pid in world.host.children.get(state.pid, ()))
    return next((process for process in below if process.image.program == "app"), None)


def rules_for(port: Port, address: str) -> tuple[Rule, Rule, Rule]:
    """Return the three rules of a published port, in the order in which libnetwork adds them."""
    dnat, accept, masquerade = (
        Rule(chain, port.host, port.proto, address, port.container, port.ip) for chain in (DNAT, ACCEPT, MASQUERADE)
    )
    return dnat, accept, masquerade


def targets(
    world: World, port: int, proto: str = "tcp", *, loopback: bool = False, forwarded: bool = True
) -> list[str]:
    """Return the addresses to which the host's DNAT rules send *port*, of clients elsewhere or on the loopback.

    Packets that are *forwarded* need the rule that accepts them besides; those of the host itself do not.
    """
    rules = world.host.rules
    return [
        inner(proto, rule.address, rule.to_port)
        for rule in rules
        if rule.chain == DNAT
        and (rule.port, rule.proto) == (port, proto)
        and (loopback or not rule.ip.startswith("127."))
        and (not forwarded or replace(rule, chain=ACCEPT) in rules)
    ]


def reachable(world: World, port: int, client: str, proto: str = "tcp") -> bool:
    """Say whether a client of the class *client* reaches the published *port* of the host.

    Without userland proxies every class goes by DNAT: hairpin mode and route_localnet are on (designs §8). A port that
    is published on an address of its own answers on that one alone: 127.0.0.1 for the loopback, others for the rest.
    """
    if client == "dns":
        return _by_name(world, port, proto)
    if client in ("remote", "host") or not world.setup.engine.daemon.userland_proxy:
        found = targets(world, port, proto, loopback=client == "loopback", forwarded=client in ("remote", "container"))
        return any(listening(world, address) for address in found)
    return any(_through_proxy(world, f"{proto}:{ip}:{port}") for ip in _bound(world, port, proto, client))


def _by_name(world: World, port: int, proto: str) -> bool:
    """Say whether a neighbour that looks up the name of the port's container reaches it; docker0 has no names."""
    if not listening(world, paths.SETKEY_SOCK):  # the network controller's, whose process answers the lookups
        return False
    for name, service in world.services.items():
        for published in service.ports:
            if service.network != "bridge" and (published.host, published.proto) == (port, proto):
                address = address_of(world, name, published)
                if address is not None and listening(world, address):
                    return True
    return False


def _bound(world: World, port: int, proto: str, client: str) -> list[str]:
    """Return the host's addresses at which somebody listens on *port* for this class of clients."""
    local = client == "loopback"
    return [
        ip
        for ip in world.host.bound.get(f"{proto}:{port}", ())
        if ":" not in ip and (ip == "0.0.0.0" or ip.startswith("127.") == local)
    ]


def _through_proxy(world: World, bound: str) -> bool:
    if not listening(world, bound):
        return False
    image = world.host.procs[world.host.listeners[bound]].image
    kind = world.design.roles[image.program].kind
    if kind is not Kind.FORWARDER:
        return kind is not Kind.STRANGER  # who answers, but not for the container
    return listening(world, world.design.engine.forwards(image.argv)[2])

"""Who reaches a published port: remote clients by DNAT, host loopback and containers of the bridge by the proxy.

A client is answered when its path leads to a process of the container that listens and is not stopped. A process of the
host that uses the host's own address goes by DNAT as well, but is not forwarded; a container that looks a name up on a
user-defined network needs dockerd, in which the resolver lives. Leaves out networks with addresses of IPv6, full
backlogs, firewalls of the host, and conntrack. Source: engine-1.13 §16.10.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import runtime_files, runtime_state
from sim.engine.role import Kind
from sim.engine.setup import Port
from sim.kernel.addresses import split_address
from sim.kernel.records import Pid, Process, Rule
from sim.world import Key, World

CLIENTS = ("remote", "loopback", "container", "host", "dns", "remote6", "loopback6")
FOUND = {
    "answered": "the container's program answers",
    "silent": "accepted, and nobody answers",
    "closed": "accepted, and closed at once: a proxy whose container does not listen",
    "refused": "nobody listens",
    "timeout": "nothing comes back",
    "foreign": "a process answers that is not the container's",
    "unresolved": "the name is not found",
}
ANY = ("0.0.0.0", "::")
DNAT = "nat/DOCKER"
ACCEPT = "filter/DOCKER"
MASQUERADE = "nat/POSTROUTING"
NETNS = "/var/run/docker/netns/"


def listening(world: World, address: str) -> bool:
    """Return whether a process that runs accepts connections at *address*."""
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
    """Return whether a neighbour on the same network reaches *port* of the container directly."""
    address = world.host.files.get(NETNS + container)
    return address is not None and listening(world, inner("tcp", str(address), port))


def answers_reads(world: World, container: str) -> tuple[Key, ...]:
    """Name what `answers` depends on."""
    places = tuple(("file", path) for path in runtime_files(world, world.services[container].id))
    state = runtime_state(world, world.services[container].id)
    first = None if state is None else state.pid
    main = _main_program(world, container)
    runs = () if main is None else (("proc", main.pid), ("running", main.pid, f"{main.image.program}.main"))
    ports = [address_of(world, container, port) for port in world.services[container].ports]
    listeners = (("listen", it) for it in ports if it is not None)
    network = ("file", NETNS + container)
    return (*places, network, ("proc", first), ("children", first), *runs, *listeners)


def answers(world: World, container: str) -> bool:
    """Return whether the container's program is ready, runs, and listens on all of its ports."""
    main = _main_program(world, container)
    if main is None or not main.runs or world.running(main.pid, f"{main.image.program}.main"):
        return False
    places = [address_of(world, container, port) for port in world.services[container].ports]
    return all(place is not None and listening(world, place) for place in places)


def _main_program(world: World, container: str) -> Process | None:
    """Return the process that runs the container's program: its first one, or docker-init's child."""
    state = runtime_state(world, world.services[container].id)
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


# -- what a client finds ---------------------------------------------------------------------------


class Route(NamedTuple):
    """Where a connection leads: *at* a program in a container, perhaps *through* a proxy; or what it finds before."""

    at: str = ""
    through: bool = False
    found: str = ""


def _rules(world: World, port: int, proto: str, *, loopback: bool) -> list[Rule]:
    """Return the host's DNAT rules of *port*, for clients elsewhere or on the loopback."""
    return [
        rule
        for rule in world.host.rules
        if rule.chain == DNAT
        and (rule.port, rule.proto) == (port, proto)
        and (loopback or not rule.ip.startswith("127."))
    ]


def _accepted(world: World, rule: Rule) -> bool:
    return replace(rule, chain=ACCEPT) in world.host.rules


def reachable(world: World, port: int, client: str, proto: str = "tcp") -> bool:
    """Return whether a client of the class *client* is answered at the published *port* of the host."""
    at, _, found = route(world, port, client, proto)
    return not found and listening(world, at)


def finds(world: World, port: int, client: str, proto: str = "tcp") -> str:
    """Return what a client of the class *client* finds at the published *port* of the host: one of FOUND.

    The kernel accepts for any socket that listens, whether its process runs or not. A proxy accepts at once and only
    then connects to the container: it closes if that is refused, and is silent while it waits. Nobody accepts a
    datagram: one without an answer is a timeout, unless the host or the container refuses it.
    """
    at, through, found = route(world, port, client, proto)
    if not found:
        found = _inside(world, at)
        if through:
            found = {"refused": "closed", "timeout": "silent"}.get(found, found)
    return "timeout" if proto == "udp" and found in ("silent", "closed") else found


def _inside(world: World, address: str) -> str:
    """Return what a connection to a container's address finds; of the container a namespace may be all that is left."""
    if address in world.host.listeners:
        return "answered" if listening(world, address) else "silent"
    _, ip, _ = split_address(address.removeprefix("net/"))
    return "refused" if any(address_in(world, name) == ip for name in world.services) else "timeout"


def route(world: World, port: int, client: str, proto: str = "tcp") -> Route:
    """Return where a connection of a client of the class *client* leads.

    The first DNAT rule that matches decides, for those that come through the table that has them: with userland proxies
    neither clients on the loopback nor containers of the bridge do; without, every class of IPv4 (designs §8: hairpin
    mode, route_localnet). What no rule takes goes to the host itself, where a proxy or a stranger may listen, as the
    comment at v28.0.0 port_mapping_linux.go 200-203 says of clients elsewhere. No network has addresses of IPv6, so
    that its clients always go there.
    """
    if client == "dns":
        return _by_name(world, port, proto)
    daemon = world.setup.engine.daemon
    by_rules = daemon.iptables and (client in ("remote", "host") or not daemon.userland_proxy)
    if by_rules and not client.endswith("6"):
        for rule in _rules(world, port, proto, loopback=client == "loopback"):
            if client in ("remote", "container") and not _accepted(world, rule):
                return Route(found="timeout")  # the packet is to be forwarded, which the chain's policy does not allow
            return Route(inner(proto, rule.address, rule.to_port))
    return _to_host(world, port, proto, client)


def _by_name(world: World, port: int, proto: str) -> Route:
    """Return the route of a neighbour that looks up the name of the port's container; docker0 has no names."""
    if not listening(world, paths.SETKEY_SOCK):  # the network controller's, whose process answers the lookups
        return Route(found="unresolved")
    for name, service in world.services.items():
        for published in service.published:
            if service.network != "bridge" and (published.host, published.proto) == (port, proto):
                address = address_of(world, name, published)
                if address is not None:
                    return Route(address)
    return Route(found="unresolved")


def _to_host(world: World, port: int, proto: str, client: str) -> Route:
    """Return the route of a connection to one of the host's own addresses."""
    family, local = "6" if client.endswith("6") else "4", client.startswith("loopback")
    for ip in world.host.bound.get(f"{proto}:{port}", ()):
        pid = world.host.listeners[f"{proto}:{ip}:{port}"]
        if family in _families(world, ip, pid) and (ip in ANY or ip.startswith(("127.", "::1")) == local):
            return _to_socket(world, pid)
    return Route(found="refused")


def _families(world: World, ip: str, pid: Pid) -> str:
    """Return for which families a socket is: Go's of before 20.10, bound to every address, is for both.

    Source: Go net/ipsock_posix.go favoriteAddrFamily; since 20.10 the proxy says tcp4 or tcp6 (`proxy_addresses`).
    """
    both = ip == "0.0.0.0" and world.design.of(world, pid).traits.proxy_addresses == (ip,)
    stranger = world.design.roles[world.host.procs[pid].image.program].kind is Kind.STRANGER
    return "46" if both and not stranger else "6" if ":" in ip else "4"


def _to_socket(world: World, pid: Pid) -> Route:
    """Return the route of a connection that a process of the host has got."""
    process = world.host.procs[pid]
    kind = world.design.roles[process.image.program].kind
    if kind is Kind.FORWARDER:
        if not process.runs:
            return Route(found="silent")
        return Route(world.design.engine.forwards(process.image.argv)[2], through=True)
    return Route(found="foreign" if kind is Kind.STRANGER else "silent")  # an engine's own, which holds the port

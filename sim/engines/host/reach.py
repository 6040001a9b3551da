"""Who reaches a published port: remote clients by DNAT, host loopback and containers of the bridge by the proxy.

A client is answered when its path leads to a process of the container that listens and is not stopped. A process of the
host that uses the host's own address goes by DNAT as well, but is not forwarded; a container that looks a name up on a
user-defined network needs dockerd, in which the resolver lives. Leaves out full backlogs, firewalls of the host, and
conntrack. Source: engine-1.13 §16.10.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import runtime_files, runtime_state
from sim.engine.networks import address6
from sim.engine.role import Kind
from sim.engine.setup import HOST, NONE, Port
from sim.kernel import syscalls
from sim.kernel.addresses import split_address
from sim.kernel.records import Pid, Process, Rule
from sim.world import Key, Turn, World

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
SIX = "ip6:"  # before the name of a chain of ip6tables
PROGRAMS = (Kind.PAYLOAD, Kind.MEMBER)
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


def network_of(world: World, name: str) -> str:
    """Return the container whose network a container is in: its own, or that of the one that it shares."""
    for _ in world.services:
        joins = world.services[name].joins if name in world.services else ""
        if not joins:
            break
        name = joins
    return name


def listens_on(world: World, name: str) -> tuple[tuple[str, int], ...]:
    """Return the ports, each with its protocol, on which a container's program accepts in its network.

    Where nothing is said these are the ports that are published but for those which a container that shares its network
    says it listens on.
    """
    service = world.services[name]
    if service.payload.listens is not None:
        return tuple(service.payload.listens)
    others = {it for other in world.joined.get(name, ()) for it in world.services[other].payload.listens or ()}
    mapped = dict.fromkeys((port.proto, port.container) for port in service.ports)
    return tuple(it for it in mapped if it not in others)


def places_of(world: World, name: str) -> tuple[str, ...] | None:
    """Return the addresses at which a container's program accepts; None before its network is there.

    On the host's network that is every address of the host, of both families.
    """
    ports = listens_on(world, name)
    owner = network_of(world, name)
    mode = world.services[owner].network_mode
    if mode == HOST:
        return tuple(f"{proto}:{ip}:{number}" for proto, number in ports for ip in ANY)
    places = (f"@{owner}",) if mode == NONE else addresses_in(world, owner)  # of none there is a loopback alone
    if not places:
        return None if ports else ()
    return tuple(inner(proto, place, number) for proto, number in ports for place in places)


def addresses_in(world: World, name: str) -> tuple[str, ...]:
    """Return a container's address, and that of IPv6 where its network has such; () while it has no network."""
    found = address_in(world, name)
    if found is None:
        return ()
    six = address6(world, world.services[name].network, found)
    return (found, six) if six else (found,)


def is_open(world: World, container: str, port: int) -> bool:
    """Return whether a neighbour on the same network reaches *port* of the container directly."""
    owner = network_of(world, container)
    if world.services[owner].network_mode == HOST:
        return listening(world, f"tcp:0.0.0.0:{port}")
    address = world.host.files.get(NETNS + owner)
    return address is not None and listening(world, inner("tcp", str(address), port))


def answers_reads(world: World, container: str) -> tuple[Key, ...]:
    """Name what `answers` depends on."""
    places = tuple(("file", path) for path in runtime_files(world, world.services[container].id))
    state = runtime_state(world, world.services[container].id)
    first = None if state is None else state.pid
    main = _main_program(world, container)
    runs = () if main is None else (("proc", main.pid), ("running", main.pid, f"{main.image.program}.main"))
    listeners = (("listen", it) for it in places_of(world, container) or ())
    network = ("file", NETNS + network_of(world, container))
    return (*places, network, ("proc", first), ("children", first), *runs, *listeners)


def answers(world: World, container: str) -> bool:
    """Return whether the container's program is ready, runs, and listens on all of its ports."""
    main = _main_program(world, container)
    if main is None or not main.runs or world.running(main.pid, f"{main.image.program}.main"):
        return False
    places = places_of(world, container)
    return places is not None and all(listening(world, place) and _is_of(world, place, container) for place in places)


def _is_of(world: World, place: str, container: str) -> bool:
    """Return whether a process of the container listens there: in a shared network it may be another one's."""
    return world.host.procs[world.host.listeners[place]].image.container == container


def cut_off(turn: Turn, name: str) -> None:
    """Let nobody reach who shares the network of a container that has given it up: they keep a namespace without ways.

    That of a container which starts again is another one.
    """
    for other in turn.world.joined.get(name, ()):
        for proto, number, address in (
            (*port, address) for port in listens_on(turn.world, other) for address in addresses_in(turn.world, name)
        ):
            place = inner(proto, address, number)
            if place in turn.host.listeners and _is_of(turn.world, place, other):
                syscalls.unlisten(turn, place)


def _main_program(world: World, container: str) -> Process | None:
    """Return the process that runs the container's program: its first one, or docker-init's child."""
    state = runtime_state(world, world.services[container].id)
    if state is None or not world.services[container].init:
        return None if state is None else world.host.procs.get(state.pid)
    below = (world.host.procs[pid] for pid in world.host.children.get(state.pid, ()))
    return next((process for process in below if process.image.program == "app"), None)


def rules_for(port: Port, address: str) -> tuple[Rule, Rule, Rule]:
    """Return the three rules of a published port, in the order in which libnetwork adds them.

    Those that lead to an address of IPv6 are in the tables of ip6tables.
    """
    table = SIX if ":" in address else ""
    dnat, accept, masquerade = (
        Rule(table + chain, port.host, port.proto, address, port.container, port.ip)
        for chain in (DNAT, ACCEPT, MASQUERADE)
    )
    return dnat, accept, masquerade


# -- what a client finds ---------------------------------------------------------------------------


class Route(NamedTuple):
    """Where a connection leads: *at* a program in a container, perhaps *through* a proxy; or what it finds before."""

    at: str = ""
    through: bool = False
    found: str = ""


def _rules(world: World, port: int, proto: str, client: str) -> list[Rule]:
    """Return the host's DNAT rules of *port*, of a client's family, for clients elsewhere or on the loopback."""
    table = SIX if client.endswith("6") else ""
    return [
        rule
        for rule in world.host.rules
        if rule.chain == table + DNAT
        and (rule.port, rule.proto) == (port, proto)
        and (":" in rule.ip) == bool(table)
        and (client == "loopback" or not rule.ip.startswith(("127.", "::1")))
    ]


def _accepted(world: World, rule: Rule) -> bool:
    return replace(rule, chain=rule.chain.replace(DNAT, ACCEPT)) in world.host.rules


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
    return "refused" if any(ip in addresses_in(world, name) for name in world.services) else "timeout"


def route(world: World, port: int, client: str, proto: str = "tcp") -> Route:
    """Return where a connection of a client of the class *client* leads.

    The first DNAT rule that matches decides, for those that come through the table that has them: with userland proxies
    neither clients on the loopback nor containers of the bridge do; without, every class of IPv4 (designs §8: hairpin
    mode, route_localnet). What no rule takes goes to the host itself, where a proxy or a stranger may listen, as the
    comment at v28.0.0 port_mapping_linux.go 200-203 says of clients elsewhere. So do clients by IPv6 but for those
    elsewhere, where the network has addresses of that family and dockerd has ip6tables; there is no route_localnet for
    the loopback.
    """
    if client == "dns":
        return _by_name(world, port, proto)
    daemon = world.setup.engine.daemon
    by_rules = daemon.iptables and (client in ("remote", "host") or not daemon.userland_proxy)
    if client == "remote6" or (by_rules and client != "loopback6"):
        for rule in _rules(world, port, proto, client):
            if client in ("remote", "container", "remote6") and not _accepted(world, rule):
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
    """Return the route of a connection to one of the host's own addresses; firewalld's zones keep others out."""
    if client.startswith("remote") and paths.FIREWALLD in world.host.files:
        return Route(found="refused")
    family, local = "6" if client.endswith("6") else "4", client.startswith("loopback")
    for ip in world.host.bound.get(f"{proto}:{port}", ()):
        pid = world.host.listeners[f"{proto}:{ip}:{port}"]
        if family in _families(world, ip, pid) and (ip in ANY or ip.startswith(("127.", "::1")) == local):
            return _to_socket(world, pid, f"{proto}:{ip}:{port}")
    return Route(found="refused")


def _families(world: World, ip: str, pid: Pid) -> str:
    """Return for which families a socket is: Go's of before 20.10, bound to every address, is for both.

    Source: Go net/ipsock_posix.go favoriteAddrFamily; since 20.10 the proxy says tcp4 or tcp6 (`proxy_addresses`).
    """
    both = ip == "0.0.0.0" and world.design.of(world, pid).traits.proxy_addresses == (ip,)
    kind = world.design.roles[world.host.procs[pid].image.program].kind
    return "46" if both and kind not in (Kind.STRANGER, *PROGRAMS) else "6" if ":" in ip else "4"


def _to_socket(world: World, pid: Pid, at: str) -> Route:
    """Return the route of a connection that a process of the host, which listens *at* an address, has got."""
    process = world.host.procs[pid]
    kind = world.design.roles[process.image.program].kind
    if kind is Kind.FORWARDER:
        if not process.runs:
            return Route(found="silent")
        return Route(world.design.engine.forwards(process.image.argv)[2], through=True)
    if kind in PROGRAMS:
        return Route(at)  # a program on the host's network
    return Route(found="foreign" if kind is Kind.STRANGER else "silent")  # an engine's own, which holds the port

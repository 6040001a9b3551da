"""Networks of a file, and what each container has of them: addresses, published ports, namespaces that it shares.

The network that gives a container its way out carries its published ports: of several the first by name that is not
internal (libnetwork sandbox.go Less). On an internal network, on macvlan and ipvlan, on the host's network and without
one nothing is published: that is said, and the ports are left out. Leaves out addresses of IPv6, `gw_priority`, which
addresses `ip_range` leaves, and swarm. Source: Compose file reference, networks; moby v26.1.5 libnetwork/endpoint.go
sbJoin, runconfig/hostconfig_unix.go; Docker's default subnets (172.17.0.0/16 for bridge, 172.18.0.0/16 and up for
others in order).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from sim.engine.networks import octets
from sim.engine.setup import HOST, NONE, Network, Service
from sim.scenario.check import Report, check
from sim.scenario.instants import Names
from sim.scenario.network_words import BRIDGE as DEFAULT
from sim.scenario.schema import NetworkFile, ServiceFile
from sim.scenario.services import Assumed
from sim.scenario.text import Node, Path
from sim.scenario.words import Refusal, did_you_mean, listed, shown

BRIDGE = Network(DEFAULT, "172.17.0.")
FIRST_USER_NETWORK = 18
WITHOUT_ADDRESS = {HOST: HOST, "null": NONE, NONE: NONE}  # driver, or name of an external network -> mode
WITHOUT_PORTS = ("macvlan", "ipvlan")  # their drivers publish nothing
AS_BRIDGE = "its driver is taken as a bridge's"


def read_networks(root: Node, report: Report, assumed: Assumed) -> tuple[Network, ...]:
    """Return bridge, the networks of the file with their subnets, and those that a network_mode alone names.

    One that is the engine's own under another name (`external`, with `name: host`) is among them with that driver.
    """
    files = {}
    for name in declared(root):
        file = check(NetworkFile, root, ("networks", name), report)
        if file:
            files[name] = file
    given = {name: subnet for name, file in files.items() if (subnet := subnet_of(file)) is not None}
    taken = {_prefix(subnet) for subnet in given.values()}
    free = (f"172.{n}.0." for n in range(FIRST_USER_NETWORK, 256) if f"172.{n}.0." not in taken)
    found = {DEFAULT: BRIDGE}
    for name, file in files.items():
        subnet = given.get(name)
        prefix = _prefix(subnet) if subnet else BRIDGE.prefix if name == DEFAULT else next(free, None)
        if prefix is None:
            report.refuse(root, ("networks", name), Refusal("no subnet is left."))
            continue
        driver = driver_of(name, file)
        if driver not in (DEFAULT, *WITHOUT_PORTS, *WITHOUT_ADDRESS):
            assumed.note(AS_BRIDGE, f"network {name} ({driver})")
        small = str(subnet) if subnet is not None and subnet.prefixlen > 24 else ""
        found[name] = Network(name, prefix, driver, file.internal, small)
    for name in _modes(root):
        if name not in found and name not in files:
            assumed.note("named as a network_mode alone, it is taken to be there", f"network {name}")
            found[name] = Network(name, next(free, "172.31.0."))
    return tuple(found.values())


def declared(root: Node) -> list[str]:
    """Return the names under `networks:`, also of those that are refused."""
    node = root.child("networks")
    return list(node.value) if node is not None and isinstance(node.value, dict) else []


def named_networks(networks: tuple[Network, ...], root: Node) -> list[str]:
    """Return the networks that services may name: also those whose declaration was refused."""
    return list(dict.fromkeys([*(it.name for it in networks), *declared(root)]))


def _modes(root: Node) -> Iterable[str]:
    """Yield the networks that services name as their network_mode."""
    services = root.child("services")
    for service in services.value.values() if services is not None and isinstance(services.value, dict) else ():
        mode = service.child("network_mode") or service.child("net")
        word = None if mode is None else mode.value
        if isinstance(word, str) and word and ":" not in word and word not in (HOST, NONE, DEFAULT, "default"):
            yield word


def driver_of(name: str, file: NetworkFile) -> str:
    """Return the driver: an external network of the engine's own is known by its real name."""
    real = file.external if isinstance(file.external, str) else file.name or name
    if file.external and real in (HOST, NONE):
        return real
    return WITHOUT_ADDRESS.get(file.driver, file.driver)


def subnet_of(file: NetworkFile) -> ipaddress.IPv4Network | None:
    """Return the first subnet of IPv4 that a network asks for."""
    found = (row.subnet for row in file.ipam.config)
    return next((subnet for subnet in found if isinstance(subnet, ipaddress.IPv4Network)), None)


def _prefix(subnet: ipaddress.IPv4Network) -> str:
    return str(subnet.network_address).rpartition(".")[0] + "."


# -- a container -----------------------------------------------------------------------------------


class Wiring(NamedTuple):
    """What is at hand to connect the containers of a file: its networks, where it says what, what is assumed."""

    networks: tuple[Network, ...]
    root: Node
    report: Report
    assumed: Assumed


def wired(service: Service, file: ServiceFile, path: Path, given: Wiring) -> Service:
    """Return *service* with its networks; other containers are named as in the file still (`with_names`)."""
    mode, known = file.network_mode or file.net, {network.name: network for network in given.networks}
    wanted = dict(file.networks) or ({} if _is_mode(mode) else {mode or DEFAULT: None})
    if mode and file.networks and mode not in wanted:
        refusal = Refusal("networks and network_mode exclude one another.", "Leave one of them out.")
        given.report.refuse(given.root, (*path, "network_mode"), refusal)
        return service
    on = sorted((known[name] for name in wanted if name in known), key=_comes_later)
    links = file.links if list(wanted) == [DEFAULT] else ()  # on other networks names are looked up instead
    service = replace(service, links=links, pid_of=file.pid if file.pid not in (None, HOST) else "")
    if not _is_mode(mode) and on:
        mode = on[0].driver if on[0].driver in (HOST, NONE) else None
    if _is_mode(mode):
        own = mode if mode in (HOST, NONE) else ""
        return _without_ports(replace(service, network=own, network_mode=mode), mode, path, given)
    if not on:
        return service  # its network was refused
    _check_addresses(service, on, wanted, path, given)
    fixed = tuple((it.name, asked) for it in on if (asked := wanted[it.name]) is not None)
    more = tuple(it.name for it in on[1:])
    service = replace(service, network=on[0].name, more_networks=more, fixed=fixed)
    if on[0].internal or on[0].driver in WITHOUT_PORTS:
        what = f"on {'an internal network' if on[0].internal else on[0].driver}"
        return _without_ports(service, what, path, given)
    return service


def _is_mode(word: str | None) -> bool:
    return word is not None and (word in (HOST, NONE) or ":" in word)


def _comes_later(network: Network) -> tuple[bool, str]:
    """Return by what a container's networks are ordered: the first gives it its way out."""
    return network.internal or network.driver == "overlay", network.name


def _check_addresses(
    service: Service, on: list[Network], wanted: dict[str, str | None], path: Path, given: Wiring
) -> None:
    """Refuse addresses that are not on their network: that of the first start, and those asked for at every one."""
    places: list[tuple[Path, str | None, Network]] = [((*path, "x-address"), service.pins.address, on[0])]
    places += [((*path, "networks", it.name, "ipv4_address"), wanted[it.name], it) for it in on]
    for place, found, network in places:
        if found and not found.startswith(octets(network.prefix)):
            refusal = Refusal(f"{found} is not on network {network.name} ({network.prefix}0).")
            given.report.refuse(given.root, place, refusal)


def _without_ports(service: Service, mode: str, path: Path, given: Wiring) -> Service:
    """Return *service* without published ports, since its network has none; of an internal one neighbours reach it.

    The engine refuses them of a container that shares another one's network, and elsewhere says nothing or warns.
    """
    if not service.ports:
        return service
    if ":" in mode:
        what = "conflicting options: port publishing and the container type network mode."
        refusal = Refusal(what, f"Publish them at {mode.partition(':')[2]}.", of_key=True)
        given.report.refuse(given.root, (*path, "ports"), refusal)
        return replace(service, ports=())
    where = {HOST: "on the host's network", NONE: "without a network"}.get(mode, mode)
    given.assumed.note(f"nothing is published {where}: the engine ignores its ports", service.name)
    payload = service.payload
    if payload.listens is None and mode not in (HOST, NONE):
        listens = tuple(dict.fromkeys((port.proto, port.container) for port in service.ports))
        payload = replace(payload, listens=listens)
    return replace(service, ports=(), payload=payload)


# -- other containers ------------------------------------------------------------------------------


def with_names(service: Service, path: Path, names: Names, given: Wiring) -> Service:
    """Return *service* with the engine's names of the containers that it joins and links to."""
    mode, pid = service.network_mode, service.pid_of
    if ":" in mode:
        mode = f"container:{_called(mode, (*path, 'network_mode'), names, given)}"
    if pid:
        pid = _called(pid, (*path, "pid"), names, given)
    links = tuple(names.containers[name] for name in service.links if name in names.containers)
    return replace(service, network_mode=mode, pid_of=pid, links=links)


def _called(word: str, place: Path, names: Names, given: Wiring) -> str:
    """Return the name of the container that `service:NAME` or `container:NAME` means; refuse one that is not there."""
    kind, _, name = word.partition(":")
    if name not in names.containers:
        hint = did_you_mean(name, names.containers) or "It must be a container of this file."
        given.report.refuse(given.root, place, Refusal(f"there is no {kind} {shown(name)}.", hint))
    return names.containers.get(name, name)


def check_circles(services: Iterable[Service], keys: Mapping[str, str], given: Wiring) -> None:
    """Refuse containers that need one another to start: nobody could have made them."""
    needs = {service.name: service.needs for service in services}
    for name in needs:
        seen, queue = set[str](), [*needs[name]]
        while queue:
            other = queue.pop()
            if other not in seen:
                seen.add(other)
                queue += needs.get(other, ())
        if name in seen:
            others = [other for other in needs[name] if other != name]
            what = f"{listed([name, *others])} need one another to start." if others else f"{name} needs itself."
            given.report.refuse(given.root, ("services", keys.get(name, name)), Refusal(what, of_key=True))
            return


def started_before(file: ServiceFile) -> tuple[str, ...]:
    """Return the services that Compose starts first beside those of depends_on."""
    modes = (file.network_mode or file.net or "", file.pid or "")
    return (*file.links, *(mode.partition(":")[2] for mode in modes if ":" in mode))

"""What services of a stack name: networks, other services, whose namespaces they share.

Models: the network `default` that Compose makes; networks that no file declares, which are there all the same; services
that are named and not there, on which nobody waits. Compose refuses both: here they are what a part of a stack looks
like whose other files were not given. Source: compose-go 2 loader/normalize.go (networks), loader/validate.go.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sim.scenario.compose.left import NO, YES, Left
from sim.scenario.compose.stack import mapping, without_dependencies
from sim.scenario.text import Mark, Node
from sim.scenario.words import did_you_mean

IMPLIED = ("default", "bridge")
IN_ADDRESSES = "only in the addresses"
ADDRESSES = {"ipv4_address", "ipv6_address"}
CHANGES = {  # by key of a service, what hangs on a value that the model does not follow
    "networks": "only if a client comes from another container, or by a container's own address",
    "network_mode": f"{YES}: its ports are not those of a bridge",
    "ports": f"{YES}: this port is not there",
    "depends_on": "only if containers are started by compose up: the order is kept, the wait is not",
    "links": "only if containers are started by compose up: the order is kept, the wait is not",
    "deploy": f"{YES}: there is one container of it",
    "scale": f"{YES}: there is one container of it",
    "logging": "only if its program prints and nobody takes its lines",
    "log_driver": "only if its program prints and nobody takes its lines",
    "pid": "only for signals and numbers of processes",
    "healthcheck": "only for its health",
}


def whole(root: Node, beside: Collection[str], left: list[Left]) -> Node:
    """Return *root* with every network declared that a service names, and no word of services that are not there.

    *beside* are services that somebody adds; what is left out goes to *left*.
    """
    services, networks = root.child("services"), root.child("networks")
    if services is None or not isinstance(services.value, dict):
        return root
    declared = networks.value if networks is not None and isinstance(networks.value, dict) else {}
    known, kept, there = dict(declared), {}, {*services.value, *beside}
    for name, service in services.value.items():
        at = place(service, "networks")
        for net in names_in(service, "networks"):
            if net not in known and net not in IMPLIED:
                hint = did_you_mean(net, known) or "another file may declare it"
                left.append(Left(at, name, f"networks.{net}", f"no file declares it: {hint}", NO))
                known[net] = Node({}, at, at)
            if not has_subnet(declared.get(net)) and (bare := without_address(service, net)) is not service:
                why = "the subnet of its network stands in no file, so another address is given"
                left.append(Left(at, name, f"networks.{net}.ipv4_address", why, IN_ADDRESSES))
                service = bare
        kept[name] = alone(service, name, there, left)
    both = {**mapping(root), "services": replace(services, value=kept)}
    return replace(root, value={**both, "networks": replace(networks or services, value=known)} if known else both)


def alone(service: Node, name: str, there: Collection[str], left: list[Left]) -> Node:
    """Return a service that names none that is not *there*."""
    if not isinstance(service.value, dict):
        return service
    gone = [("depends_on", other) for other in names_in(service, "depends_on") if other not in there]
    kept = dict(mapping(without_dependencies(service, [other for _, other in gone])))
    links = kept.get("links")
    if links is not None and isinstance(links.value, list):
        named = [(it, str(it.value).partition(":")[0]) for it in links.value]
        gone += [("links", other) for _, other in named if other not in there]
        kept["links"] = replace(links, value=[it for it, other in named if other in there])
    for key in ("network_mode", "pid"):
        kind, colon, other = str(kept[key].value).partition(":") if key in kept else ("", "", "")
        if kind == "service" and colon and other not in there:
            gone.append((key, other))
            del kept[key]
    for key, other in gone:
        why = f"there is no such service: {did_you_mean(other, there) or 'give the file that has it too'}"
        left.append(Left(place(service, key), name, f"{key}.{other}", why, CHANGES[key]))
    return replace(service, value=kept)


def place(service: Node, key: str) -> Mark:
    """Return where *key* of a service stands."""
    node = service.child(key)
    return node.mark if node is not None else service.mark


def names_in(service: Node, key: str) -> list[str]:
    """Return the names in a list or a mapping of names."""
    said = service.child(key) if isinstance(service.value, dict) else None
    if said is None or not isinstance(said.value, dict | list):
        return []
    return list(said.value) if isinstance(said.value, dict) else [str(it.value) for it in said.value]


def has_subnet(network: Node | None) -> bool:
    """Return whether a network declares its subnet."""
    return network is not None and network.find(("ipam", "config", 0, "subnet")) is not None


def without_address(service: Node, network: str) -> Node:
    """Return a service without an address of its own in a network whose subnet nobody knows."""
    said = service.child("networks")
    if said is None or not isinstance(said.value, dict):
        return service
    options = said.value.get(network)
    if options is None or not isinstance(options.value, dict) or not ADDRESSES & set(options.value):
        return service
    bare = replace(options, value={key: it for key, it in options.value.items() if key not in ADDRESSES})
    return replace(service, value={**mapping(service), "networks": replace(said, value={**said.value, network: bare})})


# -- the network that Compose makes ----------------------------------------------------------------


def with_default_network(root: Node) -> Node:
    """Put services that name no network on the network `default`, as Compose does from version 2 on."""
    services = root.child("services")
    if not services or not isinstance(services.value, dict):
        return root
    joined = {name: join_default(node) for name, node in services.value.items()}
    if not any(is_on_default(node) for node in joined.values()):
        return root
    networks = root.child("networks")
    known = networks.value if networks and isinstance(networks.value, dict) else {}
    if "default" not in known:
        default = {"default": Node({}, services.mark, services.key)}
        networks = Node({**default, **known}, services.mark, services.key)
    assert networks is not None
    return replace(root, value={**mapping(root), "services": replace(services, value=joined), "networks": networks})


def is_on_default(service: Node) -> bool:
    """Return whether a service is on the network `default`, which needs no declaration."""
    return "default" in names_in(service, "networks")


def join_default(service: Node) -> Node:
    """Return *service* with `networks: [default]` if it says nothing about networks."""
    value = service.value
    if not isinstance(value, dict):
        return service
    said = value.get("networks")
    if any(key in value for key in ("network_mode", "net")) or (said is not None and said.value):
        return service
    return replace(
        service, value={**value, "networks": Node([Node("default", service.mark)], service.mark, service.key)}
    )

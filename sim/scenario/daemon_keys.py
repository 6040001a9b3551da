"""What daemon.json says of containers and networks, and what the engine's command line says in its place.

Models: flags of ExecStart= become keys under `engine.daemon`, as the engine takes them; a key that stands in both keeps
a real one from starting, and is refused. `bip` and `default-address-pools` give networks their subnets; `init` and `ip`
hold for containers that say nothing else. All of that is written out with the networks and containers. Leaves out pools
with subnets smaller than /24, and ports that say 0.0.0.0 themselves under `ip`. Source: dockerd(8); moby v1.13.1
daemon/config.go 470 (both), oci_linux.go 583 (init), daemon_unix.go 731 (ip); v26.1.5 libnetwork/ipams/defaultipam.
"""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Iterator
from dataclasses import replace

import msgspec

from sim.designs import Design
from sim.designs.takes import lacks
from sim.engine.setup import Service
from sim.scenario.check import Report, check
from sim.scenario.fields import subnet as read_subnet
from sim.scenario.noted import Noted
from sim.scenario.schema import DaemonFile
from sim.scenario.text import Node, Path, moved
from sim.scenario.words import Refusal

DAEMON: Path = ("engine", "daemon")
EXEC_START: Path = ("engine", "unit", "ExecStart")
BIP, POOLS = (*DAEMON, "bip"), (*DAEMON, "default-address-pools")
SMALL = Noted("subnets are /24 or larger in the model", "only in the addresses")
ANY = "0.0.0.0"
BRIDGE = "bridge"


def with_flags(root: Node, design: Design, report: Report) -> Node:
    """Return *root* with the flags of the engine's command line as keys of its daemon."""
    node = root.find(EXEC_START)
    if node is None or not isinstance(node.value, str):
        return root
    for key, value in design.engine.flags(_words(node.value)).items():
        there = root.find((*DAEMON, key))
        if there is None:
            root = _put(root, (*DAEMON, key), moved(value, node.mark), node)
        else:
            what = f"{key} is also a flag of engine.unit.ExecStart: the engine refuses to start."
            report.refuse(root, (*DAEMON, key), Refusal(what, "Say it once.", of_key=True))
    return root


def _words(line: str) -> list[str]:
    """Return a command line as words; one that systemd would not take is none."""
    try:
        return shlex.split(line.lstrip("-@:+!"))
    except ValueError:
        return []


def with_subnets(root: Node, design: Design, report: Report) -> Node:
    """Return *root* with a subnet for each network to which daemon.json gives one."""
    file = _daemon(root, design, report)
    if file is None:
        return root
    networks = root.child("networks")
    names = list(networks.value) if networks is not None and isinstance(networks.value, dict) else []
    pools = tuple(pool for pool in file.default_address_pools if _is_large(pool[1], root, POOLS, report))
    if file.bip is not None and _is_large(int(file.bip.rpartition("/")[2]), root, BIP, report):
        root = _with_subnet(root, BRIDGE, file.bip, BIP)
        names = [name for name in names if name != BRIDGE]
    elif pools and BRIDGE not in names:
        names = [BRIDGE, *names]  # docker0 is made first
    free = _free(root, pools)
    for name in names:
        subnet = next(free, None) if _subnet(root, name) is None else None
        if subnet is not None:
            root = _with_subnet(root, name, subnet, POOLS)
    return root


def _is_large(length: int, root: Node, path: Path, report: Report) -> bool:
    """Return whether a subnet is as large as the model has them; note the key otherwise."""
    if 8 <= length <= 24:
        return True
    report.note("engine.daemon", str(path[-1]), root.place(path, of_key=True), SMALL)
    return False


def by_daemon(service: Service, said: frozenset[str], file: DaemonFile) -> Service:
    """Return a container as the daemon makes it, whose file says the keys *said*."""
    init = service.init or (file.init and "init" not in said and not service.host_pid)
    if file.ip is None:
        return msgspec.structs.replace(service, init=init)
    ports = tuple(msgspec.structs.replace(it, ip=file.ip) if it.ip == ANY else it for it in service.ports)
    return msgspec.structs.replace(service, init=init, ports=ports)


def _daemon(root: Node, design: Design, report: Report) -> DaemonFile | None:
    """Return what daemon.json says, None where the engine reads none; what is wrong there is said elsewhere."""
    return check(DaemonFile, root, DAEMON, Report()) if reads_daemon_json(design) else None


def reads_daemon_json(design: Design) -> bool:
    """Return whether the design has a daemon that reads daemon.json: every version of it knows userland-proxy."""
    return not lacks(design, "daemon", "userland-proxy")


def _free(root: Node, pools: tuple[tuple[str, int], ...]) -> Iterator[str]:
    """Yield the subnets of the pools that no network of the file has, in their order."""
    networks = root.child("networks")
    names = list(networks.value) if networks is not None and isinstance(networks.value, dict) else []
    taken = {subnet for name in names if (subnet := _subnet(root, name)) is not None}
    for base, size in pools:
        subnets = map(str, ipaddress.IPv4Network(base, strict=False).subnets(new_prefix=size))
        yield from (subnet for subnet in subnets if _prefix(subnet) not in taken)


def _subnet(root: Node, name: str) -> str | None:
    """Return the prefix that the file gives a network; what is wrong there is said elsewhere."""
    node = root.find(("networks", name, "ipam", "config", 0, "subnet"))
    try:
        return None if node is None else _prefix(node.plain())
    except Refusal:
        return ""


def _prefix(value: object) -> str:
    return str(read_subnet(value).network_address).rpartition(".")[0] + "."


def _with_subnet(root: Node, name: str, subnet: str, why: Path) -> Node:
    cause = root.find(why)
    assert cause is not None
    network = ipaddress.IPv4Network(subnet, strict=False)
    value = moved({"config": [{"subnet": str(network)}]}, cause.mark)
    return root if _subnet(root, name) is not None else _put(root, ("networks", name, "ipam"), value, cause)


def _put(node: Node | None, path: Path, value: Node, cause: Node) -> Node:
    """Return *node* with *value* at *path*; mappings on the way are made, at the place of *cause*."""
    if not path:
        return replace(value, key=cause.key)
    below = node.value if node is not None and isinstance(node.value, dict) else {}
    first = str(path[0])
    whole = {**below, first: _put(below.get(first), path[1:], value, cause)}
    return Node(whole, cause.mark, cause.key) if node is None else replace(node, value=whole)

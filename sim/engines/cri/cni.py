"""CNI plugins: processes that the runtime runs to give a sandbox its network, and to take it away.

bridge makes the interfaces and runs host-local for the address; portmap forwards published ports (hostPort) by rules of
the packet filter, for clients on the host's loopback, too, and binds nothing. Addresses are noted on disk. The rules
stand under the names of `sim.engines.host.reach`. Leaves out host-local as a process of its own, the plugins' other
checks, names of neighbours (`from: dns` is always dark). Source: designs §1 (hostport DNAT via CNI) [S];
containernetworking plugins bridge, host-local, portmap [K].
"""

from __future__ import annotations

from typing import Any

from sim.engine.containers import pod
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.networks import address, numbers
from sim.engine.ops import Exit, Lock
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engine.setup import Service
from sim.engines.host.reach import NETNS, rules_for
from sim.kernel import syscalls
from sim.world import World

LEASES = "/var/lib/cni/networks/"
BIN = "/opt/cni/bin/"


def plugin(g: Goroutine, name: str, verb: str) -> Spawn:
    """Describe a run of plugin *name* for the sandbox in variable `c`; *verb* is add or del."""
    local = {"c": pod(g["c"])}
    return Spawn("cni", (BIN + name,), pod(g["c"]), main=f"{name}_{verb}", local=local)


def bridge_add(g: Goroutine) -> Spawn:
    """Make the network."""
    return plugin(g, "bridge", "add")


def portmap_add(g: Goroutine) -> Spawn | None:
    """Publish the ports, if there are any."""
    return plugin(g, "portmap", "add") if _service(g).ports else None


def portmap_del(g: Goroutine) -> Spawn | None:
    """Close the ports, if there are any."""
    return plugin(g, "portmap", "del") if _service(g).ports else None


def bridge_del(g: Goroutine) -> Spawn:
    """Take the network away."""
    return plugin(g, "bridge", "del")


def _service(g: Goroutine) -> Service:
    found: Service = g.world.services[pod(g["c"])]
    return found


def address_in(world: World, name: str) -> str:
    """Return the address of a pod, "" while it has no network."""
    return str(world.host.files.get(NETNS + pod(name), ""))


# -- the plugins -------------------------------------------------------------------------------------


def make(g: Goroutine) -> int:
    """Note the address after the last one that was given out, and make the interfaces; 1 if all are taken."""
    service, files = _service(g), g.world.host.files
    network, (first, most) = service.network, numbers(g.world, service.network)
    last: Any = files.get(f"{LEASES}{network}/last_reserved_ip.0", first - 1)
    after = (*range(last + 1, most + 1), *range(first, last + 1))
    number = next((number for number in after if f"{LEASES}{network}/{number}" not in files), None)
    if number is None:
        return 1
    syscalls.write_file(g.turn, f"{LEASES}{network}/{number}", service.name)
    syscalls.write_file(g.turn, f"{LEASES}{network}/last_reserved_ip.0", number)
    syscalls.write_file(g.turn, NETNS + service.name, address(g.world, network, number))
    return 0


def forward(g: Goroutine) -> int:
    """Add the rules of each published port; nobody looks whether another pod has it already."""
    place = address_in(g.world, g["c"])
    for port in _service(g).ports if place else ():
        for rule in rules_for(port, place):
            syscalls.add_rule(g.turn, rule)
    return 0


def close(g: Goroutine) -> int:
    """Remove the rules."""
    place = address_in(g.world, g["c"])
    for port in _service(g).ports if place else ():
        for rule in reversed(rules_for(port, place)):
            syscalls.remove_rule(g.turn, rule)
    return 0


def unmake(g: Goroutine) -> int:
    """Remove the interfaces, and give every address back that the pod has."""
    service = _service(g)
    for path, value in list(g.world.host.files.items()):
        if path.startswith(f"{LEASES}{service.network}/") and value == service.name:
            syscalls.remove_file(g.turn, path)
    syscalls.remove_file(g.turn, NETNS + service.name)
    return 0


PROGRAM = Program(
    "cni",
    (
        procedure("cni.bridge_add", Exit(make)),
        procedure("cni.portmap_add", Lock("kernel:xtables"), Exit(forward)),
        procedure("cni.portmap_del", Lock("kernel:xtables"), Exit(close)),
        procedure("cni.bridge_del", Exit(unmake)),
    ),
    role=Role(kind=Kind.ERRAND, order=180, target="container", brief=True, slows=True),
)
"""Locks of the packet filter are the kernel's."""

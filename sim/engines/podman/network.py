"""netavark: makes or takes away a container's network: namespace, bridge, and the rules of its published ports.

podman runs it under its networks' file lock, so that networks are made one after the other. It changes rules in one go,
under the packet filter's own lock. The rules stand under the names of `sim.engines.host.reach`, not netavark's own
chains. Leaves out aardvark-dns: names of neighbours are never found here. Source: designs §1, §4.2 (rebuilt at each
start) [S]; podman libnetwork/netavark/run.go (lock, ipam), netavark firewall/iptables.rs [K].
"""

from __future__ import annotations

from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Exit, Lock
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engines.host.reach import NETNS, address_in, rules_for
from sim.kernel import syscalls

NETAVARK = "/usr/libexec/podman/netavark"


def netavark(g: Goroutine, verb: str) -> Spawn:
    """Describe a run for the container in variable `c`; *verb* is setup or teardown."""
    local = {"c": g["c"], "address": g["address"]}
    return Spawn("netavark", (NETAVARK, verb, f"/run/netns/{g['c']}"), g["c"], main=verb, local=local)


def set_up(g: Goroutine) -> int:
    """Make the network: the container has its address, and its published ports are forwarded to it."""
    syscalls.write_file(g.turn, NETNS + g["c"], g["address"])
    for port in service_of(g).ports:
        for rule in rules_for(port, g["address"]):
            syscalls.add_rule(g.turn, rule)
    return 0


def tear_down(g: Goroutine) -> int:
    """Take it away again."""
    address = address_in(g.world, g["c"])
    if address is not None:
        for port in service_of(g).ports:
            for rule in reversed(rules_for(port, address)):
                syscalls.remove_rule(g.turn, rule)
        syscalls.remove_file(g.turn, NETNS + g["c"])
    return 0


PROGRAM = Program(
    "netavark",
    (
        procedure("netavark.setup", Lock("kernel:xtables"), Exit(set_up)),
        procedure("netavark.teardown", Lock("kernel:xtables"), Exit(tear_down)),
    ),
    role=Role(kind=Kind.ERRAND, order=170, target="container", brief=True, slows=True),
)

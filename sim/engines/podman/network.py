"""netavark: makes or takes away a container's network: namespace, bridge, and the rules of its published ports.

podman runs it under its networks' file lock, so that networks are made one after the other. It has iptables change rule
after rule, first those of the network, then those of the ports; here they change in two goes, under the packet filter's
own lock, and the iptables, one at a time, only take their numbers. The rules stand under the names of
`sim.engines.host.reach`, not netavark's own chains. Leaves out addresses on networks beside the first, aardvark-dns
(names of neighbours are never found here) and the numbers that a teardown takes, which were not counted. Source:
designs §1, §4.2 (rebuilt at each start) [S]; podman v5.4.2 with netavark 1.14.0: process numbers from podman to the
program 45 with a bridge, 53 with a port, 64 with the first one of a host [M]; podman libnetwork/netavark/run.go (lock,
ipam) [K].
"""

from __future__ import annotations

from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Label, Lock
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


NUMBERS, NUMBERS_OF_A_PORT = 32, 8


def set_up(g: Goroutine) -> str | None:
    """Make the network: the container has its address."""
    syscalls.skip_ids(g.turn, NUMBERS)
    syscalls.write_file(g.turn, NETNS + g["c"], g["address"])
    return None if service_of(g).ports else "no_ports"


def forward(g: Goroutine) -> int:
    """Forward the published ports to it."""
    for port in service_of(g).ports:
        syscalls.skip_ids(g.turn, NUMBERS_OF_A_PORT)
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
        procedure(
            "netavark.setup",
            Lock("kernel:xtables"),
            Do(set_up, "no_ports"),
            Exit(forward),
            Label("no_ports"),
            Exit(0),
        ),
        procedure("netavark.teardown", Lock("kernel:xtables"), Exit(tear_down)),
    ),
    role=Role(kind=Kind.ERRAND, order=170, target="container", brief=True, slows=True),
)

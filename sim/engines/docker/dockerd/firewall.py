"""dockerd hears on D-Bus that firewalld has reloaded: chains, networks' rules and all mappings are made again.

Every version does (v1.10.3 to v28), if firewalld ran when it began; here it did. What listens is a goroutine of its
own: it goes through the callbacks one after the other, the port mapper's lock held for each mapping. A rule that fails
is only logged. Leaves out firewalld itself, by whom dockerd has iptables run (Passthrough), its zones but that none of
them opens a published port, and the rules of links. Source: v1.13.1 below vendor, iptables/firewalld.go 95-135
signalHandler, reloaded; drivers/bridge/bridge.go 395, setup_firewalld.go 16-17; portmapper/mapper.go 202-214 ReMapAll;
moby v26.1.5 libnetwork/iptables/firewalld.go 93-135, drivers/bridge/bridge_linux.go 441-458, setup_firewalld.go 22-23,
portmapper/mapper_linux.go 229-241; v28.0.0 setup_firewalld.go 22-23 reapplyPerPortIptables4.
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.engine import daemon_of
from sim.engine.goroutine import Goroutine, start_frame
from sim.engine.ops import Do, Goto, Label, Lock, Unlock
from sim.engine.procedure import procedure
from sim.engine.records import Endpoint
from sim.engines.docker.dockerd.controller import create_chains, create_chains_of_ipv6
from sim.engines.docker.dockerd.network import add_rules


def set_up_network(g: Goroutine) -> str | None:
    """Make the next network's rules again, and after the last one look for what is mapped."""
    g["n"] = g["n"] + 1
    if g["n"] < sum(it.driver == "bridge" for it in g.world.setup.networks):
        return "network"
    endpoints = ((name, g.recall(f"endpoint/{name}")) for name in g.world.services)
    g["todo"] = tuple(
        (name, number)
        for name, endpoint in endpoints
        if isinstance(endpoint, Endpoint)
        for number in range(len(endpoint.proxy_pids))
    )
    return None


def next_mapped(g: Goroutine) -> str | None:
    """Go on with the next mapping."""
    if not g["todo"]:
        return "all"
    (g["c"], g["i"]), g["todo"] = g["todo"][0], g["todo"][1:]
    g["network"] = g.world.services[g["c"]].network
    return None


def still_mapped(g: Goroutine) -> str | None:
    """Pass over one that has been taken back meanwhile."""
    endpoint = g.recall(f"endpoint/{g['c']}")
    return None if isinstance(endpoint, Endpoint) and g["i"] < len(endpoint.proxy_pids) else "rule_failed"


FIREWALL_RELOADED = procedure(
    "dockerd.firewall_reloaded",
    Do(create_chains, "chains_made"),
    Do(create_chains_of_ipv6),
    Label("chains_made"),
    Label("network"),
    Do(set_up_network, "network"),
    Label("next"),
    Do(next_mapped, "all"),
    Lock("portmapper/{network}"),
    Do(still_mapped, "rule_failed"),
    add_rules("again_"),
    Label("rule_failed"),
    Unlock("portmapper/{network}"),
    Goto("next"),
    Label("all"),
)


def hear_of_reload(g: Goroutine) -> None:
    """Let the dockerd that runs hear the signal; one whose network controller is not ready makes all rules anyway."""
    pid = daemon_of(g.world)
    if pid is not None and g.world.host.listeners.get(paths.SETKEY_SOCK) == pid:
        start_frame(g.turn, pid, "dockerd.firewall_reloaded", "", {"n": 0, "todo": ()})

"""The network controller of a dockerd that begins: chains, networks, the ports of stored endpoints, sandboxes.

The engine's chains are removed first: from here on clients that come by DNAT are refused. They are made anew, then each
network's own rules, and only then the ports of every stored endpoint are mapped. If one cannot be mapped, those of the
same endpoint that were mapped before it are taken back; that is only logged, and the container runs on without any.
Then sandboxes that nobody uses are deleted, and the others restored one by one: on a user-defined network the
resolver's rules are made again. The hook's socket opens last. Leaves out swarm, plugins, firewalld, that ip6tables need
`experimental` up to 26, and single runs of iptables but those for ports: their number is in what the ops cost. Source:
moby v26.1.5 libnetwork/controller.go New, drivers/bridge/bridge_linux.go 432-486 configure, setup_ip_tables_linux.go,
bridge_store.go restorePortAllocations, port_mapping_linux.go allocatePortsInternal, sandbox_store.go sandboxCleanup;
likewise v1.13.1 below vendor; engine-1.13 §6, §16.6.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.goroutine import Goroutine
from sim.engine.networks import endpoint_name, has_resolver
from sim.engine.ops import Do, Go, Goto, Join, Label, run
from sim.engine.procedure import procedure
from sim.engine.records import Endpoint
from sim.engine.settings import daemon_of
from sim.engines.docker.dockerd.network import map_ports, release_endpoint, unmap_ports
from sim.engines.docker.dockerd.set_key import setup_resolver
from sim.engines.host.reach import ACCEPT, DNAT
from sim.kernel import syscalls
from sim.kernel.events import RulesFlushed

# -- chains and networks ---------------------------------------------------------------------------


def start_controller(g: Goroutine) -> None:
    """Remove the engine's chains."""
    for chain in (DNAT, ACCEPT):
        g.emit(RulesFlushed(chain))
    g["n"] = 0


def create_chains(g: Goroutine) -> str | None:
    """Make the chains again; those of IPv6 are removed and made after them if the daemon has any."""
    return None if daemon_of(g.world, g.pid).ip6tables else "chains_made"


def create_chains_of_ipv6(g: Goroutine) -> None:
    """Do the same with ip6tables: no mapping goes by them, since no network has addresses of that family."""


def set_up_network(g: Goroutine) -> str | None:
    """Set the next network's bridge up, with its rules; after the last one load every stored endpoint."""
    g["n"] = g["n"] + 1
    if g["n"] < sum(it.driver == "bridge" for it in g.world.setup.networks):
        return "network"
    stored = []
    for name, service in g.world.services.items():
        for network in service.networks:
            place = endpoint_name(service, network)
            endpoint = g.world.host.files.get(paths.ENDPOINTS + place)
            if not isinstance(endpoint, Endpoint):
                continue
            g.remember(f"endpoint/{place}", replace(endpoint, proxy_pids=()))
            if endpoint.address:
                g.remember(f"address/{endpoint.network}/{endpoint.number}", name)
            if place == name:
                stored.append(name)
    g["todo"], g["n"] = tuple(stored), 0
    return None


# -- stored endpoints ------------------------------------------------------------------------------


def next_mapping(g: Goroutine) -> str | None:
    """Go on with the next stored endpoint that has ports."""
    todo, n = g["todo"], g["n"]
    while n < len(todo) and not g.recall(f"endpoint/{todo[n]}").ports:
        n += 1
    if n == len(todo):
        g["n"] = 0
        return "all_mapped"
    g["c"], g["n"], g["i"] = todo[n], n + 1, 0
    g["network"] = g.world.services[todo[n]].network
    return None


def without_ports(g: Goroutine) -> None:
    """Keep no mapping of the endpoint: those that there were have been taken back."""
    g.remember(f"endpoint/{g['c']}", replace(g.recall(f"endpoint/{g['c']}"), proxy_pids=()))


TAKE_BACK = procedure("dockerd.take_back", unmap_ports(), Do(without_ports))


def next_stale(g: Goroutine) -> str | None:
    """Go on with the next endpoint whose container was not taken over.

    That of one that was, and has ended since, stays until its next start. One that no stored sandbox lists (a crash
    before SetKey) is deleted without its ports: rules, proxy and reservation stay until this dockerd ends (endpoint.go
    cleanupLocalEndpoints; T49).
    """
    todo, n = g["todo"], g["n"]
    while n < len(todo) and todo[n] in g.recall("active", ()):
        n += 1
    if n == len(todo):
        g["todo"], g["n"] = tuple(name for name in todo if has_resolver(g.world.services[name])), 0
        return "all_clean"
    g["c"], g["n"] = todo[n], n + 1
    return None if paths.SANDBOXES + todo[n] in g.world.host.files else "no_sandbox"


def next_kept(g: Goroutine) -> str | None:
    """Go on with the next container that was taken over and whose network has names."""
    kept = [name for name in g["todo"] if name in g.recall("active", ())]
    if g["n"] >= len(kept):
        return "all_restored"
    g["c"], g["n"] = kept[g["n"]], g["n"] + 1
    return None


def restore_sandbox(g: Goroutine) -> None:
    """Have its resolver's rules made again (sandbox_linux.go restoreOslSandbox, startResolver)."""


def listen_for_hooks(g: Goroutine) -> None:
    """Open libnetwork's own socket, by which a start asks for its network."""
    syscalls.unlisten(g.turn, paths.SETKEY_SOCK)
    syscalls.listen(g.turn, g.pid, paths.SETKEY_SOCK)
    g.start("dockerd.setkey")


CONTROLLER = (
    Do(start_controller),
    Do(create_chains, "chains_made"),
    Do(create_chains_of_ipv6),
    Label("chains_made"),
    Label("network"),
    Do(set_up_network, "network"),
    Label("next_mapping"),
    Do(next_mapping, "all_mapped"),
    map_ports(),
    Go("take_back", "{c}", "c", into="job"),
    Join("job"),
    Label("mapped"),
    Goto("next_mapping"),
    Label("all_mapped"),
    Do(next_stale, "all_clean", "no_sandbox"),
    unmap_ports(),
    Label("no_sandbox"),
    Do(release_endpoint),
    Goto("all_mapped"),
    Label("all_clean"),
    Do(next_kept, "all_restored"),
    run(setup_resolver),
    Do(restore_sandbox),
    Goto("all_clean"),
    Label("all_restored"),
    Do(listen_for_hooks),
)

"""Addresses, ports, rules and proxies: what libnetwork does inside dockerd.

Addresses are handed out lowest free first. A published port is reserved, gets its three rules (each checked, then
appended), then its proxy, all under the network's port-mapper lock; unmapping goes the other way round. Leaves out veth
pairs, other drivers, and the count of rules. Source: L portmapper/mapper.go, bridge/port_mapping.go, bitseq;
engine-1.13 §2 steps 2 to 4, §3.1 step 7.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import pins, service_of
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.networks import address, base_of, bound, endpoint_name, number_in, numbers
from sim.engine.ops import Do, Fork, Goto, Label, Lock, Reap, Unlock, Wait, reading, run
from sim.engine.records import Endpoint
from sim.engine.settings import daemon_of
from sim.engine.setup import HOST, NONE, Port, PortRange, S, Service
from sim.engine.traits import traits
from sim.engines.docker.dockerd.ranges import ALL_ALLOCATED, pick_port
from sim.engines.docker.netfilter import iptables
from sim.engines.docker.proxy import proxy
from sim.engines.host.reach import NETNS, cut_off, rules_for
from sim.facts import EngineEvent, Forgot
from sim.kernel import syscalls
from sim.kernel.records import Pid
from sim.world import Frame, Key, World

NO_CONNECTIVITY = "driver failed programming external connectivity on endpoint"
PROXY_WAIT = 16 * S


# -- addresses -------------------------------------------------------------------------------------


def pick_address(g: Goroutine, service: Service, network: str) -> int | None:
    """Reserve an address of a network: the one asked for (`ipv4_address`), else the lowest free one.

    One that was observed for a first start goes before. None, with the error, if it is taken, or if all are but the
    network's own, the gateway's (the first) and the broadcast address (the last). The host's network and none have no
    addresses: the number is 0.
    """
    if network in (HOST, NONE):
        return 0
    base, held, asked = base_of(g.world, network), _held_back(g, network), dict(service.fixed).get(network)
    pinned = service.pins.address if network == service.network else None
    if asked is not None or pinned in held:
        number = number_in(base, asked or str(pinned))
        if asked is not None and g.recall(f"address/{network}/{number}"):
            g["error"] = "Address already in use"  # ipamapi.ErrIPAlreadyAllocated
            return None
    else:
        first, most = numbers(g.world, network)
        number = g.recall(f"ipam/{network}", first)
        while g.recall(f"address/{network}/{number}") or address(g.world, network, number) in held:
            number += 1
        if number > most:
            g["error"] = f"no available IPv4 addresses on this network's address pools: {network}"
            return None
        if not held:
            g.remember(f"ipam/{network}", number + 1)
    g.remember(f"address/{network}/{number}", service.name)
    return number


def _held_back(g: Goroutine, network: str) -> dict[str, None]:
    """Return the observed addresses (x-address) of containers that have not been started yet."""
    held: dict[str, None] = {}
    for service in g.world.pinned:
        record = g.recall(f"container/{service.name}")
        if service.network == network and (record is None or not record.started):
            held[service.pins.address] = None
    return held


def free_address(g: Goroutine, endpoint: Endpoint) -> None:
    """Give an address back, if it is one."""
    if not endpoint.address:
        return
    g.emit(Forgot(g.pid, f"address/{endpoint.network}/{endpoint.number}"))
    first = g.recall(f"ipam/{endpoint.network}", numbers(g.world, endpoint.network)[0])
    if endpoint.number < first:
        g.remember(f"ipam/{endpoint.network}", endpoint.number)


# -- ports -----------------------------------------------------------------------------------------


def endpoint_of(g: Goroutine) -> Endpoint:
    """Return the endpoint of the container in variable `c` on the network by which its ports are published."""
    endpoint = g.recall(f"endpoint/{g['c']}")
    assert isinstance(endpoint, Endpoint)
    return endpoint


def port_of(g: Goroutine) -> Port:
    """Return the port that is being mapped or unmapped: number `i` of the endpoint."""
    port: Port = endpoint_of(g).ports[g["i"]]
    return port


def reserve_port(g: Goroutine) -> str | None:
    """Reserve the host port inside dockerd, of a range a free one.

    One that is taken there is refused before anything is tried.
    """
    if isinstance(port_of(g), PortRange) and not pick_port(g, endpoint_of(g), g["i"]):
        g["error"] = ALL_ALLOCATED
        return "port_failed"
    port = port_of(g)
    if g.recall(bound(port)) is not None:
        g["error"] = f"Bind for {port.ip}:{port.host} failed: port is already allocated"
        return "port_failed"
    if traits(g.world, g.pid).binds_first and syscalls.conflicts(g.world.host, bound(port)):
        taken = f"failed to bind host port for {port.ip}:{port.host}:{endpoint_of(g).address}:{port.container}"
        g["error"] = f"{taken}/{port.proto}: address already in use"
        return "port_failed"
    g.remember(bound(port), g["c"])
    return None


def _rule_run(verb: str, number: int) -> Any:
    def iptables_run(g: Goroutine) -> Spawn | None:
        if ":" in port_of(g).ip:
            return None  # ip6tables are for networks with addresses of that family
        return iptables(verb, rules_for(port_of(g), endpoint_of(g).address)[number])

    return iptables_run


def add_rules(prefix: str) -> list[Any]:
    """Check each of the three rules, and append it if it does not stand; one that fails leads to `rule_failed`."""
    return [
        [
            run(_rule_run("-C", number), good=f"{prefix}rule{number}"),
            run(_rule_run("-A", number), bad="rule_failed"),
            Label(f"{prefix}rule{number}"),
        ]
        for number in range(3)
    ]


def delete_rules(prefix: str) -> list[Any]:
    """Check each of the three rules, and delete it if it stands."""
    return [
        [
            run(_rule_run("-C", number), bad=f"{prefix}norule{number}"),
            run(_rule_run("-D", number)),
            Label(f"{prefix}norule{number}"),
        ]
        for number in range(3)
    ]


def start_proxy(g: Goroutine) -> Spawn | None:
    """Describe the proxy of the port, unless the daemon runs without userland proxies."""
    if not daemon_of(g.world, g.pid).userland_proxy:
        return None
    return proxy(traits(g.world, g.pid).words.proxy, service_of(g), port_of(g), endpoint_of(g).address)


def proxy_pin(world: World, frame: Frame) -> Pid | None:
    """Return the number that was observed for the proxy of port `i`."""
    index = frame.local["i"]
    return next(iter(pins(world, frame).proxy[index : index + 1]), None)


def _proxy_keys(world: World, frame: Frame) -> tuple[Key, ...]:
    endpoint = world.recall(frame.fid[0], f"endpoint/{frame.local['c']}")
    address = bound(endpoint.ports[frame.local["i"]])
    return (("listen", address), ("proc", frame.local["proxy_pid"]))


@reading(_proxy_keys)
def proxy_ready(world: World, frame: Frame) -> bool | str:
    """Say whether the proxy has written "0\\n" to its descriptor 3: it listens; or that it has left."""
    pid = frame.local["proxy_pid"]
    if pid is None:
        return True
    if not world.host.alive(pid):
        return "proxy_failed"
    return bool(world.host.listeners.get(_proxy_keys(world, frame)[0][1]) == pid)


def port_mapped(g: Goroutine) -> str | None:
    """Keep the proxy's pid, and go on with the next port.

    Without a proxy dockerd binds the port itself, so that nobody else does, and never accepts (portmapper/proxy.go
    dummyProxy; since 28 before the rules).
    """
    endpoint = endpoint_of(g)
    if not daemon_of(g.world, g.pid).userland_proxy:
        if syscalls.conflicts(g.world.host, bound(port_of(g))):
            g["error"] = f"{NO_CONNECTIVITY} {g['c']}: {in_use(g)}"
            return "not_held"
        syscalls.listen(g.turn, g.pid, bound(port_of(g)))
    g.remember(f"endpoint/{g['c']}", replace(endpoint, proxy_pids=(*endpoint.proxy_pids, g["proxy_pid"])))
    if traits(g.world, g.pid).waits_for_proxies and g["proxy_pid"] is not None:
        g.start("dockerd.wait_proxy", g["c"], proxy_pid=g["proxy_pid"])  # a name has no process's number in it
        lock_thread(g)
    g["i"] = g["i"] + 1
    return "map_next" if g["i"] < len(endpoint.ports) else None


def lock_thread(g: Goroutine) -> None:
    """Have a thread for each proxy that is waited for; one whose proxy has ended is idle and serves the next (Go)."""
    waited, locked = g.world.running(g.pid, "dockerd.wait_proxy"), g.recall("proxy_threads", 0)
    if waited > locked:
        syscalls.start_threads(g.turn, g.pid, 1)
        g.remember("proxy_threads", waited)


def free_port(g: Goroutine) -> None:
    """Free the host port inside dockerd."""
    g.emit(Forgot(g.pid, bound(port_of(g))))


def proxy_error(g: Goroutine) -> None:
    """Say why the mapping failed: what the proxy's pipe says, or that it said nothing for 16 s."""
    why = in_use(g)
    if g["late"]:
        why, g["late"] = "Timed out proxy starting the userland proxy", False
    elif not syscalls.conflicts(g.world.host, bound(port_of(g))):
        why = ""  # it was killed before it could say anything
    g["error"] = f"{NO_CONNECTIVITY} {g['c']}: Error starting userland proxy: {why}"


def in_use(g: Goroutine) -> str:
    """Return what Go says of a port that cannot be bound."""
    port = port_of(g)
    family = "" if len(traits(g.world, g.pid).proxy_addresses) == 1 else "6" if ":" in port.ip else "4"
    return f"listen {port.proto}{family} {port.ip}:{port.host}: bind: address already in use"


def rule_error(g: Goroutine) -> None:
    """Say that iptables has failed. The rules of the port that stand by then are left (mapper.go MapRange [K])."""
    g["error"] = f"{NO_CONNECTIVITY} {g['c']}:  (iptables failed: iptables --wait -A: signal: killed)"


def map_ports() -> list[Any]:
    """Map the endpoint's ports from number `i` on; a port that fails leads to label `port_failed`, lock released."""
    return [
        Label("map"),
        Lock("portmapper/{network}"),
        Do(reserve_port, "port_failed"),
        add_rules(""),
        Fork(start_proxy, "proxy_pid", proxy_pin),
        Wait(proxy_ready, "proxy_failed", within=PROXY_WAIT, late="proxy_late"),
        Do(port_mapped, "map_next", "not_held"),
        Unlock("portmapper/{network}"),
        Goto("mapped"),
        Label("map_next"),
        Unlock("portmapper/{network}"),
        Goto("map"),
        Label("proxy_late"),
        Do(proxy_too_late),
        Label("proxy_failed"),
        Reap("proxy_pid"),
        Do(proxy_error),
        Label("not_held"),
        delete_rules("failed_"),
        Goto("free"),
        Label("rule_failed"),
        Do(rule_error),
        Label("free"),
        Do(free_port),
        Label("port_failed"),
        Unlock("portmapper/{network}"),
    ]


def proxy_too_late(g: Goroutine) -> None:
    """Give up on a proxy that says nothing for 16 s: INT, and wait for its end with the port mapper's lock held.

    One that is stopped takes no INT, and nobody else maps or unmaps a port of the network any more.
    """
    g["late"] = True
    g.kill(g["proxy_pid"], "INT")


# -- unmapping -------------------------------------------------------------------------------------


def first_mapped(g: Goroutine) -> str | None:
    """Begin with the first port that is mapped."""
    endpoint = g.recall(f"endpoint/{g['c']}")
    g["i"], g["network"] = 0, service_of(g).network
    return None if endpoint is not None and endpoint.proxy_pids else "unmapped"


def stop_proxy(g: Goroutine) -> None:
    """Send INT to the port's proxy; dockerd waits for it (a zombie is reaped here, unless that was done before).

    Without a proxy it closes its own socket.
    """
    pid = endpoint_of(g).proxy_pids[g["i"]]
    g["proxy_pid"] = pid
    if pid is not None:
        g.kill(pid, "INT")
    elif g.world.host.listeners.get(bound(port_of(g))) == g.pid:
        syscalls.unlisten(g.turn, bound(port_of(g)))


def port_unmapped(g: Goroutine) -> str | None:
    """Free the port, and go on with the next that is mapped."""
    free_port(g)
    g["i"] = g["i"] + 1
    return "unmap_next" if g["i"] < len(endpoint_of(g).proxy_pids) else None


def unmap_ports() -> list[Any]:
    """Stop the proxies and delete the rules of every mapped port; ends at label `unmapped`."""
    return [
        Do(first_mapped, "unmapped"),
        Label("unmap"),
        Lock("portmapper/{network}"),
        Do(stop_proxy),
        Reap("proxy_pid", shared=True),
        delete_rules("un"),
        Do(port_unmapped, "unmap_next"),
        Unlock("portmapper/{network}"),
        Goto("unmapped"),
        Label("unmap_next"),
        Unlock("portmapper/{network}"),
        Goto("unmap"),
        Label("unmapped"),
    ]


def release_endpoint(g: Goroutine) -> None:
    """Delete the sandbox and its endpoints, and give the addresses back."""
    if g.recall(f"endpoint/{g['c']}") is None:
        return
    service = service_of(g)
    cut_off(g.turn, g["c"])
    for network in service.networks:
        name = endpoint_name(service, network)
        endpoint = g.recall(f"endpoint/{name}")
        if endpoint is not None:
            free_address(g, endpoint)
            g.emit(Forgot(g.pid, f"endpoint/{name}"))
            syscalls.remove_file(g.turn, paths.ENDPOINTS + name)
    for path in (paths.SANDBOXES + g["c"], NETNS + g["c"]):
        syscalls.remove_file(g.turn, path)


def network_event(g: Goroutine, action: str, network: str) -> None:
    """State that a container was connected to or disconnected from a network."""
    g.emit(EngineEvent("network", action, g["c"], (("name", network),)))


def release_network(g: Goroutine) -> None:
    """Release what `unmap_ports` left, and say so; nothing where no sandbox is left (container_operations.go 923).

    Of several networks each is told, in the order of a map of Go's, which is chance: here in that of their connection.
    """
    if g.recall(f"endpoint/{g['c']}") is not None:
        release_endpoint(g)
        for network in service_of(g).networks:
            network_event(g, "disconnect", network)

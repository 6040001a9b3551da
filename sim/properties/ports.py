"""Invariants of published ports: V8, V9 and V25.

A port has its proxy where the container's proxy listens at the address on the host. A container has stopped where a
dockerd that serves believes it and holds no lock of it: starts, exits and removals hold that lock until the network is
as it should be. Source: engine-1.13 §24, §16.8, §16.10.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.engine.networks import bound
from sim.engine.role import Kind
from sim.engine.setup import Port
from sim.engines.host.reach import address_of, listening, reachable
from sim.kernel.records import Pid
from sim.predicates import believed, dockerd, programs, said_to_run, serving
from sim.properties.words import first
from sim.world import World

Faults = Iterator[str]


def one_proxy_a_port(world: World) -> Faults:
    """Find ports of running containers without their proxy, and proxies of stopped ones (V8)."""
    if not world.setup.engine.daemon.userland_proxy:
        return
    pid, proxy = dockerd(world), first(world.design.of_kind(Kind.FORWARDER))
    said = {name for name, _ in said_to_run(world)}
    for name, service in world.services.items():
        if not service.ports:
            continue
        if name in said and programs(world, name):
            for port in service.ports:
                if pid is None or all(_parent_of_proxy(world, name, it) != pid for it in port.singles()):
                    yield f"{bound(port)} of {name} has no {proxy} that is a child of {world.design.traits.engine}"
        elif _has_stopped(world, name):
            for port in service.published:
                if _parent_of_proxy(world, name, port) is not None:
                    yield f"{bound(port)} has a {proxy}, and {name} does not run"


def port_is_free(world: World) -> Faults:
    """Find host ports that are still taken for a stopped container (V9)."""
    pid = serving(world)
    if pid is None:
        return
    for name, service in world.services.items():
        if not service.ports or not _has_stopped(world, name):
            continue
        for port in service.published:
            if _parent_of_proxy(world, name, port) is not None or world.recall(pid, bound(port)) == name:
                yield f"{bound(port)} is still taken for {name}"


def _parent_of_proxy(world: World, name: str, port: Port) -> Pid | None:
    """Return whose child the container's proxy is that listens for a port; None if there is no such proxy."""
    listener = world.host.listeners.get(bound(port))
    process = None if listener is None else world.host.procs[listener]
    if process is None or process.image.container != name:
        return None
    if world.design.roles[process.image.program].kind is not Kind.FORWARDER:
        return None
    return process.ppid


def _has_stopped(world: World, name: str) -> bool:
    """Say whether a dockerd that serves believes that a container does not run, and is not at work on it."""
    pid = serving(world)
    if pid is None or world.lock(pid, f"container/{name}") is not None:
        return False
    record = believed(world, name)
    return record is None or not record.running


def ports_outlast_dockerd(world: World) -> Faults:
    """Find ports that are closed while no daemon serves, although their programs answer (V25)."""
    if serving(world) is not None:
        return
    away = f" while {world.design.traits.engine} is away" if world.design.traits.engine else ""
    for name, service in world.services.items():
        for port in service.ports:
            address = address_of(world, name, port)
            if address is None or not listening(world, address):
                continue
            for client in _clients(port):
                if not any(reachable(world, it.host, client, port.proto) for it in port.singles()):
                    yield f"port {port.host} of {name} is closed to {client} clients{away}"


def _clients(port: Port) -> tuple[str, ...]:
    if port.ip == "0.0.0.0":
        return ("remote", "loopback")
    if ":" in port.ip:
        return ("remote6", "loopback6") if port.ip == "::" else ("loopback6",) if port.ip == "::1" else ("remote6",)
    return ("loopback",) if port.ip.startswith("127.") else ("remote",)

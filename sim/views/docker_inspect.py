"""What `docker inspect` tells of a container: what dockerd believes, and what `docker create` was given.

Models: the keys that a run knows, in the order of the engine's structs. Leaves out every other key (ids of images and
sandboxes, gateways, mounts, cgroup limits): they are missing, not empty. A StartedAt before the run is not known and
left out as well. The real command waits for the container's lock; this does not. Source: D daemon/inspect.go,
api/types ContainerJSONBase, ContainerState, NetworkSettings; daemon getPortMapInfo and releaseNetwork: Ports is null
without a network, {} without a published port [K].
"""

from __future__ import annotations

from typing import Any

from sim.engine.records import Container, Endpoint
from sim.engine.setup import Service
from sim.engine.systemd import unit_of
from sim.views.rows import ContainerRow, When
from sim.views.story import Story


def inspected(story: Story, name: str) -> dict[str, Any] | None:
    """Return one container as `docker inspect` orders it; None if dockerd does not know it."""
    record = story.believed(name)
    if record is None:
        return None
    service = story.world.services[name]
    row = next(row for row in story.containers() if row.name == name)
    return {
        "Id": row.id,
        "Created": When(row.created),
        "Path": row.path,
        "Args": list(row.args),
        "State": state(row, record),
        "LogPath": _log_path(service),
        "Name": f"/{name}",
        "RestartCount": record.restart_count,
        "HostConfig": _host_config(service, record),
        "Config": _config(service),
        "NetworkSettings": _network(story, service, row),
    }


def state(row: ContainerRow, record: Container) -> dict[str, Any]:
    """Return the State object: the words and flags of a row, and what only the record holds."""
    return {
        "Status": row.state,
        "Running": row.running,
        "Paused": row.paused,
        "Restarting": row.restarting,
        "OOMKilled": record.oom_killed,
        "Dead": row.dead,
        "Pid": record.pid,
        "ExitCode": row.exit_code,
        "Error": record.error,
        "StartedAt": When(row.started),
        "FinishedAt": When(row.finished),
    }


def _log_path(service: Service) -> str:
    """Return the file of the log: journald has none for one container alone."""
    folder = f"/var/lib/docker/containers/{service.id}"
    return f"{folder}/{service.id}-json.log" if service.log_driver == "json-file" else ""


def _host_config(service: Service, record: Container) -> dict[str, Any]:
    policy = record.policy
    return {
        "LogConfig": {"Type": service.log_driver},
        "NetworkMode": "default" if service.network == "bridge" else service.network,
        "PortBindings": _bindings(service, anywhere=""),
        "RestartPolicy": {"Name": policy.name, "MaximumRetryCount": policy.max},
    }


def _config(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = {"Image": service.image, "Labels": dict(sorted(service.labels))}
    if service.stop_signal is not None:
        found["StopSignal"] = f"SIG{service.stop_signal}"
    return found


def _network(story: Story, service: Service, row: ContainerRow) -> dict[str, Any]:
    """Return addresses and ports: both are given up together with the network, and so is the address of bridge."""
    endpoint = story.world.recall(unit_of(story.world).main_pid, f"endpoint/{service.name}")
    joined = row.running and not row.restarting and isinstance(endpoint, Endpoint)
    address = endpoint.address if joined else ""
    return {
        "Ports": _bindings(service, anywhere="0.0.0.0") if joined else None,
        "IPAddress": address if service.network == "bridge" else "",
        "Networks": {service.network: {"IPAddress": address}},
    }


def _bindings(service: Service, *, anywhere: str) -> dict[str, list[dict[str, str]]]:
    """Return the published ports by container port; *anywhere* is how an address that was not asked for is written."""
    found: dict[str, list[dict[str, str]]] = {}
    for port in sorted(service.ports, key=lambda port: f"{port.container}/{port.proto}"):
        ip = anywhere if port.ip == "0.0.0.0" else port.ip
        found.setdefault(f"{port.container}/{port.proto}", []).append({"HostIp": ip, "HostPort": str(port.host)})
    return found

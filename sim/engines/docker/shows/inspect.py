"""What `docker inspect` prints of containers: what dockerd believes, and what `docker create` was given.

Models: the keys that a run knows, in the order of the engine's structs. Leaves out every other key (ids of images and
sandboxes, gateways, mounts, cgroup limits): they are missing, not empty. A StartedAt before the run is not known and
left out as well, and so is what a probe has printed. The real command waits for the container's lock; this does not.
Source: D daemon/inspect.go, health.go, api/types ContainerJSONBase, ContainerState, Health, NetworkSettings; daemon
getPortMapInfo and releaseNetwork: Ports is null without a network, {} without a published port [K]; docker 1.13.1,
cli/command/inspect.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sim.engine.networks import endpoint_name
from sim.engine.records import Container, Endpoint
from sim.engine.setup import Port, PortRange, Service
from sim.engines.host.systemd.unit import unit_of
from sim.render.clean import printable
from sim.render.go_json import go_json
from sim.views.probes import Found, Probe
from sim.views.rows import ContainerRow, When
from sim.views.story import Story


def inspected(story: Story, name: str) -> dict[str, Any] | None:
    """Return one container as `docker inspect` orders it; None if dockerd does not know it."""
    record, row = story.believed(name), story.container(name)
    if record is None or row is None:
        return None
    service = story.world.services[name]
    return {
        "Id": row.id,
        "Created": When(row.created),
        "Path": row.path,
        "Args": list(row.args),
        "State": {**state(row, record), **_health(story, service)},
        "LogPath": _log_path(service),
        "Name": f"/{row.name}",
        "RestartCount": record.restart_count,
        "HostConfig": _host_config(story, service, record),
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


def _health(story: Story, service: Service) -> dict[str, Any]:
    """Return the Health object, if there is one; its results are the only times that are told in local time."""
    health = story.health(service.name)
    if health is None or service.healthcheck is None:
        return {}
    status, found = health
    return {"Health": {"Status": status, **_found(story, found, service.healthcheck.timeout)}}


def _found(story: Story, found: Found, limit: int) -> dict[str, Any]:
    known: dict[str, Any] = {} if found.streak is None else {"FailingStreak": found.streak}
    return known if found.log is None else {**known, "Log": [_result(story, probe, limit) for probe in found.log]}


def _result(story: Story, probe: Probe, limit: int) -> dict[str, Any]:
    start, end = (When(story.trace.unix(at), story.trace.setup.host.tz_minutes) for at in (probe.start, probe.end))
    printed = {"Output": f"Health check exceeded timeout ({go_duration(limit)})"} if probe.too_long else {}
    return {"Start": start, "End": end, "ExitCode": probe.code, **printed}


def go_duration(micros: int) -> str:
    """Write a duration as Go does.

    >>> [go_duration(n) for n in (30_000_000, 90_000_000, 3_600_000_000, 1_500_000, 20_500, 7, 0)]
    ['30s', '1m30s', '1h0m0s', '1.5s', '20.5ms', '7µs', '0s']
    """
    if 0 < micros < 1_000_000:
        return f"{micros / 1000:g}ms" if micros >= 1000 else f"{micros}µs"
    minutes, rest = divmod(micros, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    before = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{before}{rest / 1_000_000:.6f}".rstrip("0").rstrip(".") + "s"


def _log_path(service: Service) -> str:
    """Return the file of the log: journald has none for one container alone."""
    folder = f"/var/lib/docker/containers/{service.id}"
    return f"{folder}/{service.id}-json.log" if service.log_driver == "json-file" else ""


def _mode(story: Story, service: Service) -> str:
    """Return the network that the container was made with; of several that is the first, as Compose makes it."""
    if service.joins:
        return _shared(story, service.joins)
    return "default" if service.networks == ("bridge",) else service.network


def _shared(story: Story, name: str) -> str:
    """Return how the engine writes whose namespace a container shares: by the other's id."""
    return f"container:{story.world.services[name].id}" if name else ""


def _host_config(story: Story, service: Service, record: Container) -> dict[str, Any]:
    policy = record.policy
    return {
        "LogConfig": {"Type": service.log_driver},
        "NetworkMode": _mode(story, service),
        "PortBindings": _bindings(service.ports, anywhere="", asked=True),
        "RestartPolicy": {"Name": policy.name, "MaximumRetryCount": policy.max},
        "AutoRemove": service.auto_remove,
        "OomScoreAdj": service.oom_score_adj,
        "PidMode": "host" if service.host_pid else _shared(story, service.pid_of),
        "Memory": service.memory or 0,
    }


def _config(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = {"Image": service.image, "Labels": dict(sorted(service.labels))}
    if service.stop_signal is not None:
        found["StopSignal"] = f"SIG{service.stop_signal}"
    return found


def _network(story: Story, service: Service, row: ContainerRow) -> dict[str, Any]:
    """Return addresses and ports: both are given up together with the network, and so is the address of bridge."""
    there = row.running and not row.restarting
    found = {network: _endpoint(story, service, network) if there else None for network in service.networks}
    addresses = {network: "" if endpoint is None else endpoint.address for network, endpoint in found.items()}
    joined = any(found.values())
    return {
        "Ports": _bindings(story.bound(service), anywhere="0.0.0.0") if joined else None,
        "IPAddress": addresses.get("bridge", ""),
        "Networks": {network: {"IPAddress": address} for network, address in addresses.items()},
    }


def _endpoint(story: Story, service: Service, network: str) -> Endpoint | None:
    """Return what dockerd keeps of a container's place on a network."""
    name = f"endpoint/{endpoint_name(service, network)}"
    endpoint = story.world.recall(unit_of(story.world).main_pid, name)
    return endpoint if isinstance(endpoint, Endpoint) else None


def _bindings(ports: Sequence[Port], *, anywhere: str, asked: bool = False) -> dict[str, list[dict[str, str]]]:
    """Return the published ports by container port; *anywhere* is how an address that was not asked for is written.

    *asked*: as somebody asked for them, ranges and all, not as they are bound.
    """
    found: dict[str, list[dict[str, str]]] = {}
    for port in sorted(ports, key=lambda port: f"{port.container}/{port.proto}"):
        ip = anywhere if port.ip == "0.0.0.0" else port.ip
        host = f"{port.host}-{port.last}" if asked and isinstance(port, PortRange) else str(port.host)
        found.setdefault(f"{port.container}/{port.proto}", []).append({"HostIp": ip, "HostPort": host})
    return found


def docker_inspect(found: Iterable[dict[str, Any]], missing: Iterable[str] = ()) -> str:
    """Print an array of what was *found*, then one line for each name that is *missing*.

    >>> print(docker_inspect([{"Name": "/a<b", "State": {"StartedAt": When(1.5), "FinishedAt": When(None)}}]), end="")
    [
        {
            "Name": "/a\\u003cb",
            "State": {
                "StartedAt": "1970-01-01T00:00:01.5Z",
                "FinishedAt": "0001-01-01T00:00:00Z"
            }
        }
    ]
    """
    complaints = "".join(f"Error: No such object: {printable(name)}\n" for name in missing)
    return go_json(list(found), 4) + complaints

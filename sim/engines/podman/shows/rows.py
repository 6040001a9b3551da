"""What podman's commands tell of containers: what a command finds in the database and in conmon's files.

Models: `podman ps` (published ports are the configuration's, so that one that has ended has them too), the keys of
`podman inspect` that a run knows, in the order of libpod's structs, and the rows of `podman top`: the processes of the
first one's pid namespace, zombies too, with their numbers on the host. `podman ps` says exited of what has stopped and
is not cleaned up yet, where `podman inspect` says stopped. Leaves out images' ids and full names, and every other key:
they are missing, not empty. A network that is called bridge here is podman's default, called podman. Source: podman
v5.4.2, pkg/ps/ps.go, libpod/container_inspect.go, libpod/define/container_inspect.go, libpod/networking_common.go,
libpod/container_top_linux.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from sim.engine.containers import scope_of
from sim.engine.records import Container
from sim.engine.setup import Port, S, Service
from sim.engines.conmon.files import run_file
from sim.engines.host.reach import address_in
from sim.engines.podman.states import OWN, RUNNING, LibpodContainer
from sim.views.rows import ContainerRow, When
from sim.views.story import Story
from sim.views.table import ProcessRow

NETWORK = "podman"  # what bridge is called there
NOT_RUNNING = "top can only be used on running containers"
UNKNOWN_NAME = 'no container with name or ID "{name}" found: no such container'
GONE = "open /proc/{pid}/cgroup: no such file or directory"  # [K]


def podman_containers(story: Story) -> tuple[ContainerRow, ...]:
    """Return what `podman ps -a` lists, in the order of the scenario."""
    rows = ((service, story.container(service.name)) for service in story.trace.setup.services)
    return tuple(
        replace(row, ports=_ports(story, service), said=_said(story, service.name))
        for service, row in rows
        if row is not None
    )


def _said(story: Story, name: str) -> str:
    record = story.believed(name)
    return "" if record is None else record.status


def _ports(story: Story, service: Service) -> tuple[tuple[int, int | None, str, str], ...]:
    return tuple((port.container, port.host, port.ip, port.proto) for port in story.bound(service))


def podman_inspected(story: Story, name: str) -> dict[str, Any] | None:
    """Return one container as `podman inspect` orders it; None if the database has none of that name."""
    record, row = story.believed(name), story.container(name)
    if not isinstance(record, LibpodContainer) or row is None:
        return None
    service, offset = story.world.services[name], story.trace.setup.host.tz_minutes
    return {
        "Id": row.id,
        "Created": When(row.created, offset),
        "Path": row.path,
        "Args": list(row.args),
        "State": _state(story, service, record, row),
        "ImageName": row.image,
        "ConmonPidFile": run_file(service, "conmon.pid"),
        "Name": row.name,
        "RestartCount": record.restart_count,
        "NetworkSettings": _network(story, service),
        "IsInfra": False,
        "Config": {
            "Image": row.image,
            "Labels": dict(sorted(service.labels)) or None,
            "StopSignal": f"SIG{service.stop_signal or 'TERM'}",
            "StopTimeout": service.stop_timeout // S,
        },
        "HostConfig": _host_config(story, service, record),
    }


def _state(story: Story, service: Service, record: LibpodContainer, row: ContainerRow) -> dict[str, Any]:
    """Return the State object: what is paused does not run; some keys are there only where they say something.

    ConmonPid is what the file says, whether a conmon lives or not.
    """
    offset, conmon = story.trace.setup.host.tz_minutes, story.world.host.files.get(run_file(service, "conmon.pid"))
    return {
        "Status": OWN.get(record.state, record.state),
        "Running": record.state == RUNNING,
        "Paused": row.paused,
        "Restarting": False,
        "OOMKilled": record.oom_killed,
        "Dead": False,
        "Pid": record.pid,
        **({"ConmonPid": conmon} if conmon and row.running else {}),
        "ExitCode": row.exit_code,
        "Error": record.error,
        "StartedAt": When(row.started, offset),
        "FinishedAt": When(row.finished, offset),
        **({"CgroupPath": scope_of(story.world, service)} if row.running else {}),
        **({"StoppedByUser": True} if record.manual else {}),
    }


def _network(story: Story, service: Service) -> dict[str, Any]:
    """Return addresses and ports: the ports are the configuration's, whatever is open."""
    address = address_in(story.world, service.name) or ""
    default = service.network == "bridge"
    others = {network: {"IPAddress": ""} for network in service.more_networks}  # whose addresses nobody asks for
    return {
        "IPAddress": address if default else "",
        "Ports": _bindings(story.bound(service)),
        "Networks": {NETWORK if default else service.network: {"IPAddress": address}, **others},
    }


def _host_config(story: Story, service: Service, record: Container) -> dict[str, Any]:
    return {
        "LogConfig": {"Type": service.log_driver},
        "NetworkMode": service.network_mode or "bridge",
        "PortBindings": _bindings(story.bound(service)),
        "RestartPolicy": {"Name": record.policy.name, "MaximumRetryCount": record.policy.max},
        "AutoRemove": service.auto_remove,
        "OomScoreAdj": service.oom_score_adj,
        "PidMode": "host" if service.host_pid else "private",
        "Memory": service.memory or 0,
    }


def _bindings(ports: Sequence[Port]) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for port in sorted(ports, key=lambda port: f"{port.container}/{port.proto}"):
        published = {"HostIp": port.ip, "HostPort": str(port.host)}
        found.setdefault(f"{port.container}/{port.proto}", []).append(published)
    return found


def processes(story: Story, name: str) -> list[tuple[str, ProcessRow]] | str:
    """Return each process of a container with its number on the host, "?" of one elsewhere; or podman's error."""
    record, service, host = story.believed(name), story.world.services[name], story.world.host
    if not isinstance(record, LibpodContainer):
        return UNKNOWN_NAME.format(name=name)
    if record.state != RUNNING:
        return NOT_RUNNING
    first = host.procs.get(record.pid)
    if first is None:
        return GONE.format(pid=record.pid)
    here = host.grouped.get(scope_of(story.world, service), {})
    rows = (row for row in story.table().procs if host.procs[row.pid].ns == first.ns)
    return [(str(row.pid) if row.pid in here else "?", row) for row in rows]

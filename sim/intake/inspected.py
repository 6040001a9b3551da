"""What `inspect` says of containers and networks, in JSON: docker's, podman's, crictl's.

Models: the fields that a scenario can say, of docker 1.10 to 29 and podman 4 and 5, and of a CRI's `inspect` and
`inspectp`. Values of environment and labels are left where they are: their names are read, and of Compose's own labels
the service and the project. What has the wrong type is as if it was not there. Source: docker API 1.22 to 1.48,
`ContainerJSON` and `NetworkResource`; podman libpod/define/container_inspect.go [S]; crictl inspect and CRI v1
ContainerStatusResponse, PodSandboxStatusResponse [S].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sim.intake.records import Check, Container, Joined, Mapped, Network

PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"
PODMANS = {"configured": "created", "initialized": "created", "stopped": "exited"}
NEVER = "0001-01-01"
LARGEST_PORT = 65_535
MOST_PORTS = 1_000


def is_container(value: Any) -> bool:
    """Return whether a JSON value is what `inspect` says of a container."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("State"), dict)
        and ("Config" in value or "HostConfig" in value)
    )


def is_network(value: Any) -> bool:
    """Return whether a JSON value is what `network inspect` says: docker writes IPAM, podman subnets."""
    if not isinstance(value, dict):
        return False
    return ("IPAM" in value and "Name" in value) or ("subnets" in value and "network_interface" in value)


def is_cri(value: Any) -> bool:
    """Return whether a JSON value is what crictl's inspect or inspectp says."""
    return isinstance(value, dict) and isinstance(value.get("status"), dict) and "metadata" in value["status"]


# -- values that may be anything --------------------------------------------------------------------


def at(value: Any, *keys: str) -> Any:
    """Return what stands below keys, None if one of them is not there."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text(value: Any) -> str:
    """Return a text, "" for anything else."""
    return value if isinstance(value, str) else ""


def whole(value: Any, low: int = 0, high: int = 2**62) -> int:
    """Return a whole number in a range, also one in digits; 0 for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high else 0


def texts(value: Any) -> tuple[str, ...]:
    """Return a list of texts; one text is a list of one."""
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def names(value: Any) -> tuple[str, ...]:
    """Return the names of `["A=b"]` or `{"A": "b"}`, never a value."""
    if isinstance(value, dict):
        return tuple(str(key) for key in value)
    return tuple(item.partition("=")[0] for item in texts(value) if "=" in item)


def entries(value: Any) -> Mapping[str, Any]:
    """Return a mapping, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def date(value: Any) -> str:
    """Return a date, "" for the one that stands for never."""
    found = text(value)
    return "" if found.startswith(NEVER) or len(found) < 19 else found


# -- containers -------------------------------------------------------------------------------------


def container_of(value: dict[str, Any], place: str) -> Container:
    """Return a container of docker's or podman's inspect."""
    state, config, host = entries(value["State"]), entries(value.get("Config")), entries(value.get("HostConfig"))
    labels = entries(config.get("Labels"))
    health = at(state, "Health", "Status") or at(state, "Healthcheck", "Status")
    return Container(
        name=text(value.get("Name")).lstrip("/"),
        id=text(value.get("Id")),
        image=text(config.get("Image")) or text(value.get("ImageName")),
        argv=(*texts(value.get("Path")), *texts(value.get("Args"))),
        status=status_of(state),
        pid=whole(state.get("Pid"), high=4_194_304),
        exit_code=state["ExitCode"] if isinstance(state.get("ExitCode"), int) else None,
        oom_killed=state.get("OOMKilled") is True,
        error=text(state.get("Error")),
        restarts=whole(value.get("RestartCount")),
        created=date(value.get("Created")),
        started=date(state.get("StartedAt")),
        finished=date(state.get("FinishedAt")),
        health="" if health in ("none", None) else text(health),
        restart=policy_of(host.get("RestartPolicy")),
        ports=tuple(ports_of(value, host)),
        networks=tuple(networks_of(value)),
        network_mode=text(host.get("NetworkMode")),
        pid_mode=text(host.get("PidMode")),
        init=host.get("Init") is True,
        tty=config.get("Tty") is True,
        auto_remove=host.get("AutoRemove") is True,
        memory=whole(host.get("Memory")),
        pids_limit=whole(host.get("PidsLimit")),
        oom_score_adj=host["OomScoreAdj"] if isinstance(host.get("OomScoreAdj"), int) else 0,
        log_driver=text(at(host, "LogConfig", "Type")),
        stop_signal=signal_of(config.get("StopSignal")),
        stop_timeout=config["StopTimeout"] if isinstance(config.get("StopTimeout"), int) else None,
        check=check_of(config.get("Healthcheck")),
        volumes=tuple(volumes_of(value.get("Mounts"))),
        env=names(config.get("Env")),
        labels=tuple(labels),
        service=text(labels.get(SERVICE)),
        project=text(labels.get(PROJECT)),
        pod=text(value.get("Pod")),
        sandbox=value.get("IsInfra") is True,
        whole=True,
        place=place,
    )


def status_of(state: Mapping[str, Any]) -> str:
    """Return the status; engines before 1.13 say it in flags alone."""
    if state.get("Status"):
        found = text(state["Status"]).lower()
        return PODMANS.get(found, found)
    flags = (("Dead", "dead"), ("Paused", "paused"), ("Restarting", "restarting"), ("Running", "running"))
    found = next((word for flag, word in flags if state.get(flag) is True), "")
    return found or ("exited" if date(state.get("StartedAt")) else "created")


def policy_of(value: Any) -> str | None:
    """Return a restart policy as a file has it, None if nothing is said."""
    name = at(value, "Name")
    if not isinstance(name, str):
        return None
    most = whole(at(value, "MaximumRetryCount"), high=10**6)
    return f"{name}:{most}" if name == "on-failure" and most else (name or "no")


def signal_of(value: Any) -> str:
    """Return a stop signal by name or number as text; podman writes 15."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value else text(value)


def ports_of(value: dict[str, Any], host: Mapping[str, Any]) -> Iterator[Mapped]:
    """Yield the published ports: as they were asked for, else as they are."""
    asked = entries(host.get("PortBindings"))
    given = entries(at(value, "NetworkSettings", "Ports"))
    left = MOST_PORTS
    for key, found in (asked or given).items():
        inner, _, proto = str(key).partition("/")
        for place, row in enumerate(found if isinstance(found, list) else ()):
            first, _, end = text(at(row, "HostPort")).partition("-")
            port, last, left = whole(first, high=LARGEST_PORT), whole(end, high=LARGEST_PORT), left - 1
            seen = given.get(key)
            if not port and isinstance(seen, list) and place < len(seen):
                port = whole(at(seen[place], "HostPort"), high=LARGEST_PORT)
            address = text(at(row, "HostIp"))
            if whole(inner, 1, LARGEST_PORT) and left >= 0:
                yield Mapped(int(inner), proto or "tcp", "" if address in ("0.0.0.0", "::") else address, port, last)


def networks_of(value: dict[str, Any]) -> Iterator[Joined]:
    """Yield the networks that a container is in, with its addresses."""
    for name, row in entries(at(value, "NetworkSettings", "Networks")).items():
        yield Joined(str(name), text(at(row, "IPAddress")), text(at(row, "GlobalIPv6Address")))


def check_of(value: Any) -> Check | None:
    """Return a health check."""
    test = texts(at(value, "Test"))
    if not test:
        return None
    keys = ("Interval", "Timeout", "Retries", "StartPeriod", "StartInterval")
    return Check(test, *(whole(at(value, key)) for key in keys))


def volumes_of(value: Any) -> Iterator[str]:
    """Yield the volumes that have a name, as Compose writes them."""
    for row in value if isinstance(value, list) else ():
        name = text(at(row, "Name"))
        anonymous = len(name) == 64 and not name.strip("0123456789abcdef")
        if at(row, "Type") == "volume" and name and not anonymous and text(at(row, "Destination")):
            yield f"{name}:{row['Destination']}" + ("" if row.get("RW", True) else ":ro")


# -- networks ---------------------------------------------------------------------------------------


def network_of(value: dict[str, Any], place: str) -> Network:
    """Return a network of docker's or podman's inspect."""
    if "IPAM" in value:
        config = at(value, "IPAM", "Config")
        subnets = tuple(text(at(row, "Subnet")) for row in config) if isinstance(config, list) else ()
        driver, internal, ipv6 = value.get("Driver"), value.get("Internal"), value.get("EnableIPv6")
        name, number = value.get("Name"), value.get("Id")
    else:
        rows = value.get("subnets")
        subnets = tuple(text(at(row, "subnet")) for row in rows) if isinstance(rows, list) else ()
        driver, internal, ipv6 = value.get("driver"), value.get("internal"), value.get("ipv6_enabled")
        name, number = value.get("name"), value.get("id")
    kept = tuple(subnet for subnet in subnets if subnet)
    return Network(text(name), text(number), text(driver), kept, internal is True, ipv6 is True, place)


# -- CRI --------------------------------------------------------------------------------------------


def cri_of(value: dict[str, Any], place: str) -> Container:
    """Return a container or a pod's sandbox of crictl."""
    status, info = entries(value["status"]), entries(value.get("info"))
    labels, spec = entries(status.get("labels")), entries(at(info, "runtimeSpec", "process"))
    sandbox = "network" in status or ("linux" in status and "image" not in status)
    words = {"CONTAINER_RUNNING": "running", "SANDBOX_READY": "running", "CONTAINER_EXITED": "exited"}
    words |= {"CONTAINER_CREATED": "created", "SANDBOX_NOTREADY": "exited"}
    pod = labels.get("io.kubernetes.pod.name")
    name = text(at(status, "metadata", "name"))
    return Container(
        name=name,
        id=text(status.get("id")),
        image=text(at(status, "image", "image")),
        argv=() if sandbox else texts(spec.get("args")),
        status=words.get(text(status.get("state")), ""),
        pid=whole(info.get("pid"), high=4_194_304),
        exit_code=status["exitCode"] if isinstance(status.get("exitCode"), int) else None,
        oom_killed=status.get("reason") == "OOMKilled",
        restarts=whole(at(status, "metadata", "attempt")),
        created=date(status.get("createdAt")),
        started=date(status.get("startedAt")),
        finished=date(status.get("finishedAt")),
        restart=None,
        memory=whole(at(status, "resources", "linux", "memoryLimitInBytes")),
        env=names(spec.get("env")),
        labels=tuple(labels),
        pod=name if sandbox else text(pod),
        sandbox=sandbox,
        whole=True,
        place=place,
    )

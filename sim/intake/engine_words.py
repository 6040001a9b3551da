"""What an engine says of itself: info and version, as text or JSON, and daemon.json.

Models: versions of the engine, containerd and runc, and what is true of the host: cores, name, clock, control groups,
live-restore, the log driver. Text is read by its keys, whatever the indent. Leaves out values that say nothing about
processes. Source: docker info and version of 1.10 to 29, `system.Info` of its API; podman info and version 4 and 5 [S];
crictl version and info [S].
"""

from __future__ import annotations

import re
from typing import Any

from sim.intake.inspected import at, date, entries, text, whole
from sim.intake.pieces import Piece
from sim.intake.records import Daemon, Settings

PODMAN_VERSION = re.compile(r"Client:\s+Podman Engine\s+Version:\s+(\S+)")
KEY = re.compile(r"(?P<indent>\s*)(?P<key>[A-Za-z][\w /.()-]{0,60}):(?:\s+(?P<value>.*\S))?\s*\Z")
FACTS = {  # of text -> fact
    "CPUs": "cores", "cpus": "cores", "Name": "hostname", "hostname": "hostname", "Cgroup Version": "cgroup",
    "cgroupVersion": "cgroup", "Cgroup Driver": "cgroup_driver", "cgroupManager": "cgroup_driver",
    "Live Restore Enabled": "live-restore", "Logging Driver": "log-driver", "Kernel Version": "kernel",
    "kernel": "kernel", "Default Runtime": "runtime", "Init Binary": "init_binary",
}  # fmt: skip
ENGINE, PODMAN_KEYS = "engine", frozenset({"host", "store", "registries"})
VERSION, CONMON = "version Version".split(), "conmon version".split()  # paths in podman's info
JSON_FACTS = {
    "NCPU": "cores", "Name": "hostname", "CgroupVersion": "cgroup", "CgroupDriver": "cgroup_driver",
    "LiveRestoreEnabled": "live-restore", "LoggingDriver": "log-driver", "KernelVersion": "kernel",
    "DefaultRuntime": "runtime", "SystemTime": "clock", "MemTotal": "memory", "OperatingSystem": "system",
}  # fmt: skip
DAEMON_KEYS = frozenset(
    """live-restore log-driver log-opts storage-driver storage-opts data-root graph hosts exec-opts insecure-registries
    registry-mirrors default-address-pools default-ulimits userland-proxy iptables ip6tables ipv6 fixed-cidr
    fixed-cidr-v6 bip debug experimental features labels log-level shutdown-timeout selinux-enabled dns runtimes
    default-runtime metrics-addr max-concurrent-downloads cgroup-parent userns-remap init builder containerd mtu icc
    tls tlsverify default-shm-size no-new-privileges oom-score-adjust""".split()
)


def is_info(value: Any) -> bool:
    """Return whether a JSON value is what docker info or podman info says."""
    return isinstance(value, dict) and ("ServerVersion" in value or set(value) >= PODMAN_KEYS)


def is_version(value: Any) -> bool:
    """Return whether a JSON value is what docker, podman or crictl version says."""
    return isinstance(value, dict) and "Client" in value and set(value) <= {"Client", "Server"}


def is_settings(value: Any) -> bool:
    """Return whether a JSON value is a daemon.json: all its keys have that spelling, and one is known at least."""
    if not isinstance(value, dict) or not DAEMON_KEYS & set(value):
        return False
    return all(re.fullmatch(r"[a-z0-9-]+", str(key)) for key in value)


def info_of(value: dict[str, Any], place: str) -> Daemon:
    """Return what an info in JSON says."""
    if "ServerVersion" not in value:
        return _podman_info(value, place)
    facts = {name: value[key] for key, name in JSON_FACTS.items() if value.get(key) not in (None, "")}
    facts["clock"] = date(value.get("SystemTime"))
    versions = {
        ENGINE: text(value.get("ServerVersion")),
        "containerd version": text(at(value, "ContainerdCommit", "ID")),
        "runc version": text(at(value, "RuncCommit", "ID")),
    }
    return _daemon(versions, facts, place)


def _podman_info(value: dict[str, Any], place: str) -> Daemon:
    host = entries(value.get("host"))
    facts: dict[str, Any] = {
        "cores": host.get("cpus"),
        "hostname": host.get("hostname"),
        "cgroup": host.get("cgroupVersion"),
        "cgroup_driver": host.get("cgroupManager"),
        "kernel": host.get("kernel"),
    }
    versions = {"podman version": text(at(value, *VERSION)), "conmon version": text(at(host, *CONMON))}
    return _daemon(versions, facts, place)


def version_of(value: dict[str, Any], place: str) -> Daemon:
    """Return what a version in JSON says: the server's components where there is a server."""
    server = entries(value.get("Server"))
    versions = {ENGINE: text(server.get("Version"))}
    parts = server.get("Components")
    for part in parts if isinstance(parts, list) else ():
        name = text(at(part, "Name"))
        versions[ENGINE if name == "Engine" else f"{name} version"] = text(at(part, "Version"))
    if not server and "BuiltTime" in entries(value.get("Client")):
        versions = {"podman version": text(at(value, "Client", "Version"))}
    return _daemon(versions, {}, place)


def settings_of(value: dict[str, Any], place: str) -> Settings:
    """Return a daemon.json."""
    return Settings(tuple((str(key), below) for key, below in value.items()), place)


def _daemon(versions: dict[str, str], facts: dict[str, Any], place: str) -> Daemon:
    kept = {name: fact for name, fact in facts.items() if isinstance(fact, str | int | bool) and fact != ""}
    if "cores" in kept:
        kept["cores"] = whole(kept["cores"], 1, 4096)
    if "cgroup" in kept:
        kept["cgroup"] = "v" + str(kept["cgroup"]).lstrip("v")
    return Daemon(tuple((name, it) for name, it in versions.items() if it), tuple(kept.items()), place)


def words_of(piece: Piece) -> Daemon:
    """Return what info or version says as text: what stands below Client: is not of the engine."""
    versions: dict[str, str] = {}
    facts: dict[str, Any] = {}
    path: list[tuple[int, str]] = []
    for line in piece.lines:
        match = KEY.match(line)
        if match is None:
            continue
        indent, key, value = len(match["indent"]), match["key"].strip(), match["value"] or ""
        path = [it for it in path if it[0] < indent] + [(indent, key)]
        above = [name for _, name in path[:-1]]
        if above[:1] == ["Client"] or (key == "Client" and not above):
            continue
        _take(key, value, above, versions, facts)
    podman = PODMAN_VERSION.search("\n".join(piece.lines))
    if podman:
        versions["podman version"] = podman[1]
    return _daemon(versions, facts, piece.place())


def _take(key: str, value: str, above: list[str], versions: dict[str, str], facts: dict[str, Any]) -> None:
    if key == "Server Version":
        versions[ENGINE] = value
    elif key == "Version" and above and above[-1] in ("Server", "Engine"):
        versions.setdefault(ENGINE, value)
    elif key == "Version" and above and above[-1] == VERSION[0]:
        versions["podman version"] = value
    elif key == "Version" and above:
        versions[f"{above[-1]} version"] = value
    elif key in ("RuntimeName", "RuntimeVersion") or key.endswith(" version"):
        versions[key] = value
    elif key in FACTS and len(above) <= 1:
        facts[FACTS[key]] = {"true": True, "false": False}.get(value, value)

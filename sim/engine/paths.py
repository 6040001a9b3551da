"""Where the engine keeps its files, fifos and sockets (engine-1.13 §1.4).

/var/lib/docker is a disk; all else is on /run, a tmpfs that a reboot wipes.
"""

from __future__ import annotations

DOCKER_SOCK = "unix:/var/run/docker.sock"
SETKEY_SOCK = "unix:/run/docker/libnetwork/controller.sock"
CONTAINERD_SOCK = "unix:/var/run/docker/libcontainerd/docker-containerd.sock"  # of containerd 0.2
MANAGED_SOCK = "unix:/var/run/docker/containerd/containerd.sock"  # of one that dockerd starts since 18.09
SERVICE_SOCK = "unix:/run/containerd/containerd.sock"  # of containerd.service

INSTALLED = "/var/lib/rpm/Packages#docker"  # which version's files are on the disk, once another was unpacked
CONTAINERD_IO = "/var/lib/rpm/Packages#containerd.io"  # with which version it came, once docker no longer needs it
DOCKER_PID = "/var/run/docker.pid"
CONTAINERD_PID = "/var/run/docker/libcontainerd/docker-containerd.pid"
EVENT_TS = "/var/run/docker/libcontainerd/event.ts"
EVENTS_LOG = "/var/run/docker/libcontainerd/containerd/events.log"
TORN_LINE = EVENTS_LOG + "#torn"  # there if the log holds a line that was cut off

BUNDLES = "/var/run/docker/libcontainerd"
STATE = "/var/run/docker/libcontainerd/containerd"
CONTAINERS = "/var/lib/docker/containers/"
DAEMON_JSON = "/etc/docker/daemon.json"
ENDPOINTS = "/var/lib/docker/network/files/local-kv.db#endpoint/"
SANDBOXES = "/var/lib/docker/network/files/local-kv.db#sandbox/"

RUNC = "/usr/libexec/docker/docker-runc-current"
RUNC_ROOT = "/run/runc"  # where it is told of no other one
STREAMS = ("init-stdin", "init-stdout", "init-stderr")
NO_CHAINS = "netfilter#no-chains"  # somebody has deleted the engine's chains, and the jumps to them
FIREWALLD = "netfilter#firewalld"  # firewalld has set its own rules, whose zones open no published port


def bundle(identity: str) -> str:
    """Return the bundle folder of a container id."""
    return f"{BUNDLES}/{identity}"


def split(identity: str) -> str:
    """Return the file that says that a container was started within its unit's control group (--cgroups=split)."""
    return f"/run/containers/storage/overlay-containers/{identity}/userdata/split"


def state(identity: str, process: str = "init") -> str:
    """Return containerd's folder for a process of a container id: its first one, or one that was exec'd."""
    return f"{STATE}/{identity}/{process}"


def runtime_state(identity: str, root: str = RUNC_ROOT) -> str:
    """Return the file in which the runtime keeps the state of a container id, below its root."""
    return f"{root}/{identity}/state.json"


def busy_mount(name: str) -> str:
    """Return the file that says that a process elsewhere holds the mount of a container's layer."""
    return f"/proc/mounts#overlay2/{name}"


def container(name: str) -> str:
    """Return the file that holds dockerd's record of a container."""
    return f"{CONTAINERS}{name}/config.v2.json"

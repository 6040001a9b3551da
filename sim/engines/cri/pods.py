"""What a kubelet's host keeps of pods: what is wanted, what was last reported, what the runtime knows.

A service is a pod with one container, which bear its name; the pod's sandbox is `NAME@pod` (`sim.engine.containers`),
with a pause process in a scope of its own. What is wanted and reported are objects of an API server on another machine,
so that they outlive everything here; they stand among the host's files under `apiserver:`. What the runtime knows is in
its memory, and on disk. Leaves out the API server's own failures, other nodes, evictions. Source: designs §5.1 [S];
Kubernetes API, Pod v1 [K].
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from sim.engine.containers import is_sandbox, pod, sandbox
from sim.engine.engine import file_of, ran
from sim.engine.records import Container
from sim.engine.setup import Payload, Service
from sim.kernel import syscalls
from sim.kernel.records import Pid
from sim.world import Turn, World

SPECS, STATUSES, UIDS = "apiserver:pods/", "apiserver:status/", "apiserver:uids/"
IMAGE = "registry.k8s.io/pause:3.9"


class Spec(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A pod as it is wanted: *uid* tells it from earlier ones of its name; not *wanted* it is to be stopped.

    *grace* is how long that may take, in µs; None: what the pod says itself.
    """

    name: str
    uid: int = 1
    wanted: bool = True
    grace: int | None = None


class Status(msgspec.Struct, frozen=True, tag=True, gc=False):
    """What the kubelet has reported of a pod: *state* is waiting, running or terminated; *reason* says more."""

    uid: int
    state: str
    reason: str = ""
    exit_code: int = 0


class Sandbox(msgspec.Struct, frozen=True, tag=True, gc=False):
    """What the runtime knows of a sandbox: whose pod it is, whether it is ready, its address and its pause process."""

    name: str
    uid: int
    ready: bool = False
    address: str = ""
    pause_pid: Pid = 0


Seen = tuple[Sandbox | None, Container | None]


class Services(dict[str, Service]):
    """The services by name; one that is asked for as `NAME@pod` is the sandbox of a pod, which no list has."""

    def __missing__(self, name: str) -> Service:
        if not is_sandbox(name):
            raise KeyError(name)
        self_of = self[pod(name)]
        number = f"{int(self_of.id, 16) ^ (1 << 4 * len(self_of.id)) - 1:0{len(self_of.id)}x}"
        found = Service(name, number, IMAGE, "/pause", (), Payload("pause", ("/pause",)), network=self_of.network)
        return replace(found, oom_score_adj=-998)  # of a pod's infra container: designs §1 [S*]


def spec_of(world: World, name: str) -> Spec | None:
    """Return the pod as it is wanted; None if there is no such pod."""
    found: Any = world.host.files.get(SPECS + pod(name))
    return found if isinstance(found, Spec) else None


def is_wanted(world: World, name: str) -> bool:
    """Return whether a pod is wanted, and wanted to run."""
    spec = spec_of(world, name)
    return spec is not None and spec.wanted


def status_of(world: World, name: str) -> Status | None:
    """Return what was last reported of a pod."""
    found: Any = world.host.files.get(STATUSES + pod(name))
    return found if isinstance(found, Status) else None


def sandbox_file(world: World, name: str) -> str:
    """Return where the runtime keeps a sandbox."""
    return file_of(world, sandbox(name))


def disk_of_a_running_host(turn: Turn) -> None:
    """Write what API server and disk say after a power cut while every pod ran."""
    world = turn.world
    for service, record in ran(world):
        syscalls.write_file(turn, SPECS + service.name, Spec(service.name))
        syscalls.write_file(turn, UIDS + service.name, 1)
        syscalls.write_file(turn, STATUSES + service.name, Status(1, "running"))
        syscalls.write_file(turn, file_of(world, service.name), record)
        syscalls.write_file(turn, sandbox_file(world, service.name), Sandbox(service.name, 1, ready=True))

"""What crictl tells of a kubelet's host: the containers and sandboxes that the runtime has in its memory.

Models: the answers to ListContainers, ListPodSandbox and ContainerStatus, from the memory of whoever listens at the
runtime's socket. Leaves out earlier instances, which a runtime lists until they are collected; a reason where the code
is 255, which has two; the ids of images, and every other key that a run does not know: they are missing, not empty.
Source: cri-api v1, api.proto; containerd v1.7.24, pkg/cri/server/container_status.go, helpers.go (reasons); kubernetes
v1.30, pkg/kubelet/types/labels.go.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sim.engine.containers import sandbox
from sim.engine.records import Container
from sim.engines.cri.attempts import Sandboxes
from sim.engines.cri.runtime import UNKNOWN, reason_file
from sim.views.rows import ContainerRow, When
from sim.views.story import BEFORE, Story

NAMESPACE = "default"  # of every pod: a scenario says nothing of namespaces
STATES = {"running": "Running", "created": "Created"}


class PodContainerRow(msgspec.Struct, frozen=True):
    """Describe one container as a runtime tells it: *created* in unix seconds, *state* Created, Running or Exited."""

    id: str
    image: str
    created: float
    state: str
    name: str
    attempt: int
    pod_id: str
    pod: str


class SandboxRow(msgspec.Struct, frozen=True):
    """Describe the sandbox of a pod: *created* in unix seconds, *state* Ready or NotReady."""

    id: str
    created: float
    state: str
    name: str
    namespace: str
    attempt: int


def pod_containers(story: Story) -> tuple[PodContainerRow, ...]:
    """Return the containers that the runtime knows, in the order of the scenario."""
    found = ((name, story.believed(name), story.container(name)) for name in _names(story))
    return tuple(_container(story, name, record, row) for name, record, row in found if record and row)


def _container(story: Story, name: str, record: Container, row: ContainerRow) -> PodContainerRow:
    return PodContainerRow(
        id=row.id,
        image=row.image,
        created=row.created,
        state=STATES.get(row.state, "Exited"),
        name=name,
        attempt=record.restart_count,
        pod_id=story.world.services[sandbox(name)].id,
        pod=name,
    )


def sandboxes(story: Story) -> tuple[SandboxRow, ...]:
    """Return the sandboxes that the runtime knows, in the order of the scenario; none while it does not answer."""
    runtime = story.daemon()
    if runtime is None:
        return ()
    found = ((name, story.world.recall(runtime, f"sandbox/{name}")) for name in _names(story))
    return tuple(_sandbox(story, name, record.ready) for name, record in found if record is not None)


def _sandbox(story: Story, name: str, ready: bool) -> SandboxRow:
    assert isinstance(story.notes, Sandboxes), "an engine with sandboxes gathers them"
    attempt = story.notes.of(name)
    return SandboxRow(
        id=story.world.services[sandbox(name)].id,
        created=BEFORE if attempt.created is None else story.trace.unix(attempt.created),
        state="Ready" if ready else "NotReady",
        name=name,
        namespace=NAMESPACE,
        attempt=attempt.number,
    )


def container_status(story: Story, name: str) -> dict[str, Any] | None:
    """Return what `crictl inspect` says of a container; None if the runtime does not know it."""
    record, row = story.believed(name), story.container(name)
    if record is None or row is None:
        return None
    made = _container(story, name, record, row)
    offset = story.trace.setup.host.tz_minutes
    status = {
        "id": row.id,
        "metadata": {"attempt": made.attempt, "name": name},
        "state": f"CONTAINER_{made.state.upper()}",
        "createdAt": When(row.created, offset),
        "startedAt": When(row.started, offset),
        "finishedAt": When(row.finished if made.state == "Exited" else None, offset),
        "exitCode": row.exit_code,
        "image": {"image": row.image},
        **_reason(made, record, story.world.host.files.get(reason_file(story.world, name))),
        "message": record.error,
        "labels": {
            "io.kubernetes.container.name": name,
            "io.kubernetes.pod.name": name,
            "io.kubernetes.pod.namespace": NAMESPACE,
        },
    }
    return {"status": status, "info": {"sandboxID": made.pod_id, "pid": record.pid}}


def _reason(made: PodContainerRow, record: Container, unknown: Any) -> dict[str, str]:
    """Return why a container has ended; *unknown* is what the runtime has noted of 255, None if it notes nothing."""
    if made.state != "Exited":
        return {"reason": ""}
    if record.error:
        return {"reason": "StartError"}
    if record.oom_killed:
        return {"reason": "OOMKilled"}
    if record.exit_code == UNKNOWN:
        return {"reason": str(unknown)} if unknown else {}
    return {"reason": "Error" if record.exit_code else "Completed"}


def _names(story: Story) -> list[str]:
    return [service.name for service in story.trace.setup.services]

"""Which processes `docker top` lists: those of the container's control group, or why it lists none.

Models: the daemon's checks, its question to containerd for the pids (`runc ps` reads cgroup.procs, where no zombie
stands), and `ps -ef` of the host at that moment; podman asks its database alone, and of a pod, where crictl has no such
command, it is what stands in the control group. Leaves out: the processes that the
question itself forks, ps options of one's own, podman's own columns and numbers within the container. Source: D
daemon/top_unix.go, daemon/errors.go; C runtime/container.go Pids [K: the texts of errors]; engine-1.13 §3.2, §1.4.
"""

from __future__ import annotations

from sim.engine.containers import scope_of
from sim.engine.podman.state import is_podman
from sim.engine.records import Task
from sim.engine.setup import Service
from sim.engine.systemd import unit_of
from sim.views.story import Story
from sim.views.table import Table

UNAVAILABLE = "rpc error: code = 14 desc = grpc: the connection is unavailable"
NOT_FOUND = "rpc error: code = 2 desc = containerd: container not found"
NOT_RUNNING = "top can only be used on running containers"  # of podman [K]


def top(story: Story, name: str) -> Table | str:
    """Return the container's rows of the process table, or the daemon's error."""
    service, record = story.world.services[name], story.believed(name)
    if is_podman(story.world):
        if record is None:
            return f'no container with name or ID "{name}" found: no such container'
        return _rows(story, service) if record.running and not record.paused else NOT_RUNNING
    if record is None:
        return f"No such container: {name}"
    if not record.running:
        return f"Container {service.id} is not running"
    if story.world.design.traits.pods:
        return _rows(story, service)
    if record.restarting:
        return f"Container {service.id} is restarting, wait until the container is running"
    containerd = story.world.recall(unit_of(story.world).main_pid, "connection")
    if containerd is None:
        return UNAVAILABLE
    if not isinstance(story.world.recall(containerd, f"task/{name}"), Task):
        return NOT_FOUND
    return _rows(story, service)


def complaint(story: Story) -> str:
    """Return what the command says before an error of the engine."""
    return "Error" if is_podman(story.world) else "Error response from daemon"


def _rows(story: Story, service: Service) -> Table:
    pids = story.world.host.grouped.get(scope_of(story.world, service), {})
    table = story.table()
    return Table(table.meta, tuple(row for row in table.procs if row.pid in pids and row.state != "Z"))

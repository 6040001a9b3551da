"""What `docker top` prints: the processes of the container's control group, or why there are none.

Models: the daemon's checks, its question to containerd for the pids (`runc ps` reads cgroup.procs, where no zombie
stands; before there was a containerd dockerd asks itself), and `ps -ef` of the host at that moment, whose rows the
daemon splits at blanks, joining what is left over into the last column. Leaves out: the processes that the question
itself forks, ps options of one's own. Source: D daemon/top_unix.go, daemon/errors.go; C runtime/container.go Pids [K:
the texts of errors], containerd v1.7.24 services/tasks/local.go 743-753; docker 1.13.1, cli/command/container/top.go;
engine-1.13 §3.2, §1.4.
"""

from __future__ import annotations

from sim.engine.containers import scope_of
from sim.engine.records import Task
from sim.engine.setup import Service
from sim.engine.traits import traits
from sim.engines.docker.dockerd.start import unreachable, with_code
from sim.engines.host.systemd.unit import unit_of
from sim.render.go_tables import tabulate
from sim.render.ps import ps_ef
from sim.views.story import Story
from sim.views.table import Table


def listed(story: Story, name: str) -> Table | str:
    """Return the container's rows of the process table, or the daemon's error."""
    service, record = story.world.services[name], story.believed(name)
    if record is None:
        return f"No such container: {name}"
    if not record.running:
        return f"Container {service.id} is not running"
    if record.restarting:
        return f"Container {service.id} is restarting, wait until the container is running"
    found = traits(story.world, unit_of(story.world).main_pid)
    containerd = story.world.recall(unit_of(story.world).main_pid, "connection")
    if containerd is None:
        return with_code(found, 14, unreachable(found))
    if not isinstance(story.world.recall(containerd, f"task/{name}"), Task):
        gone = "containerd: container not found" if found.rpc_codes else f"task {service.id} not found: not found"
        return with_code(found, 2, gone)
    return _rows(story, service)


def _rows(story: Story, service: Service) -> Table:
    host = story.world.host
    pids = [pid for pid in host.grouped.get(scope_of(story.world, service), {}) if host.alive(pid)]
    table = story.table()
    return Table(table.meta, tuple(row for row in table.procs if row.pid in pids))


def docker_top(found: Table | str) -> str:
    """Print the rows of a table, or the daemon's error.

    >>> docker_top("No such container: web")
    'Error response from daemon: No such container: web\\n'
    """
    if isinstance(found, str):
        return f"Error response from daemon: {found}\n"
    titles, *rows = (line.split() for line in ps_ef(found).splitlines())
    last = len(titles) - 1
    return tabulate([titles, *([*row[:last], " ".join(row[last:])] for row in rows)])

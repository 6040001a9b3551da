"""conmon as CRI-O runs it: one for each container, in a scope of its own, without an exit command; one for each exec.

It is podman's (`sim.engines.conmon.conmon`) but for what CRI-O does not give it: no published ports to hold, and
nothing to run at the end, since CRI-O watches the folder of exit files. crun stands for the runtime, its files under
podman's names. Leaves out as there. Source: designs §4.1, §4.3 [S]; cri-o internal/oci/runtime_oci.go [K].
"""

from __future__ import annotations

from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Exit, Fork, Label, Reap, ReapAny, Wait
from sim.engine.procedure import procedure
from sim.engine.setup import Service
from sim.engines.conmon import conmon as podman
from sim.engines.conmon.files import run_file
from sim.engines.host import output
from sim.facts import StateChanged
from sim.kernel import fifos, syscalls
from sim.kernel.events import OomScoreAdjSet, SubreaperSet
from sim.kernel.records import code_of
from sim.world import Key, World

GROUP = "/system.slice/crio-conmon-{id}.scope"  # cgroup_manager = systemd
OWN_GROUP = "/system.slice/crio.service"  # cgroup_manager = cgroupfs: conmon stays where crio is
group, conmon, exec_conmon = podman.exec_group, podman.conmon, podman.exec_conmon


def group_keys(world: World, service: Service) -> tuple[Key, ...]:
    """Name what it depends on who lives in that group."""
    name = group(world, service)
    return (("cgroup", name), *(("proc", pid) for pid in world.host.grouped.get(name, ())))


def exit_file(service: Service) -> str:
    """Return the file in which conmon leaves the exit status."""
    return f"/var/run/crio/exits/{service.id}"


def set_up(g: Goroutine) -> None:
    """Become a subreaper that no lack of memory kills; open pipes for what the payload prints."""
    service = service_of(g)
    g.emit(SubreaperSet(g.pid))
    if g.world.minds_memory:
        g.emit(OomScoreAdjSet(g.pid, podman.NEVER_BY_OOM))
    syscalls.write_file(g.turn, run_file(service, "conmon.pid"), g.pid)
    for log in service.payload.log:
        fifos.pipe(g.turn, g.pid, output.pipe_path(service, log.stream), output.depth(log.write))


def write_exit_file(g: Goroutine) -> int:
    """Write the exit code, or 128 and the signal, and leave."""
    syscalls.write_file(g.turn, exit_file(service_of(g)), code_of(g["status"]))
    g.emit(StateChanged(g["c"], "stopped"))
    return 0


PROGRAM = podman.PROGRAM.with_tables(
    procedure(
        "conmon.monitor",
        Do(set_up),
        Fork(podman.crun_create),
        Reap(bad="failed"),
        Do(podman.created),
        Label("reap"),
        ReapAny(),
        Do(podman.is_payload, "reap"),
        Wait(podman.output_drained),
        Exit(write_exit_file),
        Label("failed"),
        Exit(podman.not_created),
    ),
)
EXEC_PROGRAM = podman.EXEC_PROGRAM

"""People whose docker commands wake the daemon: systemd holds the API's socket (docker.socket).

A client that finds nobody listening waits in the socket's queue while systemd starts docker.service, also after a stop
of that unit; one that comes while a daemon shuts down is served by the next. Leaves out docker.socket's own start
limit. Source: systemd.socket(5); designs §2 F1 [S*].
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Goto, Label, Wait, call, reading
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engines.host.client import refused, systemd_at, terminal
from sim.engines.host.systemd.unit import ENGINE, is_supervised, unit_of
from sim.facts import Message
from sim.kernel.records import INIT, Pid
from sim.world import Frame, World


def socket_holder(world: World, frame: Frame) -> Pid | None:
    """Find who holds the API's socket while no daemon does: systemd, where PID 1 is that."""
    return systemd_at(world, frame) if is_supervised(world) else None


def wake(g: Goroutine) -> Message:
    """Let docker.socket start the daemon: the client waits in its queue, and is served once the daemon is ready."""
    return Message("start", "", g.frame.fid)


@reading(lambda world, frame: (("listen", paths.DOCKER_SOCK), ("memory", INIT, ENGINE)))
def taken_from_queue(world: World, frame: Frame) -> bool:
    """Say whether a daemon listens, or none is up: one that closes its API leaves clients in the socket's queue."""
    return paths.DOCKER_SOCK in world.host.listeners or unit_of(world).state != "active"


PROGRAM = Program(
    "client",
    (
        terminal(
            call("bus", socket_holder, wake, lost="lost", refused="nobody", failed="failed"),
            Wait(taken_from_queue),
            Goto("begin"),
            Label("nobody"),
            Do(refused),
            Goto("done"),
        ),
    ),
    role=Role(kind=Kind.CLIENT),
)

"""dockerd ends on TERM or INT: the API closes, containers stop (without live-restore), containerd leaves, then dockerd.

Source: D cmd/dockerd/daemon.go, daemon.go Shutdown, pkg/signal/trap.go, remote_unix.go Cleanup; engine-1.13 §1.1, §5.
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.dockerd.settings import daemon_of
from sim.engine.dockerd.supervise import containerd_gone
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Exit, Label, Sleep, Wait, reading
from sim.engine.procedure import procedure
from sim.engine.records import Container
from sim.engine.setup import S
from sim.kernel import syscalls
from sim.kernel.signals import NUMBERS
from sim.world import Frame, Key, World

GRACE = 5 * S
POLL = 1 * S
POLLS = 15
SIGNALS = 4  # of TERM and INT together
NONE = Container("")


def begin_shutdown(g: Goroutine) -> str | None:
    """Close the API and stop every container, unless live-restore keeps them.

    The second and the third signal do nothing, the fourth ends the daemon at once (pkg/signal/trap.go).
    """
    if g.recall("shutting_down"):
        signals = g.recall("signals", 1) + 1
        g.remember("signals", signals)
        return "forced" if signals == SIGNALS else "again"
    g.remember("shutting_down", True)
    g.cancel("api")
    syscalls.unlisten(g.turn, paths.DOCKER_SOCK)
    running = [name for name in g.world.services if g.recall(f"container/{name}", NONE).running]
    if running and daemon_of(g.world, g.pid).live_restore:
        return "keep"
    for name in running:
        paused = g.recall(f"container/{name}").paused
        g.start("dockerd.stop_paused" if paused else "dockerd.stop", name, c=name, request=None)
    return None


def budget(world: World, frame: Frame) -> int:
    """Return how long the containers may take, in µs: 15 s, or the longest stop timeout and 5 s."""
    known = (world.services[n] for n in world.services if world.recall(frame.fid[0], f"container/{n}") is not None)
    longest = max((service.stop_timeout + GRACE for service in known), default=0)
    return int(max(daemon_of(world, frame.fid[0]).shutdown_timeout, longest))


STOPS = ("dockerd.stop", "dockerd.stop_paused", "dockerd.state_exit")


def _stops(world: World, frame: Frame) -> tuple[Key, ...]:
    return tuple(("running", frame.fid[0], procedure) for procedure in STOPS)


@reading(_stops)
def all_stopped(world: World, frame: Frame) -> bool:
    """Say whether every stop has returned."""
    return not any(world.running(frame.fid[0], procedure) for procedure in STOPS)


def stop_containerd(g: Goroutine) -> None:
    """Send TERM to containerd, and look once a second whether it is gone."""
    pid = g.recall("containerd_pid")
    g["polls"] = 0
    if pid is not None:
        g.kill(pid, "TERM")


def poll_containerd(g: Goroutine) -> str | None:
    """Kill a containerd that has not left within 15 s."""
    pid = g.recall("containerd_pid")
    g["polls"] = g["polls"] + 1
    if pid is None:
        return "gone"
    if g["polls"] < POLLS:
        return "poll"
    g.kill(pid, "KILL")
    return None


def leave(g: Goroutine) -> int:
    """Remove the pid files and leave."""
    for path in (paths.CONTAINERD_PID, paths.DOCKER_PID):
        syscalls.remove_file(g.turn, path)
    return 0


def leave_at_once(g: Goroutine) -> int:
    """Leave as a shell says that a signal has ended it; the pid files stay."""
    return 128 + NUMBERS[g["signal"]]


SHUTDOWN = procedure(
    "dockerd.shutdown",
    Do(begin_shutdown, "again", "keep", "forced"),
    Wait(all_stopped, within=budget, late="force"),
    Label("force"),
    Label("keep"),
    Do(stop_containerd),
    Label("poll"),
    Sleep("poll", POLL),
    Do(poll_containerd, "gone", "poll"),
    Wait(containerd_gone),
    Label("gone"),
    Exit(leave),
    Label("forced"),
    Exit(leave_at_once),
    Label("again"),
)

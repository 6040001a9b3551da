"""dockerd ends on TERM or INT: the API closes, containers stop (without live-restore), containerd leaves, then dockerd.

The trap is set once containerd is connected: before that TERM ends dockerd as it ends any program. One that starts
still goes on to READY first, policy starts and all. containerd is looked after until it is told to leave. Source: D
cmd/dockerd/daemon.go, daemon.go Shutdown, pkg/signal/trap.go, remote_unix.go New, Cleanup; engine-1.13 §1.1, §5.
"""

from __future__ import annotations

from collections.abc import Iterator

from sim.engine import paths
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Exit, Goto, Label, Sleep, Wait, reading
from sim.engine.procedure import procedure
from sim.engine.records import Container
from sim.engine.settings import daemon_of
from sim.engine.setup import S, Service
from sim.engines.docker.dockerd.exit import startup_done
from sim.kernel import syscalls
from sim.kernel.signals import NUMBERS
from sim.world import Frame, Key, World

GRACE = 5 * S
POLL = 1 * S
POLLS = 15
SIGNALS = 4  # of TERM and INT together
NONE = Container("")


def close_api(g: Goroutine) -> str | None:
    """Close the API's listeners; a dockerd that has set no trap yet ends.

    The second and the third signal do nothing, the fourth ends the daemon at once (pkg/signal/trap.go).
    """
    label = count_signal(g)
    if label is None:
        syscalls.unlisten(g.turn, paths.DOCKER_SOCK)
    return label


def count_signal(g: Goroutine) -> str | None:
    """Begin to shut down at the first signal, unless no trap is set yet."""
    if not g.recall("subscribed"):
        return "untrapped"
    signals = g.recall("signals", 0) + 1
    g.remember("signals", signals)
    if signals > 1:
        return "forced" if signals == SIGNALS else "again"
    return None


def begin_shutdown(g: Goroutine) -> str | None:
    """Stop every container; with live-restore look at them as `docker ps` does, lock by lock, and keep them."""
    g.remember("shutting_down", True)
    g.cancel("api")
    if daemon_of(g.world, g.pid).live_restore:
        g["job"] = g.start("dockerd.ps", "shutdown", request=None)
        return "look"
    stop_all(g)
    return None


@reading(lambda world, frame: (("frame", frame.local["job"]),))
def looked_at(world: World, frame: Frame) -> bool:
    """Say whether every container was looked at."""
    return frame.local["job"] not in world.frames


def keeps(g: Goroutine) -> bool:
    """Say whether live-restore keeps containers that run."""
    running = (name for name in g.world.services if g.recall(f"container/{name}", NONE).running)
    return bool(daemon_of(g.world, g.pid).live_restore and any(running))


def stop_all(g: Goroutine, paused: str = "stop_paused") -> None:
    """Stop every container, all at once; *paused* stops one that is. Of one that starts the lock is waited for."""
    for name in g.world.services:
        record = g.recall(f"container/{name}")
        if record is not None:
            g.start(f"dockerd.{paused if record.paused else 'stop'}", name, c=name, request=None)


def budget(world: World, frame: Frame) -> int:
    """Return how long the containers may take, in µs: 15 s, or the longest stop timeout and 5 s."""
    longest = max((service.stop_timeout + GRACE for service in _known(world, frame)), default=0)
    return int(max(daemon_of(world, frame.fid[0]).shutdown_timeout, longest))


def endless(world: World, frame: Frame) -> bool:
    """Return whether there is no such limit: some container may take for ever (daemon.go ShutdownTimeout)."""
    return any(it.stop_timeout < 0 for it in world.services.values()) and any(
        service.stop_timeout < 0 for service in _known(world, frame)
    )


def _known(world: World, frame: Frame) -> Iterator[Service]:
    """Yield the containers that there are."""
    return (world.services[n] for n in world.services if world.recall(frame.fid[0], f"container/{n}") is not None)


STOPS = ("dockerd.stop", "dockerd.stop_paused", "dockerd.state_exit", "dockerd.state_exit_after_output")


def _stops(world: World, frame: Frame) -> tuple[Key, ...]:
    return tuple(("running", frame.fid[0], procedure) for procedure in STOPS)


@reading(_stops)
def all_stopped(world: World, frame: Frame) -> bool:
    """Say whether every stop has returned."""
    return not any(world.running(frame.fid[0], procedure) for procedure in STOPS)


def stop_containerd(g: Goroutine) -> str | None:
    """Close the connection, so that nobody asks for containerd's health any more, and send it TERM."""
    pid = g.recall("containerd_pid")
    g.remember("closing", True)
    g["polls"] = 0
    return None if pid is not None and g.kill(pid, "TERM") else "gone"


def poll_containerd(g: Goroutine) -> str | None:
    """Look once a second whether containerd is gone; kill one that has not left within 15 s."""
    pid = g.recall("containerd_pid")
    g["polls"] = g["polls"] + 1
    if pid is not None and pid in g.world.host.procs:
        if g["polls"] < POLLS:
            return "poll"
        g.kill(pid, "KILL")
    return None


def leave(g: Goroutine) -> int:
    """Remove the pid files and leave."""
    for path in (paths.CONTAINERD_PID, paths.DOCKER_PID):
        syscalls.remove_file(g.turn, path)
    return 0


def die(g: Goroutine) -> int:
    """End of the signal: nobody has set a trap for it yet."""
    return -NUMBERS[g["signal"]]


def leave_at_once(g: Goroutine) -> int:
    """Leave as a shell says that a signal has ended it; the pid files stay."""
    return 128 + NUMBERS[g["signal"]]


SHUTDOWN = procedure(
    "dockerd.shutdown",
    Do(close_api, "again", "forced", "untrapped"),
    Wait(startup_done),
    Do(begin_shutdown, "look"),
    Wait(all_stopped, within=budget, late="force", unless=endless),
    Label("force"),
    Do(stop_containerd, "gone"),
    Label("poll"),
    Sleep("poll", POLL),
    Do(poll_containerd, "poll"),
    Label("gone"),
    Exit(leave),
    Label("look"),
    Wait(looked_at, within=budget, late="force", unless=endless),
    Goto("force"),
    Label("forced"),
    Exit(leave_at_once),
    Label("untrapped"),
    Exit(die),
    Label("again"),
)

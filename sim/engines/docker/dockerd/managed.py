"""A dockerd of 18.09 and later that starts its containerd itself, and how dockerd ends.

Once containerd serves, dockerd waits for its end alone: one that hangs goes unnoticed. When it has ended, dockerd waits
0.5 s, then asks three times, 3 s each, with 0.2 and 0.4 s between, and starts another: 10.1 s. On TERM the API's
listeners close at once; then the containers stop; since 24.0 clients that hold a stream are waited for then, 5 s; then
containerd is told to leave, which is looked at once a second. Leaves out that any request which is not over, not a
stream alone, is waited for. Source: moby libcontainerd/supervisor/remote_daemon.go [K]; v23.0.0 cmd/dockerd/daemon.go
183-262, 354-356, v26.1.5 151-196, 335-362; v26.1.5 daemon/daemon_unix.go 835-892; experiments d and e of the
measurements, whole hosts H1 to H4 [M].
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Exit, Fork, Go, Goto, Label, Reap, Sleep, Wait, reading
from sim.engine.procedure import procedure
from sim.engine.setup import MS, S
from sim.engine.traits import traits
from sim.engines.docker.dockerd.boot import SUPERVISED, boot_table
from sim.engines.docker.dockerd.exit import startup_done
from sim.engines.docker.dockerd.shutdown import (
    POLL,
    all_stopped,
    budget,
    close_api,
    die,
    endless,
    keeps,
    leave,
    leave_at_once,
    poll_containerd,
    stop_all,
    stop_containerd,
)
from sim.engines.docker.dockerd.supervise import containerd_gone, containerd_started, fork_containerd, responsive
from sim.world import Frame, Key, World

LIMIT = 3 * S
DELAY = 500 * MS
STEP = 200 * MS
MOST = 3
STREAMS = ("dockerd.watch", "dockerd.logs", "dockerd.wait")

# -- containerd -------------------------------------------------------------------------------------


def _serving(world: World, frame: Frame) -> tuple[Key, ...]:
    socket = traits(world, frame.fid[0]).containerd_socket
    return (("listen", socket), ("proc", world.host.listeners.get(socket)))


@reading(_serving)
def serving(world: World, frame: Frame) -> bool:
    """Say whether a containerd listens and answers."""
    pid = world.host.listeners.get(traits(world, frame.fid[0]).containerd_socket)
    return pid is not None and responsive(world, pid)


def begin(g: Goroutine) -> None:
    """Count no failures yet."""
    g["failed"] = 0


def count_failure(g: Goroutine) -> str | None:
    """Ask again, unless it was the third failure in a row and containerd has gone."""
    g["failed"] = g["failed"] + 1
    return "again" if g["failed"] < MOST or g.recall("containerd_pid") is not None else None


def between(world: World, frame: Frame) -> int:
    """Return the pause before the next question, in µs: 0.2 s for each failure."""
    return int(frame.local["failed"] * STEP)


SUPERVISOR = procedure(
    "dockerd.supervisor",
    Label("begin"),
    Do(begin),
    Label("ask"),
    Wait(serving, within=LIMIT, late="failed"),
    Do(begin),
    Wait(containerd_gone),
    Sleep("delay", DELAY),
    Goto("ask"),
    Label("failed"),
    Do(count_failure, "again"),
    Fork(fork_containerd),
    Do(containerd_started),
    Goto("begin"),
    Label("again"),
    Sleep("between", between),
    Goto("ask"),
)


def records_read(world: World, frame: Frame) -> int:
    """Return how long it takes to read every container's record, in µs."""
    here = sum(paths.container(name) in world.host.files for name in world.services)
    return here * traits(world, frame.fid[0]).load_each


def must_configure(g: Goroutine) -> str | None:
    """Leave the default networks as they are where containers were taken over (initNetworkController 846-850)."""
    return "configured" if g.recall("active", ()) else None


def configure_networking(g: Goroutine) -> None:
    """Make the default networks, and the default bridge anew."""


CONFIGURE = (Do(must_configure, "configured"), Do(configure_networking), Label("configured"))
LOAD = (Sleep("records_read", records_read),)
BOOT = boot_table(*SUPERVISED, Go("supervisor"), load=LOAD, configure=CONFIGURE)
WAITER = procedure("dockerd.wait_proxy", Reap("proxy_pid", shared=True))

# -- the end ----------------------------------------------------------------------------------------


def stop_containers(g: Goroutine) -> str | None:
    """Take no requests any more, and stop every container, unless live-restore keeps them."""
    g.remember("shutting_down", True)
    g.cancel("api")
    if keeps(g):
        return "keep"
    stop_all(g, paused="stop")
    return None


def stream_wait(world: World, frame: Frame) -> int:
    """Return how long clients that hold a stream are waited for, in µs."""
    return traits(world, frame.fid[0]).stream_wait


@reading(lambda world, frame: [("running", frame.fid[0], procedure) for procedure in STREAMS])
def no_streams(world: World, frame: Frame) -> bool:
    """Say whether no client holds a stream."""
    return not any(world.running(frame.fid[0], procedure) for procedure in STREAMS)


def supervise_no_more(g: Goroutine) -> str | None:
    """Let containerd go, and tell it to."""
    g.cancel("supervisor")
    return stop_containerd(g)


BEGIN_END = (
    Do(close_api, "again", "forced", "untrapped"),
    Wait(startup_done),
    Do(stop_containers, "keep"),
    Wait(all_stopped, within=budget, late="force", unless=endless),
    Label("force"),
    Label("keep"),
    Wait(no_streams, within=stream_wait, late="cut"),
    Label("cut"),
)
END = (
    Exit(leave),
    Label("forced"),
    Exit(leave_at_once),
    Label("untrapped"),
    Exit(die),
    Label("again"),
)
SHUTDOWN = procedure(
    "dockerd.shutdown",
    BEGIN_END,
    Do(supervise_no_more, "gone"),
    Label("poll"),
    Sleep("poll", POLL),
    Do(poll_containerd, "poll"),
    Label("gone"),
    END,
)

# -- a containerd that systemd has started -----------------------------------------------------------

BOOT_ALONE = boot_table(Go("connection"), load=LOAD, configure=CONFIGURE)
SHUTDOWN_ALONE = procedure("dockerd.shutdown", BEGIN_END, END)

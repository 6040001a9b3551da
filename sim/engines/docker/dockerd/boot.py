"""dockerd begins: pid file, sockets, containerd, restore, network controller (`controller`), policy starts, READY.

Leaves out images and other drivers. Source: D cmd/dockerd/daemon.go, daemon/daemon.go restore,
libcontainerd/client_linux.go Restore; engine-1.13 §6, §16.6; threads: 5 before containerd read off the document, 7 more
[K].
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.containers import drop_pins
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Exit, Fork, Go, Goto, Join, Label, Op, Return, Wait, reading
from sim.engine.policies import wants_restart
from sim.engine.procedure import Procedure, procedure
from sim.engine.records import Container
from sim.engine.setup import S
from sim.engine.traits import traits
from sim.engines.docker.dockerd.controller import CONTROLLER
from sim.engines.docker.dockerd.exit import connected
from sim.engines.docker.dockerd.settings import load_settings
from sim.engines.docker.dockerd.start import FORCED
from sim.engines.docker.dockerd.supervise import check_containerd_pid, containerd_started, fork_containerd
from sim.engines.host.daemon import open_socket, tell_ready
from sim.facts import Fid
from sim.kernel import syscalls
from sim.world import Frame, World

# -- begin -----------------------------------------------------------------------------------------


def check_pid_file(g: Goroutine) -> str | None:
    """Refuse to start if /proc has the number in the pid file, be it a process or a thread."""
    syscalls.start_threads(g.turn, g.pid, g.world.setup.engine.unverified.dockerd_threads_before)
    stale = g.world.host.files.get(paths.DOCKER_PID)
    if isinstance(stale, int) and g.world.host.exists(stale):
        return "running"
    syscalls.write_file(g.turn, paths.DOCKER_PID, g.pid)
    load_settings(g)
    return None


def open_sockets(g: Goroutine) -> None:
    """Open the API socket: clients queue, unanswered, until the daemon is ready."""
    open_socket(g, paths.DOCKER_SOCK)


def load_containers(g: Goroutine) -> None:
    """Read every container record; restore those that ran, all at once.

    A start that an earlier dockerd had begun is no first start any more. One in the midst of whose removal that dockerd
    ended counts as dead (daemon.go 271-284; so since 1.12): no policy starts it, and people may remove it.
    """
    since = g.world.host.files.get(paths.EVENT_TS, 0)
    drop_pins(g, [name for name in g.world.services if paths.container(name) in g.world.host.files])
    for name in g.world.services:
        record = g.world.host.files.get(paths.container(name))
        if not isinstance(record, Container):
            continue
        dead = record.dead or record.removing
        record = replace(record, canceled=False, backoff=0, ran_long=False, removing=False, dead=dead)
        g.remember(f"container/{name}", record)
        if record.running:
            g.remember(f"lib/{name}", True)
            g.remember(f"restoring/{name}", True)
            g.start("dockerd.restore", name, c=name, since=since)


@reading(lambda world, frame: (("running", frame.fid[0], "dockerd.restore"),))
def restored(world: World, frame: Frame) -> bool:
    """Say whether every restore has ended."""
    return not world.running(frame.fid[0], "dockerd.restore")


# -- policies -------------------------------------------------------------------------------------


def start_by_policy(g: Goroutine) -> str | None:
    """With the network controller up, start, all at once, each stopped container whose policy says so.

    Since 18.09 one that was never started is left alone (v18.09.0 daemon.go 388, HasBeenStartedBefore).
    """
    g.remember("controller", True)
    created = traits(g.world, g.pid).starts_created
    joined = {other for it in g.world.services.values() for other in (it.joins, it.pid_of)}
    for name in g.world.services:
        record = g.recall(f"container/{name}")
        if record is None or record.running or not (record.started or created):
            continue
        if wants_restart(record, record.exit_code, record.manual):
            how = "boot_behind" if g.world.services[name].links else "boot_turn" if name in joined else "boot_start"
            g.start(f"dockerd.{how}", name, c=name)
    return "leftovers" if _leftovers(g) else None


def _leftovers(g: Goroutine) -> list[str]:
    here = ((name, g.recall(f"container/{name}")) for name, it in g.world.services.items() if it.auto_remove)
    return [name for name, record in here if record is not None and not record.running and not record.kept]


def remove_leftovers(g: Goroutine) -> None:
    """Remove, all at once, what `--rm` has left behind."""
    for name in _leftovers(g):
        g.start("dockerd.rm", name, c=name, request=FORCED)


@reading(lambda world, frame: (("running", frame.fid[0], "dockerd.rm"),))
def leftovers_removed(world: World, frame: Frame) -> bool:
    """Say whether every removal has returned."""
    return not world.running(frame.fid[0], "dockerd.rm")


BOOT_START = procedure(
    "dockerd.boot_start",
    Go("start", "{c}", "c", into="job", why="boot", request=None),
    Join("job"),
)


def take_turn(g: Goroutine) -> None:
    """Begin when the scheduler says so: whoever shares this container's network may have looked at it by then.

    In which order a map's containers are started is chance, and only a start that has begun holds the lock (H3 of the
    recorded hosts: the container that joins looked first, twice; H4: it waited).
    """


def _started(world: World, frame: Frame) -> list[Fid]:
    linked = world.services[frame.local["c"]].links
    return [(frame.fid[0], f"{how.partition('.')[2]}/{name}") for name in linked for how in STARTS]


@reading(lambda world, frame: tuple(("frame", fid) for fid in _started(world, frame)))
def links_started(world: World, frame: Frame) -> bool:
    """Return whether the starts of the containers that this one links to have returned."""
    return not any(fid in world.frames for fid in _started(world, frame))


BOOT_TURN = procedure(
    "dockerd.boot_turn",
    Do(take_turn),
    Go("boot_start", "{c}", "c", into="job"),
    Join("job"),
)
BOOT_BEHIND = procedure(
    "dockerd.boot_behind",
    Wait(links_started, within=5 * S, late="now"),  # daemon.go 601-617: best effort
    Label("now"),
    Go("boot_start", "{c}", "c", into="job"),
    Join("job"),
)
STARTS = ("dockerd.boot_start", "dockerd.boot_turn", "dockerd.boot_behind")


@reading(lambda world, frame: tuple(("running", frame.fid[0], name) for name in STARTS))
def policies_started(world: World, frame: Frame) -> bool:
    """Say whether every policy start has returned."""
    return not any(world.running(frame.fid[0], name) for name in STARTS)


def ready(g: Goroutine) -> None:
    """Serve the API and tell systemd READY=1."""
    syscalls.start_threads(g.turn, g.pid, g.world.setup.engine.unverified.dockerd_threads_after)
    g.start("dockerd.api")
    tell_ready(g)


@reading(lambda world, frame: (("memory", frame.fid[0], "subscribed"), *connected.reads(world, frame)))
def subscribed(world: World, frame: Frame) -> bool:
    """Say whether the event stream is open (it waits for the connection)."""
    return bool(world.recall(frame.fid[0], "subscribed"))


def already_running(g: Goroutine) -> int:
    """Say that the pid file names something that lives, and leave with 1."""
    return 1


EVENT_STREAM = (Go("events"), Wait(subscribed))


def boot_table(
    *containerd: Any, load: tuple[Op, ...] = (), events: tuple[Op, ...] = EVENT_STREAM, configure: tuple[Any, ...] = ()
) -> Procedure:
    """Return the way from the pid file to READY, with how dockerd comes by its *containerd*; *load* is done first.

    *events* opens the stream of what happens to containers, *configure* makes the default networks.
    """
    return procedure(
        "dockerd.boot",
        Do(check_pid_file, "running"),
        Do(open_sockets),
        *containerd,
        events,
        load,
        Do(load_containers),
        Wait(restored),
        CONTROLLER,
        configure,
        Do(start_by_policy, "leftovers"),
        Wait(policies_started),
        Label("started"),
        Do(ready),
        Return(),
        Label("running"),
        Exit(already_running),
        Label("leftovers"),
        Wait(policies_started),
        Do(remove_leftovers),
        Wait(leftovers_removed),
        Goto("started"),
    )


SUPERVISED = (
    Do(check_containerd_pid, "adopted"),
    Fork(fork_containerd),
    Do(containerd_started),
    Label("adopted"),
    Go("connection"),
)
BOOT = boot_table(*SUPERVISED, Go("health"))

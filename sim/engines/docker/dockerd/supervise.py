"""dockerd looks after containerd: it starts it, keeps a gRPC connection, asks for its health twice a second.

Three failed checks in a row and containerd is killed, if it lives, and started anew. The connection is tried again on
its own schedule, so that a fresh containerd may be killed before it is reached. Whatever has the number in the pid file
is taken for a containerd that lives, at each start of one: a stranger is killed in its turn, and a dockerd that never
had a child waits for its end for ever. Leaves out a containerd that answers slowly. Source: D
libcontainerd/remote_unix.go handleConnectionChange, runContainerdDaemon, grpc backoff.go; engine-1.13 §6 step 3, §7.1,
§16.2, §16.3.
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Every, Fork, Goto, Label, Reap, Sleep, Wait, reading
from sim.engine.procedure import procedure
from sim.engine.settings import daemon_of
from sim.engine.setup import MS, S
from sim.engine.traits import traits
from sim.kernel import syscalls
from sim.world import Frame, Key, World

TICK = 500 * MS
DEADLINE = 3 * S
GRACE = 100 * MS
FIRST_RETRY = 1 * S


def fork_containerd(g: Goroutine) -> Spawn:
    """Describe containerd: a session of its own, killed with dockerd (since 1.12)."""
    found = traits(g.world, g.pid)
    return Spawn("containerd", found.words.containerd, new_session=True, death_signal=found.containerd_dies_with)


def containerd_started(g: Goroutine) -> None:
    """Write the pid file and wait for the child in a goroutine of its own."""
    pid = g["child_pid"]
    syscalls.write_file(g.turn, paths.CONTAINERD_PID, pid)
    g.remember("containerd_pid", pid)
    g.start("dockerd.wait_containerd", child_pid=pid)


def containerd_reaped(g: Goroutine) -> None:
    """Note that containerd is gone."""
    if g.recall("containerd_pid") == g["child_pid"]:
        g.remember("containerd_pid", None)


def check_containerd_pid(g: Goroutine) -> str | None:
    """Take whatever has the number in containerd's pid file, be it a process or a thread, for a living containerd.

    It is no child: nobody will reap it. A dockerd that has waited for a child before does not wait for this one.
    """
    stale = g.world.host.files.get(paths.CONTAINERD_PID)
    owner = g.world.host.owner_of(stale) if isinstance(stale, int) else None
    if owner is None:
        return None
    if (g.pid, "boot") not in g.world.frames:
        g.remember("not_waited_for", owner)
    g.remember("containerd_pid", owner)
    return "adopted"


WAIT_CONTAINERD = procedure("dockerd.wait_containerd", Reap("child_pid"), Do(containerd_reaped))

# -- the connection --------------------------------------------------------------------------------


def dial(g: Goroutine) -> str | None:
    """Try to connect: some containerd must be listening at this moment."""
    pid = g.world.host.listeners.get(traits(g.world, g.pid).containerd_socket)
    if pid is None:
        g["attempt"] = (g["attempt"] or 0) + 1
        return "first" if g["attempt"] == 1 else None
    g["peer_pid"], g["attempt"] = pid, 0
    g.remember("connection", pid)
    return "connected"


def retry_after(world: World, frame: Frame) -> int:
    """Return the time to the next attempt before its spread, in µs: 1 s, then times 1.6 up to a cap."""
    tries = frame.local["attempt"] - 1
    return int(min(FIRST_RETRY * 16**tries // 10**tries, traits(world, frame.fid[0]).redial_cap))


@reading(lambda world, frame: (("proc", frame.local["peer_pid"]),))
def peer_gone(world: World, frame: Frame) -> bool:
    """Say whether the connected containerd has died."""
    return not world.host.alive(frame.local["peer_pid"])


def disconnected(g: Goroutine) -> None:
    """Note that the transport is broken: calls fail at once from now on."""
    g.remember("connection", None)


CONNECTION = procedure(
    "dockerd.connection",
    Label("dial"),
    Do(dial, "connected", "first"),
    Sleep("retry", retry_after),
    Goto("dial"),
    Label("first"),
    Sleep("first_retry", FIRST_RETRY),
    Goto("dial"),
    Label("connected"),
    Wait(peer_gone),
    Do(disconnected),
    Goto("dial"),
)

# -- health ----------------------------------------------------------------------------------------


def _health(world: World, frame: Frame) -> tuple[Key, ...]:
    pid = frame.fid[0]
    peer = world.recall(pid, "connection")
    return (("memory", pid, "connection"), ("memory", pid, "fail_count"), ("proc", peer))


@reading(_health)
def healthy(world: World, frame: Frame) -> bool:
    """Say whether a check would succeed and change nothing."""
    pid = frame.fid[0]
    peer = world.recall(pid, "connection")
    return peer is not None and world.recall(pid, "fail_count", 0) == 0 and responsive(world, peer)


def responsive(world: World, pid: int) -> bool:
    """Say whether a process lives and is neither stopped nor frozen."""
    process = world.host.procs.get(pid)
    return process is not None and process.runs


def begin_check(g: Goroutine) -> str | None:
    """Send the check, which fails at once while the transport is not ready (FailFast); a closed one ends the loop."""
    if g.recall("closing"):
        return "closing"
    g["peer_pid"] = g.recall("connection")
    return "failed" if g["peer_pid"] is None else None


@reading(lambda world, frame: (("proc", frame.local["peer_pid"]),))
def check_answered(world: World, frame: Frame) -> bool | str:
    """Say whether containerd has answered; a stopped one does not.

    One that dies while a check is in flight ends the supervision for good: this build's loop returns on "transport is
    closing" (T31). A healthy containerd answers at once here, so that 0.1 to 0.5 % of its deaths are missed.
    """
    if not world.host.alive(frame.local["peer_pid"]):
        return "closing"
    return responsive(world, frame.local["peer_pid"])


def check_good(g: Goroutine) -> None:
    """Start to count anew (RHEL build)."""
    if g.recall("fail_count", 0):
        g.remember("fail_count", 0)


def check_bad(g: Goroutine) -> str | None:
    """Count a failure; after the third in a row replace containerd."""
    count = g.recall("fail_count", 0) + 1
    if count < daemon_of(g.world, g.pid).max_health_check_retries:
        g.remember("fail_count", count)
        return "tick"
    g.remember("fail_count", 0)
    pid = g.recall("containerd_pid")
    return None if pid is not None and g.kill(pid, "USR1") else "dead"


def kill_containerd(g: Goroutine) -> None:
    """Kill a containerd that lives but does not answer."""
    pid = g.recall("containerd_pid")
    if pid is not None:
        g.kill(pid, "KILL")


@reading(lambda world, frame: [("memory", frame.fid[0], key) for key in ("containerd_pid", "not_waited_for")])
def containerd_gone(world: World, frame: Frame) -> bool:
    """Say whether the child has been reaped, or there was no child to wait for after an earlier one."""
    pid = world.recall(frame.fid[0], "containerd_pid")
    return pid is None or pid == world.recall(frame.fid[0], "not_waited_for")


HEALTH = procedure(
    "dockerd.health",
    Label("tick"),
    Every("health_tick", TICK, idle=healthy),
    Do(begin_check, "failed", "closing"),
    Wait(check_answered, "closing", within=DEADLINE, late="failed"),
    Do(check_good),
    Goto("tick"),
    Label("failed"),
    Do(check_bad, "tick", "dead"),
    Sleep("grace", GRACE),
    Do(kill_containerd),
    Label("dead"),
    Wait(containerd_gone),
    Do(check_containerd_pid, "adopted"),
    Fork(fork_containerd),
    Do(containerd_started),
    Label("adopted"),
    Goto("tick"),
    Label("closing"),
)

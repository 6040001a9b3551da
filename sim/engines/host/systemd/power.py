"""Power lost, and a reboot: what a host forgets, and how it comes up again.

When the power goes every process is gone at once; nobody sees a status, no handler runs. /run is a tmpfs and goes, too,
with the packet filter and the control groups; /var/lib/docker is a disk and stays as it was last written, whole files
or none. Then PID 1 is another systemd: it starts journald and the units, which are taken to be enabled, and ids begin
anew. A reboot stops the engine's unit as `systemctl stop` does, then the others, then sends TERM to all that is left,
KILL after 10 s, and waits no longer than 10 s more for who was forked meanwhile (systemd-shutdown [K]). The scopes of
containers are of those, since runc makes them without default dependencies [K]. Leaves out file systems that lose what
was not synced, other units, the BIOS. Source: systemd-shutdown(8), tmpfs(5), engine-1.13 §1.4, §5, §16.9, §23 T51.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from sim.engine.goroutine import Failure, Goroutine, start_frame
from sim.engine.ops import Answered, reading
from sim.engine.records import JournalState
from sim.engine.setup import LosePower
from sim.engines.host import journald, output
from sim.engines.host.systemd import starter
from sim.engines.host.systemd.job import REPLACED
from sim.engines.host.systemd.unit import UNIT, daemons, key_of
from sim.facts import Forgot, FrameEnded, Received, Replied, UnitChanged
from sim.kernel import events as e
from sim.kernel import syscalls
from sim.kernel.host import Host
from sim.kernel.records import INIT, NO_POWER, OUTSIDE, Pid
from sim.world import Frame, Turn, World

TMPFS = ("/run/", "/var/run/")
KERNELS = ("/sys/",)
CLOSED = "Connection to the host closed by remote host."


def lose_power(g: Goroutine, command: LosePower) -> None:
    """Take the power away; it is back after a time."""
    begin_anew(g.turn, command.off)


def begin_anew(turn: Turn, off: int = 0) -> None:
    """Let go of everything but the disk, and of what people wait for; boot *off* µs later."""
    for pid in list(_bottom_up(turn.host, INIT)):
        if turn.host.alive(pid):
            turn.emit(e.Exited(pid, NO_POWER))
        turn.emit(e.Reaped(pid, turn.host.procs[pid].ppid))
    _wipe(turn)
    _forget_systemd(turn)
    _close_connections(turn)
    turn.emit(e.IdsSkipped((turn.world.setup.host.next_pid or 2) - 1))
    start_frame(turn, INIT, "init.boot", "", {"off": off})


def _bottom_up(host: Host, pid: Pid) -> Iterator[Pid]:
    for child in list(host.children.get(pid, ())):
        yield from _bottom_up(host, child)
        yield child


def _wipe(turn: Turn) -> None:
    host = turn.host
    for path in [path for path in host.files if path.startswith((*TMPFS, *KERNELS))]:
        syscalls.remove_file(turn, path)
    for path in list(host.fifos):
        turn.emit(e.FifoRemoved(path))
    for rule in list(host.rules):
        syscalls.remove_rule(turn, rule)
    kept = tuple(host.reserved)
    if kept:
        turn.emit(e.IdsReleased(kept))


def _forget_systemd(turn: Turn) -> None:
    world = turn.world
    for fid in [fid for fid in world.frames if fid[0] == INIT]:
        turn.emit(FrameEnded(fid))
    for name in ("bus", "notify"):
        for _ in world.queue(INIT, name):
            turn.emit(Received(INIT, name))
    units = daemons(world)
    for key in (*(key_of(world, name) for name in units), output.JOURNALD):
        if world.recall(INIT, key) is not None:
            turn.emit(Forgot(INIT, key))
    for key in [key for key in world.memory.get(INIT, {}) if key.startswith((UNIT, REPLACED))]:
        turn.emit(Forgot(INIT, key))
        if key.startswith(UNIT):
            turn.emit(UnitChanged(key.removeprefix(UNIT), "inactive"))
    for name in units:
        turn.emit(UnitChanged(name, "inactive"))


def _close_connections(turn: Turn) -> None:
    """Tell those who wait for PID 1 that the host is gone; who waits for another process sees its end."""
    world = turn.world
    for fid in [fid for fid in world.frames if fid[0] == OUTSIDE and fid not in world.replies]:
        frame = world.frames[fid]
        op = world.design.procedures[frame.procedure].ops[frame.op]
        if isinstance(op, Answered) and frame.local["peer_pid"] == INIT:
            turn.emit(Replied(fid, Failure(CLOSED)))


def boots(g: Goroutine) -> None:
    """Load the kernel and start systemd: it reaps, listens, and starts journald."""
    for name in ("main", "bus", "notify"):
        g.start(f"init.{name}")
    if journald.concerns(g.world.setup):
        journald.begin(g.turn)
    starter.begin(g.turn)


# -- reboot -----------------------------------------------------------------------------------------


def last_chance(world: World, frame: Frame) -> int:
    """Return how long systemd-shutdown waits between TERM and KILL, in µs."""
    return int(world.setup.engine.unverified.last_chance)


def shut_down(g: Goroutine) -> None:
    """Answer `systemctl reboot` before anything is stopped."""
    g.reply(g["request"].reply, True)


def term_all(g: Goroutine) -> None:
    """Send TERM to whatever is left; journald is not started again."""
    state = g.recall(output.JOURNALD)
    if isinstance(state, JournalState):
        g.remember(output.JOURNALD, replace(state, stopped=True))
    _signal_all(g, "TERM")


def kill_all(g: Goroutine) -> None:
    """Send KILL to whatever has not left in time."""
    _signal_all(g, "KILL")


def _signal_all(g: Goroutine, signal: str) -> None:
    for pid in [process.pid for process in g.world.host.procs.values() if process.alive and process.pid != INIT]:
        g.kill(pid, signal)


@reading(lambda world, frame: (("children", INIT),))
def alone(world: World, frame: Frame) -> bool:
    """Return whether no other process lives: orphans come to PID 1, so that it reaps the last one."""
    return not any(process.alive for process in world.host.procs.values() if process.pid != INIT)


def restart_host(g: Goroutine) -> None:
    """Unmount, and let the machine begin anew."""
    begin_anew(g.turn)


def power_back(world: World, frame: Frame) -> int:
    """Return how long the machine stays off, in µs."""
    return int(frame.local["off"])

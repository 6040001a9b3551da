"""Laws that podman keeps whatever happens: who is whose parent, who holds a lock, who has an address.

A command that is killed, or a power cut, may leave an address without a container's network (nobody gives it back until
the next stop) and a layer without a record; that is no law. Source: designs §4.1, §4.2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sim.engine.containers import unit_group
from sim.engines.host.reach import NETNS
from sim.engines.host.systemd.unit import keys_of, names, state_of
from sim.kernel.host import Host
from sim.kernel.records import OUTSIDE, Pid
from sim.kernel.syscalls import deliverable
from sim.predicates import payloads, spelled
from sim.properties import ALWAYS, EVENTUALLY, Property, stated
from sim.testing import LAWS
from sim.testing.walk import op_at
from sim.world import World
from tests.laws import unreaped, vain_waits

Faults = Iterator[str]
PARENTS = ("runc", "conmon", "init", "subreaper")  # the last: what becomes an orphan on a host with `subreaper`


def strange_parents(world: World) -> Faults:
    """Find first processes whose parent is none of: the crun that makes them, their conmon, the reaper of orphans."""
    for name in world.services:
        for process in payloads(world, name):
            parent = world.host.procs[process.ppid]
            if parent.image.program not in PARENTS or parent.image.container not in ("", name):
                yield f"{spelled(process)} is a child of {spelled(parent)}"


def shared_addresses(world: World) -> Faults:
    """Find an address that two networks of containers have."""
    files = world.host.files
    used = Counter(value for path, value in files.items() if path.startswith(NETNS))
    yield from (f"{address} is in {count} namespaces" for address, count in used.items() if count > 1)


def held_locks(world: World) -> Faults:
    """Find locks of the kernel's that somebody holds who can go on no more: neither running nor told to wait."""
    for name, lock in world.locks.get(OUTSIDE, {}).items():
        frame = world.frames[lock.holder]
        if world.host.procs[lock.holder[0]].state == "S" and op_at(world, frame).name not in MAY_WAIT:
            yield f"{name} is held by {lock.holder}, which stands at {op_at(world, frame).name} of {frame.procedure}"


MAY_WAIT = (
    "exit_file_there",  # of a conmon that stands still, or whose output somebody keeps open: for 5 s
)

PODMAN_LAWS: tuple[Property, ...] = (
    *LAWS,
    stated("parents", ALWAYS, "A container's first process is a child of crun, its conmon or the host's reaper.",
           strange_parents, "designs §4.1"),
    stated("addresses", ALWAYS, "No two containers have one address.", shared_addresses, "designs §4.2"),
    stated("waits", EVENTUALLY, "Where nothing can happen at once, who waits for a process has one to wait for.",
           vain_waits),
    stated("zombies", EVENTUALLY, "PID 1 leaves no zombie.", unreaped),
    stated("locks are passed on", EVENTUALLY, "Where nothing can happen at once, a lock's holder waits for conmon.",
           held_locks, "designs §4.2"),
)  # fmt: skip
"""What holds of podman."""


def strange_units(world: World) -> Faults:
    """Find units that are up without a main process, or down with a process in their control group.

    KillMode=process leaves there what is no main process (systemd.kill(5)); what the freezer holds has got KILL and
    takes it when it is thawed (service_dispatch_timer).
    """
    for name in names(world):
        unit, main = state_of(world, name), world.host.procs.get(state_of(world, name).main_pid)
        if unit.state == "active" and (main is None or not main.alive):
            yield f"{name}.service is active, its main process {unit.main_pid} is gone"
        if unit.state in ("inactive", "failed") and keys_of(world, name).kill_mode != "process":
            groups = (it for it in world.host.grouped if it.startswith(unit_group(world.services[name])))
            left = [pid for group in groups for pid in world.host.grouped[group] if not _holds_kill(world.host, pid)]
            if left:
                yield f"{name}.service is {unit.state}, and {left} are left in its control group"


def _holds_kill(host: Host, pid: Pid) -> bool:
    """Return whether a process is dead, or has got KILL and cannot take it: it, or who should reap it, is frozen."""
    return not host.procs[pid].alive or ("KILL" in host.procs[pid].pending and "KILL" not in deliverable(host, pid))


def stuck_units(world: World) -> Faults:
    """Find units that are on their way for nobody: no goroutine of systemd's sees to them, and no process of theirs."""
    for name in names(world):
        unit = state_of(world, name)
        works = any(frame.fid[1].partition("/")[2].partition("#")[0] == name for frame in world.frames.values())
        if unit.state in ("activating", "deactivating", "auto-restart") and not unit.main_pid and not works:
            yield f"{name}.service is {unit.state}, and nobody goes on with it"


QUADLET_LAWS: tuple[Property, ...] = (
    *PODMAN_LAWS,
    stated("units", EVENTUALLY, "An active unit has a main process; one that is down no process, but with "
           "KillMode=process.", strange_units, "designs §4.2, C3; systemd.kill(5)"),
    stated("units go on", ALWAYS, "A unit that is on its way has somebody who sees to it.", stuck_units),
)  # fmt: skip
"""What holds of podman-quadlet."""

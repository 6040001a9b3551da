"""What podman keeps between its commands: a database on disk, the rest in files on /run.

No process holds any of it: each command reads a container's record, brings it up to date (`synced`), and writes it. So
what is believed changes only when a command runs, and what a view shows is what `podman ps` would find at that moment.
The record has one of libpod's states (`states`); *manual* is StoppedByUser. On a full disk no record changes, and
commands that would change one fail; /run is another file system, so that exit files stay. Leaves out the SQL, volumes
and pods. Source: designs §4.2, F11 [S]; podman v5.4.2, libpod/container_internal.go 363-397 (syncContainer), 626-666
(resetContainerState), 2598-2627 (checkExitFile); sqlite_state.go 240-262 (what a boot deletes), 951-1003 (exit codes).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim.engine.containers import service_of
from sim.engine.engine import ran
from sim.engine.goroutine import Goroutine
from sim.engine.networks import address, numbers
from sim.engine.setup import Service
from sim.engines.conmon.files import EXITS, exit_file, run_file
from sim.engines.host import storage
from sim.engines.host.daemon import event
from sim.engines.podman.ladder import version_of
from sim.engines.podman.states import (
    CONFIGURED,
    CREATED,
    EXITED,
    REMOVING,
    RUNNING,
    STOPPED,
    WITH_PROCESS,
    LibpodContainer,
    moved,
)
from sim.kernel import syscalls
from sim.kernel.records import Pid
from sim.world import Key, Turn, World

DATABASE = "/var/lib/containers/storage/db.sql#container/"
ALIVE = "/run/libpod/alive"  # gone with /run: the next command knows that the host has booted
LEASES = "/run/containers/networks/ipam.db#"
NO_CODE = "no such exit code"  # ErrNoSuchExitCode
NO_ROOM = "saving container state: database or disk is full"  # SQLITE_FULL [K]
UNKNOWN = -1  # the exit code that nobody could tell


def in_database(name: str) -> str:
    """Return where the database keeps a container."""
    return DATABASE + name


def lease(network: str, number: int) -> str:
    """Return where a network's addresses are noted."""
    return f"{LEASES}{network}/{number}"


# -- records -----------------------------------------------------------------------------------------


def synced(world: World, name: str) -> LibpodContainer | None:
    """Return what a command finds of a container."""
    return synced_in(world, world.host.files, world.services[name])


def synced_in(world: World, files: Mapping[str, Any], service: Service) -> LibpodContainer | None:
    """Return the database's record of a container, with what the files on /run say since.

    Where conmon has left an exit file the container has stopped; where it has left none the record stays, whatever
    lives.
    """
    record = files.get(in_database(service.name))
    if not isinstance(record, LibpodContainer):
        return None
    if ALIVE not in files:
        return _after_boot(world, record)
    status = files.get(exit_file(service)) if record.state in WITH_PROCESS else None
    if status is None:
        return record
    return moved(record, STOPPED, exit_code=status, oom_killed=run_file(service, "oom") in files, told=True)


def _after_boot(world: World, record: LibpodContainer) -> LibpodContainer:
    """Return the record as the first command after a boot makes it: nobody has told another code."""
    if version_of(world).exited_at_boot:
        state = {CONFIGURED: CONFIGURED, CREATED: CONFIGURED, REMOVING: REMOVING}.get(record.state, EXITED)
    else:
        state = EXITED if record.state == EXITED else CONFIGURED
    return moved(record, state, manual=False, restart_count=0, fresh=True, told=False)


def is_left_over(world: World, record: LibpodContainer) -> bool:
    """Return whether the first command after a boot removes a container (runtime.go 862)."""
    removed = world.services[record.name].auto_remove and record.state == EXITED
    return version_of(world).exited_at_boot and (removed or record.state == REMOVING)


def told_by(world: World, path: str) -> str | None:
    """Return the container of which a file tells whether it runs: its record, or its exit file; None if of none."""
    if path.startswith(DATABASE):
        return path.removeprefix(DATABASE)
    if not path.startswith(EXITS):
        return None
    return next((name for name, service in world.services.items() if exit_file(service) == path), None)


def synced_reads(world: World, name: str) -> tuple[Key, ...]:
    """Name what `synced` depends on."""
    return (("file", in_database(name)), ("file", exit_file(world.services[name])), ("file", ALIVE))


def load(g: Goroutine) -> LibpodContainer | None:
    """Read the record of the container in variable `c`, and bring it up to date: the first who does tells the end."""
    before, record = g.world.host.files.get(in_database(g["c"])), synced(g.world, g["c"])
    if record is not None and record != before and save(g, record) and ALIVE in g.world.host.files:
        event(g, "die", ("exitCode", str(record.exit_code)))
    return record


def save(g: Goroutine, record: LibpodContainer) -> bool:
    """Write the record; return whether there was room."""
    if no_room(g):
        return False
    syscalls.write_file(g.turn, in_database(record.name), record)
    return True


def no_room(g: Goroutine) -> bool:
    """Return whether the database cannot be written, and keep that as the error."""
    if storage.full(g.world):
        g["error"] = NO_ROOM
    return bool(storage.full(g.world))


def conmon_of(world: World, service: Service) -> Pid | None:
    """Return the conmon that the pid file names, if kill(pid, 0) finds a process of that number."""
    pid: Any = world.host.files.get(run_file(service, "conmon.pid"))
    return pid if pid in world.host.procs else None


def disk_of_a_running_host(turn: Turn) -> None:
    """Write what the database says after a power cut while every service ran."""
    for service, record in ran(turn.world):
        found = LibpodContainer(record.name, record.policy, started=True, fresh=False)
        syscalls.write_file(turn, in_database(service.name), moved(found, RUNNING))


# -- addresses ---------------------------------------------------------------------------------------


def assign_address(g: Goroutine) -> str | None:
    """Note the address after the last one that was given out on the container's network; None if all are taken."""
    service, files = service_of(g), g.world.host.files
    network, (first, most) = service.network, numbers(g.world, service.network)
    last: Any = files.get(f"{LEASES}{network}/last", first - 1)
    after = (*range(last + 1, most + 1), *range(first, last + 1))
    number = next((number for number in after if lease(network, number) not in files), None)
    if number is None:
        return None
    syscalls.write_file(g.turn, lease(network, number), service.name)
    syscalls.write_file(g.turn, f"{LEASES}{network}/last", number)
    return address(g.world, network, number)


def free_address(g: Goroutine) -> None:
    """Give the container's address back."""
    service = service_of(g)
    mine = f"{LEASES}{service.network}/"
    for path, value in list(g.world.host.files.items()):
        if path.startswith(mine) and value == service.name:
            syscalls.remove_file(g.turn, path)

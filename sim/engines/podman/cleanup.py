"""podman container cleanup, which conmon runs when the payload has ended, and the removal of a container.

The cleanup brings the record up to date, starts the container again if its policy says so, at once and without a
backoff, or else takes away what the run has used. A removal is written down before it is done, so that one that is
killed leaves *removing*. Leaves out dependencies, volumes. Source: designs §4.2 [S]; podman v5.4.2,
libpod/container_internal.go 226-345 (shouldRestart, handleRestartPolicy), container_api.go 843-913 (Cleanup),
runtime_ctr.go 955-992; pkg/specgenutil/util.go 316 (--stopped-only).
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.containers import is_unit, service_of
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Label, run
from sim.engine.policies import wants_restart
from sim.engine.procedure import procedure
from sim.engines.conmon.files import exit_file, run_file
from sim.engines.host.daemon import event
from sim.engines.podman.common import BEGIN, CLEAN, LOCK, UNLOCK, teardown
from sim.engines.podman.ladder import version_of
from sim.engines.podman.start import START, UNDO
from sim.engines.podman.state import in_database, load, no_room, save
from sim.engines.podman.states import EXITED, REMOVING, STOPPED, moved
from sim.kernel import syscalls


def begin_cleanup(g: Goroutine) -> str | None:
    """Leave a container that has not stopped; start it anew if its policy says so and nobody has stopped it.

    One of `run --rm` is removed even if somebody else has cleaned up already (abi/containers.go 1317-1329).
    """
    record = load(g)
    ended = (STOPPED, EXITED) if takes_itself_away(g) else (STOPPED,)
    if record is None or record.state not in ended or no_room(g):
        return "leave"
    if record.manual or not wants_restart(record, record.exit_code, False):
        return "clean"
    event(g, "restart")  # before the start, whatever becomes of that (container_internal.go 296)
    save(g, replace(record, restart_count=record.restart_count + 1))
    g["again"] = True
    return None


def new_network(g: Goroutine) -> Spawn | None:
    """Take the network away, for the restart to make it anew; until 5.0 it is kept."""
    return teardown(g) if version_of(g.world).new_network else None


def takes_itself_away(g: Goroutine) -> bool:
    """Return whether the container was made by `run --rm`, as those of Quadlet are."""
    service = service_of(g)
    return service.auto_remove or is_unit(g.world, service)


def removes_itself(g: Goroutine) -> str | None:
    """Go on to the removal of a container of `run --rm`, for a cleanup as for a stop (abi/containers.go 295-304)."""
    return None if takes_itself_away(g) else "kept"


def begin_remove(g: Goroutine) -> str | None:
    """Write down that it is being removed: what is killed now leaves that, for another rm (runtime_ctr.go 970-974)."""
    record = load(g)
    if record is None:
        return "removed"
    return None if save(g, moved(record, REMOVING)) else "not_stopped"


def remove(g: Goroutine) -> None:
    """Remove record and layer."""
    service = service_of(g)
    for path in (exit_file(service), *(run_file(service, name) for name in ("oom", "error", "conmon.pid"))):
        syscalls.remove_file(g.turn, path)
    syscalls.remove_file(g.turn, in_database(service.name))
    event(g, "destroy")


REMOVE = (Do(begin_remove, "removed", "not_stopped"), Do(remove), Label("removed"))

CLEANUP = procedure(
    "podman.cleanup",
    BEGIN,
    LOCK,
    Do(begin_cleanup, "leave", "clean"),
    run(new_network),
    START,
    Label("leave"),
    UNLOCK,
    Exit(0),
    UNDO,
    Label("not_started"),
    Label("clean"),
    CLEAN,
    Do(removes_itself, "kept"),
    REMOVE,
    Label("not_stopped"),
    Label("kept"),
    UNLOCK,
    Exit(0),
)

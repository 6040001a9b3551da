"""What every podman command does: begin, lock the container, answer whoever ran it.

Locks are the kernel's: they pass on when their holder dies, whatever it left half done. Source: designs §4.2 [S];
podman v5.4.2, libpod/runtime.go 840-880 (refresh), container_internal.go 1158-1197 (cleanupRuntime), 2059-2161
(cleanup); lock/shm [K].
"""

from __future__ import annotations

from typing import Any

from sim.engine import paths
from sim.engine.containers import service_of
from sim.engine.goroutine import Failure, Goroutine, Spawn
from sim.engine.ops import Do, Lock, Unlock, run
from sim.engine.setup import Docker
from sim.engines.conmon.crun import crun
from sim.engines.host import storage
from sim.engines.host.reach import address_in
from sim.engines.podman.exit_codes import ERROR, exit_code
from sim.engines.podman.network import netavark
from sim.engines.podman.state import ALIVE, free_address, in_database, is_left_over, load, save, synced
from sim.engines.podman.states import CONFIGURED, CREATED, EXITED, STOPPED, LibpodContainer, moved, refusal
from sim.facts import EngineEvent
from sim.kernel import syscalls

THREADS = 8  # of the Go runtime; not measured [A]
LOCK = Lock("kernel:container/{c}")
UNLOCK = Unlock("kernel:container/{c}")


def begin(g: Goroutine) -> None:
    """Start threads; the first command since the host has booted brings every record up to date, if there is room.

    It removes what was to be removed when it ended, and ended with the host.
    """
    syscalls.start_threads(g.turn, g.pid, THREADS)
    if ALIVE in g.world.host.files or storage.full(g.world):
        return
    for name in g.world.services:
        record = synced(g.world, name)
        if record is not None and is_left_over(g.world, record):
            syscalls.remove_file(g.turn, in_database(name))
            g.emit(EngineEvent("container", "destroy", name))
        elif record is not None and record != g.world.host.files[in_database(name)]:
            save(g, record)
    syscalls.write_file(g.turn, ALIVE, True)


BEGIN = Do(begin)


def asked(g: Goroutine) -> tuple[Any, ...]:
    """Return signal, timeout, force, words, detach and attach of the command line."""
    found: tuple[Any, ...] = g["request"].data
    return found


def answer(g: Goroutine, value: object = True) -> None:
    """Tell whoever ran the command how it ended; nobody ran a cleanup."""
    if g["request"] is not None:
        g.reply(g["request"].reply, value)


def succeed(g: Goroutine) -> int:
    """Leave with 0."""
    answer(g)
    return 0


def fail(g: Goroutine) -> int:
    """Leave with an error, and the code that its words have."""
    answer(g, Failure(g["error"] or ""))
    return exit_code(Docker(g["request"].kind, g["c"]), g["error"] or "error") if g["request"] is not None else ERROR


def refuse(g: Goroutine, record: LibpodContainer | None, verb: str) -> None:
    """Keep the error of a container that is not there, or not in a state that a command needs."""
    g["error"] = no_such(g) if record is None else refusal(record, verb, service_of(g).id)


def no_such(g: Goroutine) -> str:
    """Return the error of a container that is not there."""
    return f'no container with name or ID "{g["c"]}" found: no such container'


# -- what is left of a container that has stopped ----------------------------------------------------


def teardown(g: Goroutine) -> Spawn | None:
    """Take the network away, if there is one."""
    return None if address_in(g.world, g["c"]) is None else netavark(g, "teardown")


def crun_delete(g: Goroutine) -> Spawn | None:
    """Remove the runtime's state, if there is one, and whatever is left in the scope."""
    there = paths.runtime_state(service_of(g).id) in g.world.host.files
    return crun(g, "delete", "--force") if there else None


def delete_stopped(g: Goroutine) -> Spawn | None:
    """Let the runtime forget a container that has stopped or was not started, by what its record says."""
    record = synced(g.world, g["c"])
    return crun_delete(g) if record is None or record.state in CLEANED else None


def cleaned(g: Goroutine) -> None:
    """Give the address back, and unmount; what the runtime has forgotten has exited, or was never started."""
    free_address(g)
    record = load(g)
    if record is not None and record.state in CLEANED:
        save(g, moved(record, CLEANED[record.state]))


CLEANED = {STOPPED: EXITED, CREATED: CONFIGURED}
CLEAN = (run(teardown), run(delete_stopped), Do(cleaned))

"""What every podman command does: begin, lock the container, answer whoever ran it.

Locks are the kernel's: they pass on when their holder dies, whatever it left half done. Source: designs §4.2 [S];
libpod/runtime.go (refresh), lock/shm [K].
"""

from __future__ import annotations

from typing import Any

from sim.engine import paths
from sim.engine.containers import service_of
from sim.engine.goroutine import Failure, Goroutine, Spawn
from sim.engine.ops import Do, Lock, Unlock, run
from sim.engines.conmon.crun import crun
from sim.engines.host import storage
from sim.engines.host.reach import address_in
from sim.engines.podman.network import netavark
from sim.engines.podman.state import ALIVE, free_address, in_database, save, synced
from sim.kernel import syscalls

THREADS = 8  # of the Go runtime; not measured [A]
LOCK = Lock("kernel:container/{c}")
UNLOCK = Unlock("kernel:container/{c}")


def begin(g: Goroutine) -> None:
    """Start threads; the first command since the host has booted brings every record up to date, if there is room."""
    syscalls.start_threads(g.turn, g.pid, THREADS)
    if ALIVE in g.world.host.files or storage.full(g.world):
        return
    for name in g.world.services:
        record = synced(g.world, name)
        if record is not None and record != g.world.host.files[in_database(name)]:
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
    """Leave with an error."""
    answer(g, Failure(g["error"] or ""))
    return 125


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


def cleaned(g: Goroutine) -> None:
    """Give the address back, and unmount."""
    free_address(g)


CLEAN = (run(teardown), run(crun_delete), Do(cleaned))

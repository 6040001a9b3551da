"""ExecSync in CRI-O: a conmon more, which crio forks for the command and which leaves its exit code in a file.

So it needs nobody who holds the container. Leaves out streams and limits of time. Source: designs §4.1, §4.3 [S]; cri-o
internal/oci/runtime_oci.go ExecSyncContainer [K].
"""

from __future__ import annotations

from typing import Any

from sim.engine.containers import service_of
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Do, Fork, Label, Reap, Return, Wait, reading
from sim.engine.procedure import procedure
from sim.engines.conmon.files import exec_file
from sim.engines.cri.crio_conmon import exec_conmon, group, group_keys
from sim.engines.cri.runtime import container_of, not_found
from sim.engines.host.daemon import answer, refuse
from sim.kernel import syscalls
from sim.world import Frame, Key, World

SESSIONS = 10_000


def begin_exec(g: Goroutine) -> str | None:
    """Take a session that is free; refuse a container that does not run."""
    record, service, files = container_of(g), service_of(g), g.world.host.files
    if record is None or not record.running:
        refuse(g, not_found(g) if record is None else "container is in CONTAINER_EXITED state")
        return "refused"
    g["session"] = next(it for it in range(1, SESSIONS) if exec_file(service, it, "session") not in files)
    g["argv"], g["detach"] = g["request"].data
    syscalls.write_file(g.turn, exec_file(service, g["session"], "session"), True)
    return None


def _reads(world: World, frame: Frame) -> tuple[Key, ...]:
    service, session = world.services[frame.local["c"]], frame.local["session"]
    files = (exec_file(service, session, name) for name in ("pid", "exit"))
    return (*(("file", path) for path in files), *group_keys(world, service))


def _held(world: World, frame: Frame) -> bool:
    host, service = world.host, world.services[frame.local["c"]]
    members = (host.procs[pid] for pid in host.grouped.get(group(world, service), ()))
    words = ("-u", str(frame.local["session"]))
    mine = (it for it in members if (it.image.program, it.image.container) == ("exec-conmon", service.name))
    return any(it.alive and words == it.image.argv[-4:-2] for it in mine)


@reading(_reads)
def exec_begun(world: World, frame: Frame) -> bool | str:
    """Say whether the command runs, or has run; or that no conmon is left that would start it."""
    service, session = world.services[frame.local["c"]], frame.local["session"]
    if any(exec_file(service, session, name) in world.host.files for name in ("pid", "exit")):
        return True
    return False if _held(world, frame) else "lost"


@reading(_reads)
def exec_over(world: World, frame: Frame) -> bool | str:
    """Say whether its conmon has left an exit file, or is gone without."""
    if exec_file(world.services[frame.local["c"]], frame.local["session"], "exit") in world.host.files:
        return True
    return False if _held(world, frame) else "lost"


def waits(g: Goroutine) -> str | None:
    """Answer whoever does not wait for the end."""
    if g["detach"]:
        answer(g)
        return "detached"
    return None


def _forget(g: Goroutine) -> None:
    for name in ("session", "pid", "exit"):
        syscalls.remove_file(g.turn, exec_file(service_of(g), g["session"], name))


def tell_code(g: Goroutine) -> None:
    """Answer with its code."""
    code: Any = g.world.host.files.get(exec_file(service_of(g), g["session"], "exit"), 0)
    _forget(g)
    answer(g, Failure(f"exit code {code}") if code else True)


def lose_code(g: Goroutine) -> None:
    """Answer that nobody tells how it ended, or that it did not begin."""
    _forget(g)
    refuse(g, "exec failed: conmon has left no exit code (exit code 255)")


def drop(g: Goroutine) -> None:
    """Forget a command that nobody waits for."""
    _forget(g)


EXEC_SYNC = procedure(
    "crio.exec_sync",
    Do(begin_exec, "refused"),
    Fork(exec_conmon),
    Reap(),
    Wait(exec_begun, "lost"),
    Do(waits, "detached"),
    Wait(exec_over, "lost"),
    Do(tell_code),
    Return(),
    Label("lost"),
    Do(lose_code),
    Return(),
    Label("detached"),
    Wait(exec_over, "dropped"),
    Label("dropped"),
    Do(drop),
    Label("refused"),
)

"""ExecSync in containerd's CRI plugin: a process more in the container, whose end the shim tells.

Leaves out streams and limits of time. Source: containerd internal/cri/server container_execsync.go [K].
"""

from __future__ import annotations

from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Do, Label, Return, Wait, call, reading
from sim.engine.procedure import procedure
from sim.engines.cri.runtime import container_of, container_stopped, not_found
from sim.engines.cri.tasks import me, task
from sim.engines.host.daemon import answer, refuse
from sim.facts import Forgot, Message
from sim.world import Frame, Key, World


def begin_exec(g: Goroutine) -> str | None:
    """Take a name that is free; refuse a container that does not run."""
    record = container_of(g)
    if record is None or not record.running:
        refuse(g, not_found(g) if record is None else "container is in CONTAINER_EXITED state")
        return "refused"
    number = 1
    while g.recall(f"exec/{g['c']}/exec{number}") is not None:
        number += 1
    g["x"] = f"exec{number}"
    g.remember(f"exec/{g['c']}/{g['x']}", -1)
    return None


def add_process(g: Goroutine) -> Message:
    """Ask the shim to run it."""
    return task(g, "AddProcess", (g["x"], g["request"].data[0]))


def exec_begun(g: Goroutine) -> str | None:
    """Answer whoever does not wait for its end."""
    if g["request"].data[1]:
        answer(g)
        return "detached"
    return None


def _exec_reads(world: World, frame: Frame) -> tuple[Key, ...]:
    local = frame.local
    key = f"container/{local['c']}"
    return (("memory", frame.fid[0], f"exec/{local['c']}/{local['x']}"), ("memory", frame.fid[0], key))


@reading(_exec_reads)
def exec_over(world: World, frame: Frame) -> bool:
    """Say whether its end has been told, or the container has ended."""
    done = world.recall(frame.fid[0], f"exec/{frame.local['c']}/{frame.local['x']}") != -1
    return done or container_stopped(world, frame) is True


def tell_code(g: Goroutine) -> None:
    """Answer with its code."""
    code = g.recall(f"exec/{g['c']}/{g['x']}")
    drop_exec(g)
    answer(g, Failure(f"exit code {code if code >= 0 else 137}") if code else True)


def drop_exec(g: Goroutine) -> None:
    """Forget it."""
    g.emit(Forgot(g.pid, f"exec/{g['c']}/{g['x']}"))


def not_execed(g: Goroutine) -> None:
    """Answer that it could not be run."""
    drop_exec(g)
    refuse(g, "failed to exec in container: OCI runtime exec failed (exit code 126)")


EXEC_SYNC = procedure(
    "containerd.exec_sync",
    Do(begin_exec, "refused"),
    call("tasks", me, add_process, lost="failed"),
    Do(exec_begun, "detached"),
    Wait(exec_over),
    Do(tell_code),
    Return(),
    Label("failed"),
    Do(not_execed),
    Return(),
    Label("detached"),
    Wait(exec_over),
    Do(drop_exec),
    Label("refused"),
)

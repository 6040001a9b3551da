"""Commands in a container of dockerd up to 1.10: the bootstrap joins the namespaces, the command is dockerd's child.

Leaves out terminals and detach keys. Source: designs §2 [S]; execdriver/native/exec.go [K].
"""

from __future__ import annotations

from sim.engine.containers import exec_of, scope_of, service_of
from sim.engine.goroutine import Failure, Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Label, Reap, Return
from sim.engine.procedure import procedure
from sim.engine.records import Task
from sim.engines.docker.dockerd.execs import exec_exited
from sim.engines.docker.dockerd.start import answer
from sim.kernel.records import Pid, code_of

NATIVE = ("native",)  # argv[0] of the re-exec, by which the binary knows what it is to do


def first_of(g: Goroutine) -> Pid | None:
    """Return the container's first process, None if it does not run."""
    task = g.recall(f"task/{g['c']}")
    return task.payload_pid if isinstance(task, Task) else None


def begin_exec(g: Goroutine) -> str | None:
    """Refuse a container that does not run, and a command that cannot be executed."""
    g["x"], g["argv"] = g["request"].data
    return "failed" if first_of(g) is None or exec_of(service_of(g), g["argv"]).missing else None


def exec_bootstrap(g: Goroutine) -> Spawn:
    """Start the re-exec that joins the container's namespaces."""
    local = {"c": g["c"], "argv": g["argv"], "x": g["x"], "first": first_of(g)}
    return Spawn("native", NATIVE, g["c"], main="exec", comm="exe", local=local)


def exec_init(g: Goroutine) -> Spawn | None:
    """Clone the command as a child of dockerd; a namespace whose first process is dead takes nobody in."""
    host, service = g.world.host, service_of(g)
    if not host.alive(g["first"]):
        return None
    return Spawn(
        "exec",
        NATIVE,
        service.name,
        comm="exe",
        clone_parent=True,
        new_session=True,
        ns=host.procs[g["first"]].ns,
        cgroup=scope_of(g.world, service),
        oom_score_adj=service.oom_score_adj,
        local={"c": service.name, "argv": g["argv"], "x": g["x"]},
    )


def exec_cloned(g: Goroutine) -> str | None:
    """Wait for it from now on, and answer with its number."""
    mine = (pid for pid in g.world.host.children.get(g.pid, ()) if _runs_as(g, pid))
    pid = next(mine, None)
    if pid is None:
        return "failed"
    g.start("dockerd.wait_exec", g["x"], c=g["c"], x=g["x"], process_pid=pid)
    answer(g, pid)
    return None


def _runs_as(g: Goroutine, pid: Pid) -> bool:
    """Say whether a child is the command that the bootstrap has told the number of."""
    frame = g.world.frames.get((pid, "main"))
    return frame is not None and (frame.local["c"], frame.local.get("x")) == (g["c"], g["x"])


def not_execed(g: Goroutine) -> None:
    """Answer that it could not be run."""
    answer(g, Failure("[8] System error: exec failed"))


def exec_ended(g: Goroutine) -> None:
    """Hand its exit code on."""
    exec_exited(g, g["x"], code_of(g["status"]))


def signal_exec(g: Goroutine) -> None:
    """Send a signal to a command that runs."""
    x, name = g["request"].data
    frame = g.world.frames.get((g.pid, f"wait_exec/{x}"))
    sent = frame is not None and g.kill(frame.local["process_pid"], name)
    answer(g, True if sent else Failure("no such process"))


EXEC = procedure(
    "dockerd.native_exec",
    Do(begin_exec, "failed"),
    Fork(exec_bootstrap),
    Reap(),
    Do(exec_cloned, "failed"),
    Return(),
    Label("failed"),
    Do(not_execed),
)
TABLES = (
    EXEC,
    procedure("dockerd.wait_exec", Reap("process_pid"), Do(exec_ended)),
    procedure("dockerd.native_signal_exec", Do(signal_exec)),
)
JOIN = procedure("native.exec", Fork(exec_init), Exit(0))

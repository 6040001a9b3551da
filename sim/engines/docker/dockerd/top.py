"""docker top: the container's pids from containerd, then `ps` of the host.

containerd asks the runtime for them in its main loop, as for every State call, so that other containers wait. Leaves
out what ps prints. Source: D daemon/top_unix.go; engine-1.13 §3.2, §12, §15.
"""

from __future__ import annotations

from sim.engine.goroutine import Failure, Goroutine, Spawn
from sim.engine.ops import Do, Exit, Label, Return, call, run
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engines.docker.dockerd.execs import not_running
from sim.engines.docker.dockerd.start import answer, containerd_at, event, unavailable
from sim.facts import Message


def must_run(g: Goroutine) -> str | None:
    """Refuse a container that does not run."""
    refusal = not_running(g)
    if refusal:
        answer(g, Failure(f"Error response from daemon: {refusal}"))
    return "refused" if refusal else None


def state_task(g: Goroutine) -> Message:
    """Ask containerd for the container's processes."""
    return Message("StateTask", g["c"], g.frame.fid)


def ps(g: Goroutine) -> Spawn:
    """Start ps."""
    return Spawn("ps", ("ps", "-ef"))


def say_top(g: Goroutine) -> None:
    """Say `top` and answer."""
    event(g, "top")
    answer(g)


def no_state(g: Goroutine) -> None:
    """Answer with what containerd said, or that it could not be asked."""
    text = g["answer"].text if isinstance(g["answer"], Failure) else unavailable(g)
    answer(g, Failure(f"Error response from daemon: {text}"))


TOP = procedure(
    "dockerd.top",
    Do(must_run, "refused"),
    call("tasks", containerd_at, state_task, lost="lost"),
    run(ps),
    Do(say_top),
    Return(),
    Label("lost"),
    Do(no_state),
    Label("refused"),
)

PS = Program("ps", (procedure("ps.main", Exit(0)),), role=Role(kind=Kind.ERRAND, brief=True))

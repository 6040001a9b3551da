"""Sandboxes in containerd's CRI plugin: the network first, then the pause task, with which the pod's shim begins.

A stop ends what is in the sandbox without delay, kills the pause, and takes the network away. Leaves out as
`sim.engines.cri.plugin`. Source: containerd internal/cri/server sandbox_run.go, sandbox_stop.go [K].
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.containers import pod
from sim.engine.goroutine import Failure, Goroutine
from sim.engine.ops import Do, Label, Lock, Return, Unlock, Wait, call, run
from sim.engine.procedure import procedure
from sim.engines.containerd import requests
from sim.engines.cri.cni import address_in, bridge_add, bridge_del, portmap_add, portmap_del
from sim.engines.cri.pods import Sandbox
from sim.engines.cri.runtime import container_of, keep_sandbox, sandbox_of, sandbox_stopped
from sim.engines.cri.tasks import create_task, kill_task, me, start_task
from sim.engines.host.daemon import answer, refuse, succeed
from sim.facts import Message


def begin_sandbox(g: Goroutine) -> str | None:
    """Make the record of a sandbox; *data* is the pod's uid."""
    found = sandbox_of(g)
    if found is not None and found.ready:
        refuse(g, f"failed to reserve sandbox name {pod(g['c'])}: name is reserved")
        return "refused"
    keep_sandbox(g, Sandbox(pod(g["c"]), g["request"].data))
    return None


def sandbox_ready(g: Goroutine) -> None:
    """Note that it is ready, and answer; the end of its pause, if it has ended meanwhile, is noted behind that."""
    found, task = sandbox_of(g), requests.task_of(g)
    if found is not None and task is not None:
        address = address_in(g.world, g["c"])
        keep_sandbox(g, replace(found, ready=True, address=address, pause_pid=task.payload_pid))
    answer(g)


def sandbox_failed(g: Goroutine) -> None:
    """Answer that the sandbox could not be made."""
    said = g["answer"]
    refuse(g, said.text if isinstance(said, Failure) else "failed to setup network for sandbox")


RUN_SANDBOX = procedure(
    "containerd.run_sandbox",
    Lock("sandbox/{c}"),
    Lock("container/{c}"),  # the end of its pause is told behind it
    Do(begin_sandbox, "refused"),
    run(bridge_add, bad="failed"),
    run(portmap_add),
    call("tasks", me, create_task, lost="undo"),
    call("tasks", me, start_task, lost="undo"),
    Do(sandbox_ready),
    Label("refused"),
    Unlock("container/{c}"),
    Unlock("sandbox/{c}"),
    Return(),
    Label("undo"),
    run(portmap_del),
    run(bridge_del),
    Label("failed"),
    Do(sandbox_failed),
    Unlock("container/{c}"),
    Unlock("sandbox/{c}"),
)


def must_stop_container(g: Goroutine) -> str | None:
    """Go on to what is in the sandbox, if it runs."""
    record = container_of(g)
    return None if record is not None and record.running else "empty"


def stop_inner(g: Goroutine) -> Message:
    """Stop the container in the sandbox without delay."""
    return Message("StopContainer", pod(g["c"]), g.frame.fid, 0)


def must_stop_pause(g: Goroutine) -> str | None:
    """Go on to the pause, if it runs."""
    found = sandbox_of(g)
    return None if found is not None and found.ready else "stopped"


STOP_SANDBOX = procedure(
    "containerd.stop_sandbox",
    Do(must_stop_container, "empty"),
    call("cri", me, stop_inner, lost="empty"),
    Label("empty"),
    Do(must_stop_pause, "stopped"),
    call("tasks", me, kill_task, lost="killed"),
    Label("killed"),
    Wait(sandbox_stopped),
    Label("stopped"),
    run(portmap_del),
    run(bridge_del),
    Do(succeed),
)

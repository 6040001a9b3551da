"""The prestart hook of libnetwork: dockerd's own binary, which `runc create` runs before the container's program.

It asks dockerd to move the network into the new namespace, and `runc create` fails with it. Leaves out OCI hooks of
other packages. Source: L sandbox_externalkey_unix.go; engine-1.13 §2 step 14; threads §12.
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Label, call
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engine.setup import HOST
from sim.facts import Message
from sim.kernel import syscalls
from sim.kernel.records import Pid
from sim.world import Frame, World


def setkey(g: Goroutine) -> Spawn | None:
    """Start the prestart hook: dockerd's own binary, which asks the daemon to move the network into the namespace.

    A container on the host's network, or on another one's, has none of its own (moby v26.1.5 oci_linux.go 70-84).
    """
    if service_of(g).joins or service_of(g).network_mode == HOST:
        return None
    return Spawn("hook", ("libnetwork-setkey", service_of(g).id), g["c"], comm="exe", local={"c": g["c"]})


def start_hook_threads(g: Goroutine) -> None:
    """Start the Go runtime's threads."""
    syscalls.start_threads(g.turn, g.pid, g.world.setup.engine.unverified.hook_threads)


def dockerd_at(world: World, frame: Frame) -> Pid | None:
    """Find who listens on the controller's socket."""
    return world.host.listeners.get(paths.SETKEY_SOCK)


def set_key(g: Goroutine) -> Message:
    """Ask dockerd to move the endpoints into the new namespace."""
    return Message("SetKey", g["c"], g.frame.fid)


HOOK = Program(
    "hook",
    (
        procedure(
            "hook.main",
            Do(start_hook_threads),
            call("setkey", dockerd_at, set_key, lost="failed"),
            Exit(0),
            Label("failed"),
            Exit(1),
        ),
    ),
    role=Role(kind=Kind.ERRAND, order=140, target="container", brief=True, slows=True),
)

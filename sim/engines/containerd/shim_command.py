"""The short-lived command of a shim's binary: `shim start` and `shim delete`.

`start` opens the shim's socket, forks the shim and leaves, so that the shim is a child of PID 1 and outlives every
containerd. `delete` removes what a shim has left whose socket has closed: whatever of the container lives is killed.
Leaves out the protocol's words, and a process that Go forks once to try what the kernel can do (its number is among the
threads). Source: designs §3.1, §3.7 [S]; experiment a [M].
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.containers import pins, service_of, shim_holder
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Label, run
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engine.traits import traits
from sim.engines.containerd.runc import runc
from sim.kernel import syscalls
from sim.world import World


def socket_of(world: World, c: str) -> str:
    """Return the address at which the shim of a container listens."""
    return f"unix:/run/containerd/s/{world.services[shim_holder(world, c)].id}"


def address_file(identity: str) -> str:
    """Return the file that says where a container id's shim listens, until containerd has cleaned up after the shim."""
    return f"{paths.STATE}/{identity}/address"


def shim_command(g: Goroutine, verb: str) -> Spawn:
    """Describe a run of the shim's binary: `start` or `delete`."""
    service = service_of(g)
    words = traits(g.world, g.pid).words
    argv = (*words.shim, "-publish-binary", words.containerd[0], "-id", service.id, verb)
    return Spawn("shim-command", argv, service.name, main=verb, local={"c": service.name}, new_group=True)


def start_command_threads(g: Goroutine) -> str | None:
    """Start threads; an id whose shim answers still is an error."""
    syscalls.start_threads(g.turn, g.pid, traits(g.world, g.pid).shim_command_threads)
    return "exists" if socket_of(g.world, g["c"]) in g.world.host.listeners else None


def shim(g: Goroutine) -> Spawn:
    """Describe the shim: a group of its own, containerd's session."""
    service = service_of(g)
    argv = (*traits(g.world, g.pid).words.shim, "-id", service.id)
    score = g.world.host.procs[g.pid].oom_score_adj + 1
    return Spawn("shim", argv, service.name, local={"c": service.name}, new_group=True, oom_score_adj=score)


def hand_socket(g: Goroutine) -> str | None:
    """Let the shim have the socket, and write its address where containerd looks.

    A shim that has ended gets none: its file may be called otherwise since an upgrade. One whose address another shim
    has taken meanwhile ends.
    """
    socket = socket_of(g.world, g["c"])
    if not g.world.host.alive(g["shim_pid"]):
        return "gone"
    if syscalls.conflicts(g.world.host, socket):
        g.kill(g["shim_pid"], "KILL")
        return "gone"
    syscalls.listen(g.turn, g["shim_pid"], socket)
    syscalls.write_file(g.turn, address_file(service_of(g).id), socket)
    return None


def runc_delete_force(g: Goroutine) -> Spawn:
    """Kill what is left of the container and remove the runtime's state."""
    return runc(g, "delete", "--force", main="delete_force")


PROGRAM = Program(
    "shim-command",
    (
        procedure(
            "shim-command.start",
            Do(start_command_threads, "exists"),
            Fork(shim, "shim_pid", lambda world, frame: pins(world, frame).shim),
            Do(hand_socket, "gone"),
            Exit(0),
            Label("exists"),
            Label("gone"),
            Exit(1),
        ),
        procedure(
            "shim-command.delete",
            Do(start_command_threads, "exists"),
            Label("exists"),
            run(runc_delete_force),
            Exit(0),
        ),
    ),
    role=Role(words="shim", kind=Kind.ERRAND, home="containerd", brief=True),
)

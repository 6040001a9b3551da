"""containerd 1.2 with shims v1 (`runtime.v1.linux`): its own children, which it starts and cleans up after itself.

A shim serves the same requests as one of version 2; PID 1 adopts it when containerd dies. It tells of an exit once,
through a program that it forks, which is not modelled apart: what containerd does not hear then is lost (moby#41227
says that it differs from version 2; details [K]). Source: designs §3.1, §3.9 [S].
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.containers import pins, service_of
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Fork, Goto, Label, Reap, Wait, run
from sim.engine.procedure import procedure
from sim.engine.traits import traits
from sim.engines.containerd import requests, service
from sim.engines.containerd.shim_command import hand_socket, runc_delete_force


def shim(g: Goroutine) -> Spawn:
    """Describe the shim: a group of its own, containerd's session, and always the same oom_score_adj."""
    found, words = service_of(g), traits(g.world, g.pid).words
    argv = (*words.shim, "-workdir", f"{paths.STATE}/{found.id}", "-containerd-binary", words.containerd[0])
    return Spawn("shim", argv, found.name, local={"c": found.name}, new_group=True, oom_score_adj=-999)


def is_child(g: Goroutine) -> str | None:
    """Tell a shim of this containerd from one that PID 1 has adopted, and reaps."""
    process = g.world.host.procs.get(g["shim_pid"])
    return None if process is not None and process.ppid == g.pid else "adopted"


PROGRAM = service.PROGRAM.with_tables(
    service.main_table(runc_delete_force),
    requests.create_table(
        Fork(shim, "shim_pid", lambda world, frame: pins(world, frame).shim),
        Do(hand_socket, "gone"),
        gone=(Label("gone"), Reap("shim_pid"), Goto("failed")),
    ),
    procedure(
        "containerd.watcher",
        Wait(service.shim_closed),
        Do(is_child, "adopted"),
        Reap("shim_pid"),
        Label("adopted"),
        run(runc_delete_force),
        Do(service.shim_cleaned_up),
    ),
)

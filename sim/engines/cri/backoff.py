"""The end of a container whose shim has gone, and the back-off of containerd's CRI plugin in which it waits.

The plugin waits for each task at its shim. When the shim goes, that wait fails, which counts as 255. The task is to be
deleted then, which waits until `shim delete` has cleaned up and fails nevertheless: the shim did not answer. So the end
is put back for 1 s, and handled again at the next tick of a ticker of 1 s; by then no task is found, and the end is
believed. Leaves out the doubling of the pause, since no second time fails here. Source: containerd v1.7.24
pkg/cri/server/events.go 43-54, 112-216, 276-335, 469-560; runtime/v2/shim.go delete; 1.18 to 2.15 s in experiment cf.
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Every, Goto, Label, Sleep, Wait, reading, run
from sim.engine.procedure import procedure
from sim.engine.setup import S
from sim.engines.containerd import service
from sim.engines.cri.runtime import UNKNOWN
from sim.facts import Message
from sim.world import Frame, World

PAUSE = 1 * S
TICK = 1 * S


def end_put_back(g: Goroutine) -> str | None:
    """Remove what the shim has left; go on if the task was not let go by somebody before."""
    task = service.shim_forgotten(g)
    g["payload_pid"] = 0 if task is None else task.payload_pid
    return "known" if task is None else None


def is_due(g: Goroutine) -> None:
    """Let the next tick handle the end."""
    g.remember("due", (*g.recall("due", ()), (g["c"], g["payload_pid"])))


@reading(lambda world, frame: (("memory", frame.fid[0], "due"),))
def none_due(world: World, frame: Frame) -> bool:
    """Return whether no end waits for a tick."""
    return not world.recall(frame.fid[0], "due", ())


def handle_again(g: Goroutine) -> None:
    """Handle every end that is due."""
    due = g.recall("due", ())
    g.remember("due", ())
    for name, pid in due:
        g.send(g.pid, "events", Message("exit", name, None, (None, UNKNOWN, pid)))


BACK_OFF = (
    procedure(
        "containerd.watcher",
        Wait(service.shim_closed),
        run(service.clean_up_after_shim),
        Do(end_put_back, "known"),
        Sleep("back_off", PAUSE),
        Do(is_due),
        Label("known"),
    ),
    procedure(
        "containerd.retries", Label("next"), Every("back_off_tick", TICK, none_due), Do(handle_again), Goto("next")
    ),
)

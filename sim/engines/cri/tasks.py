"""What containerd's CRI plugin asks containerd itself, within the process: tasks of sandboxes and containers.

Source: containerd internal/cri/server [K].
"""

from __future__ import annotations

from sim.engine.containers import service_of
from sim.engine.goroutine import Goroutine
from sim.facts import Message
from sim.kernel.records import Pid
from sim.world import Frame, World


def me(world: World, frame: Frame) -> Pid:
    """Find containerd's own API."""
    return frame.fid[0]


def task(g: Goroutine, kind: str, data: object = None) -> Message:
    return Message(kind, g["c"], g.frame.fid, data)


def create_task(g: Goroutine) -> Message:
    """Ask for the task, and for the shim where there is none."""
    return task(g, "CreateTask")


def start_task(g: Goroutine) -> Message:
    """Ask for its start."""
    return task(g, "StartTask")


def delete_task(g: Goroutine) -> Message:
    """Ask for its removal, even if it runs."""
    return task(g, "DeleteTask", True)


def kill_task(g: Goroutine) -> Message:
    """Ask for KILL."""
    return task(g, "SignalTask", "KILL")


def signal_task(g: Goroutine) -> Message:
    """Ask for the stop signal."""
    return task(g, "SignalTask", service_of(g).stop_signal or "TERM")

"""What every terminal asks: which step it is at, and where systemd is. Source: the scenario."""

from __future__ import annotations

from sim.engine.setup import Step
from sim.kernel.records import INIT, Pid
from sim.world import Frame, World


def step_of(world: World, frame: Frame) -> Step:
    """Return the step that a terminal is at."""
    terminal = world.setup.terminals[frame.local["terminal"]]
    step = terminal[frame.local["i"]]
    assert isinstance(step, Step)
    return step


def systemd_at(world: World, frame: Frame) -> Pid | None:
    """Find systemd: nobody while the host is off."""
    return INIT if (INIT, "bus") in world.frames else None

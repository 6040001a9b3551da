"""What the timed driver keeps of each goroutine. Source: ARCHITECTURE.md, "The one idea"."""

from __future__ import annotations

from sim.drive.prices import Plan
from sim.drive.queue import Clock
from sim.model import Go
from sim.world import Frame, Key


class Slot:
    """What the driver keeps of a goroutine: where it was when last asked, its clocks, what it reads."""

    __slots__ = ("action", "frame", "go", "keys", "late", "plan")

    def __init__(self, frame: Frame, plan: Plan) -> None:
        self.frame, self.plan, self.action = frame, plan, Go(frame.fid)
        self.go: Clock | None = None
        self.late: Clock | None = None
        self.keys: tuple[Key, ...] = ()

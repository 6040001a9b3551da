"""The same run in real time: SimPy's clock tied to the wall's."""

from __future__ import annotations

import simpy
import simpy.rt


def live_clock(speed: float) -> simpy.Environment:
    """Return an environment for `Timed` whose µs pass *speed* times as fast as real ones."""
    return simpy.rt.RealtimeEnvironment(factor=1e-6 / speed, strict=False)

"""shimulator run --live: what happens, told on stderr while it happens.

The clock is SimPy's real-time one; what lies before t = 0 is not waited for. Source: simpy.rt.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from sim.drive.live import live_clock
from sim.drive.timed import Timed
from sim.engine.setup import Setup
from sim.trace import Replay
from sim.views.narrate import RULES, WORDS


def live(setup: Setup, seed: int, speed: float, tell: Callable[[str], None]) -> Timed:
    """Return a driver that runs *speed* times as fast as the wall clock and tells each thing as it happens."""
    env: Any = live_clock(speed)
    driver = Timed(setup, seed, env=env)
    step, replay = env.step, Replay(driver.trace)

    def stepped() -> None:
        _tell_new(driver, replay, tell)
        if not driver.opened:
            env.env_start, env.real_start = env.peek(), monotonic()
        step()

    env.step = stepped
    return driver


def _tell_new(driver: Timed, replay: Replay, tell: Callable[[str], None]) -> None:
    """Tell the facts that have come since the last time; those before t = 0 are passed over."""
    trace = driver.trace
    while replay.position < len(trace.records):
        record = trace.records[replay.position]
        rule = RULES.get(type(record.event))
        item = rule(replay.world, record.event) if rule is not None and driver.opened else None
        if item is not None:
            word, _, rest = item[0].partition(" ")
            text = f"step {rest}" if word == "step" else WORDS[word](rest, [item[1]])
            tell(f"{((record.at or 0) - trace.origin) / 1e6:12.3f} s  {text}")
        replay.step()

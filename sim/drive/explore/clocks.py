"""Time in the explorer: which ops pass with time, how long they may take, and who may ring before whom.

Actions are prompt (messages, signals, reaping, work: µs to ms), timers (sleeps, time limits, ticks), or people's (steps
of a scenario, faults, a stalled process that goes on), who act whenever they like. A timer rings only where nothing
prompt is enabled (maximal progress). For each timer that runs a state keeps the interval, in whole ms, in which what is
left of it lies. One may ring if its low end is not above another's high end; all others are then lowered by what may
have passed. These are boxes around the state classes of time Petri nets: they allow a little more than can happen,
never less. What people do takes no time while something prompt is enabled; else it comes at any moment up to the next
ring. A ticker has no interval: it rings within its period, however long it has run. A process that is stopped keeps
its timers: they may have run out when it goes on. Source: Berthomieu and Diaz, 1991; ARCHITECTURE.md, modelling rule 7.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sim.engine.client import Await
from sim.engine.ops import Every, Sleep
from sim.latency import PROFILES
from sim.world import Frame, World

FOREVER = 1 << 50  # ms
MS = 1_000


class Clock(msgspec.Struct, frozen=True):
    """How long a goroutine waits at most and at least, in ms; *kept* says that a state keeps what is left."""

    low: int
    high: int
    kept: bool = True


def clock_of(world: World, frame: Frame, profile: str) -> Clock | None:
    """Return the clock that runs while a goroutine stands where it stands, None if time does nothing to it."""
    op = world.design.procedures[frame.procedure].ops[frame.op]
    if isinstance(op, Await):
        return None
    if isinstance(op, Every):
        return Clock(0, -(-op.period // MS), kept=False)
    if isinstance(op, Sleep):
        nominal = op.nominal(world, frame)
    elif op.within is not None:
        nominal = op.within if isinstance(op.within, int) else op.within(world, frame)
    else:
        return None
    if nominal <= 0:
        return None
    row = PROFILES[profile].get(f"{frame.procedure.partition('.')[0]}/{op.name}")
    scale: Any = None if row is None else row.scale
    low, high = (1.0, 1.0) if scale is None else (scale.at(0.0), scale.at(1.0))
    return Clock(int(nominal * low) // MS, -(-int(nominal * high) // MS))


def waits(world: World, frame: Frame) -> bool:
    """Say whether a clock may run for a goroutine that stands where it stands."""
    op = world.design.procedures[frame.procedure].ops[frame.op]
    return isinstance(op, Sleep) or op.within is not None


Interval = tuple[int, int]


def may_ring(lows: list[int], highs: list[int]) -> list[bool]:
    """Say of each running timer whether it may be the next to ring."""
    first = min(highs, default=FOREVER)
    return [low <= first for low in lows]


def lowered(interval: Interval, least: int, most: int) -> Interval:
    """Return what is left of a timer after a time between *least* and *most*."""
    low, high = interval
    return max(0, low - most), max(0, high - least)

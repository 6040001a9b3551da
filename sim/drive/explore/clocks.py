"""Time in the explorer: which ops pass with time, how long they may take, and who may ring before whom.

Actions are prompt (messages, signals, reaping, work: µs to ms), timers (sleeps, time limits, ticks), or people's (steps
of a scenario, faults, a stalled process that goes on), who act whenever they like. A timer rings only where nothing
prompt is enabled (maximal progress). For each timer that runs, the interval is kept, in whole ms, in which what is left
of it lies. One may ring if its low end is not above another's high end; all others are then lowered by what may have
passed. What people do takes no time while something prompt is enabled; else it comes at any moment up to the next ring.
A ticker runs on while its goroutine sleeps or does something else, round and round; it rings where its goroutine waits
for it. A stopped process keeps its timers: they may have run out when it goes on.

A state has one interval for each of its timers, whatever the way on which it was reached: the least that holds all of
them. Where it grows, the state is explored again; ends that move are rounded outwards to 100 ms, or 1 s above 1 s, so
that this ends soon. So more may happen than really can, and never less. These are the boxes around the state classes
of time Petri nets, joined as abstract interpretation does. Source: Berthomieu and Diaz, 1991; Cousot and Cousot, 1977;
ARCHITECTURE.md, "Decisions, with reasons".
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import msgspec

from sim.engine.ops import Every, Sleep
from sim.engines.host.client import Await
from sim.latency import Profile
from sim.world import Frame, World

FOREVER = 1 << 50  # ms
MS = 1_000
FINE, COARSE = 100, 1_000  # ms


class WaitBounds(msgspec.Struct, frozen=True):
    """How long a goroutine waits at least and at most, in ms; a ticker's is its period."""

    low: int
    high: int
    ticker: bool = False


def clock_of(world: World, frame: Frame, profile: Profile) -> WaitBounds | None:
    """Return the clock that runs while a goroutine stands where it stands, None if time does nothing to it."""
    op = world.design.procedures[frame.procedure].ops[frame.op]
    if isinstance(op, Await):
        return None
    if isinstance(op, Every):
        return WaitBounds(op.period // MS, op.period // MS, ticker=True)
    if isinstance(op, Sleep):
        nominal = op.nominal(world, frame)
    elif op.within is not None and op.limited(world, frame):
        nominal = op.within if isinstance(op.within, int) else op.within(world, frame)
    else:
        return None
    if nominal <= 0:
        return None
    row = profile.get(f"{frame.procedure.partition('.')[0]}/{op.name}")
    scale: Any = None if row is None else row.scale
    low, high = (1.0, 1.0) if scale is None else (scale.at(0.0), scale.at(1.0))
    return WaitBounds(int(nominal * low) // MS, -(-int(nominal * high) // MS))


def waits(world: World, frame: Frame) -> bool:
    """Say whether a clock may run for a goroutine alone that stands where it stands; tickers run on."""
    op = world.design.procedures[frame.procedure].ops[frame.op]
    return isinstance(op, Sleep) or op.within is not None


# -- boxes ------------------------------------------------------------------------------------------

Box = tuple[tuple[int, int, int], ...]  # (timer, low, high), by timer
Change = tuple[tuple[int, tuple[int, int] | None], ...]  # timers that begin with an interval, or end


class Boxes:
    """The boxes of an exploration by number, and what becomes of them, each found once."""

    def __init__(self, tickers: dict[int, int]) -> None:
        self.tickers = tickers  # timer -> period, ms
        self.boxes: list[Box] = []
        self._numbers: dict[Box, int] = {}
        self._changed: dict[Any, int] = {}
        self._passed: dict[Any, int] = {}
        self._joined: dict[tuple[int, int], int] = {}
        self._bits: dict[int, int] = {}
        self.number(())

    def number(self, box: Box) -> int:
        """Return the number of a box."""
        number = self._numbers.get(box)
        if number is None:
            number = self._numbers[box] = len(self.boxes)
            self.boxes.append(box)
        return number

    def bits(self, number: int) -> int:
        """Return 128 bits for a box, for those who keep boxes apart."""
        found = self._bits.get(number)
        if found is None:
            data = repr(self.boxes[number]).encode()
            found = self._bits[number] = int.from_bytes(blake2b(data, digest_size=16).digest(), "big")
        return found

    def changed(self, number: int, timers: Change, gone: frozenset[int]) -> int:
        """Return the box after timers have begun and ended; *gone* end, too, if they ran."""
        what = number, timers, gone
        found = self._changed.get(what)
        if found is None:
            left = {timer: (low, high) for timer, low, high in self.boxes[number] if timer not in gone}
            for timer, interval in timers:
                left.pop(timer, None)
                if interval is not None:
                    left[timer] = interval
            found = self._changed[what] = self.number(tuple(sorted((t, low, high) for t, (low, high) in left.items())))
        return found

    def passed(self, number: int, running: frozenset[int], rung: int, least: int, most: int) -> int:
        """Return the box after a time between *least* and *most* in which only *rung* rang, if any (0)."""
        what = number, running, rung, least, most
        found = self._passed.get(what)
        if found is None:
            found = self._passed[what] = self.number(
                tuple(
                    left if left[0] == rung else self._lowered(left, left[0] in running, least, most)
                    for left in self.boxes[number]
                )
            )
        return found

    def _lowered(self, left: tuple[int, int, int], runs: bool, least: int, most: int) -> tuple[int, int, int]:
        timer, low, high = left
        if runs:
            return timer, max(0, low - most), max(0, high - least)
        period = self.tickers.get(timer)
        if period is None:
            return timer, 0, high  # of a stopped process
        return (timer, low - most, high - least) if low > most else (timer, 0, period)

    def joined(self, known: int, other: int) -> int:
        """Return the box that holds both; it is *known* itself if that holds the other."""
        pair = known, other
        found = self._joined.get(pair)
        if found is None:
            both = zip(self.boxes[known], self.boxes[other], strict=True)
            found = self._joined[pair] = self.number(tuple(_hull(*pair) for pair in both))
        return found

    def hull(self, one: int, other: int) -> int:
        """Return the least box that holds both."""
        both = zip(self.boxes[one], self.boxes[other], strict=True)
        return self.number(tuple((a[0], min(a[1], b[1]), max(a[2], b[2])) for a, b in both))


def _hull(known: tuple[int, int, int], other: tuple[int, int, int]) -> tuple[int, int, int]:
    timer, low, high = known
    assert timer == other[0], "one state has two sets of timers"
    if other[1] < low:
        low = other[1] - other[1] % (FINE if other[1] <= COARSE else COARSE)
    if other[2] > high:
        high = other[2] + -other[2] % (FINE if other[2] <= COARSE else COARSE)
    return timer, low, high


def next_ring(left: Iterable[tuple[int, int]]) -> int:
    """Return the time within which some timer rings for sure."""
    return min((high for _, high in left), default=FOREVER)

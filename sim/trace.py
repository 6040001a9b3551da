"""A run as a sequence of facts: records, the trace that holds them, and the world at any time.

`at` replays events from the first world, so whatever a view shows is read from the events. Source: ARCHITECTURE.md,
"The one idea".
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

import msgspec

from sim.engine.setup import Microseconds, Setup
from sim.model import blank
from sim.world import World, evolve


class Record(msgspec.Struct, frozen=True, gc=False):
    """One fact: its number, its time in µs since the clock began (None on an explored path), and what caused it.

    *cause* is the number of the fact that made it possible, -1 for the first ones.
    """

    seq: int
    at: Microseconds | None
    cause: int
    event: Any


class Trace:
    """The records of a run, from the setup, seed and profile that made it.

    *origin* is the clock's value at t = 0, *end* the one at the end; both in µs.
    """

    def __init__(self, setup: Setup, seed: int = 1) -> None:
        self.setup, self.seed = setup, seed
        self.records: list[Record] = []
        self.origin: Microseconds = 0
        self.end: Microseconds = 0
        self.skipped = 0  # idle ticks that cost nothing
        self.note = ""  # why it ended early, if it did

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def unix(self, at: Microseconds) -> float:
        """Return the unix time in seconds of a clock value."""
        return self.setup.host.epoch + (at - self.origin) / 1_000_000

    def first_world(self) -> World:
        """Return the world before the first record."""
        return blank(self.setup)

    def index(self, at: Microseconds) -> int:
        """Return how many records lie at or before a clock value."""
        return bisect_right(self.records, at, key=lambda record: record.at or 0)

    def at(self, at: Microseconds) -> World:
        """Return the world at a clock value, after everything that happened then."""
        replay = Replay(self)
        return replay.to(at)


class Replay:
    """Walk through a trace: the world moves on with each call, so that many instants cost one replay."""

    def __init__(self, trace: Trace) -> None:
        self.trace, self.world, self.position = trace, trace.first_world(), 0

    def to(self, at: Microseconds) -> World:
        """Go on to a clock value, which must not lie before the last one."""
        records = self.trace.records
        while self.position < len(records):
            moment = records[self.position].at
            if moment is not None and moment > at:
                break
            self.step()
        return self.world

    def step(self) -> Record | None:
        """Apply the next record and return it; None at the end."""
        if self.position == len(self.trace.records):
            return None
        record = self.trace.records[self.position]
        evolve(self.world, record.event)
        self.position += 1
        return record

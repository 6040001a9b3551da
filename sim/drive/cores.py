"""Cores shared by work: with n jobs and c cores each runs at rate min(1, c/n).

One virtual clock counts the work that each running job has got; a job ends when that clock reaches its own mark, so that
one comes or goes in O(log n). Source: processor sharing as a virtual-time queue (any DES text); ARCHITECTURE.md rule 8.
"""

from __future__ import annotations

from heapq import heappop, heappush
from math import ceil
from typing import Any


class Cores:
    """The jobs at work. Times are µs; `next` is the clock value at which the first of them ends, if none comes or goes."""

    def __init__(self, count: int) -> None:
        self.count, self.running = count, 0
        self.virtual, self.since = 0.0, 0
        self.jobs: list[tuple[float, int, Any]] = []
        self.added = 0

    def _advance(self, now: int) -> None:
        if self.running:
            self.virtual += (now - self.since) * min(1.0, self.count / self.running)
        self.since = now

    def add(self, now: int, work: int, job: Any) -> None:
        """Let a job of *work* µs begin; it is marked dead by its `alive` turning False and `drop`."""
        self._advance(now)
        self.running += 1
        self.added += 1
        heappush(self.jobs, (self.virtual + work, self.added, job))

    def drop(self, now: int) -> None:
        """Note that a running job has been given up (its `alive` is False)."""
        self._advance(now)
        self.running -= 1

    def next(self, now: int) -> int | None:
        """Return when the first job ends."""
        while self.jobs and not self.jobs[0][2].alive:
            heappop(self.jobs)
        if not self.jobs:
            return None
        self._advance(now)
        rest = self.jobs[0][0] - self.virtual
        return now + max(0, ceil(rest / min(1.0, self.count / self.running) - 1e-6))

    def pop(self, now: int) -> Any:
        """Take the job that ends now."""
        self._advance(now)
        self.running -= 1
        mark, _, job = heappop(self.jobs)
        self.virtual = max(self.virtual, mark)
        return job

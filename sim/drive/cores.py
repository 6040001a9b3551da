"""Cores shared by work: with n jobs and c cores each runs at rate min(1, c/n).

A job may keep more than one core busy, as a program with threads does: n is the sum of what the jobs would keep busy.
One virtual clock counts the work that each running job has got; a job ends when that clock reaches its own mark, so
that one comes or goes in O(log n). Source: processor sharing as a virtual-time queue (any DES text); ARCHITECTURE.md,
"Decisions, with reasons".
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from math import ceil
from typing import Any

ROUNDING = 1e-6  # what sums of floats may be off by, in µs
WHOLE = 100  # percent of one core


class Cores:
    """The jobs at work; times are µs. Of jobs that end at the same time the one that began first comes first.

    *count* and *running*, how much there is and how much the jobs would keep busy, are in percent of one core.
    """

    __slots__ = ("added", "count", "jobs", "running", "since", "virtual")

    def __init__(self, count: int) -> None:
        self.count, self.running = count * WHOLE, 0
        self.virtual, self.since = 0.0, 0
        self.jobs: list[tuple[float, int, Any, int]] = []
        self.added = 0

    def copy(self, twin: Callable[[Any], Any]) -> Cores:
        """Return the same at the same time, with the *twin* of each job."""
        other = Cores(self.count // WHOLE)
        other.running, other.virtual, other.since, other.added = self.running, self.virtual, self.since, self.added
        other.jobs = [(mark, number, twin(job), busy) for mark, number, job, busy in self.jobs]
        return other

    def _advance(self, now: int) -> None:
        running = self.running
        if running and now != self.since:
            passed = now - self.since
            self.virtual += passed if running <= self.count else passed * (self.count / running)
        self.since = now

    def add(self, now: int, work: int, job: Any, busy: int = WHOLE) -> None:
        """Let a job of *work* µs begin that keeps *busy* percent of a core busy.

        It is marked dead by its `alive` turning False and `drop`.
        """
        self._advance(now)
        self.running += busy
        self.added += 1
        heappush(self.jobs, (self.virtual + work, self.added, job, busy))

    def drop(self, now: int, busy: int = WHOLE) -> None:
        """Note that a running job has been given up (its `alive` is False)."""
        self._advance(now)
        self.running -= busy

    def next(self, now: int) -> int | None:
        """Return when the first job ends, if none comes or goes before."""
        jobs = self.jobs
        while jobs and not jobs[0][2].alive:
            heappop(jobs)
        if not jobs:
            return None
        self._advance(now)
        rest = jobs[0][0] - self.virtual
        if self.running > self.count:
            rest /= self.count / self.running
        return now + ceil(rest - ROUNDING) if rest > ROUNDING else now

    def pop(self, now: int) -> Any:
        """Take the job that ends now."""
        self._advance(now)
        mark, _, job, busy = heappop(self.jobs)
        self.running -= busy
        if mark > self.virtual:
            self.virtual = mark
        return job

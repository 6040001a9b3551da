"""A crash of containerd by the rules of engine-1.13 §7.1 alone, without the simulator: ticks, backoff and a gap.

dockerd's check fails at each tick of 0.5 s; the third failure sends USR1, 0.1 s later KILL; the next containerd listens
S after its fork. The client connects at 0, 1.0 s later, then after 1.6 s x 1.6^n, each within 20 %. The sheet's
own table comes out if nobody can connect in the gap between USR1 and KILL (*gap_open* false). By the rules containerd
serves on then (USR1 is a stack dump): who connects in the gap loses the connection and begins again with 1.0 s.
Source: engine-1.13 §7.1, §16.2, §16.3.
"""

from __future__ import annotations

from math import inf
from random import Random

TICK, GAP, FIRST, FACTOR, CAP, JITTER = 0.5, 0.1, 1.0, 1.6, 120.0, 0.2


def crash(dice: Random, ready_after: float, *, gap_open: bool, limit: float = 600.0) -> tuple[int, float]:
    """Return how many new containerds there were, and when the first check of a lasting connection was good."""
    tick, attempt, kill = dice.random() * TICK, 0.0, inf
    tries, failures, new, ready = 0, 0, 0, inf
    connected = False
    while (now := min(tick, attempt, kill)) < limit:
        if now == kill:
            kill, new, ready = inf, new + 1, now + ready_after
            if connected:
                connected, tries, attempt = False, 0, now
        elif now == attempt:
            connected = now >= ready and (gap_open or kill == inf)
            attempt = inf if connected else now + backoff(dice, tries)
            tries += 1
        else:
            tick += TICK
            if kill < inf:
                continue  # the loop sleeps between USR1 and KILL
            if connected:
                return new, now
            failures += 1
            if failures == 3:
                failures, kill = 0, now + (GAP if new else 0.0)  # the first one is dead already
    return new, inf


def backoff(dice: Random, tries: int) -> float:
    """Return the pause after so many attempts (grpc backoff.go)."""
    return FIRST if tries == 0 else min(CAP, FIRST * FACTOR**tries) * dice.uniform(1 - JITTER, 1 + JITTER)


def many(ready_after: float, *, gap_open: bool, runs: int = 2000) -> tuple[float, float, float, float]:
    """Return the share with two new ones or more, their mean number, and p50 and p95 of the time until healthy."""
    dice = Random(1)
    found = [crash(dice, ready_after, gap_open=gap_open) for _ in range(runs)]
    times = sorted(at for _, at in found)
    return (
        sum(new >= 2 for new, _ in found) / runs, sum(new for new, _ in found) / runs,
        times[runs // 2], times[int(0.95 * runs)],
    )  # fmt: skip

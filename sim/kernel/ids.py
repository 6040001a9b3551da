"""Process and thread numbers: one cyclic counter for both.

The next number is the last one plus one; at pid_max it goes on at 300; numbers in use are skipped. A number is in
use while its task is not reaped, or while a group or session bears it. Source: pid_namespaces(7), kernel/pid.c of
Linux 3.10 (RESERVED_PIDS); engine-1.13 §12, §16.7.
"""

from __future__ import annotations

from collections.abc import Mapping

RESERVED_PIDS = 300


class OutOfIds(Exception):
    """Every number below pid_max is in use: fork(2) fails with EAGAIN."""


def next_id(last: int, uses: Mapping[int, int], pid_max: int) -> int:
    """Return the number that the kernel gives next; raise OutOfIds if none is free.

    >>> next_id(32766, {32767: 1}, 32768)
    300
    """
    number = last
    for _ in range(pid_max):
        number = number + 1 if number + 1 < pid_max else RESERVED_PIDS
        if number not in uses:
            return number
    raise OutOfIds(f"all numbers below pid_max ({pid_max}) are in use")

"""Write tables and ages as the clients of engines do, which are programs in Go.

Models: text/tabwriter, which counts letters, with the least width and the padding that a client asks for (docker's and
crictl's unless it gives others), and durations in words. Leaves out its other alignments. Source: Go 1.10,
text/tabwriter; go-units, duration.go.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

HOUR_S, DAY_H = 3600, 24
LEAST, PADDING = 20, 3


def tabulate(lines: Sequence[Sequence[str]], least: int = LEAST, padding: int = PADDING) -> str:
    """Pad all cells but the last of each line, as wide as the column's longest and *padding* more, at least *least*."""
    widths = [max(least, *(len(line[at]) + padding for line in lines)) for at in range(len(lines[0]) - 1)]
    padded = [[cell.ljust(width) for cell, width in zip(line, widths, strict=False)] + [line[-1]] for line in lines]
    return "".join("".join(line) + "\n" for line in padded)


def human_duration(seconds: float) -> str:
    """Return roughly how long *seconds* are, in whole units that are cut down, never rounded.

    >>> [human_duration(s) for s in (0.5, 1, 59, 90, 5400, 86400, 864000)]
    ['Less than a second', '1 second', '59 seconds', 'About a minute', 'About an hour', '24 hours', '10 days']
    """
    whole = int(seconds)
    if whole < 60:
        return "Less than a second" if seconds < 1 else "1 second" if whole == 1 else f"{whole} seconds"
    if whole < HOUR_S:
        return "About a minute" if whole < 120 else f"{whole // 60} minutes"
    hours = whole // HOUR_S
    if hours < 48:
        return "About an hour" if hours == 1 else f"{hours} hours"
    days = hours // DAY_H
    for unit, length, below in (("days", 1, 14), ("weeks", 7, 60), ("months", 30, 730)):
        if days < below:
            return f"{days // length} {unit}"
    return f"{days // 365} years"


def ago(moment: float, now: float) -> str:
    """Return how long ago a moment was (unix seconds); `?` of one before the run, which nobody says.

    >>> ago(5.0, 65.0), ago(-math.inf, 65.0)
    ('About a minute ago', '?')
    """
    return f"{human_duration(now - moment)} ago" if math.isfinite(moment) else "?"

"""When something happens: quiet time is cut out of a run, and a burst after the fault gets a scale of its own.

A window is a stretch of time without a pause longer than *quiet*. The window that holds moment 0 is split where the
pause is longest compared with the time since 0, at a round number, so that milliseconds after a fault and a ten-
second timeout are seen in one picture. Leaves out what happens, only when. Source: none; the shape of the project's
timeline.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from sim.engine.setup import MS, Microseconds, S

QUIET: Microseconds = 30 * S
LEAST_MARGIN: Microseconds = 200 * MS
RATIO = 4.0  # the pause before which a scale ends is at least so many times as long as all before it
LEAST_RATIO, MOST_RATIO = 5, 20  # the whole is so many times as long as what gets a scale of its own
CROWD = 0.25  # and at least so much of all that happens lies before it
WIDE = 0.6  # share of a split window that its first part takes
BURST = 50  # a burst just after the fault is shown apart if the rest of its piece is so many times as long
BURST_CROWD = 0.1  # and at least so much of all that happens lies in it
ROUND = tuple(base * 10**power for power in range(2, 12) for base in (1, 2, 3, 5))


class Segment(msgspec.Struct, frozen=True):
    """A piece of the time axis with one scale: *share* of its width; *cut* is the quiet time left out before it."""

    start: Microseconds
    end: Microseconds
    share: float
    cut: Microseconds = 0


def windows(
    instants: Iterable[Microseconds], begin: Microseconds, end: Microseconds, quiet: Microseconds = QUIET
) -> tuple[tuple[Microseconds, Microseconds], ...]:
    """Return the stretches of [begin, end] in which something happens, with a margin; the whole if nothing does.

    >>> windows([0, 4 * S, 900 * S], -60 * S, 3600 * S)
    ((-200000, 4400000), (899800000, 900200000))
    """
    inside = sorted({moment for moment in instants if begin <= moment <= end})
    if not inside:
        return ((begin, end),)
    clusters = [[inside[0], inside[0]]]
    for moment in inside[1:]:
        if moment - clusters[-1][1] > quiet:
            clusters.append([moment, moment])
        clusters[-1][1] = moment
    found = []
    for first, last in clusters:
        before, after = max((last - first) // 25, LEAST_MARGIN), max((last - first) // 10, LEAST_MARGIN)
        found.append((max(begin, first - min(before, quiet // 3)), min(end, last + min(after, quiet // 3))))
    return tuple(found)


def segments(
    instants: Iterable[Microseconds],
    begin: Microseconds,
    end: Microseconds,
    quiet: Microseconds = QUIET,
    *,
    burst: bool = False,
) -> tuple[Segment, ...]:
    """Return the pieces of the time axis, first first; their shares add up to 1.

    With *burst* the milliseconds after the fault get a scale of their own, too, if much happens in them.
    """
    moments = sorted(set(instants))
    found = windows(moments, begin, end, quiet)
    weights = [max(high - low, S) ** 0.5 * (3 if low <= 0 <= high else 1) for low, high in found]
    least = sum(weights) * min(0.1, 0.5 / len(weights))
    weights = [max(weight, least) for weight in weights]
    pieces: list[Segment] = []
    for (low, high), weight in zip(found, weights, strict=True):
        cut = low - pieces[-1].end if pieces else 0
        share = weight / sum(weights)
        split = scale_change([m for m in moments if low <= m <= high], low, high)
        if split is None:
            pieces.append(Segment(low, high, share, cut))
        else:
            lead = max(low, -split // 6) if not any(low <= m < 0 for m in moments) else low
            pieces.append(Segment(lead, split, share * WIDE, cut + lead - low if cut else 0))
            pieces.append(Segment(split, high, share * (1 - WIDE)))
    return tuple(part for piece in pieces for part in (_with_burst(piece, moments) if burst else (piece,)))


def _with_burst(piece: Segment, moments: Sequence[Microseconds]) -> tuple[Segment, ...]:
    """Split a piece where the burst after the fault is over; return it whole if there is none."""
    later = [moment for moment in moments if 0 < moment < piece.end] if piece.start <= 0 < piece.end else []
    best, where = RATIO, None
    for number, (before, after) in enumerate(pairwise(later), 1):
        split = ROUND[bisect_left(ROUND, before + before // 20)]
        fits = number >= BURST_CROWD * len(later) and split <= min(after, piece.end // BURST)
        if fits and after / before > best:
            best, where = after / before, split
    if where is None:
        return (piece,)
    lead = max(piece.start, -where // 6)
    first = Segment(lead, where, piece.share / 2, piece.cut + lead - piece.start if piece.cut else 0)
    return first, Segment(where, piece.end, piece.share / 2)


def scale_change(moments: list[Microseconds], low: Microseconds, high: Microseconds) -> Microseconds | None:
    """Return the round number after which time goes by faster on the axis; None if one scale is enough.

    >>> scale_change([0, 100_000, 340_000, 1_200_000, 1_400_000, 11_300_000, 21_200_000], -1, 23 * S)
    2000000
    """
    if not low <= 0 < high:
        return None
    later = [moment for moment in moments if moment > 0]
    best, where = RATIO, None
    for number, (before, after) in enumerate(pairwise(later), 1):
        if after / before > best and number >= CROWD * len(later):
            split = ROUND[bisect_left(ROUND, before + before // 20)]
            if split <= after and high // MOST_RATIO <= split <= high // LEAST_RATIO:
                best, where = after / before, split
    return where

"""The time axis of a timeline: where each moment stands, which moments get a tick, and in which words.

Near the fault ticks count seconds; a piece that is far from it counts in the unit that keeps numbers short. Leaves
out dates. Source: none; the project's own convention.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from sim.views.activity import Segment

S = 1_000_000
TICK_WIDTH = 0.9  # inches between ticks, about
STEPS = tuple(base * 10**power for power in range(9) for base in (1, 2, 5))
MINUTES = (1, 2, 5, 10, 30, 60, 120, 360, 720, 1440, 2880, 10080)
LONG_STEPS = tuple(minutes * 60 * S for minutes in MINUTES)
FAR = 600 * S
NEAR = 100_000  # a piece that is so near counts milliseconds
NARROW = 2.5  # inches: a far piece has room for one tick only


class Stretch(msgspec.Struct, frozen=True):
    """A piece of time, in µs from the fault, and where it stands, in parts of the picture's width."""

    start: int
    end: int
    left: float
    right: float


class Axis(msgspec.Struct, frozen=True):
    """Where moments (µs from the fault) stand in a picture: time is linear within a stretch and cut between two.

    *origin* is the fault itself, in µs from t = 0. Whoever puts a cursor on a picture needs no more than this.
    """

    stretches: tuple[Stretch, ...]
    origin: int = 0

    def x(self, moment: int) -> float:
        """Return where a moment stands, in parts of the picture's width; one that is cut stands at the seam.

        >>> Axis((Stretch(0, 100, 0.1, 0.5), Stretch(900, 1000, 0.5, 0.9))).x(950)
        0.7
        """
        for stretch in self.stretches:
            if moment <= stretch.end:
                part = (max(moment, stretch.start) - stretch.start) / (stretch.end - stretch.start)
                return stretch.left + part * (stretch.right - stretch.left)
        return self.stretches[-1].right

    def moment(self, x: float) -> int:
        """Return the moment that stands at *x*; between two stretches it is where the later one begins.

        >>> Axis((Stretch(0, 100, 0.1, 0.5), Stretch(900, 1000, 0.6, 0.9))).moment(0.55)
        900
        """
        for stretch in self.stretches:
            if x <= stretch.right:
                part = max(x - stretch.left, 0.0) / (stretch.right - stretch.left)
                return stretch.start + round(part * (stretch.end - stretch.start))
        return self.stretches[-1].end


def ticks(piece: Segment, width: float, closing: bool) -> list[tuple[int, str]]:
    """Return the ticks of a piece that is *width* inches wide; *closing* leaves out one at its end."""
    span, far = piece.end - piece.start, is_far(piece)
    if far and width < NARROW:
        whole = -(-piece.start // S) * S
        return [(whole if whole - piece.start < span // 3 else piece.start, clock(whole))]
    about = span * TICK_WIDTH / width
    step = next((step for step in (*STEPS[:-4], *LONG_STEPS) if step >= about), LONG_STEPS[-1])
    first = -(-piece.start // step) * step
    edge = piece.end - (span * 0.28 / width if closing else 0)
    moments = list(range(first, piece.end + 1, step))
    if piece.start and not piece.cut and piece.start > 0:  # a change of scale begins with its own tick
        moments = [piece.start, *(moment for moment in moments if moment - piece.start > step * 0.4)]
    if far:
        moments = moments[:: -(-len(moments) // max(1, int(width)))]
    shown = [moment for moment in moments if moment <= edge]
    step = step if len(shown) > 1 else S  # a single tick needs no decimals but its own
    if _is_near(piece):
        return [(moment, _milliseconds(moment)) for moment in shown]
    return [(moment, clock(moment, step) if far else _seconds(moment, step)) for moment in shown]


def is_far(piece: Segment) -> bool:
    """Say whether a piece is so far from the fault that its seconds would be long numbers."""
    return max(abs(piece.start), abs(piece.end)) >= FAR


def _seconds(moment: int, step: int) -> str:
    if moment and abs(moment) < S // 100:
        return _milliseconds(moment)
    decimals = next(d for d in range(7) if step % (S // 10**d) == 0 and moment % (S // 10**d) == 0)
    return f"{moment / S:.{decimals}f}".replace("-", "−")


def _milliseconds(moment: int) -> str:
    return f"{moment / 1000:g} ms".replace("-", "−")


def _is_near(piece: Segment) -> bool:
    return max(abs(piece.start), abs(piece.end)) <= NEAR


def clock(moment: int, step: int = S) -> str:
    """Write a far moment as days and h:mm:ss, with the decimals that ticks *step* apart need.

    >>> clock(-950_042 * S), clock(3941 * S + 500_000, 500_000), clock(3600 * S, 60 * S)
    ('−10 d 23:54:02', '1:05:41.5', '1:00:00')
    """
    whole, rest = divmod(abs(moment), S)
    days, whole = divmod(whole, 86400)
    text = f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    if step % S:
        text += f"{rest / S:.3f}"[1:].rstrip("0").rstrip(".")
    return ("−" if moment < 0 else "") + (f"{days} d " if days else "") + text


def axis_titles(since: str, pieces: Sequence[Segment]) -> list[str]:
    """Say under the first piece what the axis counts, and under each later one that starts a new scale that it does."""
    far, near = all(is_far(piece) for piece in pieces), all(_is_near(piece) for piece in pieces)
    unit = "time (h:mm:ss)" if far else "time" if near else "seconds"
    titles = [f"{unit} after {since}"]
    for before, piece in pairwise(pieces):
        titles.append(f"(scale changes at {_short(piece.start)})" if before.end == piece.start else "")
    return titles


def _short(moment: int) -> str:
    return _milliseconds(moment) if abs(moment) <= NEAR else f"{moment / S:g} s"

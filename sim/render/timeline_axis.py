"""The time axis of a timeline: which moments get a tick, and in which words.

Near the fault ticks count seconds; a piece that is far from it counts in the unit that keeps numbers short. Leaves out
dates. Source: none; the project's own convention.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.views.activity import Segment

S = 1_000_000
TICK_WIDTH = 0.9  # inches between ticks, about
STEPS = tuple(base * 10**power for power in range(3, 9) for base in (1, 2, 5))
LONG_STEPS = tuple(seconds * S for seconds in (60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800))
UNITS = ((86400 * S, "d"), (3600 * S, "h"), (60 * S, "min"))


def ticks(piece: Segment, width: float, closing: bool) -> list[tuple[int, str]]:
    """Return the ticks of a piece that is *width* inches wide; *closing* leaves out one at its end, where the next begins."""
    span = piece.end - piece.start
    about = span * TICK_WIDTH / width
    step = next((step for step in (*STEPS[:-4], *LONG_STEPS) if step >= about), LONG_STEPS[-1])
    first = -(-piece.start // step) * step
    edge = piece.end - (span * 0.28 / width if closing else 0)
    moments = list(range(first, piece.end + 1, step))
    far = abs(piece.start) >= 600 * S and not piece.start <= 0 <= piece.end
    if piece.start and not piece.cut and piece.start > 0:  # a change of scale begins with its own tick
        moments = [piece.start, *(moment for moment in moments if moment - piece.start > step * 0.4)]
    if far and len(moments) > 3:
        moments = moments[:: len(moments) // 3]
    return [(moment, _words(moment, step, far)) for moment in moments if moment <= edge]


def _words(moment: int, step: int, far: bool) -> str:
    if far:
        for size, unit in UNITS:
            if abs(moment) >= size:
                return f"{moment / size:+.{2 if step < size else 0}f} {unit}"
    decimals = next((d for d in (0, 1, 2) if step % (S // 10**d) == 0), 3)
    return f"{moment / S:.{decimals}f}"


def axis_titles(since: str, pieces: Sequence[Segment]) -> list[str]:
    """Say under the first piece what the axis counts, and under each later one that starts a new scale that it does."""
    titles = [f"seconds after {since}"]
    for before, piece in zip(pieces, pieces[1:], strict=False):
        titles.append(f"(scale changes at {piece.start / S:g} s)" if before.end == piece.start else "")
    return titles

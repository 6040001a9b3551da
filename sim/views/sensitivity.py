"""What a run's figures hang on, as plain data: each assumed value, varied alone, and what each metric does then.

Times are in seconds; `inf` is "not back when the window closed", `nan` that a figure does not exist. Source: the
project's own.
"""

from __future__ import annotations

import math

import msgspec

LEAST_TIME, LEAST_COUNT = 0.001, 0.5  # what moves less, in s or in number, is nothing to an operator


class Level(msgspec.Struct, frozen=True):
    """One other value of an assumption: *changes* by metric, the median over pairs of runs; None: not known."""

    label: str
    changes: dict[str, float | None]


class Hang(msgspec.Struct, frozen=True):
    """One assumed value: *value* as it is now, *origin* how it is known, and what becomes of the figures without it.

    *share* is by how much the main figure falls when the value is 0, in s; None where that means nothing.
    """

    key: str
    words: str
    value: str
    origin: str
    levels: tuple[Level, ...]
    share: float | None = None

    def most(self, metric: str) -> float:
        """Return the largest change of a metric, whatever its sign; 0 if none is known."""
        changes = (level.changes.get(metric) for level in self.levels)
        return max((abs(it) for it in changes if it is not None and not math.isnan(it)), default=0.0)


class Figure(msgspec.Struct, frozen=True):
    """A metric that is looked at, with its median as it is now."""

    metric: str
    label: str
    unit: str
    now: float


class Sensitivity(msgspec.Struct, frozen=True):
    """All assumptions of a scenario, the one with most hanging on it first; *idle* are those with nothing.

    *main* is the metric by which they are ranked.
    """

    title: str
    source: str
    name: str
    design: str
    profile: str
    seeds: tuple[int, ...]
    window_s: float
    figures: tuple[Figure, ...]
    main: str
    hangs: tuple[Hang, ...]
    idle: tuple[str, ...]
    runs: int
    ended: str = ""

    def figure(self, metric: str) -> Figure:
        """Return what is known of a metric; raise KeyError if it is not looked at."""
        for figure in self.figures:
            if figure.metric == metric:
                return figure
        raise KeyError(metric)

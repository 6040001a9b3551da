"""What comparisons and replications end in, as plain data: sides, rows, what was changed, and how verdicts held.

A figure of `inf` means "not back by the end of the window": it is known to be longer and nothing else, so it is ordered
and counted, never averaged. `nan` means that the question does not arise (no published port). Times are in seconds.
Leaves out how any of it is computed (`sim.experiment`) and printed (`sim.render`). Source: the project's own.
"""

from __future__ import annotations

import msgspec


class Side(msgspec.Struct, frozen=True):
    """One side of a row over all seeds: *values* by seed, *beyond* in how many of them it was not back.

    *total* is how many there are of what is counted, None if that is not asked.
    """

    median: float
    p95: float
    beyond: int
    values: tuple[float, ...]
    total: int | None = None


class Row(msgspec.Struct, frozen=True):
    """One metric on both sides.

    *change* is the median of the paired differences (other - base), *low* … *high* its 95 % interval; None where too
    few seeds, or too many runs that were not back, leave it unknown. *verdict* is better, worse, same, unclear or note;
    *rose* and *fell* say in how many seeds the figure did. A *detail* is told where it is asked for.
    """

    metric: str
    label: str
    unit: str
    better: str
    base: Side
    other: Side
    change: float | None
    low: float | None
    high: float | None
    differences: tuple[float, ...]
    rose: int
    fell: int
    verdict: str
    detail: bool = False


class SettingChange(msgspec.Struct, frozen=True):
    """One setting that was changed; *origin* says where the old value comes from: the file, or a default."""

    path: str
    before: str
    after: str
    origin: str


class Price(msgspec.Struct, frozen=True):
    """What a setting costs that no row shows, with its source and how that is known (S source, I issue)."""

    text: str
    source: str
    mark: str


class FateCount(msgspec.Struct, frozen=True):
    """What became of a container on one side: in how many runs it had which fate, the most frequent first, and why.

    *why* is that of the most frequent one, without process numbers and names.
    """

    fates: tuple[tuple[str, int], ...]
    why: str = ""


class ContainerChange(msgspec.Struct, frozen=True):
    """What became of a container on both sides."""

    container: str
    now: FateCount
    then: FateCount


class Variant(msgspec.Struct, frozen=True):
    """One alternative against the baseline."""

    name: str
    changes: tuple[SettingChange, ...]
    rows: tuple[Row, ...]
    sentences: tuple[str, ...]
    prices: tuple[Price, ...]
    worst_seed: int
    again: str
    containers: tuple[ContainerChange, ...] = ()


class WhatIf(msgspec.Struct, frozen=True):
    """A what-if: the baseline, how it was measured, and each alternative.

    *fault* is what took the place of the file's own, *ended* why there are fewer or more runs than asked for, *designs*
    are those of all sides.
    """

    title: str
    source: str
    name: str
    design: str
    profile: str
    seeds: tuple[int, ...]
    window: str
    window_s: float
    variants: tuple[Variant, ...]
    assumptions: tuple[str, ...]
    unmeasured: str
    fault: str = ""
    ended: str = ""
    designs: tuple[str, ...] = ()

    @property
    def only(self) -> Variant:
        """Return the alternative, where there is one."""
        (variant,) = self.variants
        return variant


class Held(msgspec.Struct, frozen=True):
    """How one expectation fared over seeds: in how many it held, failed, or could not be told.

    *first_failing* and *worst* are seeds, None if none failed; *detail* is what was found in the worst one.
    """

    label: str
    text: str
    line: int
    held: int
    failed: int
    undetermined: int
    first_failing: int | None
    worst: int | None
    detail: str

    @property
    def of(self) -> int:
        """Return over how many seeds."""
        return self.held + self.failed + self.undetermined

"""What every act does to a host, as plain data: one row an act and case, the worst first.

Leaves out how it is found (`sim.experiment.blast`). Source: `sim.views.fates`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from sim.views.fates import LOST, NEW, REMOVED, RESTARTING, STOPPED, STUCK, Fate
from sim.views.interval_parts import EVERYONE

CLIENTS = EVERYONE
NOT_UP = (LOST, REMOVED, STUCK, STOPPED, RESTARTING)  # fates of containers that do not run at the end


class Harm(msgspec.Struct, frozen=True):
    """What one act did in one run; times are s after it, `inf` for what is not so at the end of the window.

    *died* and *orphaned* count by role the processes that lived when it came. *fates* counts the containers by fate,
    *touched* has the fate of those that are not as they were. *dark* is by class of clients the longest time that any
    port was closed. *log_at_risk* and *log_lost* are bytes, None where no container says what it prints. *back* is when
    all was as before. *failed* says why it was not run.
    """

    seed: int
    died: tuple[tuple[str, int], ...] = ()
    orphaned: tuple[tuple[str, int], ...] = ()
    fates: tuple[tuple[str, int], ...] = ()
    touched: tuple[Fate, ...] = ()
    dark: tuple[tuple[str, float], ...] = ()
    engine_dark: float = 0.0
    codes_lost: int = 0
    log_at_risk: float | None = None
    log_lost: float | None = None
    back: float = 0.0
    failed: str = ""

    def count(self, fate: str) -> int:
        """Return how many containers have a fate."""
        return dict(self.fates).get(fate, 0)

    @property
    def longest_dark(self) -> float:
        """Return the longest time that a port was closed to anybody."""
        return max((seconds for _, seconds in self.dark), default=0.0)


class BlastRow(msgspec.Struct, frozen=True):
    """One act on a host, in one case: with live-restore, without, or None where the engine has none.

    *own* says that it is the setting of the file. *like* are containers that equal the one that was tried. *step* is
    the act as `steps:` has it, *measured* how often acts of this kind were right, *again* the command line of its run.
    """

    act: str
    kind: str
    subject: str
    step: str
    live_restore: bool | None
    own: bool
    harms: tuple[Harm, ...]
    like: tuple[str, ...] = ()
    measured: str = ""
    again: str = ""

    @property
    def failed(self) -> str:
        """Return why it was not run; "" if it was."""
        return next((harm.failed for harm in self.harms if harm.failed), "")

    @property
    def first(self) -> Harm:
        """Return what it did with the first seed."""
        return self.harms[0]

    @property
    def harmless(self) -> bool:
        """Return whether nobody died, no container was touched, and all stayed as it was, in every run."""
        return all(not (it.died or it.orphaned or it.touched or it.back or it.engine_dark) for it in self.harms)

    def figures(self, name: str) -> tuple[float, ...]:
        """Return a figure of each run: a field of `Harm`, `longest_dark`, or how many containers have a fate."""
        if name in Harm.__struct_fields__ or name == "longest_dark":
            return tuple(float(getattr(it, name) or 0) for it in self.harms)
        return tuple(float(it.count(name)) for it in self.harms)

    def dark(self, client: str) -> tuple[float, ...]:
        """Return for how long at most a port was closed to a class of clients, in each run."""
        return tuple(dict(it.dark).get(client, 0.0) for it in self.harms)


RANKED = (
    LOST,
    REMOVED,
    STUCK,
    STOPPED,
    RESTARTING,
    NEW,
    "longest_dark",
    "back",
    "engine_dark",
    "codes_lost",
    "log_lost",
)
"""What makes an act worse than another, first things first: medians over the seeds."""


class Blast(msgspec.Struct, frozen=True):
    """A host and what may befall it. *moment* is when an act comes; *ended* says why not all of it was done."""

    title: str
    source: str
    name: str
    design: str
    profile: str
    containers: int
    seeds: tuple[int, ...]
    window_s: float
    moment: str
    rows: tuple[BlastRow, ...]
    assumptions: tuple[str, ...] = ()
    ended: str = ""


def median(values: Sequence[float]) -> float:
    """Return the middle of some figures, the larger of two.

    >>> median([3.0, 1.0, 9.0]), median([])
    (3.0, 0.0)
    """
    return sorted(values)[len(values) // 2] if values else 0.0


def worst_first(rows: Iterable[BlastRow]) -> tuple[BlastRow, ...]:
    """Return the rows sorted by harm; of equals the file's own case first, then as they come."""
    every = list(rows)
    place = {id(row): number for number, row in enumerate(every)}
    return tuple(sorted(every, key=lambda row: (*(-median(row.figures(name)) for name in RANKED), place[id(row)])))

"""What if a setting were another one? The same seeds run both ways, compared in pairs.

Models: one baseline, any number of alternatives, each a list of `PATH=VALUE`, another design among them; another fault
than the file's; a window; runs until every interval is as narrow as asked, or a cap. Looking again and again makes the
last interval a little too narrow. Leaves out cost in money. Source: all is measured on the runs.
"""

from __future__ import annotations

import math
import os
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sim.designs import DESIGNS
from sim.engine.setup import EngineSetup
from sim.errors import InputError, Problem
from sim.experiment.changes import changed
from sim.experiment.executors import Lanes
from sim.experiment.metrics import Metrics
from sim.experiment.own import Own
from sim.experiment.paired import compare
from sim.experiment.prices import prices
from sim.experiment.replicate import Interrupted, Measuring, Progress, replicate_each
from sim.experiment.sentences import sentences
from sim.latency import profile_of
from sim.render.amounts import lasting
from sim.scenario import Scenario, instant, load
from sim.views.comparison import ContainerChange, FateCount, Row, Variant, WhatIf
from sim.views.fates import Fate, general
from sim.views.fault import first_harm

Settings = Sequence[str]
SEEDS = 40
MOST = 1_000  # runs of a side, where a precision is asked for
WORST_BY = ("not_back", "remote_dark", "loopback_dark", "api_dark")


class Precision(NamedTuple):
    """How narrow every interval of a time has to be: in s, or as a share of the larger median."""

    seconds: float = 0.0
    share: float = 0.0

    def met(self, row: Row) -> bool:
        """Say whether a row's interval is as narrow; one of which both ends are the same moment, or unknown, is."""
        if row.low is None or row.high is None or row.low == row.high:
            return True
        larger = max((abs(it) for it in (row.base.median, row.other.median) if math.isfinite(it)), default=0.0)
        return row.high - row.low <= max(self.seconds, self.share * larger)


class Terms(NamedTuple):
    """How a question is answered: which seeds, when to stop, within which window, with which metrics of one's own."""

    seeds: int | Iterable[int] = SEEDS
    jobs: int | None = None
    precision: Precision | None = None
    most: int = MOST
    window: tuple[str, str] | None = None
    own: tuple[Own, ...] = ()
    progress: Progress | None = None
    lanes: Lanes | None = None

    def numbers(self) -> tuple[int, ...]:
        """Return the seeds to begin with. Raises InputError."""
        seeds = tuple(range(1, self.seeds + 1) if isinstance(self.seeds, int) else self.seeds)
        if not seeds or len(set(seeds)) < len(seeds):
            what = "a seed is given twice" if seeds else "there is no seed"
            raise InputError([Problem("--seeds", what, f"{SEEDS} is a good number.")])
        return seeds

    def settings(self) -> tuple[str, ...]:
        """Return what the window sets: a run ends with it."""
        return () if self.window is None or self.window[1].strip() == "end" else (f"until={self.window[1]}",)


def whatif(
    path: str | os.PathLike[str],
    settings: Settings,
    seeds: int | Iterable[int] = SEEDS,
    jobs: int | None = None,
    *,
    text: str | None = None,
    progress: Progress | None = None,
) -> WhatIf:
    """Compare a scenario with itself under *settings*. Raises InputError."""
    return whatif_each(path, [settings], seeds, jobs, text=text, progress=progress)


def whatif_each(
    path: str | os.PathLike[str],
    alternatives: Sequence[Settings],
    seeds: int | Iterable[int] = SEEDS,
    jobs: int | None = None,
    *,
    text: str | None = None,
    progress: Progress | None = None,
) -> WhatIf:
    """Compare a scenario with each of some alternatives, all on the same seeds. Raises InputError.

    *seeds* is how many, counted from 1, or which ones; *text* is read in place of the file.
    """
    others = [load(path, text, settings) for settings in alternatives]
    return whatif_of(load(path, text), others, alternatives, Terms(seeds, jobs, progress=progress))


def whatif_of(
    base: Scenario,
    others: Sequence[Scenario],
    alternatives: Sequence[Settings],
    terms: Terms,
    fault: str = "",
    always: Settings = (),
) -> WhatIf:
    """Compare a scenario with *others*, which are itself under each of the *alternatives*. Raises InputError.

    *always* are the settings that all of them have: *fault*, which stands in words, and the window.

    Ctrl-C ends the runs, and what is done is compared; where nothing is, it is raised.
    """
    if not alternatives or not all(alternatives):
        hint = "Write --set PATH=VALUE, like --set engine.daemon.live-restore=true, --design NAME, or a whatif: block."
        raise InputError([Problem("--set", "nothing is changed", hint)])
    start = None if terms.window is None else instant(terms.window[0], base)
    found, ended = _replicated([base, *others], terms, Measuring(start, terms.own))
    engine = base.setup.engine
    return WhatIf(
        title=base.title,
        source=base.source,
        name=base.name,
        design=f"{engine.design} ({DESIGNS[engine.design].title})",
        profile=engine.profile,
        seeds=tuple(metrics.seed for metrics in found[0]),
        window=window_text(base, found[0], terms.window),
        window_s=min(metrics.window_s for side in found for metrics in side),
        variants=tuple(
            variant(base, other, settings, found[0], runs, terms.own, always)
            for other, settings, runs in zip(others, alternatives, found[1:], strict=True)
        ),
        assumptions=base.assumptions,
        unmeasured=unmeasured(engine),
        fault=fault,
        ended=ended,
        designs=tuple(dict.fromkeys(side.setup.engine.design for side in (base, *others))),
    )


# -- how many runs ---------------------------------------------------------------------------------


def _replicated(sides: Sequence[Scenario], terms: Terms, measuring: Measuring) -> tuple[list[list[Metrics]], str]:
    """Run all sides on the same seeds until it is enough; return the runs of each, and why it ended early or late."""
    setups, batch = [side.setup for side in sides], terms.numbers()
    most = max(terms.most, len(batch))
    found: list[list[Metrics]] = [[] for _ in sides]
    while True:
        try:
            more = replicate_each(setups, batch, terms.jobs, terms.progress, measuring=measuring, lanes=terms.lanes)
        except Interrupted as cut:
            found = [[*done, *new] for done, new in zip(found, cut.done, strict=True)]
            if not found[0]:
                raise
            return found, f"interrupted after {_pairs(len(found[0]))}"
        found = [[*done, *new] for done, new in zip(found, more, strict=True)]
        if terms.precision is None:
            return found, ""
        count = len(found[0])
        if all(map(terms.precision.met, _times(found, terms.own))):
            return found, f"the precision asked for was reached after {_pairs(count)}"
        if count >= most:
            return found, f"the precision asked for was not reached in {_pairs(count)}, the most"
        batch = tuple(_unused(metrics.seed for metrics in found[0]))[: min(count, most - count)]


def _pairs(count: int) -> str:
    return f"{count} pair{'s' * (count != 1)} of runs"


def _times(found: Sequence[Sequence[Metrics]], own: tuple[Own, ...]) -> Iterator[Row]:
    rows = (row for runs in found[1:] for row in compare(found[0], runs, own))
    return (row for row in rows if row.unit == "s" and not row.detail)


def _unused(seeds: Iterable[int]) -> range:
    """Return seeds above all that were taken."""
    last = max(seeds)
    return range(last + 1, last + 1 + 1_000_000)


# -- one alternative -------------------------------------------------------------------------------


def variant(
    base: Scenario,
    other: Scenario,
    settings: Settings,
    before: Sequence[Metrics],
    after: Sequence[Metrics],
    own: tuple[Own, ...] = (),
    always: Settings = (),
) -> Variant:
    """Return one alternative with its rows, what they say, and what it costs."""
    rows = compare(before, after, own)
    changes = tuple(changed(base, other, setting) for setting in settings)
    seed = worst(after)
    words = ["shimulator", "run", base.source, *(word for it in (*always, *settings) for word in ("--set", it))]
    return Variant(
        name=" ".join(settings),
        changes=changes,
        rows=rows,
        sentences=sentences(" and ".join(f"{it.path}={it.after}" for it in changes), rows, min_window(before, after)),
        prices=prices(other, changes),
        worst_seed=seed,
        again=" ".join(map(shlex.quote, [*words, "--seed", str(seed)])),
        containers=container_changes(before, after),
    )


def container_changes(before: Sequence[Metrics], after: Sequence[Metrics]) -> tuple[ContainerChange, ...]:
    """Return what became of each container on both sides, in the order of the file."""
    sides = [_by_container(runs) for runs in (before, after)]
    names = dict.fromkeys(name for side in sides for name in side)
    return tuple(ContainerChange(name, *(_fate_count(side.get(name, [])) for side in sides)) for name in names)


def _by_container(runs: Sequence[Metrics]) -> dict[str, list[Fate]]:
    found: dict[str, list[Fate]] = {}
    for run in runs:
        for fate in run.fates:
            found.setdefault(fate.container, []).append(fate)
    return found


def _fate_count(found: Sequence[Fate]) -> FateCount:
    counts = Counter(fate.fate for fate in found).most_common()
    first = next((fate for fate in found if fate.fate == counts[0][0]), None)
    return FateCount(tuple(counts), "" if first is None else general(first))


def min_window(*sides: Sequence[Metrics]) -> float:
    """Return the shortest window in s: what was not back took longer in every run."""
    return min(metrics.window_s for side in sides for metrics in side)


def worst(runs: Sequence[Metrics]) -> int:
    """Return the seed whose run went worst: containers not back first, then the longest dark; ties go to the first."""
    return max(runs, key=lambda run: [_or_zero(run.values[name]) for name in WORST_BY]).seed


def _or_zero(value: float) -> float:
    return value if value == value else 0.0


# -- words -----------------------------------------------------------------------------------------


def window_text(base: Scenario, runs: Sequence[Metrics], asked: tuple[str, str] | None = None) -> str:
    """Return the window as the file's words: `kill … kill+2m`."""
    if asked is not None:
        return " … ".join(asked)
    step = first_harm(base.setup)
    start = step.id if step else "t = 0"
    until = base.raw.get("until")
    if until is not None:
        return f"{start} … {until}"
    return f"{start} … {'+' if step else ''}{lasting(min(run.window_s for run in runs))}"


def unmeasured(engine: EngineSetup) -> str:
    """Say how many durations of a profile nobody has measured."""
    marks = [duration.mark for duration in profile_of(engine).values()]
    known, assumed = (sum(mark.startswith(letter) for mark in marks) for letter in "KA")
    return f"of {len(marks)} durations of {engine.profile} {known} are [K], known ranges, and {assumed} [A], assumed"

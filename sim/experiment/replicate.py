"""Many runs: one after the other, or in chunks on an executor; the results are the same, byte for byte.

A run is a pure function of setup and seed, so runs may be dealt out in any way; results stand in the order of the
items. Pairs are done seed by seed, so that what an interruption leaves is whole pairs. Source: none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from typing import Any, NamedTuple, TypeVar

from sim.drive.follow import driver_of
from sim.engine.setup import Instant, Setup
from sim.experiment.executors import Lanes, cores, opened
from sim.experiment.metrics import Metrics, measure
from sim.experiment.own import Own

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]  # done, of how many

WORTH_A_POOL = 8  # fewer runs than this are over before a pool has started
CHUNKS_PER_JOB = 4  # small enough that no worker idles at the end, large enough that passing results costs nothing
LARGEST_CHUNK = 8  # so that progress is seen, and Ctrl-C leaves something
AHEAD = 2  # chunks that wait for each worker


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with what was done before it: one result an item, None where there is none."""

    def __init__(self, done: list[Any]) -> None:
        super().__init__()
        self.done = done


class Measuring(NamedTuple):
    """What is measured of each run: from which moment on (None: the first fault), and metrics of the user's own."""

    start: Instant | None = None
    own: tuple[Own, ...] = ()


def replicate(
    setup: Setup, seeds: Iterable[int], jobs: int | None = None, progress: Progress | None = None
) -> list[Metrics]:
    """Run a setup once for each seed and return what each run gave. *jobs* None is as many as there are cores."""
    return replicate_each([setup], seeds, jobs, progress)[0]


def replicate_each(
    setups: Sequence[Setup],
    seeds: Iterable[int],
    jobs: int | None = None,
    progress: Progress | None = None,
    *,
    measuring: Measuring = Measuring(),  # noqa: B008
    lanes: Lanes | None = None,
) -> list[list[Metrics]]:
    """Run each setup once for each seed, all on one executor; one list a setup.

    Raises Interrupted at Ctrl-C; `done` then holds one list a setup, of the seeds that all setups have done.
    """
    seeds, sides = list(seeds), len(setups)
    tasks = [(side, seed) for seed in seeds for side in range(sides)]
    try:
        work = partial(measured, tuple(setups), measuring)
        found: list[Metrics | None] = list(spread(work, tasks, jobs, progress, lanes))
    except Interrupted as cut:
        raise Interrupted(_by_side(cut.done, sides)) from None
    return _by_side(found, sides)


def _by_side(found: Sequence[Metrics | None], sides: int) -> list[list[Metrics]]:
    """Sort results by setup; a seed that any setup has not done is left out."""
    rows = [found[at : at + sides] for at in range(0, len(found), sides)]
    whole = [row for row in rows if None not in row]
    return [[row[side] for row in whole] for side in range(sides)]  # type: ignore[misc]


def measured(setups: Sequence[Setup], measuring: Measuring, task: tuple[int, int]) -> Metrics:
    """Run one setup with one seed and measure it; an error names the seed."""
    side, seed = task
    try:
        return measure(driver_of(setups[side], seed).run(), start=measuring.start, own=measuring.own)
    except Exception as error:
        error.add_note(f"in the run with seed {seed}")
        raise


# -- dealing out -----------------------------------------------------------------------------------


def spread(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    jobs: int | None = None,
    progress: Progress | None = None,
    lanes: Lanes | None = None,
) -> list[Result]:
    """Return `work(item)` of each item in order: on *lanes*, or on *jobs* processes; with one, in this one.

    Raises Interrupted at Ctrl-C.
    """
    if lanes is not None:
        return _spread(work, items, lanes, progress)
    jobs = min(cores() if jobs is None else jobs, len(items)) if len(items) >= WORTH_A_POOL else 1
    with opened(jobs) as own:
        return _spread(work, items, own, progress)


def _spread(
    work: Callable[[Item], Result], items: Sequence[Item], lanes: Lanes, progress: Progress | None
) -> list[Result]:
    found: list[Any] = [None] * len(items)
    done = 0
    try:
        for at, results in _flow(work, items, lanes):
            found[at : at + len(results)] = results
            done += len(results)
            if progress:
                progress(done, len(items))
    except KeyboardInterrupt:
        lanes.stop()
        raise Interrupted(found) from None
    except BaseException:
        lanes.stop()
        raise
    return found


def _flow(work: Callable[[Item], Result], items: Sequence[Item], lanes: Lanes) -> Iterator[tuple[int, list[Result]]]:
    """Yield the results of each chunk as it is done, with the place of its first item."""
    size = chunk_size(len(items), lanes.width)
    starts = iter(range(0, len(items), size))
    ahead = 1 if lanes.width == 1 else AHEAD * lanes.width
    waiting: dict[Future[list[Result]], int] = {}
    for at in starts:
        waiting[lanes.executor.submit(_chunk, work, items[at : at + size])] = at
        if len(waiting) >= ahead:
            yield from _finished(waiting)
    while waiting:
        yield from _finished(waiting)


def chunk_size(items: int, width: int) -> int:
    """Return how many items go to a worker at once; alone there is nothing to pass, and one is seen at once.

    >>> chunk_size(80, 2), chunk_size(80, 1), chunk_size(10_000, 2)
    (8, 1, 8)
    """
    return 1 if width == 1 else min(-(-items // (width * CHUNKS_PER_JOB)) or 1, LARGEST_CHUNK)


def _finished(waiting: dict[Future[list[Result]], int]) -> Iterator[tuple[int, list[Result]]]:
    for future in wait(waiting, return_when=FIRST_COMPLETED).done:
        yield waiting.pop(future), future.result()


def _chunk(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    return [work(item) for item in items]

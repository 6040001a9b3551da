"""Many runs: one after the other, or in chunks on a pool of processes; the results are the same, byte for byte.

A run is a pure function of setup and seed, so runs may be dealt out in any way; results stand in the order of the
seeds. Leaves out remote executors. Workers are forked where that is safe (one thread), else spawned. Source: none.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from sim.drive.follow import driver_of
from sim.engine.setup import Setup
from sim.experiment.metrics import Metrics, measure

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]  # done, of how many

WORTH_A_POOL = 8  # fewer runs than this are over before a pool has started
CHUNKS_PER_JOB = 4  # small enough that no worker idles at the end, large enough that passing results costs nothing


def replicate(
    setup: Setup, seeds: Iterable[int], jobs: int | None = None, progress: Progress | None = None
) -> list[Metrics]:
    """Run a setup once for each seed and return what each run gave. *jobs* None is as many as there are cores."""
    return replicate_each([setup], seeds, jobs, progress)[0]


def replicate_each(
    setups: Sequence[Setup], seeds: Iterable[int], jobs: int | None = None, progress: Progress | None = None
) -> list[list[Metrics]]:
    """Run each setup once for each seed, all on one pool; one list a setup."""
    seeds = list(seeds)
    tasks = [(setup, seed) for setup in setups for seed in seeds]
    found = spread(measured, tasks, jobs, progress)
    return [found[n * len(seeds) : (n + 1) * len(seeds)] for n in range(len(setups))]


def measured(task: tuple[Setup, int]) -> Metrics:
    """Run one setup with one seed and measure it; an error names the seed."""
    setup, seed = task
    try:
        return measure(driver_of(setup, seed).run())
    except Exception as error:
        error.add_note(f"in the run with seed {seed}")
        raise


# -- the pool --------------------------------------------------------------------------------------


def spread(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int | None = None, progress: Progress | None = None
) -> list[Result]:
    """Return `work(item)` of each item in order, on *jobs* processes; with 1, in this one. *work* may be a closure only
    with one job or where workers are forked."""
    jobs = min(cores() if jobs is None else jobs, len(items))
    if jobs <= 1 or len(items) < WORTH_A_POOL:
        return _serial(work, items, progress)
    size = -(-len(items) // (jobs * CHUNKS_PER_JOB))
    chunks = [items[at : at + size] for at in range(0, len(items), size)]
    found: list[Result] = []
    pool = ProcessPoolExecutor(jobs, _context(), _begin, (work, chunks))
    try:
        with warnings.catch_warnings():  # 3.12 warns of any thread at a fork, also of a library's that sleeps
            warnings.simplefilter("ignore", DeprecationWarning)
            futures = [pool.submit(_chunk, number) for number in range(len(chunks))]
        for future in futures:
            found += future.result()
            if progress:
                progress(len(found), len(items))
    except BaseException:
        for worker in list(pool._processes.values()):  # Ctrl-C: nobody waits for what is still running
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return found


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _serial(work: Callable[[Item], Result], items: Sequence[Item], progress: Progress | None) -> list[Result]:
    found = []
    for item in items:
        found.append(work(item))
        if progress:
            progress(len(found), len(items))
    return found


def _context() -> Any:
    safe = "fork" in multiprocessing.get_all_start_methods() and threading.active_count() == 1
    return multiprocessing.get_context("fork" if safe else "spawn")


_given: tuple[Callable[[Any], Any], Sequence[Sequence[Any]]]  # of this worker: set once, by its initializer


def _begin(work: Callable[[Any], Any], chunks: Sequence[Sequence[Any]]) -> None:
    global _given
    _given = work, chunks


def _chunk(number: int) -> list[Any]:
    work, chunks = _given
    return [work(item) for item in chunks[number]]

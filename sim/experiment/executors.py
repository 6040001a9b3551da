"""Where runs are done: in this process, on a pool of processes, on a Dask cluster. One seam: `concurrent.futures`.

A run is a pure function of setup and seed, so every executor gives the same bytes; a cluster whose workers have another
version of shimulator is refused. Dask starts anew what a worker that is lost had begun. Leaves out starting a cluster
(`dask scheduler`, `dask worker`). Source: concurrent.futures; distributed's documentation, `Client.get_executor`.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

from sim import parts, version
from sim.drive.worker import begin_worker
from sim.errors import InputError, Problem

PATIENCE_S = 10  # how long a scheduler may take to answer
MISSING = (
    "Dask is not installed: pip install 'shimulator[cluster]'. Without --cluster a pool of processes does the same."
)


class Lanes(NamedTuple):
    """An executor, how many things it does at once, and how to leave without waiting for them."""

    executor: Executor
    width: int
    stop: Callable[[], None]


class Serial(Executor):
    """Do each thing at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it and return a future that is over; Ctrl-C is nobody's result."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@contextmanager
def serial() -> Iterator[Lanes]:
    """Open this process."""
    yield Lanes(Serial(), 1, lambda: None)


def _begin(added: parts.Added) -> None:
    """Begin as a worker does; one that was spawned has none of the parts that were registered by hand."""
    begin_worker()
    parts.take_over(added)


@contextmanager
def pool(jobs: int) -> Iterator[Lanes]:
    """Open *jobs* processes, forked where that is safe (one thread), else spawned."""
    executor = ProcessPoolExecutor(jobs, _context(), _begin, (parts.added(),))

    def stop() -> None:
        for worker in list((executor._processes or {}).values()):  # Ctrl-C: nobody waits for what is still running
            worker.terminate()

    with warnings.catch_warnings():  # 3.12 warns of any thread at a fork, also of a library's that sleeps
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            yield Lanes(executor, jobs, stop)
        finally:
            executor.shutdown(cancel_futures=True)


@contextmanager
def cluster(address: str) -> Iterator[Lanes]:
    """Open a Dask cluster by its scheduler's address, such as tcp://10.0.0.1:8786. Raises InputError."""
    try:
        from distributed import Client
    except ImportError:
        raise InputError([Problem("--cluster", "there is no Dask here", MISSING)]) from None
    try:
        client = Client(address, timeout=PATIENCE_S, set_as_default=False)
    except (OSError, ValueError) as error:
        hint = "Start one: dask scheduler; then: dask worker ADDRESS."
        what = f"no scheduler answers ({str(error).splitlines()[0][:120]})"
        raise InputError([Problem(f"--cluster {address}", what, hint)]) from None
    with client:
        _same_version(client, address)
        width = sum(client.nthreads().values())
        yield Lanes(client.get_executor(), max(width, 1), lambda: None)


def opened(jobs: int | None = None, address: str | None = None) -> Any:
    """Return the context that is asked for: a cluster, this process for one job, else a pool."""
    if address is not None:
        return cluster(address)
    jobs = cores() if jobs is None else jobs
    return serial() if jobs <= 1 else pool(jobs)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def version_here() -> str:
    """Return the version of shimulator that is imported where this is called."""
    return version.__version__


def _same_version(client: Any, address: str) -> None:
    """Refuse workers that would run another model."""
    where, hint = f"--cluster {address}", "Install the same shimulator on every worker."
    try:
        found = client.run(version_here)
    except Exception as error:
        raise InputError([Problem(where, f"a worker cannot import shimulator: {error}", hint)]) from None
    if not found:
        raise InputError([Problem(where, "the scheduler has no worker", f"Start one: dask worker {address}.")])
    other = {worker: version for worker, version in found.items() if version != version_here()}
    if other:
        worker, version = next(iter(sorted(other.items())))
        raise InputError([Problem(where, f"worker {worker} has shimulator {version}, not {version_here()}", hint)])


def _context() -> Any:
    safe = "fork" in multiprocessing.get_all_start_methods() and threading.active_count() == 1
    return multiprocessing.get_context("fork" if safe else "spawn")

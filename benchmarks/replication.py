"""How fast many runs are: on one and two cores, what a pool adds to a run, a Dask cluster beside a pool.

A run is the document's: six containers, dockerd killed, measured within its window. A pool's own cost is that of runs
that do nothing and return what a run returns. The cluster has as many workers of one thread, on the loopback, and gets
chunks of the same size. Wall time; each figure is the median of rounds that take turns.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import median
from time import perf_counter
from typing import Any

from sim.experiment.executors import Lanes, cluster, pool, serial
from sim.experiment.metrics import Metrics
from sim.experiment.replicate import Measuring, measured, spread
from sim.scenario import load

RUNS, EMPTY = 32, 4_000
CORES = 2
Row = tuple[str, float, float | None, str]


def given(found: Metrics, item: tuple[int, int]) -> Metrics:
    """Return what a run returns, without running."""
    return found


@contextmanager
def dask() -> Iterator[str]:
    """Start a scheduler and workers on the loopback; yield the address."""
    from distributed import Client

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    address, quiet = f"tcp://127.0.0.1:{port}", {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    local = ("--host", "127.0.0.1", "--no-dashboard")
    worker = ("worker", address, "--nthreads", "1", "--no-nanny", *local)
    commands = [("scheduler", "--port", port, *local), *[worker] * CORES]
    children = [
        subprocess.Popen([sys.executable, "-m", "dask", *words], env=environment, **quiet) for words in commands
    ]
    try:
        with Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(CORES, timeout=60)
        yield address
    finally:
        for child in children:
            child.kill()
            child.wait()


def seconds(work: Callable[[Any], Any], items: int, lanes: Lanes) -> float:
    """Return the wall time of so many runs."""
    began = perf_counter()
    spread(work, [(0, seed) for seed in range(1, items + 1)], lanes=lanes)
    return perf_counter() - began


def rows(long: bool) -> list[Row]:
    """Measure; return rows of (what, figure, target or None, at most or at least)."""
    work = partial(measured, (load("document").setup,), Measuring())
    empty = partial(given, work((0, 1)))
    took: dict[str, list[float]] = {}
    with dask() as address, serial() as one, pool(CORES) as two, cluster(address) as far:
        everyone = {"one": one, "two": two, "dask": far}
        for lanes in everyone.values():
            seconds(work, CORES * 8, lanes)  # what is imported, forked and compiled at first
        for _ in range(9 if long else 3):
            for name, lanes in everyone.items():
                took.setdefault(name, []).append(seconds(work, RUNS, lanes))
            for name in ("two", "dask"):
                took.setdefault(f"{name}, empty", []).append(seconds(empty, EMPTY, everyone[name]))
    found = {name: median(values) for name, values in took.items()}
    return [
        ("replications/s, one core", RUNS / found["one"], None, ""),
        (f"replications/s, a pool of {CORES}", RUNS / found["two"], None, ""),
        (f"one core over a pool of {CORES}, wall", found["one"] / found["two"], 1.8, "at least"),
        ("µs that a pool adds to a replication", found["two, empty"] / EMPTY * 1e6, 1_000, "at most"),
        ("µs that Dask adds to a replication", found["dask, empty"] / EMPTY * 1e6, None, ""),
        ("Dask over a pool, equal chunks, wall", found["dask"] / found["two"], 1.3, "at most"),
    ]


def main() -> None:
    """Measure and print."""
    for name, value, limit, better in rows("--long" in sys.argv):
        print(f"{name:<56}{value:>16,.4g}" + ("" if limit is None else f"{better:>16} {limit:g}"))


if __name__ == "__main__":
    main()

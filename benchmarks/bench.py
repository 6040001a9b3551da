"""How fast the timed driver is: steps a second beside bare loops, growth with the host's size, start-up, memory.

Every figure is the median of repetitions that take turns, since machines are noisy; every ratio is of figures of one
run. Loops are measured in processor time, commands in wall time. Each container is run, stopped after 1 s and removed,
from a terminal of its own, a start each 150 ms of simulated time on 64 cores, which keeps the engine busy and no more;
`at once` stops the first only after the last has started. The trace is kept. The bare loops have as many processes as
there are containers, each of which waits again and again.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time
from typing import Any

import salabim
import simpy

from sim.drive.timed import Timed
from sim.engine.setup import MS, Docker, HostSetup, Instant, Payload, Port, S, Service, Setup, Step
from sim.facts import StepDone

COMPILED = os.path.join(tempfile.gettempdir(), "shimsim-bench-compiled")
APART = 150 * MS
BARE_EVENTS = 200_000
PYTHON = [sys.executable, "-c", "pass"]
HELP = [sys.executable, "-m", "sim", "--help"]
QUIET = [sys.executable, "-m", "sim", "run", "document", "--quiet"]


def host(containers: int, at_once: bool = False) -> Setup:
    """Return a host on which so many containers live, each with one published port."""
    services, terminals = [], []
    for number in range(containers):
        name, begin = f"c{number:05d}", number * APART
        payload = Payload("nginx", ("nginx",))
        ports = (Port(1024 + number, 80),)
        services.append(Service(name, f"{number:064x}", "nginx", "nginx", (), payload, ports, at_begin=False))
        stop = Instant(offset=containers * APART + 5 * S + begin) if at_once else Instant("after", offset=1 * S)
        terminals.append(
            (
                Step(f"run/{name}", Instant(offset=begin), Docker("run", name)),
                Step(f"stop/{name}", stop, Docker("stop", name)),
                Step(f"rm/{name}", Instant("after"), Docker("rm", name)),
            )
        )
    machine = HostSetup(cores=64, pid_max=4_194_304, uptime=1 * S)
    return Setup(tuple(services), host=machine, terminals=tuple(terminals))


# -- what is measured: each returns seconds, and how much was done in them ---------------------------


def simulated(setup: Setup) -> Callable[[], tuple[float, int, int]]:
    """Return a measurement of one run: seconds, steps, events. A step that failed is no life cycle: it stops here."""

    def measure() -> tuple[float, int, int]:
        gc.collect()
        driver = Timed(setup, 1)
        begin = process_time()
        trace = driver.run()
        seconds = process_time() - begin
        done = [record.event.error for record in trace if isinstance(record.event, StepDone)]
        assert len(done) == 1 + 3 * len(setup.services), "not every container has lived"
        assert not any(done), f"a step failed: {next(error for error in done if error)}"
        return seconds, driver.steps, len(trace)

    return measure


def bare_simpy(processes: int) -> Callable[[], tuple[float, int, int]]:
    """Return a measurement of SimPy's own loop: processes that wait again and again."""

    def measure() -> tuple[float, int, int]:
        gc.collect()
        env = simpy.Environment()

        def wait(env: simpy.Environment) -> Any:
            while True:
                yield env.timeout(1)

        for _ in range(processes):
            env.process(wait(env))
        rounds = BARE_EVENTS // processes
        begin = process_time()
        env.run(until=rounds)
        return process_time() - begin, rounds * processes, rounds * processes

    return measure


class Ticker(salabim.Component):  # type: ignore[misc]
    """A component that waits again and again."""

    def process(self) -> Any:
        """Wait."""
        while True:
            yield self.hold(1)


def bare_salabim(processes: int) -> Callable[[], tuple[float, int, int]]:
    """Return a measurement of salabim's own loop."""

    def measure() -> tuple[float, int, int]:
        gc.collect()
        salabim.yieldless(False)
        env = salabim.Environment(trace=False)
        for _ in range(processes):
            Ticker(env=env)
        rounds = BARE_EVENTS // processes
        begin = process_time()
        env.run(till=rounds)
        return process_time() - begin, rounds * processes, rounds * processes

    return measure


def command(words: list[str]) -> Callable[[], tuple[float, int, int]]:
    """Return a measurement of a command's wall time; infinite if it fails.

    Modules are compiled beforehand, as in an installed package, also where the environment keeps Python from it.
    """
    env = {**os.environ, "NO_COLOR": "1", "PYTHONPYCACHEPREFIX": COMPILED}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run(words, capture_output=True, check=False, env=env)

    def measure() -> tuple[float, int, int]:
        begin = perf_counter()
        done = subprocess.run(words, capture_output=True, check=False, env=env)
        return (perf_counter() - begin if done.returncode == 0 else float("inf")), 1, 1

    return measure


def kilobytes(containers: int) -> float:
    """Return how much of the trace's memory a container takes, in KB."""
    setup = host(containers)
    Timed(host(10)).run()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    trace = Timed(setup).run()
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(trace)
    return used / containers / 1024


def most_timers(containers: int) -> int:
    """Return how many timers, dead ones included, were kept at most, looking once a second of simulated time."""
    driver, most, until = Timed(host(containers, at_once=True)), 0, 0
    while driver.end() is None:
        until += 1 * S
        driver.run(until)
        most = max(most, len(driver.queue))
    return most


# -- the table --------------------------------------------------------------------------------------


def measured(table: dict[str, Callable[[], tuple[float, int, int]]], rounds: int) -> dict[str, tuple[float, int, int]]:
    """Measure each so often, in turns; return the median of the seconds with what was done."""
    seconds: dict[str, list[float]] = {name: [] for name in table}
    counts: dict[str, tuple[int, int]] = {}
    for _ in range(rounds):
        for name, measure in table.items():
            took, steps, events = measure()
            seconds[name].append(took)
            counts[name] = steps, events
    return {name: (median(values), *counts[name]) for name, values in seconds.items()}


def row(*cells: object) -> None:
    """Print a row of the table."""
    first, *rest = (f"{cell:,.0f}" if isinstance(cell, (int, float)) else str(cell) for cell in cells)
    print(f"{first:<44}" + "".join(f"{cell:>16}" for cell in rest))


def verdict(name: str, value: float, limit: float, better: str) -> None:
    """Print a ratio beside its target."""
    if value in (0.0, float("inf")) or value != value:
        row(name, "not there yet", f"{better} {limit:g}")
        return
    met = value <= limit if better == "at most" else value >= limit
    row(name, f"{value:.3g}", f"{better} {limit:g}", "yes" if met else "NO")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", help="10,000 containers too, more repetitions")
    long = parser.parse_args().long
    sizes = (100, 1_000)
    ways = ("", ", at once")
    runs = {f"{size:,} containers{way}": simulated(host(size, bool(way))) for size in sizes for way in ways}
    bare = {f"SimPy, {size:,} processes": bare_simpy(size) for size in sizes}
    bare |= {f"salabim, {size:,} processes": bare_salabim(size) for size in sizes}
    found = measured(runs | bare, 9 if long else 5)
    if long:
        found |= measured({"10,000 containers": simulated(host(10_000))}, 1)
    row("", "steps/s", "events/s", "containers/s", "µs a step")
    for name, (seconds, steps, events) in found.items():
        lives = int(name.split()[0].replace(",", "")) / seconds if "containers" in name else ""
        row(name, steps / seconds if lives else "", events / seconds, lives, f"{seconds / steps * 1e6:.2f}")

    def step(name: str) -> float:
        seconds, steps, _ = found[name]
        return seconds / steps

    started = measured({"python": command(PYTHON), "help": command(HELP), "quiet": command(QUIET)}, 21 if long else 9)
    print()
    row("", "measured", "target", "met")
    for way in ways:
        growth = step(f"1,000 containers{way}") / step(f"100 containers{way}")
        share = step("SimPy, 1,000 processes") / step(f"1,000 containers{way}")
        verdict(f"a step at 1,000 over one at 100{way}", growth, 1.2, "at most")
        verdict(f"steps/s at 1,000 over bare SimPy{way}", share, 0.1, "at least")
    verdict("--help over python -c pass", started["help"][0] / started["python"][0], 8, "at most")
    verdict("run document --quiet over python -c pass", started["quiet"][0] / started["python"][0], 40, "at most")
    row("a python -c pass, ms", f"{started['python'][0] * 1e3:.1f}")
    print()
    row("KB a container, trace kept", kilobytes(300))
    row("most timers kept, 100 and 1,000 at once", most_timers(100), most_timers(1_000))


if __name__ == "__main__":
    main()

"""How fast the timed driver is: steps a second beside bare loops, growth with the host's size, start-up, memory.

Every figure is the median of repetitions that take turns, since machines are noisy; every ratio is of figures of one
run. Loops are measured in processor time, commands in wall time. Each container is run, stopped after 1 s and removed,
from a terminal of its own, a start each 150 ms of simulated time on 64 cores, which keeps the engine busy and no more;
`at once` stops the first only after the last has started, so that all are up together. The trace is kept as objects, or
`encoded`, or `streamed`: handed to a function and forgotten. The bare loops have as many processes as there are
containers, each of which waits again and again. The explorer is measured by explorer.py,
many runs by replication.py, what may befall a host by blast.py.
"""

from __future__ import annotations

import argparse
import gc
import os
import resource
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time
from typing import Any, Literal

import blast
import explorer
import replication
import salabim
import simpy

from sim.drive.timed import Timed
from sim.engine.setup import (
    MS,
    Docker,
    Ends,
    HostSetup,
    Instant,
    Network,
    Payload,
    Port,
    Restart,
    S,
    Service,
    Setup,
    Step,
)
from sim.facts import StepDone
from sim.trace import Record
from sim.tracefile import Writer

COMPILED = os.path.join(tempfile.gettempdir(), "shimulator-bench-compiled")
APART = 150 * MS
NETWORKS = (Network("bridge", "172.17.0."), Network("second", "172.18.0."))
ROOM = 60_000  # ports of one address, addresses of one network
KEEP: dict[str, bool | Literal["encoded"]] = {"objects": True, "encoded": "encoded", "streamed": False}
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
        ports = (Port(1024 + number % ROOM, 80, ip=f"10.0.0.{1 + number // ROOM}"),)
        network = NETWORKS[number // ROOM if at_once else 0].name
        services.append(
            Service(name, f"{number:064x}", "nginx", "nginx", (), payload, ports, network=network, at_begin=False)
        )
        stop = Instant(offset=containers * APART + 5 * S + begin) if at_once else Instant("after", offset=1 * S)
        terminals.append(
            (
                Step(f"run/{name}", Instant(offset=begin), Docker("run", name)),
                Step(f"stop/{name}", stop, Docker("stop", name)),
                Step(f"rm/{name}", Instant("after"), Docker("rm", name)),
            )
        )
    machine = HostSetup(cores=64, pid_max=4_194_304, uptime=1 * S)
    return Setup(tuple(services), NETWORKS, machine, terminals=tuple(terminals))


def restarting(until: int) -> Setup:
    """Return a host whose twenty containers leave after 11 s and are started again: only its trace grows with time."""
    payload = Payload("nginx", ("nginx",), exits=Ends(1, 11 * S))
    services = (
        Service(f"c{number}", f"{number:064x}", "nginx", "nginx", (), payload, restart=Restart("always"))
        for number in range(20)
    )
    return Setup(tuple(services), host=HostSetup(cores=64, uptime=1 * S), until=Instant(offset=until))


# -- what is measured: each returns seconds, and how much was done in them ---------------------------


def simulated(containers: int, way: str) -> Callable[[], tuple[float, int, int]]:
    """Return a measurement of one run: seconds, steps, events. A step that failed is no life cycle: it stops here."""
    at_once, keep = way.startswith("at once"), way.rpartition(", ")[2]

    def measure() -> tuple[float, int, int]:
        gc.collect()
        setup, done = host(containers, at_once), list[str]()

        def look(record: Record) -> None:
            if isinstance(record.event, StepDone):
                done.append(record.event.error)

        driver = Timed(setup, 1, keep=KEEP[keep], sink=look if keep == "streamed" else None)
        begin = process_time()
        trace = driver.run()
        seconds = process_time() - begin
        for record in trace:
            look(record)
        assert len(done) == 1 + 3 * containers, "not every container has lived"
        assert not any(done), f"a step failed: {next(error for error in done if error)}"
        return seconds, driver.steps, driver.turn.seq

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


def kilobytes(containers: int, keep: str) -> float:
    """Return how much of the trace's memory a container takes, in KB."""
    setup = host(containers)
    Timed(host(10), keep=KEEP[keep]).run()
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    trace = Timed(setup, keep=KEEP[keep]).run()
    gc.collect()
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(trace)
    return used / containers / 1024


def stream(until: int) -> None:
    """Run the restarting host, write its trace to nowhere, and print the number of records and the peak of memory."""
    setup = restarting(until)
    with open(os.devnull, "wb") as file:
        writer = Writer(file, setup, 1)
        driver = Timed(setup, keep=False, sink=writer.add)
        writer.end(driver.run())
    print(driver.turn.seq, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def streamed(until: int) -> tuple[int, int]:
    """Return the number of records and the peak of memory of such a run in a process of its own."""
    words = [sys.executable, __file__, "--stream", str(until)]
    found = subprocess.run(words, capture_output=True, check=True, text=True).stdout.split()
    return int(found[0]), int(found[1])


def most_timers(containers: int) -> int:
    """Return how many timers, dead ones included, were kept at most, looking once a second of simulated time."""
    driver, most, until = Timed(host(containers, at_once=True)), 0, 0
    while driver.end() is None:
        until += 1 * S
        driver.run(until)
        most = max(most, len(driver.queue))
    return most


# -- the table --------------------------------------------------------------------------------------

Measured = tuple[float, int, int]  # seconds, steps, events
Measure = Callable[[], Measured]


def measured(table: dict[str, Measure], rounds: int) -> dict[str, Measured]:
    """Measure each so often, in turns; return the median of the seconds with what was done."""
    seconds: dict[str, list[float]] = {name: [] for name in table}
    counts: dict[str, tuple[int, int]] = {}
    for _ in range(rounds):
        for name, measure in table.items():
            took, steps, events = measure()
            seconds[name].append(took)
            counts[name] = steps, events
    return {name: (median(values), *counts[name]) for name, values in seconds.items()}


def grown(large: int, small: int, way: str) -> dict[str, Measured]:
    """Measure a large host once, and a small one twice before it and twice after it."""
    names = run_name(large, way), run_name(small, way)
    little, big = simulated(small, way), simulated(large, way)
    before, once, after = [little(), little()], big(), [little(), little()]
    seconds = median(seconds for seconds, _, _ in (*before, *after))
    return {names[1]: (seconds, *before[0][1:]), names[0]: once}


def row(*cells: object) -> None:
    """Print a row of the table."""
    first, *rest = (f"{cell:,.0f}" if isinstance(cell, (int, float)) else str(cell) for cell in cells)
    print(f"{first:<56}" + "".join(f"{cell:>16}" for cell in rest), flush=True)


def verdict(name: str, value: float, limit: float, better: str) -> None:
    """Print a figure beside its target."""
    if value in (0.0, float("inf")) or value != value:
        row(name, "not there yet", f"{better} {limit:g}")
        return
    met = value <= limit if better == "at most" else value >= limit
    row(name, f"{value:.3g}", f"{better} {limit:g}", "yes" if met else "NO")


def run_name(size: int, way: str) -> str:
    """Return what a run is called in the table."""
    return f"{size:,} containers, {way}"


Ratio = tuple[str, float, float, str]  # what, how much, its limit, and whether that is at most or at least


def speed(long: bool) -> list[Ratio]:
    """Measure runs and bare loops, print what was found as it comes, and return how they compare."""
    row("", "steps/s", "events/s", "containers/s", "µs a step")
    ways = ("objects", "at once, objects")
    table = {run_name(size, way): simulated(size, way) for size in (100, 1_000) for way in ways}
    table |= {f"SimPy, {size:,} processes": bare_simpy(size) for size in (100, 1_000)}
    table |= {f"salabim, {size:,} processes": bare_salabim(size) for size in (100, 1_000)}
    found = measured(table, 9 if long else 5)
    print_speed(found)
    ratios = [growth(found, 1_000, 100, way, 1.2) for way in ways]
    for way in ways:
        share = step(found, "SimPy, 1,000 processes") / step(found, run_name(1_000, way))
        ratios.append((f"steps/s at 1,000 over bare SimPy, {way}", share, 0.1, "at least"))
    large = [(10_000, "objects"), (10_000, "at once, streamed")]
    if long:
        large += [(100_000, "encoded"), (100_000, "at once, streamed")]
    for size, way in large:
        found = grown(size, 1_000, way)
        print_speed(found)
        ratios.append(growth(found, size, 1_000, way, 1.5))
    return ratios


def step(found: dict[str, Measured], name: str) -> float:
    """Return what a step has cost, in seconds."""
    seconds, steps, _ = found[name]
    return seconds / steps


def growth(found: dict[str, Measured], large: int, small: int, way: str, limit: float) -> Ratio:
    """Return how much more a step costs on a large host than on a small one."""
    ratio = step(found, run_name(large, way)) / step(found, run_name(small, way))
    return f"a step at {large:,} over one at {small:,}, {way}", ratio, limit, "at most"


def print_speed(found: dict[str, Measured]) -> None:
    """Print what was measured of each."""
    for name, (seconds, steps, events) in found.items():
        lives = int(name.split()[0].replace(",", "")) / seconds if "containers" in name else ""
        row(name, steps / seconds if lives else "", events / seconds, lives, f"{step(found, name) * 1e6:.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true", help="100,000 containers too, more repetitions")
    parser.add_argument("--stream", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stream:
        stream(options.stream)
        return
    ratios = speed(options.long)
    print()
    row("", "measured", "target", "met")
    for ratio in ratios:
        verdict(*ratio)
    commands = {"python": command(PYTHON), "help": command(HELP), "quiet": command(QUIET)}
    started = measured(commands, 21 if options.long else 9)
    verdict("--help over python -c pass", started["help"][0] / started["python"][0], 8, "at most")
    verdict("run document --quiet over python -c pass", started["quiet"][0] / started["python"][0], 40, "at most")
    verdict("KB a container, trace kept as objects", kilobytes(600, "objects"), 90, "at most")
    verdict("KB a container, trace kept encoded", kilobytes(600, "encoded"), 20, "at most")
    (few, before), (many, after) = streamed(200 * S), streamed(2_000 * S)
    verdict(f"memory, streamed: {many:,} records over {few:,}", after / before, 1.1, "at most")
    print()
    for name, value, limit, better in (row for it in (explorer, replication, blast) for row in it.rows(options.long)):
        if limit is None:
            row(name, f"{value:,.4g}" if value < 1_000 else value)
        else:
            verdict(name, value, limit, better)
    print()
    row("a python -c pass, ms", f"{started['python'][0] * 1e3:.1f}")
    row("most timers kept, 100 and 1,000 at once", most_timers(100), most_timers(1_000))


if __name__ == "__main__":
    main()

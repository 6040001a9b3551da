"""Queues on the timed driver are those of theory: M/M/c on its cores, M/G/1 at one of its locks.

Customers are goroutines of a toy's init, or processes. M/M/c has the mean time of any M/M/c without pauses (Erlang C
and Little's law). Processes share the cores, so that M/G/1 is that of processor sharing, which knows of a service only
its mean. The goroutines of one process take turns on as many as there are, and a lock is first come first served
(Pollaczek and Khinchine); at the lock every single wait is that of Lindley's recursion. Means lie within four standard
errors, from batches. Source: Kleinrock, Queueing Systems, 1975, vol. 1 §3.5, §5.6; vol. 2 §4.4.
"""

from __future__ import annotations

import math
from statistics import mean, stdev
from typing import Any

import msgspec
import pytest

from sim.designs import DESIGNS, Design
from sim.drive.timed import Timed
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.ops import Do, Exit, Fork, Go, Goto, Label, Lock, Unlock
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.setup import EngineSetup, HostSetup, Setup
from sim.engines.host import client
from sim.facts import FrameEnded, FrameStarted
from sim.kernel import events as e
from sim.latency import Duration, Fixed, Uniform, draw, microseconds
from sim.trace import Record

CUSTOMERS, BATCHES = 9_000, 30
SERVICE = 10.0  # ms, on average
FOREVER = 10**15


class Exponential(msgspec.Struct, frozen=True):
    """Without memory, *mean* in ms."""

    mean: float

    def at(self, u: float) -> float:
        """Return the value below which a share *u* of all lies."""
        return -self.mean * math.log1p(-u)


SERVICES: dict[str, tuple[Any, float]] = {  # with the squared coefficient of variation
    "M": (Exponential(SERVICE), 1.0),
    "D": (Fixed(SERVICE), 0.0),
    "U": (Uniform(0, 2 * SERVICE), 1 / 3),
}


def arrive(g: Goroutine) -> str | None:
    """Let the next customer come."""
    g["n"] += 1
    return "closed" if g["n"] > CUSTOMERS else None


def serve(g: Goroutine) -> None:
    """Take a service."""


def customer(g: Goroutine) -> Spawn:
    """Describe a customer that is a process of its own."""
    return Spawn("customer", ("customer",), "")


def queue(*way: Any, cores: int, processes: bool = False) -> Setup:
    """Return a host whose customers go through the ops of *way*, as goroutines of one process or each as its own."""
    come = Fork(customer) if processes else Go("customer", "{n}", "n")
    source = (Label("open"), Do(arrive, "closed"), come, Goto("open"), Label("closed"))
    alone = Program("customer", (procedure("customer.main", *way, Exit(0)),))
    init = Program(
        "init",
        (
            procedure("init.main", Go("source", n=0)),
            procedure("init.bus"),
            procedure("init.notify"),
            procedure("init.source", *source),
            *(() if processes else (procedure("init.customer", *way),)),
        ),
    )
    DESIGNS["queue"] = Design("queue", "", "", (init, alone, client.PROGRAM))
    return Setup(host=HostSetup(cores=cores, begin="off"), engine=EngineSetup(design="queue"))


@pytest.fixture(autouse=True)
def no_queue_left() -> Any:
    """Remove the toy's design."""
    yield
    DESIGNS.pop("queue", None)


def times(setup: Setup, service: Duration, between: float, seed: int = 1) -> list[float]:
    """Run, and return how long each customer stayed, in ms, in the order in which they came."""
    came: dict[Any, int] = {}
    stayed: dict[Any, float] = {}

    def see(record: Record) -> None:
        event, at = record.event, record.at or 0
        if isinstance(event, FrameStarted) and event.procedure == "init.customer":
            came[event.fid] = at
        elif isinstance(event, e.Execed) and event.image.program == "customer":
            came[event.pid] = at
        elif isinstance(event, FrameEnded) and event.fid in came:
            stayed[event.fid] = (at - came[event.fid]) / 1_000
        elif isinstance(event, e.Exited):
            stayed[event.pid] = (at - came[event.pid]) / 1_000

    arrivals = Duration(wait=Exponential(between))  # type: ignore[arg-type]
    profile = {"init/arrive": arrivals, "init/serve": service, "customer/serve": service}
    Timed(setup, seed, keep=False, sink=see, profile=profile).run(until=FOREVER)
    assert len(stayed) == CUSTOMERS
    return [stayed[fid] for fid in came]


def agrees(found: list[float], theory: float) -> None:
    """Hold a mean against theory, by the means of batches; the error must be small enough to say something."""
    size = len(found) // BATCHES
    batches = [mean(found[at : at + size]) for at in range(size, len(found), size)]  # the first one warms up
    error = stdev(batches) / math.sqrt(len(batches))
    assert error < 0.06 * theory
    assert abs(mean(batches) - theory) < 4 * error


def erlang_c(servers: int, load: float) -> float:
    """Return how probable it is that all servers are busy; *load* is how many are on average.

    >>> round(erlang_c(1, 0.5), 6), round(erlang_c(2, 1.0), 6)
    (0.5, 0.333333)
    """
    terms = [load**n / math.factorial(n) for n in range(servers)]
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(terms) + last)


@pytest.mark.mostly_long
@pytest.mark.parametrize(("servers", "busy"), [(1, 0.5), (2, 0.6), (4, 0.7)])
def test_cores_are_m_m_c(servers, busy):
    """A customer stays for its service and the wait of Erlang C."""
    load = servers * busy
    wait = erlang_c(servers, load) * SERVICE / (servers - load)
    found = times(queue(Do(serve), cores=servers), Duration(work=SERVICES["M"][0]), SERVICE / load)
    agrees(found, SERVICE + wait)


@pytest.mark.parametrize("kind", SERVICES)
def test_one_shared_core_knows_only_the_mean_service(kind):
    """M/G/1 with processor sharing: E[S] / (1 - ρ), whatever the service."""
    found = times(queue(Do(serve), cores=1, processes=True), Duration(work=SERVICES[kind][0]), SERVICE / 0.5)
    agrees(found, SERVICE / (1 - 0.5))


@pytest.mark.mostly_long
@pytest.mark.parametrize("kind", SERVICES)
def test_the_goroutines_of_one_process_take_turns_on_one_core(kind):
    """M/G/1, first come first served: ρ/(1 - ρ) · (1 + c²)/2 services of waiting."""
    service, variation = SERVICES[kind]
    found = times(queue(Do(serve), cores=1), Duration(work=service), SERVICE / 0.5)
    agrees(found, SERVICE * (1 + (1 + variation) / 2))


@pytest.mark.mostly_long
@pytest.mark.parametrize("kind", SERVICES)
def test_a_lock_is_m_g_1(kind):
    """First come first served: ρ/(1 - ρ) · (1 + c²)/2 services of waiting; each wait is Lindley's, to the µs."""
    service, variation = SERVICES[kind]
    setup = queue(Lock("server"), Do(serve), Unlock("server"), cores=1)
    found = times(setup, Duration(wait=service), SERVICE / 0.5)
    agrees(found, SERVICE * (1 + 0.5 / (1 - 0.5) * (1 + variation) / 2))
    assert found == pytest.approx(lindley(service, SERVICE / 0.5), abs=1e-6)


def lindley(service: Any, between: float, seed: int = 1) -> list[float]:
    """Return how long each customer stays, by recursion over the same draws: W' = max(0, W + S - A)."""
    stays, wait = [], 0
    for n in range(1, CUSTOMERS + 1):
        taken = microseconds(service, draw(seed, "init", "", "serve", n, "wait"))
        stays.append((wait + taken) / 1_000)
        gap = microseconds(Exponential(between), draw(seed, "init", "", "arrive", n + 1, "wait"))  # type: ignore[arg-type]
        wait = max(0, wait + taken - gap)
    return stays

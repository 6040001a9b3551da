"""Queues whose mean times theory gives, on the driver's cores and at one of its locks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import fmean

from sim.designs import DESIGNS
from sim.engine.ops import Do, Lock, Unlock
from sim.latency import Duration
from tests.drive.test_queueing import BATCHES, CUSTOMERS, SERVICE, SERVICES, erlang_c, queue, serve, times
from tests.validation.row import Part, Row

KINDS = {"M": "exponential", "D": "constant", "U": "uniform"}
WITH = f"{CUSTOMERS:,} customers, the first thirtieth left out; seed 1"


@contextmanager
def _lent() -> Iterator[None]:
    """Take the toy's design away again."""
    try:
        yield
    finally:
        DESIGNS.pop("queue", None)


def _mean(stays: list[float]) -> float:
    return fmean(stays[len(stays) // BATCHES :])


def _cores(servers: int, busy: float) -> Callable[[], float]:
    def ask() -> float:
        with _lent():
            setup = queue(Do(serve), cores=servers)
            return _mean(times(setup, Duration(work=SERVICES["M"][0]), SERVICE / (servers * busy)))

    return ask


def _shared(kind: str) -> Callable[[], float]:
    def ask() -> float:
        with _lent():
            setup = queue(Do(serve), cores=1, processes=True)
            return _mean(times(setup, Duration(work=SERVICES[kind][0]), SERVICE / 0.5))

    return ask


def _lock(kind: str) -> Callable[[], float]:
    def ask() -> float:
        with _lent():
            setup = queue(Lock("server"), Do(serve), Unlock("server"), cores=1)
            return _mean(times(setup, Duration(wait=SERVICES[kind][0]), SERVICE / 0.5))

    return ask


def _wait(servers: int, busy: float) -> float:
    load = servers * busy
    return SERVICE + erlang_c(servers, load) * SERVICE / (servers - load)


PART = Part(
    "Queues",
    "Mean time that a customer stays; a service takes 10 ms. `tests/drive/test_queueing.py` holds them within four "
    "standard errors.",
    (
        *(
            Row(
                f"M/M/{servers}, {busy:.0%} busy",
                _wait(servers, busy),
                "ms",
                "C Erlang C and Little's law; Kleinrock vol. 1 §3.5",
                f"{servers} core{'s' * (servers > 1)}",
                WITH,
                _cores(servers, busy),
                quick=servers == 1,
            )
            for servers, busy in ((1, 0.5), (2, 0.6), (4, 0.7))
        ),
        *(
            Row(
                f"M/G/1 with processor sharing, {KINDS[kind]} services, 50% busy",
                SERVICE / 0.5,
                "ms",
                "C Kleinrock vol. 2 §4.4",
                "1 core",
                WITH,
                _shared(kind),
            )
            for kind in KINDS
        ),
        *(
            Row(
                f"M/G/1 first come first served, {KINDS[kind]} services, 50% busy",
                SERVICE * (1 + 0.5 / (1 - 0.5) * (1 + SERVICES[kind][1]) / 2),
                "ms",
                "C Pollaczek and Khinchine; Kleinrock vol. 1 §5.6",
                "a lock",
                WITH,
                _lock(kind),
            )
            for kind in KINDS
        ),
    ),
)

"""Memory, and a what-if about backoffs, published by others."""

from __future__ import annotations

from functools import partial

from sim.experiment.rss import held, held_once, rss_of
from tests.validation.ask import busiest, restarts
from tests.validation.row import Part, Row


def _held(program: str, count: int) -> float:
    return held("docker-26", [(program, count)]) / 1e6


def _held_once(program: str, count: int) -> float:
    return held_once("docker-26", [(program, count)]) / 1e6


def _proxies(design: str, count: int) -> float:
    return count * rss_of(design)["proxy"].size / 1e6


KEP, KEP_ASKED = "S KEP-4603", "containerd-cri, a program that ends at once; the kubelet's first pause is "
WITH_KEP = "cri-idle, seed 1"
EDGE = "with 10 s the tenth restart comes 20 s after 30 min: counted there, not here"
PARTS = (
    Part(
        "Memory, published by others",
        "Sizes of processes are an input of the model; other publications check them.",
        (
            Row(
                "143 shims",
                1133,
                "MB",
                "S kiri bench: 7.9 MB each",
                "143 containers; docker-26, RSS",
                "no run",
                partial(_held, "shim", 143),
                "what was counted is not said: it lies between RSS and PSS of the measured shims",
            ),
            Row(
                "143 shims, shared pages once",
                1133,
                "MB",
                "S kiri bench: 7.9 MB each",
                "143 containers; docker-26, PSS",
                "no run",
                partial(_held_once, "shim", 143),
                "as above",
            ),
            Row(
                "500 proxies",
                602,
                "MB",
                "S moby#34328 and #23166",
                "500 ports; docker-17.06",
                "no run",
                partial(_proxies, "docker-17.06", 500),
                "the table's size is that of the 100 ports of the same issue",
            ),
            Row(
                "100 proxies, older",
                1000,
                "MB",
                "S moby#16284: about 1 GB",
                "100 ports; docker-1.11",
                "no run",
                partial(_proxies, "docker-1.11", 100),
                "one size for all before 18.09; moby PR #7548 has 10.7 MB each",
            ),
            Row(
                "one proxy, 2021",
                3.9,
                "MB",
                "S measurement of 2021",
                "docker-20.10",
                "no run",
                partial(_proxies, "docker-20.10", 1),
                "",
            ),
            Row(
                "2,054 proxies",
                9000,
                "MB",
                "S bambuddy#1646: 9 GB RSS, about 3.5 GB real",
                "2,054 ports; docker-26, RSS",
                "no run",
                partial(_held, "proxy", 2054),
                "",
            ),
            Row(
                "2,054 proxies, shared pages once",
                3500,
                "MB",
                "S bambuddy#1646: 9 GB RSS, about 3.5 GB real",
                "2,054 ports; docker-26, PSS",
                "no run",
                partial(_held_once, "proxy", 2054),
                "how the real part was counted is not said",
            ),
        ),
    ),
    Part(
        "Backoff: KEP-4603",
        "A published what-if about the kubelet's pauses between restarts: 10 s doubled up to 5 min, reset in 10 min. "
        "All three are traits of a design (`first_backoff`, `restart_cap`, `restart_reset`); the design is "
        "`containerd-cri` with another first pause. The API server is not modelled.",
        (
            Row(
                "starts in 30 min, first pause 10 s",
                10,
                "",
                KEP,
                KEP_ASKED + "10 s",
                WITH_KEP,
                partial(restarts, 10.0),
                "",
                quick=True,
            ),
            Row(
                "more starts in 30 min, first pause 1 s",
                3,
                "",
                KEP + ": 3 to 7 more",
                KEP_ASKED + "1 s",
                WITH_KEP,
                lambda: restarts(1.0) - restarts(10.0),
                EDGE,
                quick=True,
            ),
            Row(
                "more starts in 30 min, first pause 250 ms",
                (3, 7),
                "",
                KEP + ": 3 to 7 more",
                KEP_ASKED + "250 ms",
                WITH_KEP,
                lambda: restarts(0.25) - restarts(10.0),
                EDGE,
            ),
            Row(
                "more starts in 30 min, first pause 25 ms",
                7,
                "",
                KEP + ": 3 to 7 more",
                KEP_ASKED + "25 ms",
                WITH_KEP,
                lambda: restarts(0.025) - restarts(10.0),
                EDGE,
            ),
            Row(
                "most starts of 110 within 10 s, first pause 10 s",
                110,
                "",
                KEP,
                "110 pods, 16 cores",
                WITH_KEP,
                partial(busiest, 10.0),
            ),
            Row(
                "most starts of 110 within 10 s, first pause 1 s",
                330,
                "",
                KEP,
                "110 pods, 16 cores",
                WITH_KEP,
                partial(busiest, 1.0),
            ),
        ),
    ),
)

"""Rows of figures that others have published: other hosts, so that most are ratios."""

from __future__ import annotations

from functools import partial

from sim.experiment.run import Run
from sim.kernel.events import Execed
from tests.validation.ask import (
    SEEDS_OF_A_LOAD,
    drawn,
    last_to_first,
    middle,
    phase,
    rate,
    rounds,
    starts,
    took,
    variation,
)
from tests.validation.row import Part, Row

OLD, EL7, BUNDLED, FITTED = "docker-17.06", "el7-idle", "docker-26-shares", "docker-26-2core"
UNKNOWN = "host and number of cores are not known"
LOADS = f"{SEEDS_OF_A_LOAD} seeds"


def _ratio(people: int, place: int) -> float:
    """Return how many times that of one person a figure of several is: rounds per s, run, stop, rm."""
    return rounds(EL7, OLD, 4, people, 24)[place] / rounds(EL7, OLD, 4, 1, 24)[place]


def _scaling() -> tuple[Row, ...]:
    bucketbench, gist = "S bucketbench README", "S ecliptik gist on bucketbench"
    asked, with_ = "{} people, 24 rounds of run, stop, rm; " + f"{OLD}, 4 cores (assumed)", f"{EL7}, 1 seed"
    rows = [
        Row(
            f"rounds of run, stop, rm per second: {people} people to 1",
            value,
            "×",
            source,
            asked.format(people),
            with_,
            partial(_ratio, people, 0),
            UNKNOWN,
        )
        for source, people, value in (
            (bucketbench, 2, 2.21 / 1.40),
            (bucketbench, 3, 2.81 / 1.40),
            (gist, 2, 1.07 / 0.68),
            (gist, 3, 1.34 / 0.68),
        )
    ]
    for place, verb, one, two, three in (
        (1, "run", 959, 1150, 1358),
        (2, "stop", 419, 609, 742),
        (3, "rm", 72, 86, 100),
    ):
        for people, value in ((2, two), (3, three)):
            rows.append(
                Row(
                    f"mean time of docker {verb}: {people} people to 1",
                    value / one,
                    "×",
                    gist,
                    asked.format(people),
                    with_,
                    partial(_ratio, people, place),
                    UNKNOWN,
                )
            )
    rows.append(
        Row(
            "rounds per second: 96 people to 3",
            1.04 / 1.34,
            "×",
            gist,
            asked.format("96 and 3").replace("24", "192"),
            with_,
            lambda: rounds(EL7, OLD, 4, 96, 192)[0] / rounds(EL7, OLD, 4, 3, 24)[0],
            f"{UNKNOWN}; a collapse under load is not modelled",
        )
    )
    return tuple(rows)


def _ran(found: Run) -> float:
    return took("start")(found) * 1e3


def _grown(running: int) -> str:
    services = "".join(f"  c{n}: {{image: c}}\n" for n in range(running)) + "  w: {image: w}\n"
    return (
        f"engine: {{design: docker-1.13}}\nservices:\n{services}"
        "steps: [{at: 1s, docker: stop w}, {id: start, at: 20s, docker: start w}]\nuntil: 30s\n"
    )


def _starts() -> tuple[Row, ...]:
    el7 = f"{EL7}, {LOADS}"
    return (
        Row(
            "one start",
            (200, 300),
            "ms",
            "S moby#11228",
            "docker start; docker-1.13",
            f"{EL7}, 100 seeds",
            phase(EL7, "start", design="docker-1.13"),
            "another host and version",
            quick=True,
        ),
        Row(
            "a start beside 216 running containers to one beside none",
            10,
            "×",
            "S for-linux#655, moby#22383: > 3 s, grows with running containers",
            "docker start w; docker-1.13",
            f"{EL7}, 1 seed",
            lambda: middle(_ran, _grown(216), 1)() / middle(_ran, _grown(0), 1)(),
            "why starts grow with what runs was never told, and is not modelled",
        ),
        Row(
            "32 starts at once to one",
            7.399 / 0.603,
            "×",
            "S moby#42096",
            "32 people, 32 starts; docker-20.10, 2 cores",
            f"{FITTED}, {LOADS}",
            partial(_crowd, 2),
            UNKNOWN,
        ),
        Row(
            "the same",
            7.399 / 0.603,
            "×",
            "S moby#42096",
            "32 people, 32 starts; docker-20.10, 4 cores",
            f"{FITTED}, {LOADS}",
            partial(_crowd, 4),
            UNKNOWN,
        ),
        Row(
            "10 starts at once: slowest to quickest",
            12.5,
            "×",
            "S moby#29780 (1.12.5): first 2 s, tenth 25 s",
            "10 people; docker-1.12, 2 cores (assumed)",
            el7,
            partial(last_to_first, EL7, 10, "docker-1.12", 2),
            "one after the other there; what they waited for is not known (a disk, perhaps), and not modelled",
        ),
        Row(
            "500 starts by 100 people",
            (500 / 75, 500 / 60),
            "per s",
            "S docker/for-linux#121: 60 to 75 s",
            "100 people, 500 starts; docker-26, 2 cores",
            f"{FITTED}, {LOADS}",
            rate(FITTED, 100, 500),
            UNKNOWN,
        ),
        Row(
            "the same, sometimes",
            (500 / 120, 500 / 100),
            "per s",
            "S docker/for-linux#121: 100 to 120 s",
            "100 people, 500 starts; docker-26, 2 cores",
            f"{FITTED}, {LOADS}",
            rate(FITTED, 100, 500),
            f"{UNKNOWN}; what made the difference was not told",
        ),
        Row(
            "starts under way in containerd 0.2 with 1,000 at once: rate × mean",
            (126 * 0.078, 140 * 0.078),
            "",
            "C Little's law of S containerd README 2015: 126 to 140/s, mean 78 ms",
            "200 people; docker-1.12, 16 cores",
            f"{EL7}, 1 seed",
            middle(_under_way, _many(200), 1),
            "ten workers: engine-1.13 §2",
        ),
        Row(
            "docker run of alpine, warm, mean",
            567.6,
            "ms",
            "S arXiv 2602.15214: Azure premium SSD, 2 vCPU, n = 50",
            "docker start; docker-26, 2 cores",
            f"{FITTED}, 100 seeds",
            phase(FITTED, "start"),
            "another host, with docker(1); this one's own start takes 160 ms",
        ),
        Row(
            "the same, coefficient of variation",
            19.2 / 567.6,
            "",
            "S arXiv 2602.15214: sd 19.2 ms",
            "docker start; docker-26, 2 cores",
            f"{FITTED}, 100 seeds",
            partial(variation, FITTED, "start"),
            "another host",
        ),
        Row(
            "the same of nginx",
            42.5 / 563.9,
            "",
            "S arXiv 2602.15214: sd 42.5 ms",
            "docker start; docker-26, 2 cores",
            f"{FITTED}, 100 seeds",
            partial(variation, FITTED, "start"),
            "another host; images are not modelled",
        ),
        Row(
            "docker start",
            88,
            "ms",
            "S kiri bench (OrbStack)",
            "docker start; docker-26, 2 cores",
            f"{FITTED}, 100 seeds",
            phase(FITTED, "start"),
            "another host",
        ),
        Row(
            "docker unpause",
            23 - 19,
            "ms",
            "S kiri bench: 23 ms, of which 19 are docker(1)",
            "docker unpause; docker-26",
            f"{FITTED}, 100 seeds",
            phase(FITTED, "unpause"),
            "",
        ),
        Row(
            "runc create, start, delete without Docker's hook",
            33.4,
            "ms",
            "S crun README: 100 × /bin/true in 3.34 s",
            "ops of runc in a start and a stop; docker-26",
            f"{FITTED}, 100 seeds",
            _runc,
            "another host",
        ),
        Row(
            "the same",
            224.6,
            "ms",
            "S youki README: 224.6 ± 12 ms",
            "ops of runc in a start and a stop; docker-26",
            f"{FITTED}, 100 seeds",
            _runc,
            "another host; the two sources differ 7 times",
        ),
        Row(
            "start of a pod, without dockerd",
            180,
            "ms",
            "S techplained",
            "from the first CNI plugin to the program; containerd-cri, 2 cores",
            "cri-idle, 20 seeds",
            middle(_pod, POD),
            "another host; what a network takes is assumed",
        ),
        Row(
            "share of a start that is left without dockerd",
            0.07 / 0.13,
            "",
            "S norma.dev: ctr run 0.07 s, docker 0.13 s",
            "start without start/prepare, hook and answer; docker-26",
            f"{FITTED}, 100 seeds",
            _without_dockerd,
            "another host, and docker(1) is counted there",
        ),
    )


def _crowd(cores: int) -> float:
    of = partial(starts, FITTED, design="docker-20.10", cores=cores)
    return of(32, 32)() / of(1, 8)()


def _many(people: int) -> str:
    lines = [f"  - {{id: p{n}, at: 60s, docker: run -d --name c{n} w}}" for n in range(people)]
    return (
        "host: {begin: 'off', cores: 16}\nengine: {design: docker-1.12}\nsteps:\n  - {systemctl: start docker}\n"
        + "\n".join(lines)
        + "\nuntil: 200s\n"
    )


def _under_way(found: Run) -> float:
    """Return how many starts containerd's workers are at on average while half of the starts wait: shim to program."""
    begun: dict[str, int] = {}
    spans = []
    for it in found.trace:
        if isinstance(it.event, Execed) and it.event.image.container:
            image = it.event.image
            if image.program == "shim":
                begun[image.container] = it.at or 0
            elif image.program == "payload" and image.argv[-1:] != ("init",) and image.container in begun:
                spans.append((begun[image.container], it.at or 0))
    spans.sort()
    low, high = spans[len(spans) // 4][0], spans[3 * len(spans) // 4][0]
    return sum(max(0, min(end, high) - max(begin, low)) for begin, end in spans) / (high - low)


POD = "host: {begin: boot}\nengine: {design: containerd-cri}\nservices: {w: {image: w, restart: always}}\nuntil: 120s\n"


def _pod(found: Run) -> float:
    """Return how long the start of the one pod takes, in ms."""
    begun = [it.at or 0 for it in found.trace if isinstance(it.event, Execed) and it.event.image.program == "cni"]
    program = [
        it.at or 0
        for it in found.trace
        if isinstance(it.event, Execed)
        and it.event.image.program == "payload"
        and it.event.image.argv[-1:] != ("init",)
    ]
    return (program[0] - begun[0]) / 1e3


def _runc() -> float:
    create = ("runc/begin_create", "runc/create_scope", "runc/write_pid_file", "runc/open_exec_fifo")
    return drawn(FITTED, "start", create, "docker-26") + drawn(FITTED, "stop", ("runc/delete",), "docker-26") / 2


def _without_dockerd() -> float:
    whole = phase(FITTED, "start")()
    hook = drawn(FITTED, "start", ("hook/start_hook_threads", "dockerd/move_network"), "docker-26")
    return (whole - phase(FITTED, "start/prepare")() - hook - phase(FITTED, "start/answer")()) / whole


PARTS = (
    Part("How engines scale, published by others", "Ratios, since the hosts are not known.", _scaling()),
    Part("Starts, published by others", "", _starts()),
)

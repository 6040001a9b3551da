"""The table of confluent ops, tried: what the explorer takes first makes no difference, whatever else may happen.

Whole graphs where they fit, random walks with several faults and terminals where they do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from sim.designs import DESIGNS
from sim.drive.explore.confluent import ONLY_WHERE, confluent, is_tried
from sim.engine.setup import (
    Docker,
    FaultBudget,
    HostSetup,
    Instant,
    KillProcess,
    OnTerm,
    Port,
    Restart,
    Service,
    Setup,
    Step,
    Systemctl,
    Target,
)
from sim.faults import FAULTS
from sim.testing.setups import fitted
from sim.world import World
from tests.drive.confluence import Checker
from tests.drive.lives import AFTER, AGREE, CASES, MANY, PLAIN, UP, WITH_PORT, docker, kill, setup_of, systemctl

TABLE = confluent(DESIGNS["docker-1.13"]) | confluent(DESIGNS["podman"]) | ONLY_WHERE.keys()
ALWAYS = replace(WITH_PORT, restart=Restart("always"))
OTHER = replace(WITH_PORT, name="db", id="db0", ports=(Port(8081, 80),))
SEED, STEPS = 1, 700  # of random walks
MOST, BEYOND = 60_000, 60  # states of a whole graph, breadth first; beyond them so many walks go on
ATUP = Instant("step", "up")
LIFE, SHORT = setup_of(WITH_PORT, UP, *docker("run", "stop")), setup_of(PLAIN, UP, *docker("run"))
DEAF = replace(WITH_PORT, payload=replace(WITH_PORT.payload, on_term=OnTerm("ignore")))
KILLS = kill("containerd", "c"), kill("shim", "s")


class Case(NamedTuple):
    """A graph: whole, or so many random walks. *only* are the kinds of faults, each with the programs that it hits."""

    setup: Setup
    start: str = "run 0"
    walks: int = 0
    only: tuple[tuple[str, str], ...] = ()


def hit(kind: str, program: str, setup: Setup = LIFE) -> Case:
    """Return a life in which a fault of one kind befalls one program once."""
    return Case(replace(setup, faults=FaultBudget(1, ((kind, 1),))), only=((kind, program),))


def walked(walks: int, setup: Setup, start: str = "run 0", **faults: int) -> Case:
    """Return walks with so many faults of each kind."""
    return Case(replace(setup, faults=FaultBudget(sum(faults.values()), tuple(faults.items()))), start, walks)


def live(setup: Setup) -> Setup:
    """Return the setup with live-restore."""
    return replace(setup, engine=replace(setup.engine, daemon=replace(setup.engine.daemon, live_restore=True)))


def side_by_side(services: tuple[Service, ...], *terminals: tuple[Step, ...]) -> Setup:
    return Setup(services, host=HostSetup(begin="off"), terminals=terminals)


def below(setup: Setup) -> Setup:
    """Return the setup on a host with a subreaper."""
    return replace(setup, host=replace(setup.host, subreaper="tini"))


def restarted(verb: str, service: Service = ALWAYS) -> Setup:
    """Return a life in which people stop, restart or kill docker.service, and start it again."""
    return setup_of(service, UP, *docker("run"), systemctl(verb), Step("again", AFTER, Systemctl("start")))


TWO = side_by_side(
    (WITH_PORT, OTHER),
    (UP, Step("run", AFTER, Docker("run", "web")), Step("stop", AFTER, Docker("stop", "web"))),
    (Step("run db", ATUP, Docker("run", "db")), Step("kill db", AFTER, Docker("kill", "db"))),
)
RUNS = (Step(f"run {it}", AFTER, Docker("run", it)) for it in ("web", "db"))
BOTH = side_by_side((WITH_PORT, OTHER), (UP, *RUNS, kill("dockerd", "d")))


def disturbed(role: str, signal: str) -> Setup:
    """Return a life during which another terminal signals a program and restarts docker.service."""
    sent = [Step(word, at, KillProcess(Target(role), word)) for word, at in ((signal, ATUP), ("CONT", AFTER))]
    return side_by_side((ALWAYS,), (UP, *docker("run", "stop")), (*sent, systemctl("restart")))


QUICK: dict[str, Case] = {
    "life": Case(*CASES["port"]),
    "again": Case(*AGREE["again"]),
    "containerd is killed by a step": Case(setup_of(ALWAYS, UP, *docker("run"), kill("containerd", "k"))),
    "three kills": walked(15, setup_of(ALWAYS, UP, *docker("run", "kill", "start", "stop")), kill=3),
    "two kills and a stall": walked(15, LIFE, kill=2, stall=1),
    "docker.service is restarted": walked(15, restarted("restart"), kill=1),
    "two containers": walked(15, TWO, "up"),
    "below a subreaper": walked(15, below(setup_of(ALWAYS, UP, *docker("run", "stop"))), kill=3),
    "children of children": walked(15, setup_of(MANY, UP, *docker("run", "stop")), kill=2),
}
LONG: dict[str, Case] = {
    "the hook is killed": hit("kill", "hook"),
    **{f"{it} is killed": hit("kill", it) for it in ("containerd", "iptables", "payload", "proxy", "runc")},
    "dockerd is killed": hit("kill", "dockerd", SHORT),
    "dockerd is killed, containers live on": hit("kill", "dockerd", live(SHORT)),
    "the shim is killed": hit("kill", "shim", SHORT),
    "dockerd stalls": hit("stall", "dockerd", SHORT),
    "the shim stalls": hit("stall", "shim", SHORT),
    "a proxy stalls": hit("stall", "proxy"),
    "everything may be done": Case(setup_of(WITH_PORT, UP, *docker("run", "kill", "start", "restart", "rm"))),
    "a payload ignores its stop signal": Case(setup_of(DEAF, UP, *docker("run", "stop", "rm"))),
    "containerd and the shim are killed by steps": walked(180, setup_of(ALWAYS, UP, *docker("run"), *KILLS)),
    "three kills, long": walked(600, setup_of(ALWAYS, UP, *docker("run", "stop", "start", "kill", "rm")), kill=3),
    "a kill and two stalls": walked(600, live(LIFE), kill=1, stall=2),
    "dockerd is stopped": walked(300, restarted("stop"), kill=2),
    "dockerd is killed by systemctl": walked(300, restarted("kill"), kill=1, stall=1),
    "dockerd is restarted, containers live on": walked(300, live(restarted("restart")), kill=1, stall=1),
    "two containers are restored": walked(60, BOTH, "up"),
    "two containers, two kills": walked(300, TWO, "up", kill=2),
    "two containers and a stall": walked(300, TWO, "up", stall=1),
    **{
        f"{role} gets {signal} from another terminal": walked(120, disturbed(role, signal), "up")
        for role in ("containerd", "dockerd", "payload", "shim")
        for signal in ("KILL", "TERM", "STOP")
    },
}


def on(design: str, setup: Setup) -> Setup:
    """Return the setup on another engine: what starts a daemon goes if there is none, or starts a unit of a container.

    A kubelet asks for the containers itself, and people restart its engine.
    """
    if design.startswith("docker"):
        return fitted(setup, design)
    terminals = [[step for step in terminal if step is not UP] for terminal in setup.terminals]
    if design == "podman-quadlet":
        jobs = {"run": "start", "kill": "restart"}
        terminals = [[replace(it, command=Systemctl(jobs.get(it.command.verb, it.command.verb), it.command.container))
                      if isinstance(it.command, Docker) else it for it in steps] for steps in terminals]  # fmt: skip
    if not design.startswith("podman"):
        services = tuple(replace(it, id=f"{number:064x}") for number, it in enumerate(setup.services, 1))
        unit = DESIGNS[design].traits.engine_unit
        setup = replace(setup, services=services, host=replace(setup.host, begin="steady"))
        terminals = [[systemctl("restart", unit), systemctl("kill", "kubelet")] for steps in terminals]
    return fitted(replace(setup, terminals=tuple(map(tuple, terminals))), design)


def budget(setup: Setup, **faults: int) -> Setup:
    return replace(setup, faults=FaultBudget(sum(faults.values()), tuple(faults.items())))


BESIDE = side_by_side(
    (WITH_PORT, OTHER),
    (Step("run", Instant(), Docker("run", "web")), Step("stop", AFTER, Docker("stop", "web"))),
    (Step("run db", Instant(), Docker("run", "db")), Step("kill db", AFTER, Docker("kill", "db"))),
)


def killed(design: str) -> Setup:
    return budget(on(design, setup_of(ALWAYS, UP, *docker("run"))), kill=1)


PODMAN: dict[str, Case] = {
    f"{design}: {name}": case
    for design in ("podman", "podman-quadlet")
    for name, case in {
        "life": Case(on(design, LIFE)),
        "a kill": Case(killed(design), walks=15),
        "two kills and a stall": Case(budget(on(design, LIFE), kill=2, stall=1), walks=15),
        "three kills": Case(budget(on(design, setup_of(ALWAYS, UP, *docker("run", "stop"))), kill=3), walks=15),
        "two containers": Case(on(design, BESIDE), "open", walks=10),
    }.items()
}


def lives(design: str) -> dict[str, Case]:
    """Return walks on a design: with commands, and with up to three faults anywhere."""
    start = {"docker": "run 0", "podman": "run 0"}.get(design.split("-")[0], "open")
    once = setup_of(ALWAYS, UP, *docker("run"))
    setups = {
        "life": LIFE,
        "a kill": budget(once, kill=1),
        "two kills and a stall": budget(LIFE, kill=2, stall=1),
        "three kills": budget(setup_of(ALWAYS, UP, *docker("run", "stop")), kill=3),
    }
    if not design.startswith("podman"):
        setups["a restart"] = budget(restarted("restart"), kill=1)
    walks = {name: Case(on(design, it), start, walks=15) for name, it in setups.items()}
    two = (TWO, "up") if design.startswith("docker") else (BESIDE, "open")
    return walks | {"two containers": Case(on(design, two[0]), two[1], walks=10)}


def tried(case: Case, ops: frozenset[str] = TABLE) -> Checker:
    hits = {kind: _of(program, FAULTS[kind].hits) for kind, program in case.only}
    with patch.dict(FAULTS, {kind: replace(FAULTS[kind], hits=hit) for kind, hit in hits.items()}):
        checker = Checker(case.setup, case.start, ops)
        if case.walks:
            return checker.walk(case.walks, STEPS, SEED)
        return checker if checker.run(MOST).complete else checker.walk(BEYOND, STEPS, SEED)


def _of(program: str, hits: Callable[[World, int], bool]) -> Callable[[World, int], bool]:
    return lambda world, pid: hits(world, pid) and world.host.procs[pid].image.program == program


def unmet(cases: dict[str, Case]) -> frozenset[str]:
    """Try each case, none of which may fail; return the ops of the table that none has met."""
    looked = Counter[str]()
    for name, case in cases.items():
        checker = tried(case)
        assert not checker.examples, f"{name}: {checker.examples}"
        assert checker.complete or checker.states >= MOST or case.walks, f"{name} has no end"
        looked += checker.looked
    return TABLE - looked.keys()


@pytest.mark.long
def test_confluent_ops_go_together_with_whatever_else_may_happen() -> None:
    """In both orders of an op of the table and anything else the same comes of it, and no run of them goes round."""
    assert unmet(QUICK) < TABLE


@pytest.mark.long
def test_confluent_ops_go_together_with_whatever_podman_does() -> None:
    """As above, where each command is a process, and where each container is a unit."""
    assert unmet(PODMAN) < TABLE


@pytest.mark.long
def test_confluent_ops_go_together_with_all_that_podman_does_in_large_graphs() -> None:
    """As above, with every verb, and with a kill of anything at any moment."""
    setup = setup_of(WITH_PORT, UP, *docker("run", "kill", "start", "restart", "rm"))
    kills = {f"{design}: a kill": Case(killed(design)) for design in ("podman", "podman-quadlet")}
    assert unmet({"podman": Case(on("podman", setup)), **kills}) < TABLE


@pytest.mark.long
def test_confluent_ops_go_together_with_whatever_else_may_happen_in_large_graphs() -> None:
    """As above, with each role killed, daemons stalled, docker.service stopped, more terminals; each op is met."""
    assert not unmet(QUICK | LONG)


@pytest.mark.mostly_long
@pytest.mark.parametrize("design", DESIGNS)
def test_confluent_ops_go_together_on_every_design(design: str) -> None:
    """As above, on walks: a table that holds on one version may not on another."""
    table = confluent(DESIGNS[design]) | ONLY_WHERE.keys()
    looked = Counter[str]()
    for name, case in lives(design).items():
        checker = tried(case, table)
        assert not checker.examples, f"{name}: {checker.examples}"
        looked += checker.looked
    assert len(looked) > len(table) / 4
    assert is_tried(DESIGNS[design])


WRONG: dict[str, tuple[str, Case]] = {
    "who leaves first is reaped first": ("runc.stage1:exit", QUICK["life"]),
    "it has a time limit": ("containerd.worker:pid_file_or_shim_gone", QUICK["life"]),
    "whoever dials finds a listener": ("containerd.main:listen", QUICK["containerd is killed by a step"]),
    "somebody else takes away what it reads": ("dockerd.set_key:move_network", LONG["the hook is killed"]),
    "time cannot pass behind a stall": ("proxy.main:listen", hit("stall", "proxy")),
}
UNCONDITIONAL: dict[str, Case] = {
    "client.terminal:begin": walked(100, disturbed("dockerd", "KILL"), "up"),
    "init.main:notice": walked(400, restarted("kill")),
    "init.main:reap_any": walked(200, restarted("restart")),
}


@pytest.mark.parametrize(
    ("op", "case"),
    [
        pytest.param(op, case, id=why, marks=pytest.mark.long if case is LONG["the hook is killed"] else ())
        for why, (op, case) in WRONG.items()
    ],
)
def test_an_op_that_is_not_confluent_is_caught(op: str, case: Case) -> None:
    """A table with one op too many fails, at that op alone."""
    assert {failed for failed, _ in tried(case, TABLE | {op}).failed} == {op}


SOON = "client.terminal:begin"  # whose walks are few


@pytest.mark.parametrize("op", [pytest.param(op, marks=() if op == SOON else pytest.mark.long) for op in ONLY_WHERE])
def test_an_op_whose_condition_is_left_out_is_caught(op: str) -> None:
    """Each condition is needed."""
    with patch.dict(ONLY_WHERE, {op: lambda world, frame: True}):
        assert tried(UNCONDITIONAL[op], frozenset({op})).failed

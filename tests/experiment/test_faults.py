"""Faults on every design: who may stall, the sentence that says so, and that a new row for a signal is all it takes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from sim.designs import DESIGNS
from sim.drive.explore import Limits
from sim.engine.setup import FaultBudget
from sim.experiment.counterexample import retell
from sim.experiment.exploring import bound_of, explored
from sim.experiment.run import run_scenario
from sim.facts import FrameStarted
from sim.faults import FAULTS, Fault, faults_of, lives, signalled
from sim.kernel.records import INIT, Process
from sim.model import step
from sim.properties import PROPERTIES
from sim.scenario import Scenario, load
from sim.scenario.property_asked import property_of
from sim.views.exploration import HOLDS, VIOLATED
from sim.world import World
from tests.canonical import key
from tests.drive.stories import replaced, story
from tests.experiment.test_counterexample import last_world

HOST = """
title: One container
engine: {{design: {design}}}
services: {{web: {{image: nginx, ports: ["8080:80"], restart: always}}}}
faults: {{total: 1, kinds: {{{kinds}}}}}
until: 60s
"""


def scenario(design: str, kinds: str, more: str = "") -> Scenario:
    return load("host.yaml", HOST.format(design=design, kinds=kinds) + more)


def at_rest(design: str) -> World:
    """Return the host at t = 0, when nothing is under way."""
    return story(scenario(design, "kill: 0").setup)[1]


# -- who may stall ------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", DESIGNS)
def test_whoever_is_no_container_s_own_process_may_stall(design: str) -> None:
    """On a host at rest no errand runs: all but PID 1 and what is in a pid namespace of its own serves somebody."""
    world = at_rest(design)
    for pid, process in world.host.procs.items():
        assert bool(faults_of(world, pid, ("stall",))) != (pid == INIT or bool(process.ns)), process.image


@pytest.mark.parametrize(
    ("role", "design"),
    [
        ("crio", "cri-o"),
        ("kubelet", "cri-o"),
        ("kubelet", "containerd-cri"),
        ("containerd", "docker-26-separate"),
        ("conmon/web", "podman"),
    ],
)
def test_the_search_stalls_what_any_design_has(role: str, design: str) -> None:
    """While a container is stopped a daemon, or who holds the container, stands still in some state."""
    more = f"steps: [{{at: 1s, docker: stop web}}]\nproperties: [{{name: still, sometimes: 'state({role}, T)'}}]\n"
    asked = scenario(design, "stall: 1", more)
    found = explored(asked, map(property_of, asked.properties), limits=Limits(states=1_000))
    assert [it.verdict for it in found.findings] == [HOLDS]


SAID = {
    "docker-1.10": "a daemon or proxy",
    "docker-1.13": "a daemon, shim or proxy",
    "docker-26-separate": "a daemon, shim or proxy",
    "podman": "a conmon",
    "podman-quadlet": "a conmon",
    "containerd-cri": "a daemon or shim",
    "cri-o": "a daemon or conmon",
}


@pytest.mark.parametrize(("design", "who"), SAID.items())
def test_the_bound_names_who_stands_still_on_the_design(design: str, who: str) -> None:
    """Only what the design has is named, and no more is claimed of stalls than that PID 1 has none."""
    bound, *_ = bound_of(scenario(design, "stall: 1").setup, untimed=False, full=False, alike=False)
    assert bound == (
        f"At most 1 fault (stall 1: {who} stands still; resume: a process that stood still goes on), anywhere, "
        "never of PID 1."
    )


def test_the_bound_names_a_daemon_of_the_host_s_where_there_is_one() -> None:
    """journald is there if the scenario has to do with it: then podman's host has a daemon that can stand still."""
    logs = scenario("podman", "stall: 1", "steps: [{at: 1s, host: {journald: restart}}]\n")
    bound, *_ = bound_of(logs.setup, untimed=False, full=False, alike=False)
    assert "a conmon or daemon stands still" in bound or "a daemon or conmon stands still" in bound


@pytest.mark.parametrize("design", DESIGNS)
def test_the_bound_names_whom_the_search_may_stall(design: str) -> None:
    """Whoever may stall on a host at rest is among those that are named."""
    world = at_rest(design)
    bound, *_ = bound_of(scenario(design, "stall: 1").setup, untimed=False, full=False, alike=False)
    named = bound.partition(": a ")[2].partition(" stands still")[0].replace(" or ", ", ").split(", ")
    hit = {it.image.program for it in world.host.procs.values() if faults_of(world, it.pid, ("stall",))}
    assert {world.design.programs[program].role.stalls_as for program in hit} <= set(named)


# -- a new row ----------------------------------------------------------------------------------------


@pytest.fixture
def term(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the environment send SIGTERM: a row, and nothing else."""
    monkeypatch.setitem(FAULTS, "term", signalled("a process gets SIGTERM", "TERM", lives))


def handles_term(process: Process) -> bool:
    return process.alive and process.pid != INIT and "TERM" in dict(process.image.handlers)


@pytest.mark.usefixtures("term")
@pytest.mark.parametrize("design", DESIGNS)
def test_a_signal_that_is_a_fault_calls_its_handler(design: str) -> None:
    """Every program with a handler begins it; what the kernel does with the others is no goroutine."""
    world = at_rest(design)
    handled = 0
    for pid in sorted(world.host.procs):
        process = world.host.procs.get(pid)
        if process is None or not process.alive or pid == INIT:
            continue
        handler = dict(process.image.handlers).get("TERM")
        begun = [event.procedure for event in step(world, Fault("term", pid)) if isinstance(event, FrameStarted)]
        assert begun == ([f"{process.image.program}.{handler}"] if handler else [])
        handled += bool(handler)
    assert handled


@pytest.mark.usefixtures("term")
@pytest.mark.parametrize(
    ("design", "who", "last"),
    [
        ("docker-1.13", "proxy/web", "proxy/web close/TERM exit"),
        ("docker-1.13", "dockerd", "dockerd shutdown/TERM leave"),
        ("docker-26", "shim/web", "shim/web leave/TERM exit"),
        ("containerd-cri", "kubelet", "kubelet stop/TERM exit"),
        ("cri-o", "crio", "crio stop/TERM exit"),
    ],
)
def test_a_new_row_is_explored_written_and_replayed(design: str, who: str, last: str) -> None:
    """The handler ends its process; the story is a step with its signal and an order, which a run follows to it."""
    asked = scenario(design, "term: 1", f"properties: [{{name: lives, always: 'up({who})'}}]\n")
    found = explored(asked, map(property_of, asked.properties), limits=Limits(states=3_000))
    (finding,) = found.findings
    assert (finding.verdict, finding.faults) == (VIOLATED, 1)
    assert f"kill -TERM {who}" in finding.story
    written: dict[str, Any] = yaml.safe_load(finding.scenario)
    assert written["steps"] == [{"id": "fault1", "at": "0s", "kill": who, "signal": "TERM"}]
    assert f"TERM to {who}" in written["order"]
    assert last in written["order"]
    for seed in (1, 2):
        (verdict,) = run_scenario(load("written.yaml", finding.scenario), seed=seed).verdicts()
        assert not verdict.holds


@pytest.mark.usefixtures("term")
def test_the_bound_of_a_new_row_is_its_own_sentence() -> None:
    """A row that befalls any process is said to; the counts go on to what its handlers do."""
    found = explored(scenario("docker-1.13", "term: 1"), [PROPERTIES["V16"]], limits=Limits(states=30_000))
    assert found.complete
    assert found.states > 100
    assert found.bound[0] == "At most 1 fault (term 1: a process gets SIGTERM), anywhere, of any process but PID 1."


PAUSED = "steps: [{id: pause, at: 1s, docker: pause web}]\n"


@pytest.mark.usefixtures("term")
@pytest.mark.parametrize(
    "names",
    [
        ("fault stall dockerd", "fault term dockerd", "fault resume dockerd", "TERM to dockerd"),
        ("...", "step pause finish", "fault kill payload/web"),
        ("...", "step pause finish", "fault term payload/web"),
    ],
    ids=["stopped", "frozen", "frozen, a signal that waits"],
)
def test_a_signal_that_waits_is_told_as_a_step_that_waits(names: tuple[str, ...]) -> None:
    """A process that is stopped or frozen takes no signal: nor does it in the story, which ends at the same host."""
    setup = replaced(scenario("docker-1.13", "kill: 0", PAUSED).setup, faults=FaultBudget(9))
    path, world = story(setup, *names)
    told = retell(setup, path.actions)
    twin = last_world(told.setup, told.actions)
    twin.setup, twin.marks, world.marks = world.setup, {}, {}
    assert key(twin) == key(world)


def test_a_fault_that_is_no_signal_stays_in_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """What no step can do has no step: the order says it."""
    sent = FAULTS["kill"]
    monkeypatch.setitem(FAULTS, "vanish", replaced(sent, text="a process vanishes", signal=""))
    setup = replaced(scenario("docker-1.13", "kill: 0").setup, faults=FaultBudget(1))
    path, _ = story(setup, "fault vanish shim/web")
    assert retell(setup, path.actions).order == ("fault vanish shim/web",)

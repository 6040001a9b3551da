"""A containerd of 1.7 ends every shim whose container has no process left, and what dockerd makes of the lost status.

Source: containerd v1.7.24 runtime/v2/shim_load.go 152-170; moby v26.1.5 daemon/daemon.go restore, monitor.go
handleContainerExit, kill.go killWithSignal; measured on Docker 26.1.5 with containerd 1.7.24.
"""

from __future__ import annotations

from typing import Any

import pytest

from sim.designs import DESIGNS
from sim.engine.setup import S
from sim.experiment.run import Run, run_scenario
from sim.facts import EngineEvent, StepDone
from sim.scenario import load

DOCKERS = [name for name in DESIGNS if name.startswith("docker-") and name >= "docker-18"]
CLEANS = [name for name in DOCKERS if DESIGNS[name].traits.cleans_leaked_shims]
HEAD = "engine: {design: %s, daemon: {live-restore: true}}\n"
WEB = "  web: {image: nginx, %sx-payload: {on_term: {exit: 0}}}\n"


def run(design: str, text: str, policy: str = "") -> Run:
    """Run a scenario's steps with one container."""
    services = "services:\n" + WEB % (policy and f'restart: "{policy}", ')
    return run_scenario(load("leaked.yaml", HEAD % design + services + text), 1)


def record(found: Run, at: str | int | None = None) -> Any:
    """Return what dockerd believes of the container."""
    world = found.at(at)
    (dockerd,) = [it.pid for it in world.host.procs.values() if it.alive and it.image.program == "dockerd"]
    return world.recall(dockerd, "container/web")


def alive(found: Run, program: str, at: str | int | None = None) -> bool:
    """Return whether a process of the program lives."""
    return any(it.alive and it.image.program == program for it in found.at(at).host.procs.values())


def events(found: Run) -> list[str]:
    """Return the container's events after t = 0."""
    mine = (it for it in found.trace if isinstance(it.event, EngineEvent) and (it.at or 0) >= found.trace.origin)
    return [it.event.action for it in mine if it.event.container == "web"]


def took(found: Run, step: str) -> float:
    """Return how long a step took, in s."""
    (done,) = [it.at or 0 for it in found.trace if isinstance(it.event, StepDone) and it.event.id == step]
    return (done - found.moment(step)) / S


def both_down(design: str, policy: str) -> Run:
    """Let the program leave with 0 while dockerd and containerd are down."""
    apart = DESIGNS[design].traits.containerd_unit is not None
    away = "{at: 6s, systemctl: stop containerd}, " if apart else ""
    steps = f"steps: [{{at: 5s, systemctl: stop docker}}, {away}{{at: 10s, kill: payload/web, signal: TERM}}, "
    return run(design, steps + "{at: 12s, systemctl: start docker}]\nuntil: 1m\n", policy)


@pytest.mark.parametrize("design", DOCKERS)
def test_an_exit_while_all_is_down_is_255_since_containerd_1_7(design: str) -> None:
    """Before that the shim keeps the exit status until the next dockerd asks."""
    found = both_down(design, "")
    cleans = DESIGNS[design].traits.cleans_leaked_shims
    assert (record(found).running, record(found).exit_code) == (False, 255 if cleans else 0)
    assert not alive(found, "shim")


@pytest.mark.parametrize("design", DOCKERS)
def test_on_failure_starts_again_what_left_with_0_since_containerd_1_7(design: str) -> None:
    """The policy goes by the code that is believed: of 255 it does not know better."""
    found = both_down(design, "on-failure")
    assert record(found).running == DESIGNS[design].traits.cleans_leaked_shims == alive(found, "payload")


def only_containerd(design: str, steps: str = "", policy: str = "always") -> Run:
    """Let the program end while containerd alone is down."""
    text = "steps: [{id: away, at: 5s, kill: containerd}, {at: 6s, kill: payload/web}%s]\nuntil: 2m\n"
    return run(design, text % steps, policy)


@pytest.mark.parametrize("design", CLEANS)
def test_an_exit_while_only_containerd_is_down_leaves_a_ghost(design: str) -> None:
    """No event, no policy: running with its dead pid for ever; its shim is gone."""
    found = only_containerd(design)
    assert record(found).running
    assert not found.at().host.alive(record(found).pid)
    assert not alive(found, "shim")
    assert events(found) == []


@pytest.mark.parametrize("design", CLEANS)
@pytest.mark.parametrize("verb", ["stop", "kill", "rm -f"])
def test_the_end_of_a_ghost_takes_its_stop_timeout_and_leaves_0(design: str, verb: str) -> None:
    """The task is not found, so its exit is waited for as long as a stop may take; then no status counts as 0."""
    found = only_containerd(design, f", {{id: stop, at: 60s, docker: {verb} web}}")
    assert took(found, "stop") == pytest.approx(10.0, abs=0.2)
    (told,) = [it.event for it in found.trace if isinstance(it.event, EngineEvent) and it.event.action == "die"]
    assert dict(told.attributes)["exitCode"] == "0"

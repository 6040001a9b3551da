"""Anything may happen in any order: random steps, timers, faults and all that people do, and what must hold after each.

The machine is that of `sim.testing`; the laws of Docker 1.13.1 are in `tests.laws`. What a machine draws is compared
with the model's own tables in `test_testing`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

import pytest
from hypothesis.stateful import rule
from msgspec.structs import replace

from sim.designs import DESIGNS
from sim.designs.takes import takes
from sim.engine.setup import Docker, HostSetup, KillProcess, Setup, Systemctl, Target
from sim.engines.host.systemd.unit import state_of
from sim.engines.podman.client import VERBS as PODMAN_VERBS
from sim.faults import FAULTS, Fault
from sim.model import Deliver, Go, Late
from sim.testing import EngineMachine, Walk, run_machine
from sim.testing.commands import KINDS, VERBS
from sim.testing.machine import given_to
from sim.testing.setups import NAMES, fitted, plain_service
from tests.laws import DOCKER_LAWS
from tests.laws_podman import PODMAN_LAWS, QUADLET_LAWS

SERVICES = [plain_service(name) for name in NAMES]


class Counting(EngineMachine):
    """A machine whose *done* counts what its ways have done."""

    done: ClassVar[Counter[Any]]

    def teardown(self) -> None:
        """Count, and end."""
        if hasattr(self, "walk"):
            self.done.update(named(entry) for entry in self.walk.log)
        super().teardown()


class DockerMachine(Counting):
    """Docker 1.13.1 and what holds of it."""

    laws = DOCKER_LAWS
    done = Counter[Any]()


class PodmanMachine(Counting):
    """Rootful podman and what holds of it."""

    design = "podman"
    laws = PODMAN_LAWS
    done = Counter[Any]()


class QuadletMachine(Counting):
    """podman's containers as units, and what holds of them; jobs of systemd come more often."""

    design = "podman-quadlet"
    laws = QUADLET_LAWS
    done = Counter[Any]()

    @rule(command=given_to(Systemctl))
    def somebody_asks_systemd(self, command: Systemctl) -> None:
        """Let somebody give a job."""
        self.walk.do(command)


def named(entry: Any) -> Any:
    """Return what an entry of a log counts as: a verb of docker, a kind of fault, a kind of command or action."""
    return entry.verb if isinstance(entry, Docker) else entry.kind if isinstance(entry, Fault) else type(entry)


MACHINES = (DockerMachine, PodmanMachine, QuadletMachine)


@pytest.mark.parametrize("machine", MACHINES)
def test_every_law_holds_whatever_happens(machine: type[Counting]) -> None:
    """Whatever happens in whatever order: no law breaks, the model has a rule for everything, and it all settles."""
    run_machine(machine, examples=30, steps=40)
    assert {Go, Deliver} <= set(machine.done)


PHASES = {  # by version of cgroups and KillMode=, phases in which something waits until TimeoutStopSec= has passed
    **{("v1", mode): count for mode, count in {"": 1, "process": 1, "mixed": 1, "control-group": 2}.items()},
    **{("v2", mode): count for mode, count in {"": 0, "process": 1, "mixed": 0, "control-group": 1}.items()},
}


@pytest.mark.parametrize(("cgroup", "mode"), PHASES)
def test_every_law_of_a_unit_holds_of_a_paused_container_whose_conmon_is_killed(cgroup: str, mode: str) -> None:
    """With cgroup v1 a frozen program takes no KILL, with v2 it does; with process nobody sends one.

    Then `podman rm -f` of ExecStopPost= ends it, waits in vain for conmon's exit file, and the unit has failed. "" is
    its own mode.
    """
    setup = fitted(Setup((plain_service("web"),), host=HostSetup(cgroup=cgroup)), QuadletMachine.design)
    unit = replace(setup.engine.unit, kill_mode=mode or setup.engine.unit.kill_mode)
    walk = Walk(replace(setup, engine=replace(setup.engine, unit=unit)), QUADLET_LAWS, opened=True)
    walk.do(Docker("pause", "web"))
    walk.settle(seed=1)
    walk.do(KillProcess(Target("supervisor", "*"), "KILL"))
    walk.settle(seed=1)
    for _ in range(PHASES[cgroup, mode]):
        assert [law.said(walk.world) for law in QUADLET_LAWS if not law.holds(walk.world)] == []
        assert state_of(walk.world, "web").state == "deactivating"
        walk.let_limit_pass(0)
        walk.settle(seed=1)
    assert [law.said(walk.world) for law in QUADLET_LAWS if not law.holds(walk.world)] == []
    assert state_of(walk.world, "web").state == "failed"


def test_a_start_that_a_restart_has_taken_over_is_asked_again_once_a_stop_replaces_that(monkeypatch) -> None:
    """What the start's wait reads is touched then: each condition is asked again after every step."""
    monkeypatch.setattr("sim.testing.walk.CHECKED", 1)
    walk, seed = Walk(fitted(Setup((plain_service("web"),)), QuadletMachine.design), opened=True), 218
    walk.do(Systemctl("start", "web"))
    shot, again, stopped = (
        KillProcess(Target("supervisor", "*"), "KILL"),
        Systemctl("restart", "web"),
        Systemctl("stop", "web"),
    )
    for command, count in ((shot, 3), (again, 1), (stopped, 20)):
        walk.do(command)
        walk.go(count, seed)
    walk.settle(seed)


@pytest.mark.long
@pytest.mark.parametrize("machine", MACHINES)
def test_every_law_holds_whatever_happens_at_length(machine: type[Counting]) -> None:
    """The same with many more and longer ways: whatever the design takes comes, so that the odds leave nothing out.

    That is each verb, each fault and each kind of command; podman has verbs of its own, and no daemon's unit and files.
    """
    run_machine(machine, examples=3000, steps=60)
    design = DESIGNS[machine.design]
    verbs = {verb for verb in {*VERBS, *PODMAN_VERBS} if takes(design, Docker(verb, "web"))}
    given = {type(command) for kind in KINDS for choices in KINDS[kind](SERVICES) for command in choices
             if takes(design, command)}  # fmt: skip
    everything = {*verbs, *FAULTS, *given, Go, Late, Deliver} - {Docker}
    assert everything - set(machine.done) == set()

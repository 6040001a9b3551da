"""What ties two units: docker.service and containerd.service under each of BindsTo=, Requires= and Wants=.

Source: systemd.unit(5); transaction.c transaction_add_job_and_dependencies, unit.c retroactively_stop_dependencies,
job.c job_fail_dependencies of v255.
"""

from __future__ import annotations

from functools import cache
from itertools import groupby

import pytest
from msgspec.structs import replace

from sim.designs import DESIGNS, Design
from sim.engine.setup import S, Unit
from sim.engines.containerd.units import containerd
from sim.engines.docker.units import COUPLINGS, docker
from sim.engines.host.systemd.program import Systemd
from sim.experiment.run import Run, run_scenario
from sim.facts import StepDone, UnitChanged
from sim.scenario import load

HEAD = """\
engine: {design: docker-26-separate}
host: {begin: 'off'}
steps:
  - {id: up, at: 1s, systemctl: start docker}
"""
KEYS = Unit("no", "process", 5 * S, 5, 10 * S, 90 * S)
coupled = pytest.mark.parametrize("coupling", COUPLINGS)


@cache
def tied(coupling: str, keys: Unit) -> Design:
    """Return a design with these two units."""
    base = DESIGNS["docker-26-separate"]
    init = Systemd(docker(coupling), containerd(keys))
    traits = replace(base.traits, coupling=coupling, containerd_unit=keys)
    return Design(base.name, base.title, base.source, base.programs_with(init), traits, base.engine)


def told(monkeypatch: pytest.MonkeyPatch, coupling: str, steps: str, **keys: object) -> Run:
    """Run the steps with docker.service tied to containerd.service."""
    monkeypatch.setitem(DESIGNS, "docker-26-separate", tied(coupling, replace(KEYS, **keys)))
    return run_scenario(load("tied.yaml", HEAD + steps + "until: 100s\n"))


def changes(run: Run, *units: str) -> list[tuple[str, str]]:
    """Return the states that units go through, in order."""
    events = (it.event for it in run.trace if isinstance(it.event, UnitChanged))
    found = ((it.unit, it.state) for it in events if not units or it.unit in units)
    return [change for change, _ in groupby(found)]


def state(run: Run, unit: str) -> str:
    return changes(run, unit)[-1][1]


def answer(run: Run, step: str) -> str:
    (found,) = (it.event.error for it in run.trace if isinstance(it.event, StepDone) and it.event.id == step)
    return found


@coupled
def test_a_start_starts_what_the_unit_needs_first(monkeypatch: pytest.MonkeyPatch, coupling: str) -> None:
    """docker.service is ordered after containerd.service, which is active before it begins."""
    run = told(monkeypatch, coupling, "")
    assert answer(run, "up") == ""
    order = [("containerd", "activating"), ("containerd", "active"), ("docker", "activating"), ("docker", "active")]
    assert changes(run) == order


@coupled
def test_a_stop_takes_along_what_requires_the_unit(monkeypatch: pytest.MonkeyPatch, coupling: str) -> None:
    """With BindsTo= and Requires= docker goes down first, since it is ordered after; with Wants= it stays."""
    run = told(monkeypatch, coupling, "  - {id: stop, at: 20s, systemctl: stop containerd}\n")
    ends = [("containerd", "deactivating"), ("containerd", "inactive")]
    if coupling != "Wants":
        ends = [("docker", "deactivating"), ("docker", "inactive"), *ends]
    assert changes(run)[4:] == ends
    assert answer(run, "stop") == ""


@coupled
@pytest.mark.parametrize("verb", ["restart", "try-restart"])
def test_a_restart_takes_along_what_requires_the_unit(
    monkeypatch: pytest.MonkeyPatch, coupling: str, verb: str
) -> None:
    """Down in the one order, up in the other."""
    run = told(monkeypatch, coupling, f"  - {{id: job, at: 20s, systemctl: {verb} containerd}}\n")
    middle = [("containerd", it) for it in ("deactivating", "inactive", "activating", "active")]
    if coupling != "Wants":
        middle = [("docker", "deactivating"), ("docker", "inactive"), *middle]
        middle += [("docker", "activating"), ("docker", "active")]
    assert changes(run)[4:] == middle
    assert answer(run, "job") == ""


@coupled
def test_a_restart_starts_nothing_that_was_down(monkeypatch: pytest.MonkeyPatch, coupling: str) -> None:
    """A restart is passed on as try-restart."""
    steps = "  - {at: 20s, systemctl: stop docker}\n  - {at: 40s, systemctl: restart containerd}\n"
    run = told(monkeypatch, coupling, steps)
    assert (state(run, "docker"), state(run, "containerd")) == ("inactive", "active")


@coupled
def test_a_crash_stops_what_is_bound_to_the_unit(monkeypatch: pytest.MonkeyPatch, coupling: str) -> None:
    """Without Restart= Requires= and Wants= let docker go on."""
    run = told(monkeypatch, coupling, "  - {at: 20s, kill: containerd}\n")
    assert state(run, "containerd") == "failed"
    assert state(run, "docker") == ("inactive" if coupling == "BindsTo" else "active")


@coupled
def test_a_restart_by_itself_is_passed_on_to_what_is_up(monkeypatch: pytest.MonkeyPatch, coupling: str) -> None:
    """Requires= restarts docker with it (service_enter_restart); what was bound is down, and stays so."""
    run = told(monkeypatch, coupling, "  - {id: kill, at: 20s, kill: containerd}\n", restart="always")
    assert state(run, "containerd") == "active"
    assert state(run, "docker") == ("inactive" if coupling == "BindsTo" else "active")
    stops = [it.at for it in run.trace if it.event == UnitChanged("docker", "inactive")]
    after = [(at or 0) - run.trace.origin - 20_000_000 for at in stops]
    assert [at >= 5_000_000 for at in after] == {"BindsTo": [False], "Requires": [True], "Wants": []}[coupling]


@coupled
def test_a_start_fails_if_what_it_requires_fails(monkeypatch: pytest.MonkeyPatch, coupling: str) -> None:
    """Wants= starts the unit all the same."""
    steps = """\
  - {at: 20s, systemctl: stop containerd}
  - {at: 40s, systemctl: stop docker}
  - {id: late, at: 60s, systemctl: start docker}
"""
    run = told(monkeypatch, coupling, steps, start_limit_burst=1, start_limit_interval=3600 * S)
    assert state(run, "containerd") == "failed"
    if coupling == "Wants":
        assert ("docker", "activating") in changes(run, "docker")[3:]
    else:
        assert answer(run, "late") == "A dependency job for docker.service failed."
        assert state(run, "docker") == "inactive"


def test_the_units_of_a_node_are_not_tied() -> None:
    """The kubelet waits for no runtime, and outlives it."""
    text = "host: {begin: 'off'}\nsteps:\n  - {at: 1s, systemctl: start kubelet}\n  - {at: 2s, systemctl: start crio}\n"
    run = run_scenario(load("n.yaml", "engine: {design: cri-o}\n" + text + "  - {at: 20s, systemctl: stop crio}\n"))
    assert (state(run, "kubelet"), state(run, "crio")) == ("active", "inactive")


def test_every_unit_is_told_of_when_the_host_goes_down_and_comes_up() -> None:
    """The engine's own first, then what it needs; a unit is started again neither by Restart= nor by a job."""
    text = (
        HEAD.replace("}", ", unit: {TimeoutStopSec: 5s}}", 1)
        + """\
  - {at: 19s, stop: dockerd}
  - {id: off, at: 20s, reboot: true}
  - {id: no, at: off+1s, systemctl: start docker}
until: 3m
"""
    )
    run = run_scenario(load("r.yaml", text))
    assert changes(run)[4:7] == [("docker", "deactivating"), ("docker", "failed"), ("containerd", "deactivating")]
    assert "is destructive" in answer(run, "no")
    assert (state(run, "docker"), state(run, "containerd")) == ("active", "active")

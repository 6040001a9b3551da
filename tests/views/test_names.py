"""Check that tables and pictures go by what a program is, on every design: no program's name is known to them."""

from functools import cache

import pytest

from sim.designs import DESIGNS
from sim.engine.role import Kind
from sim.experiment.run import Run, run_scenario
from sim.scenario import load
from sim.views.names import LOOKS, counted, look_of, names_of
from sim.views.processes import OWN, processes

WEB = "services: {{web: {{image: x, restart: always}}}}\nsteps: [{step}]\nuntil: 70s\nengine: {{design: {design}}}\n"
KILL = "{id: s, at: 60s, kill: payload/web}"


@cache
def of(design: str, step: str = KILL) -> Run:
    """Return a run of a container to which something happens after a minute."""
    return run_scenario(load("x.yaml", WEB.format(step=step, design=design)))


@pytest.mark.parametrize("design", list(DESIGNS))
def test_a_lane_of_a_daemon_is_of_one_that_runs(design: str) -> None:
    """Tables and pictures have a lane for each daemon of the engine's, and none for a daemon that it does not have."""
    found = of(design)
    world = found.at("s-1s")
    running = {process.image.program for process in world.host.procs.values()}
    lanes = [lane.name for lane in found.intervals().daemons]
    assert set(lanes) == {name for name in DESIGNS[design].of_kind(Kind.DAEMON, Kind.GUEST) if name in running}
    assert [lane.name for lane in found.timeline().daemons] == lanes


@pytest.mark.parametrize("design", list(DESIGNS))
def test_what_ends_with_its_errand_shares_a_lane(design: str) -> None:
    """No program that does one thing and ends has a lane to itself, whatever the design calls it."""
    roles = DESIGNS[design].roles
    brief = [it for it in processes(of(design).trace).lived if roles[it.program].brief]
    numbers = {str(it.pid) for it in brief if not it.container}
    assert brief
    assert not [lane.name for lane in of(design).timeline(by="process").lanes if lane.name.split()[-1] in numbers]
    looks = {bar.look for lane in of(design).timeline(by="process").lanes if lane.busy for bar in lane.bars}
    assert OWN not in looks


@pytest.mark.parametrize("design", list(DESIGNS))
def test_names_are_those_of_the_design(design: str) -> None:
    """Whoever is named as holder, keeper or engine is a program of the design."""
    names, found = names_of(DESIGNS[design]), DESIGNS[design]
    assert {names.init, names.engine, names.keeper, names.holder} - {""} <= set(found.programs)
    assert (names.holder,) == (found.holders or ("",))
    assert not names.keeper or names.holder


def test_every_kind_has_its_look() -> None:
    """What runs in a container is drawn alike, daemons are, holders are; an errand has no fill."""
    assert {look_of(name) for name in ("payload", "exec", "child", "app", "pause")} == {"program"}
    assert {look_of(name) for name in ("dockerd", "containerd", "crio", "kubelet", "journald")} == {"daemon"}
    assert {look_of(name) for name in ("shim", "conmon", "exec-shim", "exec-conmon")} == {"holder"}
    assert look_of("proxy") == "forwarder"
    assert {look_of(name) for name in ("runc", "iptables", "nobody's")} == {""}
    assert Kind.ERRAND not in LOOKS


def test_one_daemon_needs_no_number() -> None:
    """A host has one of each daemon; of all else there may be many."""
    assert [counted(name, 1) for name in ("crio", "kubelet", "shim")] == ["crio", "kubelet", "1 shim"]

"""What V3, V4, V6 and V18 say of a killed shim or conmon, on every design: what its own engine does about it."""

from __future__ import annotations

import pytest

from sim.designs import DESIGNS
from sim.drive.explore import Limits
from sim.engine.setup import FaultBudget
from sim.experiment.exploring import explored, with_faults
from sim.properties import PROPERTIES
from sim.scenario import load
from sim.views.exploration import HOLDS, VIOLATED, Explored
from sim.world import World
from tests.drive.stories import story

HOST = """
title: A container, and who holds it
engine: {{design: {design}}}
services: {{web: {{image: nginx, ports: ["8080:80"], restart: always}}}}
steps: [{steps}]
until: 60s
"""
ASKED = ("V3", "V4", "V6")
WITHOUT = "docker-1.10"  # it has neither shims nor conmons
HELD = [name for name in DESIGNS if name != WITHOUT]
WITH_CONTAINERD = [name for name in HELD if "containerd" in DESIGNS[name].programs]
PODMANS = tuple(name for name in DESIGNS if name.startswith("podman") and name != "podman-quadlet")
LEFT = (*PODMANS, "cri-o", "cri-o-cgroupfs")  # nobody ends a program whose conmon has died
QUICK = ("docker-1.13", "docker-18.09", "docker-26", "docker-26-separate", "podman", "podman-quadlet", "cri-o")


def rows(designs: list[str], *quick: str) -> list[object]:
    """Return the designs as rows of a table; those that are not quick are for the long run."""
    return [pytest.param(name, marks=() if name in quick else pytest.mark.long) for name in designs]


def killed(design: str, *steps: str, states: int) -> Explored:
    text = HOST.format(design=design, steps=", ".join(f"{{at: 1s, {step}}}" for step in steps))
    return explored(load("host.yaml", text), [PROPERTIES[name] for name in ASKED], limits=Limits(states=states))


def verdicts(found: Explored) -> dict[str, str]:
    return {it.name: it.verdict for it in found.findings}


def at_rest(design: str) -> World:
    return story(load("host.yaml", HOST.format(design=design, steps="")).setup)[1]


@pytest.mark.parametrize("design", HELD)
@pytest.mark.parametrize("name", [*ASKED, "V18"])
def test_a_host_at_rest_violates_nothing(name: str, design: str) -> None:
    """A conmon holds as a shim does; a containerd that is a unit's main process has not outlived a dockerd."""
    world = at_rest(design)
    assert PROPERTIES[name].holds(world), PROPERTIES[name].said(world)


@pytest.mark.parametrize("design", rows(HELD, *QUICK))
def test_a_killed_shim_is_cleaned_up_after(design: str) -> None:
    """A working containerd, whoever its parent is and however it learns of it, ends the program; conmon has nobody.

    Under Quadlet the unit ends what is left.
    """
    found = killed(design, "kill: supervisor/web", states=60_000)
    assert found.complete
    if design in LEFT:
        assert verdicts(found)["V3"] == verdicts(found)["V4"] == VIOLATED
        assert verdicts(found)["V6"] != HOLDS
    else:
        assert verdicts(found) == dict.fromkeys(ASKED, HOLDS)


@pytest.mark.mostly_long
@pytest.mark.parametrize("design", rows(WITH_CONTAINERD, "docker-26", "docker-26-separate"))
@pytest.mark.parametrize("before", ["kill: containerd", "stop: containerd"])
def test_without_a_working_containerd_it_is_left(design: str, before: str) -> None:
    """A containerd that is dead or stopped ends nothing: the program is a child of PID 1, and has no shim."""
    found = killed(design, before, "kill: shim/web", states=400)
    assert {name: verdict for name, verdict in verdicts(found).items() if name != "V6"} == {
        "V3": VIOLATED,
        "V4": VIOLATED,
    }


@pytest.mark.long
@pytest.mark.parametrize("design", HELD)
def test_any_kill_leaves_programs_only_where_nobody_looks_after_them(design: str) -> None:
    """Whatever process is killed, V3 and V4 break only without conmon, and where 1.11 kills its whole unit."""
    quiet = load("host.yaml", HOST.format(design=design, steps=""))
    scenario = with_faults(quiet, FaultBudget(1, (("kill", 1),)))
    found = explored(scenario, [PROPERTIES["V3"], PROPERTIES["V4"]], limits=Limits(states=20_000))
    broken = {it.name for it in found.findings if it.verdict == VIOLATED}
    assert broken == ({"V3", "V4"} if design in (*LEFT, "docker-1.11") else set())

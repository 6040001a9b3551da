"""An engine below a subreaper of the host: its orphans come to that process, which is not PID 1.

Oracles are prctl(2), PR_SET_CHILD_SUBREAPER; podman 5.4, measured: the parent of conmon is the subreaper, and PID 1
once that is gone; engine-1.13 §7.3: a payload whose parent is neither 1 nor a shim stays as it is.
"""

from __future__ import annotations

import pytest

from sim.designs import DESIGNS
from sim.drive.timed import run
from sim.engine.role import Kind
from sim.experiment.run import run_scenario
from sim.kernel.records import Process
from sim.predicates import believed
from sim.scenario import load
from sim.scenario.resolved import resolved
from sim.trace import Trace
from sim.views.narrate import narrate
from sim.world import World

S = 1_000_000
BELOW = "host: {uptime: 1s, subreaper: user-manager}\nservices: {web: {image: web, restart: always}, db: {image: db}}\n"


def ran(steps: str, design: str, text: str = BELOW, until: str = "60s") -> Trace:
    """Run a scenario on a design."""
    made = f"engine: {{design: {design}}}\n{text}steps:\n{steps}until: {until}\n"
    return run(load("below.yaml", made).setup, 1)


def at(trace: Trace, seconds: int) -> World:
    """Return the world of a moment."""
    return trace.at(trace.origin + seconds * S)


def named(world: World, program: str) -> list[Process]:
    """Return the processes that run a program, zombies too."""
    return [it for it in world.host.procs.values() if it.image.program == program]


def children(world: World, program: str) -> set[str]:
    """Return which programs a process of *program* has as its children."""
    (parent,) = named(world, program)
    return {world.host.procs[pid].image.program for pid in world.host.children.get(parent.pid, ())}


HOST_S = {"subreaper", "journald"}  # children of PID 1 in any case


def tree(world: World) -> list[tuple[str, str, str]]:
    """Return each process with its container and its parent, of which the subreaper stands for PID 1."""
    procs = world.host.procs
    found = [(it, procs[it.ppid]) for it in procs.values() if it.ppid and it.image.program not in HOST_S]
    rows = [(it.image.program, it.image.container, parent.image.program) for it, parent in found]
    return sorted((program, container, parent.replace("subreaper", "init")) for program, container, parent in rows)


@pytest.mark.parametrize("design", DESIGNS)
def test_the_subreaper_has_what_pid_1_would_have_and_all_goes_as_ever(design: str) -> None:
    """It has the units and whatever loses its parent, waits for all, and units are restarted."""
    found = DESIGNS[design]
    kills = [it for it in found.of_kind(Kind.DAEMON, Kind.GUEST) if it not in HOST_S] or [f"{found.holders[0]}/db"]
    steps = "".join(f"  - {{at: {10 * number}s, kill: {name}}}\n" for number, name in enumerate(kills, 1))
    plain, below = (ran(steps, design, text) for text in (BELOW.replace(", subreaper: user-manager", ""), BELOW))
    for second in (0, 9, 11, 13, 19, 21, 23, 29, 31, 33, 59):
        world = at(below, second)
        assert children(world, "init") <= HOST_S
        assert tree(world) == tree(at(plain, second)), second
    world = at(below, 59)
    (reaper,) = named(world, "subreaper")
    assert children(world, "subreaper")
    assert not world.host.zombies.get(reaper.pid)


@pytest.mark.parametrize("design", DESIGNS)
def test_once_it_is_gone_pid_1_has_what_it_had(design: str) -> None:
    """Whatever is started later is started by PID 1; the host boots with a new one."""
    trace = ran("  - {at: 5s, kill: subreaper}\n  - {at: 10s, reboot: true}\n", design, until="200s")
    before, after, last = at(trace, 4), at(trace, 6), at(trace, 199)
    assert children(after, "init") - HOST_S == children(before, "subreaper")
    assert not named(after, "subreaper")
    assert children(last, "init") <= HOST_S
    assert len(named(last, "subreaper")) == 1


LOST = """\
  - {at: 5s, kill: dockerd}
  - {at: 5s, kill: containerd}
  - {at: 5s, kill: shim/web}
"""


@pytest.mark.parametrize(("subreaper", "pid"), [("", "new"), (", subreaper: tini", "same")])
def test_containerd_0_2_ends_an_orphan_of_pid_1_alone(subreaper: str, pid: str) -> None:
    """It kills what lives under PID 1 without its shim; under another parent that lives on, and counts as ended.

    The policy's start then fails, since runc knows a container of that name (process.go 299, exit.go 20).
    """
    text = f"host: {{uptime: 1s{subreaper}}}\nservices: {{web: {{image: web, restart: always}}}}\n"
    trace = ran(LOST, "docker-1.13, daemon: {live-restore: true}", text)
    (before,), (after,) = named(at(trace, 4), "payload"), named(at(trace, 59), "payload")
    assert ("same" if before.pid == after.pid else "new") == pid
    record = believed(at(trace, 59), "web")
    assert record is not None
    assert (record.running, record.pid) == ((True, after.pid) if pid == "new" else (False, 0))


def test_the_story_says_who_has_the_orphans() -> None:
    """They are the subreaper's, and PID 1's once that has gone."""
    steps = "  - {at: 5s, kill: containerd}\n  - {at: 30s, kill: subreaper}\n  - {at: 40s, kill: dockerd}\n"
    lines = [line.text for line in narrate(ran(steps, "docker-1.13"))]
    assert "2 shims under subreaper now" in lines
    assert any("under PID 1 now" in line for line in lines)


def test_the_properties_of_who_holds_a_container_go_by_the_engine_s_place() -> None:
    """Holders that live under PID 1 on a host without a subreaper live under it here."""
    for design in sorted({"docker-1.13", "docker-26", "podman", "cri-o", "containerd-cri"} & DESIGNS.keys()):
        wanted = "expect: [{property: V3}, {property: V4}, {property: V6}, {property: V20}]\n"
        text = f"engine: {{design: {design}}}\n{BELOW}steps:\n  - {{at: 5s, kill: payload/web}}\nuntil: 30s\n{wanted}"
        found = run_scenario(load("below.yaml", text), 1)
        assert not [f"{design} {it.text}: {it.detail}" for it in found.verdicts() if not it.holds]


def test_the_file_that_is_written_out_has_it() -> None:
    """It loads to the same host."""
    scenario = load("below.yaml", BELOW)
    assert scenario.setup.host.subreaper == "user-manager"
    assert load("again.yaml", resolved(scenario)).setup.host == scenario.setup.host

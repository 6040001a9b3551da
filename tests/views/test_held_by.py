"""Check what pictures and tables say of whose child a process is: held by whom, by nobody, or an orphan.

What lives under PID 1 by design is read off the same run before its fault, so that no test says which programs these
are.
"""

from __future__ import annotations

import math
from functools import cache
from itertools import combinations

import pytest

from sim.designs import DESIGNS
from sim.engine.records import Task
from sim.engine.setup import Microseconds
from sim.experiment.metrics import measure
from sim.experiment.run import Run, run_scenario
from sim.kernel.events import Forked
from sim.kernel.records import INIT, Pid
from sim.render import timeline
from sim.render.timeline_looks import LOOKS
from sim.scenario import load
from sim.views import interval_parts as v
from sim.views.forest import forest
from sim.views.names import names_of
from sim.views.processes import ADOPTED, processes
from sim.world import World

HOLDERS = ("shim", "conmon")


def victims(design: str) -> tuple[str, ...]:
    """Return what can be killed on a design, one after the other: its engine, its containerd, what holds `web`."""
    traits, programs = DESIGNS[design].traits, DESIGNS[design].programs
    daemons = dict.fromkeys(name for name in (traits.engine, "containerd") if name in programs)
    return (*daemons, *(f"{name}/web" for name in HOLDERS if name in programs))


CASES = [(design, victim) for design in DESIGNS for victim in victims(design)]
MEANT = {  # what is said -> the payload's parent, that one's parent, whether it is such a one's child while all is well
    v.KEPT: ("shim", "containerd", False),
    v.ATTACHED: ("shim", "init", True),
    v.UNATTACHED: ("shim", "init", True),
    v.ORPHANED: ("shim", "init", False),
    v.REATTACHED: ("shim", "init", False),
    v.ALONE: ("conmon", "init", True),
    v.OWN: ("dockerd", "init", True),
    **dict.fromkeys((v.NOBODY, v.UNHELD, v.ADOPTED), ("init", "", False)),
}
NAMES = names_of(DESIGNS["docker-1.13"])


@cache
def faulty(design: str, victim: str) -> Run:
    """Return a run of two containers in which one process is killed after a minute."""
    services = "web: {image: nginx, restart: always}, db: {image: postgres, restart: always}"
    steps = f"{{id: kill, at: 60s, kill: {victim}}}"
    docker = design.startswith("docker-") and DESIGNS[design].traits.live_restore
    engine = f"{{design: {design}{', daemon: {live-restore: true}' if docker else ''}}}"
    return run_scenario(load("x.yaml", f"{{services: {{{services}}}, steps: [{steps}], until: 80s, engine: {engine}}}"))


def children_of_init(world: World) -> dict[Pid, str]:
    """Return what the living children of PID 1 run."""
    procs = world.host.procs
    return {pid: procs[pid].image.program for pid in world.host.children.get(INIT, ()) if procs[pid].alive}


@cache
def at_home(design: str, victim: str) -> frozenset[str]:
    """Return the programs that are children of PID 1 while all is well."""
    return frozenset(children_of_init(faulty(design, victim).at("kill-1s")).values())


def orphans_of(run: Run, at: Microseconds, home: frozenset[str]) -> set[Pid]:
    """Return the children of PID 1 that it did not fork, and none of whose kind it has while all is well."""
    started = {it.event.pid for it in run.trace.records if isinstance(it.event, Forked) and it.event.ppid == INIT}
    children = children_of_init(run.at(at))
    return {pid for pid, program in children.items() if pid not in started and program not in home}


def said(run: Run) -> list[tuple[Microseconds, str, v.Interval]]:
    """Return from when on (clock value, at least a second before the fault) which interval of a container holds."""
    first = run.moment("kill-1s") - run.trace.origin
    found = [
        (max(it.start, first) + run.trace.origin, lane.name, it)
        for lane in run.intervals().containers
        for it in lane.intervals
        if it.end > first
    ]
    return sorted(found, key=lambda it: it[:2])


@pytest.mark.parametrize(("design", "victim"), CASES)
def test_whoever_is_said_to_hold_a_container_is_its_parent(design: str, victim: str) -> None:
    """At each change, payload, holder and holder's parent are related as the interval and its legend say."""
    run, home = faulty(design, victim), at_home(design, victim)
    for at, name, it in said(run):
        assert bool(it.parent) == bool(it.pid)
        if it.parent:
            world = run.at(at)
            procs = world.host.procs
            holder = procs[procs[it.pid].ppid]
            above = procs[holder.ppid].image.program if holder.ppid in procs else ""
            found = (holder.image.program, above, holder.image.program in home)
            assert found == MEANT[it.held], (at, name, it)
            if it.held in (v.ATTACHED, v.UNATTACHED):
                assert (holder.pid in shims_known(world, name)) == (it.held == v.ATTACHED), (at, name, it)


def shims_known(world: World, container: str) -> set[Pid]:
    """Return the shims that a living containerd has for a container."""
    memories = [world.memory.get(it.pid, {}) for it in world.host.procs.values() if it.image.program == "containerd"]
    tasks = [memory.get(f"task/{container}") for memory in memories]
    return {task.shim_pid for task in tasks if isinstance(task, Task)}


@pytest.mark.parametrize(("design", "victim"), CASES)
def test_orphans_are_children_of_init_that_were_not_meant_to_be(design: str, victim: str) -> None:
    """The tree's marks and the lanes of processes name just those that PID 1 has and did not have before the fault."""
    run, home = faulty(design, victim), at_home(design, victim)
    lived, end = processes(run.trace).lived, run.moment("end")
    for at in sorted({at for at, *_ in said(run)} | {end - 1}):
        orphans = orphans_of(run, at, home)
        assert {box.pid for box in forest(run.tree(at)).boxes if box.orphan and box.state != "Z"} == orphans
        now = at - run.trace.origin
        adopted = {it.pid for it in lived for start, end, how in it.looks if how == ADOPTED and start <= now < end}
        assert adopted == orphans


@pytest.mark.parametrize("held", list(MEANT))
def test_the_legend_says_what_the_interval_means(held: str) -> None:
    """Words name the parent of a shim, and call nothing an orphan that lives where it belongs."""
    (holder, above, is_home), words = MEANT[held], LOOKS[held].of(NAMES)
    assert ("under containerd" in words) == (above == "containerd")
    assert "PID 1" not in words or "init" in (holder, above)
    assert "PID 1" in words or (holder, above) != ("shim", "init")
    assert not is_home or not {"orphaned", "re-attached", "lost"} & set(words.replace(",", "").split())


ALL_WELL = {  # a design -> what its legend says while all is well
    "docker-1.10": "running",
    "docker-1.13": "running, shim under containerd",
    "docker-26": "running, shim under PID 1",
    "podman": "running, held by its conmon",
}


def legend(*runs: Run) -> set[str]:
    """Return the words of the legend of a picture of runs."""
    figure, _ = timeline.draw([one.timeline(title=one.scenario.setup.engine.design) for one in runs])
    return {text.get_text() for legend in figure.legends for text in legend.get_texts()}


@pytest.mark.parametrize(("one", "other"), list(combinations(ALL_WELL, 2)))
def test_a_legend_of_two_engines_has_the_words_of_both(one: str, other: str) -> None:
    """No engine's words speak for another's, also where both are drawn alike."""
    words = legend(faulty(one, victims(one)[-1]), faulty(other, victims(other)[-1]))
    assert {ALL_WELL[one], ALL_WELL[other]} <= words


UPGRADE = """\
engine: {design: docker-18.09, daemon: {live-restore: true}}
services: {web: {image: p, restart: always}}
steps: [{id: up, at: 10s, upgrade: {to: docker-26, unpack: 8s}}, {id: kill, at: 60s, kill: payload/web}]
until: 2m
"""


def test_a_shim_belongs_where_its_own_version_has_it() -> None:
    """After an upgrade an old shim under PID 1 is an orphan; the new version's, which lives there, is none."""
    run = run_scenario(load("x.yaml", UPGRADE))
    parents = [it.held for it in run.intervals().lane("web").intervals if it.state == v.RUNNING]
    assert parents == [v.KEPT, v.ORPHANED, v.ATTACHED]
    orphans = [[box.role for box in forest(run.tree(at)).boxes if box.orphan] for at in ("kill-1s", "end")]
    assert orphans == [["shim"], []]


def test_a_shim_that_comes_to_nothing_takes_no_program_from_another() -> None:
    """Where a second shim of a container fails to start, the first one, an orphan, still holds what runs."""
    web = run_scenario(load("v02-torn-state")).intervals().lane("web").intervals
    assert [it.held for it in web if it.state == v.RUNNING] == [v.KEPT, v.ORPHANED]


def test_a_stranger_with_the_number_of_a_dead_program_is_no_container() -> None:
    """A signal to it tells no container to stop, and nobody holds it."""
    last = run_scenario(load("t14b-stop-of-stranger")).intervals().lane("web").intervals[-1]
    assert (last.state, last.parent, last.pid) == (v.DEAD, "", 0)


def test_a_program_that_gets_its_last_number_again_is_a_new_one() -> None:
    """After a reboot it runs, held by its new conmon; that the old one was told to stop is past."""
    run = run_scenario(load("podman-quadlet-reboot"))
    lane = run.intervals().lane("deaf").intervals
    assert {it.pid for it in lane if it.pid} == {102}
    assert (lane[-1].state, lane[-1].held) == (v.RUNNING, v.ALONE)
    assert [it.start for it in run.intervals().lives if it.container == "deaf"][1:] == [lane[-1].start]


def test_a_page_has_the_words_of_its_design() -> None:
    """A report of docker-26 says of no shim that it is containerd's, or that it was orphaned."""
    page = faulty("docker-26", "containerd").page()
    assert "running, shim under PID 1, no containerd attached" in page
    assert "under containerd" not in page
    assert "shim orphaned" not in page


@pytest.mark.parametrize("design", [name for name in DESIGNS if "shim" in DESIGNS[name].programs])
def test_orphaned_shims_are_counted_where_there_can_be_any(design: str) -> None:
    """The count is of children of PID 1; where all shims are, by design, none is counted and the row is left out."""
    run = faulty(design, "containerd")
    shims = [program for program in children_of_init(run.at("end")).values() if program == "shim"]
    counted = measure(run.trace).values["orphan_shims"]
    assert math.isnan(counted) if "shim" in at_home(design, "containerd") else counted == len(shims)

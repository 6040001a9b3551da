"""Every bundled scenario, every view, at every kind of moment: nothing fails, and views that tell the same thing agree.

The quick test takes the first moment of each kind, the steps, begin and end, thinned out; the long one all of them, and
those in between.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from sim.bundled import bundled_names
from sim.engine import paths
from sim.engine.systemd import unit_of
from sim.errors import InputError
from sim.experiment.run import ALL_VIEWS, Run, lacks, run_scenario
from sim.facts import StepTaken
from sim.predicates import status_of
from sim.render.docker_ps import status
from sim.render.registry import NEEDS, OF_ONE, OFF_HOST, RUN_VIEWS, VIEWS
from sim.scenario import Scenario, load
from sim.views.docker_inspect import inspected
from sim.views.story import Story
from tests.rows import SCENARIOS

BUSY = """
services:
  web: {image: nginx, ports: ["80:80"], restart: always, x-payload: {exits: {code: 3, after: 1s}}}
  db: {image: db, restart: "no", x-payload: {on_term: none}, healthcheck: {test: ping, interval: 1s}}
  idle: {image: idle, ports: ["90:90"], healthcheck: {test: ping, interval: 1s, retries: 1}}
steps:
  - {at: 1s, docker: restart -t 1 db}
  - {at: 2s, docker: pause idle}
  - {at: 3s, docker: unpause idle}
  - {at: 5s, docker: rm -f db}
  - {at: 5500ms, docker: create --name db db}
  - {at: 6s, docker: start db}
  - {at: 7s, docker: exec -d idle sleep 60}
  - {at: 7500ms, docker: rename idle lazy}
  - {id: stop, at: 8s, docker: stop web}
  - {at: 9s, docker: start web}
  - {at: 10s, kill: shim/db}
  - {at: 12s, kill: containerd}
  - {at: 20s, kill: dockerd}
  - {at: 40s, host: {busy_mount: db}}
  - {at: 41s, docker: rm db}
  - {at: 50s, systemctl: stop docker}
  - {at: 80s, systemctl: start docker}
until: 100s
"""
OTHERS = {name: load(name) for name in bundled_names()}
ALL: dict[str, Scenario] = SCENARIOS | OTHERS | {"busy": load("busy.yaml", BUSY)}
ASKING = ("docker-ps", "docker-ps-a", "docker-inspect", "docker-info")  # whoever is asked, dockerd answers
UP = r"   Active: (active \(running\)|activating \(start\)|deactivating \(stop-sigterm\)) since "
WHOLE = "perfetto"  # tells the whole run each time
QUICK, LONG = 8, 80  # moments of a run


@cache
def run(name: str) -> Run:
    return run_scenario(ALL[name])


def kind(story: Story) -> tuple[str, str, bool]:
    """Return what kind of moment it is: who answers docker, the unit's state, whether the host is off."""
    silence = "" if story.daemon() is not None else re.sub(r"\d+", "N", story.silence())
    return silence, unit_of(story.world).state, story.off


@cache
def moments(name: str) -> tuple[int, ...]:
    """Return the moments at which anything begins: the run, t = 0, a step, another kind of moment; and the end."""
    trace = run(name).trace
    story, before, found = Story(trace), None, {trace[0].at or 0, trace.origin, trace.end}
    while (record := story.step()) is not None:
        if kind(story) != before or isinstance(record.event, StepTaken):
            before = kind(story)
            found.add(story.at)
    return tuple(sorted(at for at in found if at <= trace.end))


def thinned(name: str, most: int) -> Iterator[int]:
    """Yield no more than so many of the moments, the first and the last among them; then moments in between."""
    found = moments(name)
    last = len(found) - 1
    chosen = found if last < most else tuple(found[round(n * last / (most - 1))] for n in range(most))
    between = [(before + after) // 2 for before, after in pairwise(chosen)]
    yield from sorted({*chosen, *(between if most == LONG else between[-2:])})


def shown(found: Run, view: str, at: int) -> str:
    """Return a view of all containers, one after the other where it is of one alone."""
    names = [service.name for service in found.trace.setup.services] if view in OF_ONE else [None]
    return "".join(found.show(view, at, of=name) for name in names)


def views_of(found: Run) -> list[str]:
    """Return the views that the run's engine has something to show for."""
    return [view for view in (*VIEWS, *RUN_VIEWS) if not lacks(found.at().design, view)]


def pids(text: str, column: int) -> set[int]:
    return {int(line.split()[column]) for line in text.splitlines()[1:]}


def table(text: str) -> dict[str, str]:
    """Return STATUS by name of `docker ps`."""
    head, *lines = text.splitlines()
    status, ports = head.index("STATUS"), head.index("PORTS")
    return {line.rpartition(" ")[2]: line[status:ports].strip() for line in lines}


def states(text: str) -> dict[str, Any]:
    """Return State by name of `docker inspect`."""
    objects, _, _ = text.partition("\nError: ")
    return {one["Name"][1:]: one["State"] for one in json.loads(objects)}


STATUS = {"running": r"Up [^P]*", "paused": r"Up .* \(Paused\)", "restarting": r"Restarting \(\d+\) .* ago",
          "created": "Created", "exited": r"Exited \(-?\d+\) .* ago", "dead": "Dead", "removing": "Removal In Progress"}


def agree_on_containers(text: dict[str, str]) -> None:
    """What runs is the same for docker ps, docker inspect and docker info."""
    all_of_them, running, state = table(text["docker-ps-a"]), table(text["docker-ps"]), states(text["docker-inspect"])
    assert set(all_of_them) == set(state)
    assert running == {name: word for name, word in all_of_them.items() if state[name]["Running"]}
    for name, word in all_of_them.items():
        assert re.fullmatch(STATUS[state[name]["Status"]], word), (name, word)
    if "docker-info" not in text:
        return
    counts = dict(line.strip().split(": ", 1) for line in text["docker-info"].splitlines())
    up = sum(word.startswith("Up ") for word in running.values())
    paused = sum(word.endswith("(Paused)") for word in running.values())
    shown = [int(counts[key]) for key in ("Containers", "Running", "Paused", "Stopped")]
    assert shown == [len(all_of_them), up - paused, paused, len(all_of_them) - up]


def agree_on_processes(text: dict[str, str], story: Story) -> None:
    """The forms of ps list the same processes; docker top and systemctl list some of them."""
    here = pids(text["ps-ef"], 1)
    assert here == set(story.world.host.procs)
    assert all(pids(text[view], column) == here for view, column in (("ps-axjf", 1), ("ps-eo", 0), ("ps-auxf", 1)))
    assert {str(pid) for pid in here} <= set(re.findall(r"\((\d+)\)", text["pstree-p"]))
    group = {int(number) for number in re.findall(r"[├└]─ *(\d+) ", text.get("systemctl-status", ""))}
    assert group <= here


def agree_on_a_container(found: Run, at: int, name: str, text: dict[str, str]) -> None:
    """docker top lists living processes, the first one among them; ls finds the folder that has a config.json."""
    story = found.story(at)
    row, folder = story.container(name), paths.bundle(story.world.services[name].id)
    if "ls-bundle" in text:
        listing = found.show("ls-bundle", at, of=name)
        assert listing.startswith("total ") == (f"{folder}/config.json" in story.world.host.files)
    top = found.show("docker-top", at, of=name)
    if top.startswith("UID "):
        assert row is not None
        assert row.running
        inside = pids(top, 1)
        assert inside <= {pid for pid, process in story.world.host.procs.items() if process.alive}
        first = states(text["docker-inspect"])[row.name]["Pid"]
        assert first in inside or not story.world.host.alive(first)
    elif story.daemon() is not None:
        assert top.startswith(("Error response from daemon: ", "Error: "))


def walk(name: str, most: int) -> None:
    found = run(name)
    for at in thinned(name, most):
        views = [view for view in views_of(found) if view != WHOLE or at == found.trace.end]
        text = {view: shown(found, view, at) for view in views}
        assert [view for view, it in text.items() if it and not it.endswith("\n")] == []
        story = found.story(at)
        if story.off:
            lines = [line for view, it in text.items() if view not in OFF_HOST for line in it.splitlines()]
            assert set(lines) == {"(the host is off)"}
            continue
        agree_on_processes(text, story)
        for service in found.trace.setup.services:
            agree_on_a_container(found, at, service.name, text)
        if story.daemon() is None:
            assert {text[view] for view in ASKING if view in text} == {f"{story.silence()}\n"}
        else:
            agree_on_containers(text)
            of_engine = "systemctl-status" in text and not story.world.design.traits.unit_scope
            assert not of_engine or re.search(UP, text["systemctl-status"])


@pytest.mark.parametrize("name", ALL)
def test_views_agree(name: str) -> None:
    """At some moments of a run."""
    walk(name, QUICK)


@pytest.mark.parametrize("view", NEEDS)
def test_a_view_of_what_an_engine_has_not_is_refused(view: str) -> None:
    """One sentence says why, one what to ask instead."""
    with pytest.raises(InputError) as caught:
        run("podman-conmon-killed").show(view)
    (problem,) = caught.value.problems
    assert problem.what == f"podman has no {view}: {NEEDS[view][1]}"
    assert problem.hint.split(" ")[0] in ALL_VIEWS


SEEN = {  # row -> what docker is told at some moment, the unit's states, whether the host is off
    "T43": ({"", "Cannot", "(docker"}, {"active", "auto-restart", "activating"}, {False}),
    "T41": ({"", "Cannot", "(docker"}, {"active", "deactivating", "failed", "activating"}, {False}),
    "T51#5": ({"", "Cannot", "(docker"}, {"active", "inactive", "activating"}, {False, True}),
    "T53": ({"", "Cannot", "(docker"}, {"active", "activating"}, {False}),
}


@pytest.mark.parametrize("name", SEEN)
def test_the_walk_comes_by_every_kind_of_moment(name: str) -> None:
    """A dockerd that is down, starts, is stopped; a unit that waits, stops, fails; a host that is off."""
    told, unit, off = zip(*(kind(run(name).story(at)) for at in thinned(name, QUICK)), strict=True)
    assert ({text.partition(" ")[0] for text in told}, set(unit), set(off)) == SEEN[name]


def test_inspect_agrees_with_docker_ps_at_any_moment() -> None:
    """State.Status, its flags, the STATUS of docker ps and the predicate `status` are of one mind."""
    trace = run("busy").trace
    story, seen = Story(trace), set()
    for at in sorted({record.at or 0 for record in trace}):
        if story.to(at).daemon() is None:
            continue
        for name in story.world.services:
            row, found, record = story.container(name), inspected(story, name), story.believed(name)
            if row is None or found is None or record is None:
                assert (row, found, record) == (None, None, None)
                continue
            state = found["State"]
            seen.add(state["Status"])
            assert state["Status"] == status_of(record)
            assert re.fullmatch(STATUS[state["Status"]], status(row, trace.unix(story.at)))
            assert state["Running"] == (state["Status"] in ("running", "paused", "restarting"))
            assert state["Restarting"] == (state["Status"] == "restarting")
            assert bool(state["Pid"]) == (state["Status"] in ("running", "paused"))
    assert seen == {*STATUS}


@pytest.mark.long
@pytest.mark.parametrize("name", ALL)
def test_views_agree_at_many_moments(name: str) -> None:
    """At all kinds of moments of a run, and between them."""
    walk(name, LONG)

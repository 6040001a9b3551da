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
from sim.designs import DESIGNS
from sim.engine import paths
from sim.engines.docker.shows.inspect import inspected
from sim.engines.docker.shows.ps import status
from sim.engines.host.systemd.unit import unit_of
from sim.errors import InputError
from sim.experiment.run import Run, run_scenario
from sim.experiment.viewing import all_views, views_of
from sim.facts import StepTaken
from sim.predicates import status_of
from sim.render import registry
from sim.render.registry import RUN_VIEWS, paged
from sim.scenario import Scenario, load
from sim.views.story import Story
from sim.views.unit_status import units_of
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
ASKING = ("ps", "ps-a", "pods", "inspect", "info")  # behind docker, podman, crictl: the engine answers
UP = r"   Active: (active \(running\)|activating \(start\)|deactivating \(stop-sigterm\)) since "
WHOLE = ("perfetto", "instants")  # they tell the whole run each time
QUICK, LONG = 8, 80  # moments of a run


@cache
def run(name: str) -> Run:
    return run_scenario(ALL[name])


def kind(story: Story) -> tuple[str, str, bool]:
    """Return what kind of moment it is: whether the engine answers, the unit's state, whether the host is off."""
    silence = "" if story.daemon() is not None else re.sub(r"\d+", "N", story.silence())
    return silence, unit_of(story.world).state, story.off


@cache
def moments(one: Run) -> tuple[int, ...]:
    """Return the moments at which anything begins: the run, t = 0, a step, another kind of moment; and the end."""
    trace = one.trace
    story, before, found = Story(trace), None, {trace[0].at or 0, trace.origin, trace.end}
    while (record := story.step()) is not None:
        if kind(story) != before or isinstance(record.event, StepTaken):
            before = kind(story)
            found.add(story.at)
    return tuple(sorted(at for at in found if at <= trace.end))


def thinned(one: Run, most: int) -> Iterator[int]:
    """Yield no more than so many of the moments, the first and the last among them; then moments in between."""
    found = moments(one)
    last = len(found) - 1
    chosen = found if last < most else tuple(found[round(n * last / (most - 1))] for n in range(most))
    between = [(before + after) // 2 for before, after in pairwise(chosen)]
    yield from sorted({*chosen, *(between if most == LONG else between[-2:])})


def shown(found: Run, view: str, at: int) -> str:
    """Return a view of all containers, one after the other where it is of one alone."""
    alone = view in RUN_VIEWS and RUN_VIEWS[view].of == "one"
    names = [service.name for service in found.trace.setup.services] if alone else [None]
    return "".join(found.show(view, at, of=name) for name in names)


def pids(text: str, column: int) -> set[int]:
    return {int(line.split()[column]) for line in text.splitlines()[1:]}


def column(text: str, title: str, name: int) -> dict[str, str]:
    """Return a column by the name of the container, which stands in the column of the number *name*."""
    head, *lines = text.splitlines()
    starts = [found.start() for found in re.finditer(r"(?<=  )\S|^\S", head)]
    cells = [[line[a:b].strip() for a, b in pairwise([*starts, len(line)])] for line in lines]
    titles = [head[a:b].strip() for a, b in pairwise([*starts, len(head)])]
    return {row[name]: row[titles.index(title)] for row in cells}


def objects(text: str) -> list[Any]:
    """Return the JSON values that stand one after the other, before any complaint."""
    found, at, decoder = [], 0, json.JSONDecoder()
    while text[at : at + 1] in ("[", "{"):
        value, at = decoder.raw_decode(text, at)
        found.append(value)
        at += 1  # the line's end
    return found


STATUS = {
    "running": r"Up [^P]*",
    "paused": r"Up .* \(Paused\)",
    "restarting": r"Restarting \(\d+\) .* ago",
    "created": "Created",
    "exited": r"Exited \(-?\d+\) .* ago",
    "dead": "Dead",
    "removing": "Removal In Progress",
}
CLIENTS = {  # command -> the column of the state, where the name stands, a pattern by each state of inspect
    "docker": ("STATUS", -1, STATUS),
    "podman": ("STATUS", -1, STATUS | {"paused": "Paused", "stopping": "Stopping", "stopped": STATUS["exited"],
                                       "initialized": "Initialized", "removing": "Removing"}),
    "crictl": ("STATE", 4, {state: state.removeprefix("CONTAINER_").capitalize()
                            for state in ("CONTAINER_CREATED", "CONTAINER_RUNNING", "CONTAINER_EXITED")}),
}  # fmt: skip


def states(client: str, text: str) -> dict[str, Any]:
    """Return State by name of an inspect; of crictl's with the keys that docker has."""
    if client == "crictl":
        shown = {one["status"]["metadata"]["name"]: one for one in objects(text)}
        return {name: {"Status": one["status"]["state"], "Running": one["status"]["state"] == "CONTAINER_RUNNING",
                       "Pid": one["info"]["pid"]} for name, one in shown.items()}  # fmt: skip
    return {one["Name"].removeprefix("/"): one["State"] for one in objects(text)[0]}


def agree_on_containers(client: str, text: dict[str, str]) -> None:
    """What runs is the same for ps, inspect and docker info."""
    title, place, words = CLIENTS[client]
    all_of_them, running = (column(text[view], title, place) for view in ("ps-a", "ps"))
    state = states(client, text["inspect"])
    assert set(all_of_them) == set(state)
    assert running == {name: word for name, word in all_of_them.items() if state[name]["Running"]}
    for name, word in all_of_them.items():
        assert re.fullmatch(words[state[name]["Status"]], word), (name, word)
    if "info" in text:
        counts = dict(line.strip().split(": ", 1) for line in text["info"].splitlines())
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
    """A top lists living processes, the first one among them; ls finds the folder that has a config.json."""
    story = found.story(at)
    row, folder = story.container(name), paths.bundle(story.world.services[name].id)
    if "ls-bundle" in text:
        listing = found.show("ls-bundle", at, of=name)
        assert listing.startswith("total ") == (f"{folder}/config.json" in story.world.host.files)
    client = story.world.design.traits.client
    if f"{client}-top" not in text:
        return
    top = found.show(f"{client}-top", at, of=name)
    if top.startswith(("UID ", "USER ")):
        assert row is not None
        assert row.running
        inside = pids(top, 1)
        zombies = client == "podman"  # it lists them
        assert inside <= {pid for pid, process in story.world.host.procs.items() if process.alive or zombies}
        first = states(client, text[f"{client}-inspect"])[row.name]["Pid"]
        assert first in inside or not story.world.host.alive(first)
    elif story.daemon() is not None:
        assert top.startswith(("Error response from daemon: ", "Error: "))


def walk(found: Run, most: int) -> None:
    for at in thinned(found, most):
        views = [view for view in views_of(found.at().design) if view not in WHOLE or at == found.trace.end]
        text = {view: shown(found, view, at) for view in views}
        assert [view for view, it in text.items() if it and not it.endswith("\n")] == []
        story = found.story(at)
        if story.off:
            lines = [line for view, it in text.items() if registry.views()[view].on_host for line in it.splitlines()]
            assert set(lines) == {"(the host is off)"}
            continue
        agree_on_processes(text, story)
        for service in found.trace.setup.services:
            agree_on_a_container(found, at, service.name, text)
        client = story.world.design.traits.client
        spoken = {view.removeprefix(f"{client}-"): it for view, it in text.items() if view.startswith(f"{client}-")}
        if story.daemon() is None:
            assert {spoken[view] for view in ASKING if view in spoken} == {f"{story.silence()}\n"}
        else:
            agree_on_containers(client, spoken)
            of_engine = "systemctl-status" in text and not units_of(story)
            assert not of_engine or re.search(UP, text["systemctl-status"])


@pytest.mark.mostly_long
@pytest.mark.parametrize("name", ALL)
def test_views_agree(name: str) -> None:
    """At some moments of a run."""
    walk(run(name), QUICK)


SMALL = """
engine: {design: %s}
services:
  web: {image: nginx, ports: ["80:80"], restart: always}
  db: {image: postgres, x-payload: {exits: {code: 3, after: 1s}}}
steps: [{id: kill, at: 2s, kill: payload/web}]
until: 30s
"""


@cache
def small(design: str) -> Run:
    return run_scenario(load("small.yaml", SMALL % design))


@pytest.mark.parametrize("design", DESIGNS)
def test_every_view_that_a_design_has_answers_and_every_other_is_refused(design: str) -> None:
    """One sentence says why; the hint names the same view of the host's own command, and all that there are."""
    found = small(design)
    has, client = views_of(DESIGNS[design]), DESIGNS[design].traits.client
    for view in all_views():
        if view in has:
            assert shown(found, view, found.moment("kill+1ms")).strip("\n"), view
            continue
        with pytest.raises(InputError) as caught:
            found.show(view)
        (problem,) = caught.value.problems
        assert problem.what.startswith(f"{design} has no {view}: ")
        assert problem.hint.endswith(f"Valid: {', '.join(has)}.")
        same = f"{client}-{view.partition('-')[2]}"
        assert (f"Did you mean {same}? " in problem.hint) == (same in has), problem.hint


@pytest.mark.parametrize("design", DESIGNS)
def test_a_top_lists_what_runs(design: str) -> None:
    """Wherever there is a top, the container's own process; crictl has none."""
    found, client = small(design), DESIGNS[design].traits.client
    if f"{client}-top" not in views_of(DESIGNS[design]):
        assert client == "crictl"
        return
    first = states(client, found.show(f"{client}-inspect", "kill-1ms"))["web"]["Pid"]
    assert pids(found.show(f"{client}-top", "kill-1ms", of="web"), 1) == {first}


@pytest.mark.parametrize("design", DESIGNS)
def test_views_agree_on_every_design(design: str) -> None:
    """Before and after a death: ps, inspect and top are of one mind in the words of the host's own command."""
    walk(small(design), QUICK)


def test_each_command_is_of_some_design() -> None:
    """No view is refused everywhere, and each host's listing stands on its page."""
    clients = {it.traits.client for it in DESIGNS.values()}
    assert clients == {view.client for view in RUN_VIEWS.values()} - {""} == {*CLIENTS}
    assert all(f"{client}-ps" in paged(client) for client in clients)


SEEN = {  # row -> what docker is told at some moment, the unit's states, whether the host is off
    "T43": ({"", "Cannot", "(docker"}, {"active", "auto-restart", "activating"}, {False}),
    "T41": ({"", "Cannot", "(docker"}, {"active", "deactivating", "failed", "activating"}, {False}),
    "T51#5": ({"", "Cannot", "(docker"}, {"active", "inactive", "activating"}, {False, True}),
    "T53": ({"", "Cannot", "(docker"}, {"active", "activating"}, {False}),
}


@pytest.mark.parametrize("name", SEEN)
def test_the_walk_comes_by_every_kind_of_moment(name: str) -> None:
    """A dockerd that is down, starts, is stopped; a unit that waits, stops, fails; a host that is off."""
    told, unit, off = zip(*(kind(run(name).story(at)) for at in thinned(run(name), QUICK)), strict=True)
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
    walk(run(name), LONG)

"""Every view can be shown at every moment of a run, and views that tell the same thing agree."""

from functools import cache

import pytest

from sim.experiment.run import Run, run_scenario
from sim.predicates import status_of
from sim.render.docker_ps import status
from sim.render.registry import RUN_VIEWS, VIEWS
from sim.scenario import load
from sim.views.docker_inspect import inspected
from sim.views.story import Story

BUSY = """
services:
  web: {image: nginx, ports: ["80:80"], restart: always, x-payload: {exits: {code: 3, after: 1s}}}
  db: {image: db, restart: "no", x-payload: {on_term: none}}
steps:
  - {at: 1s, docker: restart -t 1 db}
  - {at: 5s, docker: rm -f db}
  - {at: 6s, docker: run -d --name db db}
  - {id: stop, at: 8s, docker: stop web}
  - {at: 9s, docker: start web}
  - {at: 10s, kill: shim/db}
  - {at: 12s, kill: containerd}
  - {at: 20s, kill: dockerd}
  - {at: 50s, systemctl: stop docker}
  - {at: 80s, systemctl: start docker}
until: 100s
"""
SCENARIOS = ("busy", "reboot-herd", "shim-while-containerd-down")


@cache
def run(name: str) -> Run:
    return run_scenario(load("busy.yaml", BUSY) if name == "busy" else load(name))


def moments(name: str, count: int) -> list[int]:
    """Return moments spread over the events of a run, the first and the last among them."""
    trace = run(name).trace
    return [trace[at].at or 0 for at in range(0, len(trace), max(len(trace) // count, 1))] + [trace.end]


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("view", [*VIEWS, *RUN_VIEWS])
def test_every_view_can_be_shown_at_any_moment(name: str, view: str) -> None:
    """No moment of a run is one that a view cannot show, and each view ends its last line."""
    for at in moments(name, 3 if view == "perfetto" else 30):  # that one tells the whole run up to the moment
        text = run(name).show(view, at)
        assert text == "" or text.endswith("\n"), (view, at)


STATUS = {"running": "Up ", "paused": "Up ", "restarting": "Restarting (", "created": "Created", "exited": "Exited (",
          "dead": "Dead", "removing": "Removal In Progress"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_inspect_agrees_with_docker_ps_at_any_moment(name: str) -> None:
    """State.Status, its flags, the STATUS of docker ps and the predicate `status` are of one mind."""
    trace = run(name).trace
    story, seen = Story(trace), set()
    for at in sorted({record.at or 0 for record in trace}):
        if story.to(at).daemon() is None:
            continue
        for row in story.containers():
            found, record = inspected(story, row.name), story.believed(row.name)
            assert found is not None
            assert record is not None
            state = found["State"]
            seen.add(state["Status"])
            assert state["Status"] == status_of(record)
            assert status(row, trace.unix(story.at)).startswith(STATUS[state["Status"]])
            assert state["Running"] == (state["Status"] in ("running", "paused", "restarting"))
            assert state["Restarting"] == (state["Status"] == "restarting")
            assert bool(state["Pid"]) == (state["Status"] in ("running", "paused"))
    assert {"running", "exited"} <= seen or name == "reboot-herd"

"""The story of a run and the causes in it say of each design what is true of it."""

from __future__ import annotations

import re
from functools import cache

import pytest

from sim.designs import DESIGNS, roles
from sim.engine.role import Kind
from sim.experiment.run import Run, run_scenario
from sim.scenario import load

SCENARIO = """
engine: {{design: {design}}}
services: {{web: {{image: nginx, restart: always, x-payload: {{on_term: ignore}}}}}}
steps:
  - {{id: shot, at: 1s, kill: payload/web}}
{steps}
until: 40s
"""


@cache
def run_of(design: str) -> Run:
    """Return a run in which a program is killed, the engine's daemon too, and a container is stopped, if one may."""
    traits, steps = DESIGNS[design].traits, []
    if traits.client in ("docker", "podman"):
        steps.append("  - {id: stop, at: 5s, docker: stop -t 1 web}")
    if traits.engine in DESIGNS[design].programs:
        steps.append(f"  - {{id: down, at: 10s, kill: {traits.engine}}}")
    return run_scenario(load("life.yaml", SCENARIO.format(design=design, steps="\n".join(steps))))


def said(found: Run) -> str:
    """Return the story, and the causes of what there is at the end and of each thing in between."""
    asked = [found.why(question, at) for question in ("container web", "process payload/web") for at in ("shot", "end")]
    return "\n".join([found.tell(), *asked])


@pytest.mark.parametrize("design", DESIGNS)
def test_no_daemon_is_named_that_a_design_does_not_have(design: str) -> None:
    """Neither in the story nor in a cause."""
    absent = [name for name, role in roles().items() if role.kind in (Kind.DAEMON, Kind.GUEST)]
    text = said(run_of(design))
    found = [it for it in absent if it not in DESIGNS[design].roles and re.search(rf"\b{it}\b", text)]
    assert found == []


@pytest.mark.parametrize("design", [name for name, it in DESIGNS.items() if it.traits.client in ("docker", "podman")])
def test_a_stop_is_told_with_its_signals(design: str) -> None:
    """Whoever of the engine sends them, TERM and, after the grace, KILL: a daemon, or a runc or crun that it runs."""
    found = run_of(design)
    story = found.tell().partition("stop -t 1 web")[2].partition("kill")[0]
    assert "TERM to web" in story
    assert "KILL to web" in story


def test_a_holder_that_leaves_with_its_containers_code_is_no_news() -> None:
    """conmon hands on the code; one that is killed is told."""
    text = "engine: {design: podman}\nservices: {web: {image: x, x-payload: {exits: {code: 3, after: 1s}}}}\nuntil: 5s"
    assert "conmon of" not in run_scenario(load("ends.yaml", text)).tell()
    text = (
        "engine: {design: podman}\nservices: {web: {image: x}}\nsteps: [{id: k, at: 1s, kill: conmon/web}]\nuntil: 5s"
    )
    assert "conmon of web: killed by KILL" in run_scenario(load("shot.yaml", text)).tell()


def test_a_unit_that_failed_before_t_0_is_told() -> None:
    """A steady host's start is one line only if all went well: a container's unit is told as a daemon's is."""
    text = "engine: {{design: podman-quadlet}}\nservices: {{web: {{image: x{more}}}, db: {{image: y}}}}\nuntil: 5s"
    ends = text.format(more=", x-payload: {exits: {code: 1, after: 5ms}}")
    assert "web.service failed" in run_scenario(load("failed.yaml", ends)).tell()
    story = run_scenario(load("well.yaml", text.format(more=""))).tell()
    assert "2 containers started" in story
    assert "failed" not in story


BEFORE = """
engine: {design: %s}
host: {uptime: 10s}
services:
  a: {image: nginx, restart: always, ports: ["80:80"], x-payload: {exits: {after: 5ms, code: 1}}}
  b: {image: nginx, ports: ["80:80"]}
until: 3s
"""
TYPED = ("systemctl start ", "docker run ", "podman run ", "kubectl apply ")


@pytest.mark.parametrize("design", DESIGNS)
def test_the_host_s_start_is_told_in_commands(design: str) -> None:
    """What no file says has no id that anybody knows: neither in the story nor in what --json prints."""
    found = run_scenario(load("before.yaml", BEFORE % design))
    lines = found.summary().lines
    early = [line for line in lines if line.step.startswith("(")]
    assert len(early) > 1
    assert [line for line in early if not line.text.startswith(TYPED) or line.note] == []
    assert "step (" not in " ".join([found.tell(), *(line.text for line in lines)])


def test_a_failure_before_the_file_s_first_step_names_its_command() -> None:
    """Two containers want one port: the second one's run fails, and the story says so."""
    found = run_scenario(load("before.yaml", BEFORE % "docker-26"))
    assert "docker run b failed: Error response" in found.tell()


@pytest.mark.parametrize("design", ["podman", "podman-quadlet"])
def test_a_container_that_left_before_its_start_was_told_has_no_numbers(design: str) -> None:
    """Nothing stands in brackets where no process is left that could be named."""
    short = BEFORE.replace('ports: ["80:80"], ', "").replace("5ms", "1ms").partition("  b:")[0] + "until: 3s"
    story = run_scenario(load("short.yaml", short % design)).tell()
    assert "engine: start: a\n" in story
    assert "()" not in story

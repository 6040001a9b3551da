"""The story of a violation as plain data."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import msgspec
import pytest

from sim.drive.explore import begin
from sim.engine.setup import Setup
from sim.model import step
from sim.scenario import load
from sim.testing.setups import fitted
from sim.views.counterexample import Counterexample, begins, counterexample
from sim.views.deeds import Deed
from tests.drive.lives import CASES, HASTY, UP, WITH_PORT, docker, kill, setup_of, systemctl
from tests.drive.plain import choices
from tests.drive.stories import T28, WEB, story

replaced = msgspec.structs.replace


def told(setup: Setup, *names: str, **options: Any) -> Counterexample:
    path, _ = story(setup, *names)
    return counterexample(setup, path.actions, "V3", **options)


def texts(found: Counterexample, number: int) -> list[str]:
    return [deed.text for deed in found.paragraphs[number - 1].deeds]


def test_each_paragraph_is_of_another_program() -> None:
    """A number is a context switch: paragraphs that follow each other have different actors, and each says a deed."""
    found = told(setup_of(WITH_PORT, UP, *docker("run")), "...", "dockerd start/web state_running")
    actors = [paragraph.actor for paragraph in found.paragraphs]
    assert all(one != other for one, other in pairwise(actors))
    assert all(paragraph.deeds for paragraph in found.paragraphs)
    assert [paragraph.number for paragraph in found.paragraphs] == list(range(1, len(actors) + 1))


def test_six_runs_of_iptables_are_one_deed_of_their_parent() -> None:
    """A program that does one thing for its parent is told as its parent's deed, and equal ones are counted."""
    found = told(setup_of(WITH_PORT, UP, *docker("run")), "...", "dockerd start/web fork_start_proxy")
    assert not [paragraph for paragraph in found.paragraphs if "iptables" in paragraph.actor]
    assert Deed("start web", "run iptables", times=6) in found.paragraphs[-1].deeds


def test_the_trees_are_those_before_and_after_the_decisive_action() -> None:
    """Before the shim's death its payload hangs below it, after it below PID 1."""
    found = told(WEB, *T28)
    for table, parent in ((found.before, "shim"), (found.after, "init")):
        rows = {row.pid: row for row in table.procs}
        (payload,) = (row for row in table.procs if row.role == "payload")
        assert rows[payload.ppid].role == parent


def test_another_action_may_be_the_decisive_one() -> None:
    """Where a property breaks earlier than the story ends, the trees are those of that moment."""
    path, _ = story(WEB, *T28)
    found = told(WEB, *T28, decisive=len(path) - 3)
    assert found.decisive == 1
    assert "containerd" not in [row.role for row in found.after.procs if row.state != "Z"]


def test_what_a_step_kills_is_told_with_the_step() -> None:
    """The death that follows at once belongs to the kill; one that comes later is told where it comes."""
    setup = setup_of(HASTY, UP, *docker("run"), kill("containerd", "shot"))
    at_once = told(setup, "...", "step shot begin", "KILL to containerd")
    assert at_once.paragraphs[-1].actor == "step shot"
    assert texts(at_once, len(at_once.paragraphs))[:2] == ["kill -KILL containerd", "die of SIGKILL"]
    later = told(setup, "...", "step shot begin", "init start_token start_limit", "KILL to containerd")
    assert later.paragraphs[-1].actor == "containerd"
    assert texts(later, len(later.paragraphs))[0] == "die of SIGKILL"


def test_the_way_not_taken_is_told_beside_what_was_taken() -> None:
    """The sibling names who could have come first, and what came instead."""
    path, world = story(WEB, *T28[:2])
    action = next(a for a in choices_of(world) if getattr(a, "fid", ("", ""))[1] == "wait_containerd")
    found = told(WEB, *T28, sibling=(len(path), action))
    assert found.sibling is not None
    assert (found.sibling.number, found.sibling.actor, found.sibling.instead_actor) == (3, "dockerd", "fault")
    assert [deed.text for deed in found.sibling.deeds] == ["note that containerd is gone"]


def choices_of(world: Any) -> list[Any]:
    calm = world.copy()
    calm.setup = replaced(world.setup, faults=type(world.setup.faults)())
    return choices(calm)


def test_a_failed_command_says_what_its_user_reads() -> None:
    """A docker run without a daemon is told with the words of the real command."""
    setup = setup_of(HASTY, *docker("run"))
    found = told(setup, "...", "step run 0 finish")
    assert texts(found, 1) == [
        "docker run web",
        (
            "its user reads: Cannot connect to the Docker daemon at unix:///var/run/docker.sock."
            " Is the docker daemon running?"
        ),
    ]


LIVES = {name: setup for name, (setup, _) in CASES.items()} | {
    "podman": fitted(setup_of(WITH_PORT, *docker("run", "pause", "unpause", "restart", "stop", "rm")), "podman"),
    "podman-quadlet": fitted(
        setup_of(WITH_PORT, *(systemctl(verb, "web") for verb in ("start", "restart", "stop"))), "podman-quadlet"
    ),
}


@pytest.mark.parametrize("case", LIVES)
def test_every_action_of_a_whole_life_has_words(case: str) -> None:
    """No op of a life lacks words: nothing falls back to its name in the code."""
    setup = LIVES[case]
    world, prologue = begin(setup, "open")
    actions = list(prologue.actions)
    while possible := choices(world):
        actions.append(possible[0])
        step(world, possible[0])
    found = counterexample(setup, actions, "V1")
    words = [deed.text for paragraph in found.paragraphs for deed in paragraph.deeds]
    assert len(words) > 60
    names = {op.name for procedure in world.design.procedures.values() for op in procedure.ops}
    assert [word for word in words if word in names] == []


@pytest.mark.parametrize(
    ("design", "begin", "text"),
    [
        ("docker-26", "steady", "The host is up: docker.service runs, and web."),
        ("cri-o", "off", "systemd runs; crio.service is stopped and no container exists."),
        ("podman", "steady", "The host is up: web."),
        ("podman-quadlet", "off", "systemd runs; no container exists."),
    ],
)
def test_a_story_begins_with_what_runs(design: str, begin: str, text: str) -> None:
    """The engine's unit, if there is one, and the containers."""
    setup = load("x.yaml", f"{{engine: {{design: {design}}}, services: {{web: {{}}}}, host: {{begin: {begin}}}}}").setup
    assert begins(setup) == text

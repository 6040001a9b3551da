"""What can be exercised is what the tables hold; what a step exercised is what it did; what the suite says of it."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

import sim.drive.timed
from sim.designs import DESIGNS
from sim.drive.explore import COMPLETE, Exploration, explore
from sim.drive.explore.exploration import Base, Mode
from sim.drive.timed import run
from sim.drive.turn import TimedTurn
from sim.engine import ops
from sim.engine.setup import FaultBudget, OnTerm
from sim.faults import FAULTS, Fault, kind_of
from sim.model import act, enabled, initial, step
from sim.scenario import load
from sim.views.coverage import KINDS, Coverage, Named, coverage, exercised_in, items, names, steps_at
from tests.drive.lives import HASTY, UP, docker, setup_of
from tests.exercised import keeping, noting
from tests.views.test_statechart import STORIES, watched

ROOT = Path(__file__).resolve().parent.parent.parent
DOCKER = DESIGNS["docker-1.13"]
UNTOLD = {("containerd.worker", 9)}  # next_start's two returns leave no sign of which it was
WEB = "services:\n  web: {image: nginx, restart: always, x-payload: {on_term: ignore}}\nsteps:\n"

# -- what there is ----------------------------------------------------------------------------------


def numbered(kind: str) -> list[str]:
    """Return the names of a kind's items without what tells apart those that share one."""
    return [item.name.partition("#")[0] for item in items(DOCKER) if item.kind == kind]


def named(*kinds: type[ops.Op]) -> list[str]:
    """Return the names that the tables give their ops of some kinds."""
    return [f"{name}:{op.name}" for name, table in DOCKER.procedures.items() for op in table.ops if type(op) in kinds]


def test_every_item_of_the_tables_is_there_once() -> None:
    """Steps are all ops but gotos and returns that nothing reaches; limits all with `within`; lost all that ask."""
    tables = DOCKER.procedures.items()
    ops_of = {(name, op.index): op for name, table in tables for op in table.ops}
    assert all(isinstance(ops_of[place], ops.Jump | ops.Return) for place in set(ops_of) - set(names(DOCKER)))
    assert len(set(names(DOCKER).values())) == len(names(DOCKER)) == len(numbered("step"))
    assert numbered("limit") == [f"{name}:{op.name}" for (name, _), op in ops_of.items() if op.within is not None]
    assert numbered("lost") == named(ops.Ask, ops.Answered)
    assert len({(item.kind, item.name) for item in items(DOCKER)}) == len(items(DOCKER))


def test_ops_that_share_a_name_are_numbered_in_the_tables_order() -> None:
    """An unlock is no lock, an exit says its status, and the second of a name is #2."""
    own = [name.partition(":")[2] for (procedure, _), name in names(DOCKER).items() if procedure == "dockerd.kill"]
    assert own[:4] == ["lock_container#1", "kill_request", "ask_signal_task", "answer_signal_task"]
    assert names(DOCKER)["shim.main", 14] == "shim.main:exit 1"


def test_faults_are_those_that_may_befall_a_program() -> None:
    """Any process but PID 1 can be killed; what stalls, and so goes on, is a daemon, shim or proxy; people are none."""
    found = {kind: [item.program for item in items(DOCKER) if item.name.startswith(f"{kind} ")] for kind in FAULTS}
    assert found["kill"] == [name for name in DOCKER.programs if name not in ("init", "client")]
    assert found["stall"] == found["resume"] == ["journald", "dockerd", "containerd", "shim", "proxy", "exec-shim"]


def test_a_signal_that_is_a_fault_is_the_one_that_the_fault_sends() -> None:
    """The table of signals agrees with what the kinds of faults do."""
    world, _ = initial(setup_of(HASTY, UP))
    while not (found := [pid for pid, process in world.host.procs.items() if process.image.program == "dockerd"]):
        step(world, enabled(world)[0])
    (pid,) = found
    for signal, kind in (("STOP", "stall"), ("CONT", "resume"), ("KILL", "kill")):
        sent = {event.signal for event in step(world, Fault(kind, pid)) if hasattr(event, "signal")}
        assert (sent, kind_of(signal)) == ({signal}, kind)


def test_rows_count_in_the_designs_order() -> None:
    """A row for each kind and program that has items: kinds first, then programs; nothing, something, everything."""
    nothing = coverage(DOCKER, ())
    real = {(item.kind, item.program) for item in items(DOCKER)}
    assert [(row.kind, row.program) for row in nothing] == [
        (kind, name) for kind in KINDS for name in DOCKER.programs if (kind, name) in real
    ]
    assert sum(row.of for row in nothing) == len(items(DOCKER)) == sum(len(row.never) for row in nothing)
    everything = coverage(DOCKER, {(item.kind, item.name) for item in items(DOCKER)})
    assert all((row.exercised, row.never) == (row.of, ()) for row in everything)
    some = coverage(DOCKER, {("step", "shim.main:exit 0"), ("fault", "kill shim"), ("fault", "nonsense")})
    assert {row.exercised for row in some if row.program != "shim"} == {0}
    assert Coverage("fault", "shim", 3, 1, ("stall shim", "resume shim")) in some


def test_places_are_steps() -> None:
    """What a run reached, as statecharts mark it, counts as steps; a place of no op counts as nothing."""
    assert steps_at(DOCKER, {("init.main", 1), ("init.main", 99)}) == {("step", "init.main:notice")}


# -- what a step exercises --------------------------------------------------------------------------


def exercised(monkeypatch: pytest.MonkeyPatch, steps: str) -> set[Named]:
    """Return what a timed run of a small host exercises."""
    found: set[Named] = set()
    monkeypatch.setattr(TimedTurn, "emit", keeping(TimedTurn.emit))
    monkeypatch.setattr(sim.drive.timed, "act", noting(act, found.update))
    run(load("small.yaml", WEB + steps).setup)
    return found


@pytest.mark.parametrize(("steps", "some", "others"), [
    ("  - {at: 1s, docker: stop web}\n",
     [("limit", "dockerd.stop:stopped#1")], [("limit", "dockerd.stop:stopped#2")]),
    ("  - {at: 1s, kill: dockerd}\n  - {at: 1010ms, docker: stop web}\n",
     [("fault", "kill dockerd"), ("lost", "client.terminal:ask_docker_request")], [("fault", "stall dockerd")]),
    ("  - {at: 1s, docker: stop web}\n  - {at: 5s, kill: dockerd}\n",
     [("lost", "client.terminal:answer_docker_request")], [("lost", "client.terminal:ask_docker_request")]),
    ("  - {at: 1s, stop: dockerd}\n  - {at: 5s, cont: dockerd}\n",
     [("fault", "stall dockerd"), ("fault", "resume dockerd")], [("fault", "kill dockerd")]),
    ("  - {at: 1s, docker: kill web}\n", [("step", "dockerd.kill:kill_request")], [("fault", "kill payload")]),
])  # fmt: skip
def test_a_timed_step_counts(
    steps: str, some: list[Named], others: list[Named], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit that passes, a peer that is dead, a person's signal; docker's own signals are no faults."""
    found = exercised(monkeypatch, steps)
    assert set(some) <= found
    assert found.isdisjoint(others)


@pytest.mark.parametrize("seed", range(2))
def test_steps_are_what_was_taken_or_stood_at(seed: int) -> None:
    """In any order, a step counts if its op was taken or somebody came to it, and no other does."""
    dice, found = Random(seed), set[Named]()
    with watched() as came:
        world, _ = initial(STORIES["busy"])
        for _ in range(2000):
            came |= {(frame.procedure, frame.op) for frame in world.frames.values()}
            before, choices = world.copy(), enabled(world)
            if not choices:
                break
            action = dice.choice(choices)
            found |= exercised_in(before, action, step(world, action))
    steps = {one for one in found if one[0] == "step"}
    assert steps <= steps_at(DOCKER, came)
    assert steps_at(DOCKER, came - UNTOLD) <= steps


# -- an exploration ---------------------------------------------------------------------------------

START = replace(setup_of(HASTY, UP, *docker("run")), faults=FaultBudget(1, (("kill", 1),)))


@cache
def explored(jobs: int) -> Exploration:
    return explore(START, start="run 0", note=exercised_in, jobs=jobs)


@pytest.mark.long
def test_an_exploration_with_one_kill_exercises_kills_and_lost_peers() -> None:
    """Each program that runs while a container starts is killed in some order, and whoever asked it loses its peer."""
    found = explored(1)
    assert found.verdict == COMPLETE
    told = {kind: {name for of, name in found.exercised if of == kind} for kind in KINDS}
    assert told["fault"] == {f"kill {name}" for name in ("dockerd", "containerd", "shim", "runc", "hook", "payload")}
    assert {"dockerd.start:answer_create_container", "hook.main:ask_set_key"} <= told["lost"]
    assert "shim.main:exit 0" in told["step"]
    assert found.exercised <= {(item.kind, item.name) for item in items(DOCKER)}


def test_an_exploration_exercises_limits() -> None:
    """A container that does not heed TERM is killed when its time is over; nothing else takes as long in any order."""
    deaf = replace(HASTY, payload=replace(HASTY.payload, on_term=OnTerm("ignore")))
    found = explore(setup_of(deaf, *docker("stop"), begin="steady"), note=exercised_in)
    assert {name for kind, name in found.exercised if kind == "limit"} == {"dockerd.stop:stopped#1"}


@pytest.mark.long
def test_processes_that_search_together_exercise_the_same() -> None:
    """What is found does not depend on how many search."""
    assert explored(2).exercised == explored(1).exercised


def counts(found: Exploration) -> tuple[int, ...]:
    return found.states, found.transitions, found.depth, found.taped


def test_an_exploration_that_is_not_asked_notes_nothing() -> None:
    """Without a note nothing is exercised, and as much is found as with one."""
    setup = setup_of(HASTY, UP)
    plain, told = explore(setup, start="up"), explore(setup, start="up", note=exercised_in)
    assert (plain.exercised, bool(told.exercised)) == (frozenset(), True)
    assert counts(plain) == counts(told)


@pytest.mark.parametrize("seed", range(8))
def test_a_taped_step_exercises_what_the_plain_one_does(seed: int) -> None:
    """The same steps in a world of names and in one of numbers count the same."""
    base = Base(START, (), Mode(start="run 0", untimed=True), exercised_in)
    lock, dice, expected = base.lockstep(), Random(seed), set[Named]()
    base.learner.exercised.clear()
    for _ in range(400):
        choices = enabled(lock.world)
        if not choices:
            break
        action = dice.choice(choices)
        expected |= exercised_in(lock.world, action, step(lock.world.copy(), action))
        lock.take(action)
    assert base.learner.exercised == expected
    assert {kind for kind, _ in expected} >= {"step", "fault"}


# -- the suite --------------------------------------------------------------------------------------

SMALL = """
from sim.drive.explore import explore
from sim.drive.timed import run
from sim.scenario import load
from tests.drive.lives import HASTY, UP, setup_of

WEB = "services: {web: {image: nginx}}\\nsteps: [{at: 1s, %s: %s}]"

def test_kill(): run(load("a.yaml", WEB % ("kill", "shim/web")).setup)
def test_stop(): run(load("a.yaml", WEB % ("docker", "stop web")).setup)
def test_explore(): explore(setup_of(HASTY, UP), start="up")
"""


@pytest.mark.parametrize(
    "words", [pytest.param((), id="one process"), pytest.param(("-n", "2"), id="two", marks=pytest.mark.long)]
)
def test_the_tests_say_what_they_exercise(words: tuple[str, ...], tmp_path: Path) -> None:
    """One table at the end, whoever ran the tests, and nothing is left behind."""
    (tmp_path / "test_small.py").write_text(SMALL)
    own = ("-q", "-c", "pyproject.toml", "-p", "no:cacheprovider", "-p", "tests.conftest", *words)
    command = [sys.executable, "-m", "pytest", *own, str(tmp_path / "test_small.py")]
    env = {**os.environ, "TMPDIR": str(tmp_path), "SHIMULATOR_COVERAGE": "yes"}
    said = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    heading = ": exercised by these tests"
    _, _, table = said.partition(f"docker-1.13{heading}")
    rows = [line.split() for line in table.partition(heading)[0].splitlines()]
    assert [row for row in rows if row[:2] == ["fault", "shim"]] == ["fault shim 1 of 3 stall, resume".split()]
    (steps,) = (row for row in rows if row[:2] == ["step", "shim"])
    assert int(steps[2]) >= 13
    assert not list(tmp_path.glob("shimulator-coverage-*"))

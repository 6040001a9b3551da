"""Names of actions, and runs in a given order."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sim.drive.timed
from sim.drive.explore import begin, replay
from sim.drive.follow import Followed, driver_of, find, name_of
from sim.drive.timed import Timed
from sim.engine.setup import FaultBudget, Setup
from sim.errors import InputError
from sim.kernel.events import Listened
from sim.model import Open, act, enabled, initial, step
from tests.drive.lives import AGREE, FIRST_PID, HASTY, UP, docker, setup_of
from tests.drive.plain import choices
from tests.drive.stories import T28, WEB, fault_walk, replaced, story
from tests.test_canonical import STORMS, a_permutation, mapped, renamed


@given(st.sampled_from(STORMS), st.integers(0, 2**32))
def test_a_name_leads_back_to_its_action(setup: Setup, seed: int) -> None:
    """Whatever may happen has a name that nothing else bears at that moment, faults too."""
    dice = Random(seed)
    for world, _ in fault_walk(setup, seed):
        if dice.random() < 0.04:
            actions = enabled(world)
            assert [find(world, name_of(world, action)) for action in actions] == actions


@given(st.sampled_from(STORMS), st.integers(0, 2**32))
def test_a_name_does_not_depend_on_numbers(setup: Setup, seed: int) -> None:
    """With other numbers for all processes the same actions have the same names, and no number is in a name."""
    dice = Random(seed)
    for world, _ in fault_walk(setup, seed):
        if dice.random() < 0.02:
            numbers = a_permutation(world, dice)
            twin = renamed(world, numbers)
            names = [name_of(world, action) for action in enabled(world)]
            assert [name_of(twin, mapped(action, numbers)) for action in enabled(world)] == names
            assert not [name for name in names for number in numbers if number >= FIRST_PID and str(number) in name]


def test_equals_are_counted_in_the_order_of_their_forks() -> None:
    """While runc has stages, its second process is #2; when the first has left, the second is the first."""
    setup = setup_of(HASTY, UP, *docker("run"))
    _, world = story(setup, "...", "runc/web create fork_stage0")
    assert find(world, "runc/web#2 stage0 fork_stage1") is not None
    step(world, find(world, "runc/web#2 stage0 fork_stage1") or Open())
    assert {name_of(world, a) for a in enabled(world)} >= {"runc/web#2 stage0 exit", "runc/web#3 stage1 fork_stage2"}


# -- runs in an order ---------------------------------------------------------------------------------


def ordered(setup: Setup, seed: int, length: int) -> tuple[Setup, Any]:
    """Return a setup with the order of a random walk by the explorer's rules, and the walk's own trace."""
    dice = Random(seed)
    world, prologue = begin(setup, "open")
    actions, names = list(prologue.actions), list[str]()
    while len(names) < length and (possible := choices(world)):
        action = dice.choice(possible)
        names.append(name_of(world, action))
        actions.append(action)
        step(world, action)
    return replaced(setup, order=tuple(names)), replay(setup, msgspec.structs.replace(prologue, actions=tuple(actions)))


@pytest.mark.long
@given(st.sampled_from(STORMS), st.integers(0, 2**32), st.integers(1, 400))
def test_a_run_follows_its_order(setup: Setup, seed: int, length: int) -> None:
    """The facts are those of the path, time never runs backwards, and after the order the run goes on to its end."""
    setup, path = ordered(setup, seed, length)
    trace = Followed(setup).run()
    assert [record.event for record in trace][: len(path)] == [record.event for record in path]
    times: list[Any] = [record.at for record in trace]
    assert times == sorted(times)
    assert times[-1] <= trace.end


# In `off` health checks tick, in a phase from before t = 0: what came before follows the fixed order in one of the two.
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("case", [case for case in AGREE if case != "off"])
def test_a_timed_runs_own_order_gives_its_own_times(case: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where cores are plenty, a run that follows what a timed run did is that run, to the microsecond."""
    setup = AGREE[case][0]
    setup = replaced(setup, host=replaced(setup.host, cores=1000))
    names: list[str] = []
    opened: list[Any] = []

    def watched(turn: Any, action: Any) -> None:
        if opened:
            names.append(name_of(turn.world, action))
        if isinstance(action, Open):
            opened.append(action)
        act(turn, action)

    with monkeypatch.context() as patch:
        patch.setattr(sim.drive.timed, "act", watched)
        timed = Timed(setup, seed).run()
    followed = Followed(replaced(setup, order=tuple(names)), seed).run()
    assert since_open(followed) == since_open(timed)
    assert followed.end - followed.origin == timed.end - timed.origin


def since_open(trace: Any) -> list[Any]:
    return [(record.at - trace.origin, record.event) for record in trace if record.at >= trace.origin]


def test_a_short_action_waits_for_a_long_one_before_it() -> None:
    """What the order puts behind a timer happens when the timer has rung, however short it is."""
    path, _ = story(setup_of(HASTY, UP), "...", "dockerd boot open_sockets")
    setup, names = setup_of(HASTY, UP), order_of(setup_of(HASTY, UP), path)
    trace = Followed(replaced(setup, order=(*names[:-1], "init start_token start_limit", names[-1]))).run()
    at = {record.event.address: record.at or 0 for record in trace if isinstance(record.event, Listened)}
    opened = at["unix:/var/run/docker.sock"]
    assert opened - trace.origin >= 10_000_000


def order_of(setup: Setup, path: Any) -> list[str]:
    world, _ = initial(setup)
    names: list[str] = []
    opened = False
    for action in path.actions:
        if opened:
            names.append(name_of(world, action))
        opened = opened or isinstance(action, Open)
        step(world, action)
    return names


def test_a_fault_may_stand_in_an_order() -> None:
    """A fault is taken by its own name, without a budget, at the time of what came before it."""
    trace = Followed(replaced(WEB, order=T28, faults=FaultBudget())).run()
    world = trace.at(trace.origin + 1_000)
    assert [p.ppid for p in world.host.procs.values() if p.image.program == "payload"] == [1]


def test_an_action_that_cannot_happen_is_refused_with_what_can() -> None:
    """The error says which entry, what came before it, the nearest name, and what can happen there."""
    setup = replaced(setup_of(HASTY, UP), order=("step up more_steps", "step up await", "step up start"))
    with pytest.raises(InputError) as caught:
        Followed(setup).run()
    assert str(caught.value) == (
        "order, entry 3 of 3: 'step up start' cannot happen after 'step up await'. "
        "Did you mean 'step up begin'? What can: step up begin."
    )


def test_the_driver_is_that_of_the_order() -> None:
    """Only a setup with an order is followed."""
    assert type(driver_of(WEB)) is Timed
    assert type(driver_of(replaced(WEB, order=T28))) is Followed


def test_a_late_action_says_so() -> None:
    """A limit and the op that it limits have different names."""
    setup = setup_of(HASTY, UP, *docker("run", "stop"))
    _, world = story(setup, "...", "dockerd stop/web sent")
    assert find(world, "dockerd stop/web stopped late") is not None

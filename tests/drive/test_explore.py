"""The explorer: how much it finds, how it ends, what it says of properties, and where it stops."""

from __future__ import annotations

from random import Random

import pytest

from sim.drive.explore import COMPLETE, Limits, Path, SearchFault, explore, replay
from sim.engine.goroutine import ModelFault
from sim.engine.setup import Docker, Instant, Setup, Step
from sim.facts import StepDone
from sim.faults import Fault
from sim.model import initial, step
from sim.properties import PROPERTIES
from sim.world import evolve
from tests.canonical import key
from tests.drive.lives import (
    AGREE,
    AT_REST,
    CASES,
    HASTY,
    HUNG,
    PLAIN,
    UP,
    docker,
    ends,
    explored,
    setup_of,
    signal,
    with_faults,
    world_of,
)
from tests.drive.spaces import asked

SMALL: dict[str, tuple[Setup, str]] = {
    "plain": CASES["plain"],
    "port": CASES["port"],
    "steady": CASES["steady"],
    "shot": AGREE["shot"],
    "any kill": (with_faults(AT_REST), "open"),
}
# states, transitions, depth, ends. A number that changes is explained in the commit that changes it.
FOUND = {
    ("plain", "reduced"): (967, 2102, 102, 2),
    ("plain", "full"): (2904, 8490, 136, 2),
    ("port", "reduced"): (1174, 2401, 148, 2),
    ("port", "full"): (3158, 8882, 183, 2),
    ("steady", "reduced"): (789, 1794, 148, 2),
    ("steady", "full"): (2553, 7813, 201, 2),
    ("shot", "reduced"): (434, 1059, 79, 1),
    ("shot", "full"): (853, 2312, 97, 1),
    ("any kill", "reduced"): (524, 708, 88, 5),
    ("any kill", "full"): (1096, 1970, 112, 5),
}


# -- how much, and how it ends ----------------------------------------------------------------------


@pytest.mark.parametrize(("case", "how"), FOUND)
def test_a_small_scenario_has_so_many_states(case: str, how: str) -> None:
    """The counts are those of the table; a change here is a change of the model or of the explorer."""
    setup, start = SMALL[case]
    found = explore(setup, start=start, reduce=how == "reduced")
    assert found.verdict == COMPLETE
    assert (found.states, found.transitions, found.depth, len(found.ends)) == FOUND[case, how]


@pytest.mark.parametrize("case", CASES)
def test_nothing_stands_still_before_the_terminal_is_done(case: str) -> None:
    """Where nothing is enabled any more, every terminal has ended, and each step was answered."""
    for world in ends(case):
        assert [frame.procedure for frame in world.frames.values() if frame.fid[0] == 0] == []


@pytest.mark.parametrize("case", CASES)
def test_nothing_of_a_removed_container_is_left(case: str) -> None:
    """In every end the container is gone: processes, files, fifos, rules, dockerd's memory; and nobody is a zombie."""
    for world in ends(case):
        host = world.host
        assert sorted(process.image.program for process in host.procs.values()) == ["containerd", "dockerd", "init"]
        assert not host.zombies
        assert not host.fifos
        assert not host.rules
        assert [address for address in host.listeners if not address.startswith("unix:")] == []
        assert [path for path in host.files if "web" in path] == []
        kept = [name for pid in host.procs for name in world.memory.get(pid, {})]
        assert [name for name in kept if name.endswith("web") or name.startswith(("address/", "tcp:"))] == []


@pytest.mark.parametrize("case", CASES)
def test_no_step_fails_in_any_end(case: str) -> None:
    """Whatever the order, each command succeeds on the way to each end."""
    found = explored(case)
    for end in found.ends:
        trace = replay(found.base.setup, found.path_to(end))
        assert [record.event for record in trace if isinstance(record.event, StepDone) and record.event.error] == []


def test_a_container_that_fails_is_started_once_more_in_every_end() -> None:
    """With on-failure:1 the case `again` restarts its container: `die` comes twice on the way to each end."""
    found = explored("again")
    for end in found.ends:
        events = [record.event for record in replay(found.base.setup, found.path_to(end))]
        assert sum(getattr(event, "action", "") == "die" for event in events) == 2


def test_a_state_in_which_only_faults_are_left_is_an_end() -> None:
    """A host at rest is an end, and so is what comes of one kill; a stalled one can still go on, so it is none."""
    calm, killed, stalled = (explore(it) for it in (AT_REST, with_faults(AT_REST), with_faults(AT_REST, "stall")))
    assert (calm.states, calm.ends) == (1, [0])
    assert killed.ends[0] == stalled.ends[0] == 0
    assert len(killed.ends) > 1
    stopped = [
        [process.image.program for process in world_of(stalled.base.setup, stalled.path_to(end)).host.procs.values()
         if process.state == "T"]
        for end in stalled.ends
    ]  # fmt: skip
    assert stopped == [[]] * len(stalled.ends)


# -- where it stops ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        (Limits(states=100), "UNDETERMINED (limit of 100 states)"),
        (Limits(seconds=0), "UNDETERMINED (limit of 0 s)"),
        (Limits(megabytes=1), "UNDETERMINED (limit of 1 MB)"),
    ],
    ids=("states", "seconds", "memory"),
)
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_limit_is_a_verdict(limits: Limits, verdict: str, jobs: int) -> None:
    """An exploration that is cut off says at which limit, and does not say complete."""
    setup, start = CASES["plain"]
    found = explore(setup, start=start, limits=limits, jobs=jobs)
    assert (found.verdict, found.complete) == (verdict, False)
    assert 0 < found.states < FOUND["plain", "reduced"][0]


def test_progress_is_told() -> None:
    """Whoever waits hears of states, frontier and rate, and the counts are the same; the states only grow."""
    setup, start = CASES["plain"]
    told: list[tuple[int, int, float]] = []
    found = explore(setup, start=start, progress=lambda *news: told.append(news))
    assert (found.states, found.transitions, found.depth, len(found.ends)) == FOUND["plain", "reduced"]
    assert [states for states, _, _ in told] == sorted(states for states, _, _ in told)
    assert 0 < told[0][0] <= told[-1][0] <= found.states
    assert all(rate > 0 for _, _, rate in told[1:])


def test_a_start_that_never_comes_is_refused() -> None:
    """A step that the scenario does not have names what is valid."""
    with pytest.raises(ModelFault, match="valid: open, or the id of a step"):
        explore(CASES["plain"][0], start="lunch")


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_fault_of_the_model_says_where(jobs: int) -> None:
    """An op that the model cannot take stops the exploration with its name and what went wrong, and what it found."""
    setup = setup_of(PLAIN, UP, Step("x", Instant("after"), Docker("run", "nobody")))
    with pytest.raises(SearchFault, match=r"dockerd\.create:create: KeyError: 'nobody'") as caught:
        explore(setup, start="x", jobs=jobs)
    found = caught.value.found
    assert found.verdict == f"UNDETERMINED (a fault in the model: {caught.value})"
    assert len(found.reports) == jobs
    assert found.states > 1
    for part, report in enumerate(found.reports):
        for number in range(len(report.before)):
            assert replay(found.base.setup, found.path_to(number * jobs + part))


# -- paths ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduce", [True, False])
def test_a_path_leads_to_its_state(reduce: bool) -> None:
    """The path to a state, taken again, reaches that state, and its trace holds the same facts, without times."""
    setup, start = CASES["plain"]
    found = explore(setup, start=start, reduce=reduce)
    keys = set()
    states = Random(1).sample(range(found.states), 12)
    for state in states:
        path = found.path_to(state)
        trace = replay(found.base.setup, path)
        world = trace.first_world()
        for record in trace:
            evolve(world, record.event)
        assert key(world) == key(world_of(found.base.setup, path))
        assert {record.at for record in trace} == {None}
        assert all(record.cause < record.seq for record in trace)
        keys.add(key(world))
    assert len(keys) == len(states)


def test_without_reduction_a_path_is_as_long_as_its_state_is_deep() -> None:
    """The first state is the end of the prologue; no way is shorter than what the full search finds."""
    setup, start = CASES["plain"]
    full, reduced = (explore(setup, start=start, reduce=reduce) for reduce in (False, True))
    assert full.path_to(0).actions == full.base.prologue.actions
    lengths = [len(full.path_to(end)) - len(full.base.prologue) for end in full.ends]
    assert max(lengths) <= full.depth
    assert min(lengths) <= min(len(reduced.path_to(end)) - len(reduced.base.prologue) for end in reduced.ends)


def test_an_action_that_is_not_enabled_is_not_replayed() -> None:
    """A path with a hole says at which action."""
    found = explored("plain")
    actions = found.path_to(found.ends[0]).actions
    with pytest.raises(ModelFault, match="action 10 of the path is not enabled"):
        replay(found.base.setup, Path((*actions[:10], *actions[40:])))


# -- properties -------------------------------------------------------------------------------------


def test_always_shows_the_first_state_in_which_it_does_not_hold() -> None:
    """One kill of a shim while containerd is gone leaves the payload to PID 1 (V3); the path ends there."""
    setup = with_faults(AT_REST, most=2)
    found = explore(setup, asked=asked("V3", "every_parent_is_there"), first=True)
    assert set(found.shown) == {"V3"}
    path = found.path_to(found.shown["V3"])
    world, _ = initial(found.base.setup)
    held = []
    for action in path.actions:
        step(world, action)
        held.append(PROPERTIES["V3"].holds(world))
    assert not held[-1]
    assert all(held[len(found.base.prologue) - 1 : -1])
    assert sum(isinstance(action, Fault) for action in path.actions) == 2


def test_sometimes_shows_the_first_state_in_which_it_holds() -> None:
    """A guard that is met is shown, one that is not is not: with nobody to kill it dockerd never leaves."""
    setup, start = CASES["plain"]
    found = explore(setup, start=start, asked=asked("a_container_runs", "dockerd_leaves"))
    assert found.complete
    assert set(found.shown) == {"a_container_runs"}
    world = world_of(found.base.setup, found.path_to(found.shown["a_container_runs"]))
    assert PROPERTIES["a_container_runs"].holds(world)


def test_eventually_is_asked_of_ends() -> None:
    """A command to a dockerd that stands still has no answer in the end (V13); a living containerd is found again."""
    setup = setup_of(HASTY, signal("dockerd", "STOP", "hang"), *docker("stop"), begin="steady")
    found = explore(setup, asked=asked("V13", "V22"))
    assert (set(found.shown), found.cycles) == ({"V13"}, {})
    assert found.shown["V13"] in found.ends
    assert not PROPERTIES["V13"].holds(world_of(found.base.setup, found.path_to(found.shown["V13"])))


def test_eventually_that_holds_in_each_end_is_not_shown() -> None:
    """Whenever containerd is killed, dockerd has one again in the end."""
    found = explore(with_faults(AT_REST), asked=asked("V22", "V13"))
    assert (found.complete, found.shown, found.cycles) == (True, {}, {})


@pytest.mark.parametrize("reduce", [True, False])
def test_a_cycle_without_what_should_be_is_told(reduce: bool) -> None:
    """If containerd dies while a health check waits for it, dockerd dials for ever (T31): no end, but a cycle."""
    found = explore(HUNG, asked=asked("V22", "V13"), reduce=reduce)
    assert found.complete
    assert found.shown == {}
    assert set(found.cycles) == {"V22"}
    world = world_of(found.base.setup, found.path_to(found.cycles["V22"]))
    assert not PROPERTIES["V22"].holds(world)


def test_a_property_that_remembers_does_so_in_explored_states() -> None:
    """Marks of a property's watchers are part of a state: with them there are more, and V14 holds in all."""
    setup, start = CASES["plain"]
    found = explore(setup, start=start, asked=asked("V14", "V14b", "V11", "V12"), reduce=False)
    assert found.complete
    assert found.shown == {}
    assert found.states >= FOUND["plain", "full"][0]

"""The explorer: how much it finds, how it ends, that timed runs stay within it, and where its time rule ends."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

import sim.drive.timed
from sim.canonical import key
from sim.drive.explore import COMPLETE, SOUND_IF, Path, choices, explore, first, is_timer, replay
from sim.drive.timed import Timed
from sim.engine.goroutine import ModelFault
from sim.engine.ops import Sleep
from sim.engine.setup import Docker, Step
from sim.facts import StepDone, StepTaken
from sim.model import Go, Late, Open, act, enabled, initial, step
from sim.world import evolve
from tests.drive.lives import AFTER, AGREE, CASES, HASTY, PLAIN, UP, docker, ends, explored, kill, setup_of, world_of

# states, transitions, depth
FOUND = {
    "plain": (2117, 6120, 126),
    "port": (2371, 6512, 173),
    "hasty": (2881, 8972, 128),
    "steady": (3881, 11701, 185),
}

# -- how much, and how it ends ----------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_a_life_is_explored_whole(case: str) -> None:
    """Create, start, stop and rm of one container have so many states; a change here is a change of the model."""
    found = explored(case)
    assert found.verdict == COMPLETE
    assert (found.states, found.transitions, found.depth) == FOUND[case]


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
    """Whatever the order, each command succeeds on the shortest way to each end."""
    found = explored(case)
    for state in found.terminal:
        trace = replay(found.setup, found.path_to(state))
        assert [record.event for record in trace if isinstance(record.event, StepDone) and record.event.error] == []


def test_the_limit_is_a_verdict() -> None:
    """An exploration that is cut off says so and does not say complete."""
    setup, start = CASES["plain"]
    found = explore(setup, start=start, limit_states=100)
    assert found.verdict == "UNDETERMINED (limit of 100 states)"
    assert found.states == 100


def test_progress_is_told_at_each_thousand_states() -> None:
    """Whoever waits sees the number of states grow, and the verdict is the same."""
    setup, start = CASES["plain"]
    told: list[int] = []
    found = explore(setup, start=start, progress=told.append)
    assert (told, found.verdict) == ([1000, 2000], COMPLETE)


def test_a_start_that_never_comes_is_refused() -> None:
    """A step that the scenario does not have names what is valid."""
    with pytest.raises(ModelFault, match="valid: initial, open, or the id of a step"):
        explore(CASES["plain"][0], start="lunch")


# -- paths ------------------------------------------------------------------------------------------


def test_a_path_leads_to_its_state() -> None:
    """The path to a state, taken again, reaches that state, and its trace holds the same facts, without times."""
    found = explored("plain")
    for state in Random(1).sample(sorted(found.found), 20):
        path = found.path_to(state)
        trace = replay(found.setup, path)
        world = trace.first_world()
        for record in trace:
            evolve(world, record.event)
        assert key(world) == state == key(world_of(found.setup, path))
        assert {record.at for record in trace} == {None}
        assert all(record.cause < record.seq for record in trace)


def test_an_action_that_is_not_enabled_is_not_replayed() -> None:
    """A path with a hole says at which action."""
    found = explored("plain")
    actions = found.path_to(found.terminal[0]).actions
    with pytest.raises(ModelFault, match="action 10 of the path is not enabled"):
        replay(found.setup, Path((*actions[:10], *actions[40:])))


# -- the time rule ----------------------------------------------------------------------------------


def test_timers_ring_only_where_nothing_prompt_is_enabled() -> None:
    """A state offers prompt actions or timers, never both; untimed it offers all."""
    world, _ = initial(CASES["plain"][0])
    while actions := choices(world):
        timers = [action for action in actions if is_timer(world, action)]
        assert timers in ([], actions)
        assert choices(world, untimed=True) == enabled(world)
        step(world, actions[0])


def test_a_sleep_of_no_time_is_prompt() -> None:
    """A payload that is ready at once does not wait for others; a limit is a timer however short."""
    world, _ = initial(setup_of(HASTY, UP, *docker("run")))
    seen = set()
    while (action := first(world)) is not None:
        if isinstance(action, (Go, Late)):
            frame = world.frames[action.fid]
            op = world.design.procedures[frame.procedure].ops[frame.op]
            if isinstance(op, Sleep) or isinstance(action, Late):
                seen.add((op.name, is_timer(world, action)))
        step(world, action)
    assert ("ready", False) in seen
    assert ("start_limit", True) in seen


# -- timed runs stay within ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(1, 7))
@pytest.mark.parametrize("case", AGREE)
def test_a_timed_run_stays_within_what_was_explored(case: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each action of a timed run is one the explorer takes, each state from the start on is explored, so is its end."""
    setup, start = AGREE[case]
    found = explored(case)
    keys: list[bytes] = []
    timed = Timed(setup, seed)

    def watched(turn: Any, action: Any) -> None:
        assert action in enabled(turn.world)
        if keys:
            assert action in choices(turn.world)
            keys.append(key(turn.world))
        before = len(timed.trace)
        act(turn, action)
        starts = isinstance(action, Open) or StepTaken(start) in [r.event for r in timed.trace.records[before:]]
        if starts and not keys and (start == "open") == isinstance(action, Open):
            keys.append(key(turn.world))

    monkeypatch.setattr(sim.drive.timed, "act", watched)
    timed.run()
    assert len(keys) > 100
    assert [number for number, state in enumerate(keys) if state not in found.found] == []
    assert key(timed.world) in found.terminal


def test_a_container_that_fails_is_started_once_more_in_every_end() -> None:
    """With on-failure:1 the case `again` restarts its container: `die` comes twice on the way to each end."""
    found = explored("again")
    assert found.verdict == COMPLETE
    for state in found.terminal:
        events = [record.event for record in replay(found.setup, found.path_to(state))]
        assert sum(getattr(event, "action", "") == "die" for event in events) == 2


def test_a_timer_may_end_while_a_daemon_boots(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound that SOUND_IF states is real: dockerd's retry rings while a restarted containerd boots."""
    assert SOUND_IF.startswith("Sound for runs in which no timer ends while prompt work is under way")
    early: list[tuple[str, str]] = []

    def watched(turn: Any, action: Any) -> None:
        possible = choices(turn.world)
        if action not in possible:
            assert is_timer(turn.world, action)
            early.extend((action.fid[1], other.fid[1]) for other in possible if isinstance(other, Go))
        act(turn, action)

    monkeypatch.setattr(sim.drive.timed, "act", watched)
    for seed in range(1, 7):
        Timed(setup_of(HASTY, UP, *docker("run"), kill("containerd", "k")), seed).run()
    assert ("connection", "main") in early


def test_a_fault_of_the_model_says_where() -> None:
    """An action that the model cannot take stops the exploration with the action and what went wrong."""
    with pytest.raises(
        ModelFault, match=r"^Go\(fid=\(2\d{4}, .* after \d+ actions, \d+ states found: KeyError: 'nobody'"
    ):
        explore(setup_of(PLAIN, UP, Step("x", AFTER, Docker("run", "nobody"))), start="x")

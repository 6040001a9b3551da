"""The explorer: how much it finds, how it ends, that timed runs stay within it, and that a key tells what matters.

Numbers of processes lie between 20000 and 32768 here and no other number does, so a test can rename them without
knowing where they are kept. Timers of the payload are long beside the prompt work, as the explorer's time rule assumes.
"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sim.drive.timed
from sim.canonical import DEFAULTS, canonical, key, live
from sim.drive.explore import COMPLETE, Exploration, Path, choices, explore, first, is_timer, replay
from sim.drive.timed import Timed
from sim.engine import paths
from sim.engine.goroutine import ModelFault
from sim.engine.ops import Sleep
from sim.engine.setup import (
    Docker,
    HostSetup,
    Instant,
    KillProcess,
    OnTerm,
    Payload,
    Port,
    S,
    Service,
    Setup,
    Step,
    Systemctl,
    Target,
)
from sim.facts import StepDone, StepTaken
from sim.model import Go, Late, Open, act, enabled, initial, step
from sim.world import World, evolve

FIRST_PID, PID_MAX = 20_000, 32_768
AFTER = Instant("after")
UP = Step("up", Instant(), Systemctl("start"))
LIFE = ("run", "stop", "rm")
PLAIN = Service("web", "web0", "img", "/web", (), Payload("web", ("web",), 2, ready=5 * S, on_term=OnTerm(after=5 * S)))
WITH_PORT = msgspec.structs.replace(PLAIN, ports=(Port(8080, 80),))
HASTY = msgspec.structs.replace(PLAIN, payload=Payload("web", ("web",), 2))


def setup_of(service: Service, *steps: Step, begin: str = "off") -> Setup:
    host = HostSetup(begin=begin, next_pid=FIRST_PID + 11)
    return Setup((service,), host=host, terminals=(steps,))


def docker(*verbs: str) -> tuple[Step, ...]:
    return tuple(Step(f"{verb} {number}", AFTER, Docker(verb, "web")) for number, verb in enumerate(verbs))


CASES = {
    "plain": (setup_of(PLAIN, UP, *docker(*LIFE)), "run 0"),
    "port": (setup_of(WITH_PORT, UP, *docker(*LIFE)), "run 0"),
    "hasty": (setup_of(HASTY, UP, *docker(*LIFE)), "run 0"),
    "steady": (setup_of(PLAIN, *docker("stop", "rm", *LIFE), begin="steady"), "open"),
}
# states, transitions, depth
FOUND = {
    "plain": (2117, 6120, 126),
    "port": (2371, 6512, 173),
    "hasty": (2881, 8972, 128),
    "steady": (3881, 11701, 185),
}


@cache
def explored(case: str) -> Exploration:
    setup, start = CASES[case]
    return explore(setup, start=start)


def world_of(setup: Setup, path: Path) -> World:
    world, _ = initial(setup)
    for action in path.actions:
        step(world, action)
    return world


@cache
def ends(case: str) -> list[World]:
    found = explored(case)
    return [world_of(found.setup, found.path_to(state)) for state in found.terminal]


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
@pytest.mark.parametrize("case", CASES)
def test_a_timed_run_stays_within_what_was_explored(case: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each action of a timed run was enabled, each state after the start is explored, and so is its end as an end."""
    setup, start = CASES[case]
    found = explored(case)
    keys: list[bytes] = []
    timed = Timed(setup, seed)

    def watched(turn: Any, action: Any) -> None:
        assert action in enabled(turn.world)
        if keys:
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


# -- keys -------------------------------------------------------------------------------------------


def _kill(role: str, name: str) -> Step:
    return Step(name, AFTER, KillProcess(Target(role)))


STORMS = (
    setup_of(HASTY, UP, *docker(*LIFE)),
    setup_of(msgspec.structs.replace(WITH_PORT, payload=HASTY.payload), UP, *docker(*LIFE)),
    setup_of(HASTY, UP, *docker("run"), _kill("shim", "k"), *docker("stop", "rm")),
    setup_of(HASTY, UP, *docker("run", "restart", "stop", "rm")),
    setup_of(WITH_PORT, UP, *docker("run"), _kill("dockerd", "k"), *docker("stop", "rm")),
    setup_of(WITH_PORT, UP, *docker("run"), _kill("containerd", "k"), *docker("stop", "run", "rm")),
)


def walk(setup: Setup, seed: int) -> Any:
    """Yield the worlds of a random walk by the explorer's rules, each with the action that is taken next."""
    dice = Random(seed)
    world, _ = initial(setup)
    while actions := choices(world):
        action = dice.choice(actions)
        yield world, action
        step(world, action)


def mapped(value: Any, names: dict[int, int]) -> Any:
    """Return any value of a world with other numbers for processes; it does not ask where they are kept."""
    if type(value) is int:
        return names.get(value, value)
    if isinstance(value, dict):
        return {mapped(name, names): mapped(item, names) for name, item in value.items()}
    if isinstance(value, (tuple, list, frozenset)):
        return type(value)(mapped(item, names) for item in value)
    if isinstance(value, msgspec.Struct):
        return type(value)(*(mapped(getattr(value, name), names) for name in value.__struct_fields__))
    return value


def numbers_in(value: Any) -> set[int]:
    """Return every number in a value that is one of a process or a thread."""
    if type(value) is int:
        return {value} if FIRST_PID <= value < PID_MAX else set()
    if isinstance(value, dict):
        return set().union(*(numbers_in(item) for pair in value.items() for item in pair))
    if isinstance(value, (tuple, list, frozenset)):
        return set().union(*(numbers_in(item) for item in value))
    if isinstance(value, msgspec.Struct):
        return set().union(*(numbers_in(getattr(value, name)) for name in value.__struct_fields__))
    return set()


HOST_TABLES = "procs uses children zombies members fifos ends listeners ports_of files".split()
WORLD_TABLES = "frames frames_of counts locks queues replies memory".split()


def parts(world: World) -> list[tuple[Any, str]]:
    return [(world.host, name) for name in HOST_TABLES] + [(world, name) for name in WORLD_TABLES]


def renamed(world: World, names: dict[int, int]) -> World:
    twin = world.copy()
    for owner, name in parts(twin):
        setattr(owner, name, mapped(getattr(owner, name), names))
    return twin


def a_permutation(world: World, dice: Random) -> dict[int, int]:
    numbers = sorted(set().union(*(numbers_in(getattr(owner, name)) for owner, name in parts(world))))
    others = numbers.copy()
    dice.shuffle(others)
    return dict(zip(numbers, others, strict=True))


def after(world: World, action: Any) -> bytes:
    twin = world.copy()
    step(twin, action)
    return key(twin)


@given(st.sampled_from(STORMS), st.integers(0, 2**32))
def test_numbers_of_processes_are_only_names(setup: Setup, seed: int) -> None:
    """Another number for each process gives the same key, now and after any step."""
    dice = Random(seed)
    for world, action in walk(setup, seed):
        if dice.random() < 0.04:
            names = a_permutation(world, dice)
            twin = renamed(world, names)
            assert key(twin) == key(world)
            assert after(twin, mapped(action, names)) == after(world, action)
            assert numbers_in(canonical(world)) == set()


def cut(world: World) -> World:
    """Return a world without the variables and cells that the key leaves out."""
    twin = world.copy()
    for fid, frame in world.frames.items():
        twin.frames[fid] = msgspec.structs.replace(frame, local=live(world, frame))
    for memory in twin.memory.values():
        for name in [name for name in memory if name in DEFAULTS and memory[name] == DEFAULTS[name]]:
            del memory[name]
    return twin


@given(st.sampled_from(STORMS), st.integers(0, 2**32))
def test_what_a_key_leaves_out_is_not_read(setup: Setup, seed: int) -> None:
    """Without dead variables and default cells the same actions are enabled and lead to the same states."""
    dice = Random(seed)
    for world, action in walk(setup, seed):
        if dice.random() < 0.04:
            twin = cut(world)
            assert enabled(twin) == enabled(world)
            assert after(twin, action) == after(world, action)


def test_event_numbers_count_from_their_floor() -> None:
    """The second life of a container ends in the state in which the first ended, though containerd's log is longer."""
    states = set()
    for lives in (1, 2, 3):
        world, _ = initial(setup_of(PLAIN, UP, *docker(*LIFE * lives)))
        while (action := first(world)) is not None:
            step(world, action)
        states.add(key(world))
    assert len(states) == 1


def test_different_states_have_different_keys() -> None:
    """A dead peer that is the known one is told from a dead peer that is not."""
    world = ends("plain")[0].copy()
    (events,) = (frame for frame in world.frames.values() if frame.procedure == "dockerd.events")
    pid = events.fid[0]
    world.memory[pid]["connection"] = 999
    keys = set()
    for peer in (999, 998):
        world.frames[events.fid] = msgspec.structs.replace(events, local={**events.local, "peer_pid": peer})
        keys.add(key(world))
    assert len(keys) == 2


def test_a_stored_number_of_a_thread_is_not_stale() -> None:
    """A pid file that names a thread is told from one that names nobody, whatever the numbers are."""
    world = ends("plain")[0].copy()
    threads = next(process.threads for process in world.host.procs.values() if len(process.threads) > 1)
    keys = []
    for number in (*threads[:2], 998, 999):
        world.host.files[paths.DOCKER_PID] = number
        keys.append(key(world))
    assert len(set(keys)) == 3
    assert keys[2] == keys[3]


def test_a_fault_of_the_model_says_where() -> None:
    """An action that the model cannot take stops the exploration with the action and what went wrong."""
    with pytest.raises(
        ModelFault, match=r"^Go\(fid=\(2\d{4}, .* after \d+ actions, \d+ states found: KeyError: 'nobody'"
    ):
        explore(setup_of(PLAIN, UP, Step("x", AFTER, Docker("run", "nobody"))), start="x")

"""Keys of states: names of processes and what nobody reads do not matter, everything else does."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sim.drive.explore import first
from sim.engine import paths
from sim.engine.setup import Setup
from sim.model import enabled, initial, step
from sim.world import World
from tests.canonical import DEFAULTS, canonical, key, live
from tests.drawing import examples
from tests.drive.lives import FIRST_PID, HASTY, LIFE, PID_MAX, PLAIN, UP, WITH_PORT, docker, ends, kill, setup_of
from tests.drive.plain import choices

STORMS = (
    setup_of(HASTY, UP, *docker(*LIFE)),
    setup_of(msgspec.structs.replace(WITH_PORT, payload=HASTY.payload), UP, *docker(*LIFE)),
    setup_of(HASTY, UP, *docker("run"), kill("shim", "k"), *docker("stop", "rm")),
    setup_of(HASTY, UP, *docker("run", "restart", "stop", "rm")),
    setup_of(WITH_PORT, UP, *docker("run"), kill("dockerd", "k"), *docker("stop", "rm")),
    setup_of(WITH_PORT, UP, *docker("run"), kill("containerd", "k"), *docker("stop", "run", "rm")),
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


@examples(100)
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


@examples(100)
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

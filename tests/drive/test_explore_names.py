"""No name in an explored world has the number of a process in it: numbers differ between a state and a plain world."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import copy
from random import Random
from typing import Any

import msgspec
import pytest

import sim.drive.explore.exploration
from sim.designs import DESIGNS
from sim.drive.explore import Limits, explore, replay
from sim.drive.explore.begin import Lockstep
from sim.drive.explore.space import NAMED, Space
from sim.engine.setup import Setup
from sim.faults import Fault
from sim.model import enabled
from tests.drive.lives import ALWAYS, WITH_PORT, setup_of, with_faults
from tests.drive.spaces import base_of

replaced = msgspec.structs.replace
STEPS = 40  # after a kill
NUMBER = re.compile(rf"\d{{{len(str(NAMED))},}}")  # no count and no time is so long


def host_of(design: str) -> Setup:
    """Return a host with a container that has a port and is always restarted, and one kill to spend."""
    service = replaced(ALWAYS, id="0e0e", ports=WITH_PORT.ports)
    setup = with_faults(setup_of(service, begin="steady"))
    return replaced(setup, engine=replaced(setup.engine, design=design))


def twin_of(lock: Lockstep) -> Lockstep:
    """Return another one that stands where *lock* does."""
    twin = copy(lock)
    twin.world, twin.state, twin.box = lock.world.copy(), lock.state.copy(), lock.box.copy()
    twin.names, twin.numbers = lock.names.copy(), lock.numbers.copy()
    return twin


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from texts_in(getattr(value, name))
    elif isinstance(value, (tuple, list, frozenset)):
        for item in value:
            yield from texts_in(item)
    elif isinstance(value, dict):
        for pair in value.items():
            yield from texts_in(pair)


def numbered(space: Space) -> set[str]:
    """Return the texts with the number of a process, of all cells and values that were met."""
    met = texts_in((*space.slot_ids, *space.values.values()))
    return {text for text in met if NUMBER.search(text)}


@pytest.mark.mostly_long
@pytest.mark.parametrize("design", DESIGNS)
def test_a_plain_world_and_its_state_take_the_same_actions(design: str) -> None:
    """Whichever process is killed, what may happen then is called the same in both, but for numbers of processes."""
    base, dice = base_of(host_of(design), "open"), Random(1)
    begun = base.lockstep()
    kills = [it for it in enabled(begun.world) if isinstance(it, Fault)]
    assert kills
    for kill in kills:
        lock = twin_of(begun)
        lock.take(kill)
        for _ in range(STEPS):
            actions = enabled(lock.world)
            if not actions:
                break
            action = dice.choice(actions)
            assert lock.plain(lock.named(action)) == action
            lock.take(action)
    assert numbered(base.learner.space) == set()


def test_every_state_has_a_way_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that lies behind the goroutine that waits for a proxy."""
    monkeypatch.setattr(sim.drive.explore.exploration, "FIRST_LOOK", 50)
    found = explore(host_of("docker-26"), limits=Limits(states=150))
    (report,) = found.reports
    moves = [report.actions[report.moves[number]] for number in range(found.states)]
    behind = [number for number, action in enumerate(moves) if "wait_proxy" in str(action)]
    assert behind
    for number in (*behind, *range(0, found.states, 25)):
        assert replay(found.base.setup, found.path_to(number))

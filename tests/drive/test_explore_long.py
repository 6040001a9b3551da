"""Large explorations, complete: one kill of anything at any moment of a life, and two containers at once."""

from __future__ import annotations

from functools import cache

import pytest

from sim.drive.explore import COMPLETE, Exploration, Limits, explore
from sim.engine.setup import Setup
from tests.canonical import key
from tests.drive.lives import PLAIN, UP, WITH_PORT, docker, setup_of, with_faults, world_of
from tests.drive.test_explore_symmetry import alike

pytestmark = pytest.mark.long
PLENTY = Limits(states=5_000_000, seconds=1_800.0, megabytes=16_000)
KILL = with_faults(setup_of(WITH_PORT, UP, *docker("run", "stop")))
START = with_faults(setup_of(PLAIN, UP, *docker("run")))  # the other has more than five million states in every order
# states, transitions, depth, ends. A number that changes is explained in the commit that changes it.
REDUCED = (564_759, 1_706_642, 597, 148)
FULL = (1_509_804, 7_277_016, 254, 60)
TWO = (1_394_035, 7_546_329, 282, 4)


@cache
def killed(jobs: int, reduce: bool, setup: Setup = KILL) -> Exploration:
    return explore(setup, start="run 0", limits=PLENTY, jobs=jobs, reduce=reduce)


def counts(found: Exploration) -> tuple[int, int, int, int]:
    assert found.verdict == COMPLETE
    return found.states, found.transitions, found.depth, len(found.ends)


def test_one_kill_of_anything_from_create_to_the_end_of_stop() -> None:
    """The whole space of one container, one kill, systemd's restart of dockerd and all that follows."""
    assert counts(killed(1, True)) == REDUCED


@pytest.mark.parametrize("jobs", [2, 3])
def test_several_processes_count_the_same(jobs: int) -> None:
    """One process and several find one space."""
    assert counts(killed(jobs, True)) == REDUCED


def test_every_order_of_one_kill_has_the_same_ends() -> None:
    """What is taken first loses no end, of which there are sixty."""
    full, reduced = killed(2, False, START), killed(1, True, START)
    assert counts(full) == FULL
    one, other = ({key(world_of(it.base.setup, it.path_to(end))) for end in it.ends} for it in (full, reduced))
    assert one == other


def test_two_containers_without_faults() -> None:
    """Run and stop of two containers from two terminals; either may be the first in everything, so half are kept."""
    assert counts(explore(alike("run", "stop", ports=True), limits=PLENTY)) == TWO

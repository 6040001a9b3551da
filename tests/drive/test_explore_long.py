"""Large explorations, complete: one kill of anything at any moment of a life, and two containers at once."""

from __future__ import annotations

from functools import cache

import pytest

from sim.drive.explore import COMPLETE, Exploration, Limits, explore
from tests.canonical import key
from tests.drive.lives import UP, WITH_PORT, docker, setup_of, with_faults, world_of
from tests.drive.test_explore_symmetry import alike

pytestmark = pytest.mark.long
PLENTY = Limits(states=5_000_000, seconds=1_800.0, megabytes=16_000)
KILL = with_faults(setup_of(WITH_PORT, UP, *docker("run", "stop")))
# states, transitions, depth, ends. A number that changes is explained in the commit that changes it.
REDUCED = (564_759, 1_706_642, 597, 148)
FULL = (2_043_483, 8_368_075, 414, 114)
TWO = (1_394_035, 7_546_329, 282, 4)


@cache
def killed(jobs: int, reduce: bool) -> Exploration:
    return explore(KILL, start="run 0", limits=PLENTY, jobs=jobs, reduce=reduce)


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
    """What is taken first loses no end, of which there are more than a hundred."""
    full, reduced = killed(2, False), killed(1, True)
    assert counts(full) == FULL
    one, other = ({key(world_of(it.base.setup, it.path_to(end))) for end in it.ends} for it in (full, reduced))
    assert one == other


def test_two_containers_without_faults() -> None:
    """Run and stop of two containers from two terminals; either may be the first in everything, so half are kept."""
    assert counts(explore(alike("run", "stop", ports=True), limits=PLENTY)) == TWO

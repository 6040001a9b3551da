"""The story of a violation: fewest faults, changes of program and steps; it can be played, and could have gone well."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import msgspec
import pytest

from sim.drive.explore import Exploration, Goal, Limits, Path, explore, is_timer, replay
from sim.drive.explore.shortest import NOBODY, Way, actor_of, shortest
from sim.drive.follow import name_of
from sim.engine.setup import Setup
from sim.faults import FAULTS, Fault
from sim.kernel.records import INIT
from sim.model import Action, enabled, initial, step
from sim.predicates import dockerd, programs
from sim.properties import PROPERTIES
from sim.world import World
from tests.drive.lives import ALWAYS, AT_REST, HASTY, WITH_PORT, docker, kill, setup_of, signal, with_faults
from tests.drive.spaces import asked

replaced = msgspec.structs.replace
NET = setup_of(replaced(WITH_PORT, payload=HASTY.payload), begin="steady")
DEAF = setup_of(HASTY, signal("dockerd", "STOP", "hang"), *docker("stop"), begin="steady")
PAIR = with_faults(AT_REST, most=2)

# property -> setup, and faults, changes of program, steps of the shortest story
STORIES: dict[str, tuple[Setup, tuple[int, int, int]]] = {
    "V5": (with_faults(AT_REST), (1, 0, 1)),  # containerd dies: the shim is an orphan
    "V8": (with_faults(NET), (1, 0, 1)),  # dockerd dies: the proxy is no child of it
    "V20": (with_faults(NET), (1, 1, 2)),  # the proxy dies, and the people leave: nobody reaps it
    "V3": (PAIR, (2, 0, 2)),  # the shim dies while nobody is there to end its payload
    "V7": (PAIR, (2, 7, 27)),  # the payload dies without a shim to take its code
    "V13": (DEAF, (0, 2, 9)),  # people ask, then stop dockerd: no answer
    "V25": (setup_of(NET.services[0], kill("dockerd", "k"), begin="steady"), (0, 3, 6)),  # dockerd, proxy, its TERM
}
LARGE = "V7"  # whose search takes seconds
EACH = [pytest.param(name, marks=pytest.mark.long if name == LARGE else ()) for name in STORIES]


@cache
def told(name: str) -> tuple[Exploration, Way]:
    found = explore(STORIES[name][0], asked=asked(name))
    assert found.complete
    return found, shortest(found, name)


def worlds(found: Exploration, actions: tuple[Action, ...]) -> list[World]:
    """Return the worlds between the actions, and the last one."""
    world, _ = initial(found.base.setup)
    world.watch = found.base.watched().watch
    on_the_way = []
    for action in actions:
        on_the_way.append(world.copy())
        step(world, action)
    return [*on_the_way, world]


@pytest.mark.mostly_long
@pytest.mark.parametrize("name", EACH)
def test_a_story_costs_as_little_as_it_can(name: str) -> None:
    """Faults, then changes of program, then steps are those that it takes at least, and the search is sure of it."""
    way = told(name)[1]
    assert way.cost == STORIES[name][1]
    assert way.least
    assert way.allowed


@pytest.mark.mostly_long
@pytest.mark.parametrize("name", EACH)
def test_a_story_can_be_played_to_the_violation(name: str) -> None:
    """Each action is enabled; the property holds until the last one, or is asked of the end alone."""
    found, way = told(name)
    setup, start = found.base.setup, len(found.base.prologue)
    assert replay(setup, Path(way.actions))
    holds = [PROPERTIES[name].holds(world) for world in worlds(found, way.actions)[start:]]
    assert not holds[-1]
    if PROPERTIES[name].kind == "always":
        assert all(holds[:-1])


@pytest.mark.parametrize("name", EACH)
def test_the_cost_is_that_of_the_actions(name: str) -> None:
    """A fault is one that costs, a change is where another process acts than before; the prologue is free."""
    found, way = told(name)
    actions = way.actions[len(found.base.prologue) :]
    who = [NOBODY, *map(actor_of, actions)]
    faults = [action for action in actions if isinstance(action, Fault) and not FAULTS[action.kind].free]
    assert way.cost == (len(faults), sum(a != b for a, b in pairwise(who)), len(actions))
    assert way.actions[: len(found.base.prologue)] == found.base.prologue.actions


@pytest.mark.parametrize("name", ["V3", "V7", "V8", "V5", "V20"])
def test_with_a_fault_less_it_holds(name: str) -> None:
    """There is no cheaper story: a search with fewer faults shows nothing."""
    setup, cost = STORIES[name]
    fewer = replaced(setup, faults=replaced(setup.faults, total=cost[0] - 1, kinds=(("kill", cost[0] - 1),)))
    found = explore(fewer, asked=asked(name))
    assert (found.complete, found.shown) == (True, {})


# -- the sibling ----------------------------------------------------------------------------------------

SIBLINGS = {
    "V3": "KILL to containerd",  # dockerd is dead: had its containerd died first, the shim would have lived on
    "V8": "terminal/1 more_steps",
}


@pytest.mark.parametrize("name", SIBLINGS)
def test_the_sibling_is_the_last_moment_at_which_it_could_have_gone_well(name: str) -> None:
    """Its action is possible at that place and is another one; from there a run without more faults keeps the rule."""
    found, way = told(name)
    assert way.sibling is not None
    place, other = way.sibling
    world = worlds(found, way.actions)[place]
    assert other in enabled(world)
    assert other != way.actions[place]
    assert name_of(world, other) == SIBLINGS[name]
    step(world, other)
    holds = [PROPERTIES[name].holds(world)]
    while actions := [action for action in enabled(world) if not isinstance(action, Fault)]:
        prompt = [action for action in actions if not is_timer(world, action)]
        step(world, (prompt or actions)[0])
        holds.append(PROPERTIES[name].holds(world))
    assert holds[-1]
    assert all(holds)


def test_where_nothing_else_can_happen_there_is_no_sibling() -> None:
    """Whoever kills dockerd closes its ports to loopback clients, however long it takes (V25)."""
    assert told("V25")[1].sibling is None


# -- the search -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["V3", pytest.param("V7", marks=pytest.mark.long)])
def test_without_room_to_search_a_story_is_tidied_and_not_sure(name: str) -> None:
    """With a limit of no states the way that was found is told, without what it can do without."""
    found, way = told(name)
    tidied = shortest(found, name, states=0)
    assert not tidied.least
    assert tidied.allowed
    assert way.cost <= tidied.cost
    assert tidied.cost[0] == 2
    assert len(tidied.actions) <= len(found.path_to(found.shown[name]))
    assert replay(found.base.setup, Path(tidied.actions))


def test_a_longer_story_with_fewer_faults_is_better() -> None:
    """The search finds two kills in two steps, of dockerd and of its proxy (V25); the first alone does it, later."""
    found = explore(with_faults(NET, most=2), asked=asked("V25"), reduce=False, first=True)
    actions = found.path_to(found.shown["V25"]).actions[len(found.base.prologue) :]
    assert [type(action) for action in actions] == [Fault, Fault]
    way = shortest(found, "V25")
    assert way.least
    assert way.cost == (1, 1, 3)


def test_what_is_taken_first_is_as_before() -> None:
    """The search for a story takes every order, and leaves the exploration as it was."""
    found, _ = told("V3")
    assert found.base.learner.first
    assert found.path_to(found.shown["V3"]) == found.path_to(found.shown["V3"])


# -- what the lengths of timers allow ------------------------------------------------------------------

RESTARTED = setup_of(ALWAYS, kill("dockerd", "kill"), begin="steady")


def not_overtaken(world: World) -> bool:
    """Say that a container that dockerd started is not up for 10 s before the unit is: both times are 10 s."""
    pid = dockerd(world)
    if pid is None or not programs(world, "web"):
        return True
    counted = any(owner == INIT and name.startswith("start_token") for owner, name in world.frames)
    young = any(owner == pid and name.startswith(("uptime", "boot")) for owner, name in world.frames)
    return young or not counted


QUESTION = Goal("not overtaken", "always", not_overtaken)


@pytest.mark.long
def test_a_story_that_no_run_can_come_to_says_so() -> None:
    """A state has the boxes of all ways to it, so more is met than can be; of such a state the story is not allowed."""
    found = explore(RESTARTED, asked=(QUESTION,))
    assert set(found.shown) == {"not overtaken"}
    way = shortest(found, "not overtaken")
    assert not way.allowed
    assert not not_overtaken(worlds(found, way.actions)[-1])


def test_with_boxes_kept_apart_nothing_is_met_that_cannot_be() -> None:
    """The search that tells states apart by their timers finds no such state."""
    found = explore(RESTARTED, asked=(QUESTION,), exact=True, limits=Limits(states=30_000))
    assert (found.complete, found.shown) == (True, {})


def test_a_search_for_the_first_ends_with_it() -> None:
    """It is no whole search, and says so; what it shows can be told."""
    found = explore(PAIR, asked=asked("V3"), exact=True, first=True)
    assert not found.complete
    assert found.states < 2_000
    assert shortest(found, "V3").cost == (2, 0, 2)

"""Containers that are alike: states that differ in which is which are one, and everything else stays the same."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest

import sim.drive.explore.exploration
from sim.drive.explore import Exploration, Goal, explore, is_timer, replay
from sim.drive.explore.begin import Lockstep
from sim.drive.explore.exploration import Base
from sim.drive.explore.search import Part
from sim.drive.explore.space import ordered
from sim.drive.explore.symmetry import swaps_of
from sim.engine.setup import (
    Docker,
    Fails,
    FaultBudget,
    HostSetup,
    Instant,
    Payload,
    Pins,
    Port,
    Restart,
    Service,
    Setup,
    Step,
    Systemctl,
)
from sim.kernel.records import OUTSIDE
from sim.model import Go, enabled
from sim.predicates import believed
from sim.world import World
from tests.drive.lives import AFTER, FIRST_PID, world_of
from tests.drive.spaces import Graph, asked, base_of

replaced = msgspec.structs.replace
NAMES = ("web", "db", "shop")
LIKE = Service("", "", "nginx", "nginx", (), Payload("nginx", ("nginx",), 1), at_begin=False)


def alike(*verbs: str, number: int = 2, ports: bool = False) -> Setup:
    """Return containers that differ in name, id and port, and for each a terminal that does the same with it."""
    services = tuple(
        replaced(LIKE, name=name, id=f"{name}00", ports=(Port(8080 + place, 80),) if ports else ())
        for place, name in enumerate(NAMES[:number])
    )
    lines = tuple(
        tuple(Step(f"{it}-{name}", AFTER if turn else Instant(), Docker(it, name)) for turn, it in enumerate(verbs))
        for name in NAMES[:number]
    )
    return Setup(services, host=HostSetup(next_pid=FIRST_PID + 11), terminals=lines)


def apart(setup: Setup, monkeypatch: pytest.MonkeyPatch, **how: Any) -> Exploration:
    """Explore without exchanging."""
    with monkeypatch.context() as patch:
        patch.setattr(sim.drive.explore.exploration, "swaps_of", lambda setup: ())
        return explore(setup, **how)


# -- what is saved, and what is not lost -------------------------------------------------------------

# verbs, containers, ports; states and transitions with and without the exchange
SAVED = {
    "two are made": (("create",), 2, False, (66, 119), (122, 220)),
    "three are made": (("create",), 3, False, (286, 768), (1366, 3660)),
    "two are made and removed": (("create", "rm"), 2, True, (254, 481), (488, 924)),
}


@pytest.mark.parametrize("case", SAVED)
def test_alike_containers_leave_half_the_states_or_a_sixth(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two orders one is kept, of three containers one of six; the search is as deep and ends as well."""
    verbs, number, ports, less, more = SAVED[case]
    setup = alike(*verbs, number=number, ports=ports)
    one, all_of_them = explore(setup, reduce=False), apart(setup, monkeypatch, reduce=False)
    assert one.complete
    assert (one.states, one.transitions) == less
    assert (all_of_them.states, all_of_them.transitions) == more
    assert one.depth == all_of_them.depth
    assert len(one.ends) == len(all_of_them.ends) == 1


@pytest.mark.parametrize("number", [2, 3])
def test_states_are_all_states_but_for_exchanges(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each state of the whole search is one that was kept, or an exchange of one; and no other was kept."""
    setup = alike("create", "rm", number=number, ports=True)
    one = Graph(base_of(setup, "open", reduce=False))
    monkeypatch.setattr(sim.drive.explore.exploration, "swaps_of", lambda setup: ())
    base = base_of(setup, "open", reduce=False)
    states = []
    part = Part(base.walker)
    part.begin(base.root())
    while part.turn():
        for place, (state, _, _) in part.layer.items():
            states.append(state)
            part.expand(place)
    space = one.base.learner.space
    space.hear(base.learner.space.news)
    assert {one.base.walker.place(space.digest(state), 0)[0] for state in states} == one.part.found.index.keys()


def test_running_containers_are_exchanged_too() -> None:
    """Whoever is started first has the first address: processes, cgroups, files and rules are the other's twins."""
    setup = alike("create", "start", ports=True)
    (swap,) = swaps_of(setup)
    base = base_of(setup, "open")
    space = base.learner.space
    one, two = (
        {space.slots[slot]: space.values[value] for slot, value in started(base, order).state.items()}
        for order in (("terminal/1", "terminal/2"), ("terminal/2", "terminal/1"))
    )
    assert len([process for (table, _), process in one.items() if table == "procs"]) == 9
    assert {(table, swap(space, name)): ordered(table, swap(space, it)) for (table, name), it in one.items()} == two
    assert one != two


def started(base: Base, order: tuple[str, ...]) -> Lockstep:
    """Return a host on which one terminal was let go until nothing prompt was left, then the other."""
    lock = base.lockstep()
    for turn in range(1, len(order) + 1):
        goes, waits = ([Go((OUTSIDE, name)) for name in names] for names in (order[:turn], order[turn:]))
        while True:
            possible = [a for a in enabled(lock.world) if a not in waits]
            actions = [a for a in possible if a in goes or not is_timer(lock.world, a)]
            if not actions:
                break
            lock.take(actions[0])
    return lock


@pytest.mark.parametrize("question", ["a_container_ends", "V9", "V21"])
def test_what_is_asked_of_all_containers_has_the_same_answer(question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A property that does not tell containers apart is shown, or not, with and without the exchange."""
    setup = alike("create", "rm")
    one = explore(setup, asked=asked(question))
    assert len(one.base.learner.space.swaps) == 1
    monkeypatch.setattr(sim.drive.explore.exploration, "swaps_of", lambda setup: ())
    assert one.shown.keys() == explore(setup, asked=asked(question)).shown.keys()


@pytest.mark.parametrize("name", NAMES[:2])
def test_what_is_asked_of_one_container_is_found_of_each(name: str) -> None:
    """A property that names a container keeps them apart: either may be there before the other is."""
    other = next(it for it in NAMES[:2] if it != name)

    def comes_first(world: World) -> bool:
        return believed(world, name) is not None and believed(world, other) is None

    found = explore(alike("create"), asked=(Goal("first", "sometimes", comes_first),))
    assert found.base.learner.space.swaps == ()
    assert set(found.shown) == {"first"}
    assert comes_first(world_of(found.base.setup, found.path_to(found.shown["first"])))


# -- the way back ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "reduce"), [(2, True), (2, False), (3, True), (3, False)])
def test_a_path_leads_to_the_state_or_its_twin(number: int, reduce: bool) -> None:
    """Each move, or the one that an exchange makes of it, can be taken; what it leads to has the key of the state."""
    found = explore(alike("create", "rm", number=number, ports=True), reduce=reduce)
    (report,) = found.reports
    dice, paths = Random(1), set()
    for state in (*found.ends, *dice.sample(range(found.states), 15)):
        path = found.path_to(state)
        assert replay(found.base.setup, path)
        lock = Lockstep(found.base.learner, found.base.setup)
        for action in path.actions:
            lock.take(action)
        digest = found.base.learner.space.digest(lock.state)
        assert found.base.walker.place(digest, 0)[0] == report.keys[state]
        paths.add(path)
    assert len(paths) > 10


def test_a_box_belongs_to_its_container() -> None:
    """What is left of timers is exchanged with the states: the box of a state is that of its twin, turned round."""
    found = explore(alike("create", "rm"), reduce=False)
    walker, space = found.base.walker, found.base.learner.space
    (swap,) = space.swaps
    timer = space.slot("timers", (OUTSIDE, "terminal/1"))
    twin = space.slot("timers", (OUTSIDE, "terminal/2"))
    box = walker.boxes.number(((timer, 1, 2),))
    turned = walker._swapped(box, 1)
    assert walker.boxes.boxes[turned] == ((twin, 1, 2),)
    assert walker._swapped(turned, walker._back[1]) == box
    assert swap.inverse(space, swap(space, (OUTSIDE, "terminal/1"))) == (OUTSIDE, "terminal/1")


def test_where_timers_tell_states_apart_containers_are_not_exchanged() -> None:
    """A key with a box in it is found again by no exchange: each state has its own, and its path."""
    found = explore(alike("create", "rm"), exact=True, asked=asked("a_container_ends"), reduce=False)
    assert found.base.learner.space.swaps == ()
    assert (found.states, found.transitions) == SAVED["two are made and removed"][4]
    assert replay(found.base.setup, found.path_to(found.ends[0]))


# -- who is alike ------------------------------------------------------------------------------------


def changed(**how: object) -> Setup:
    """Return two containers of which the second is another one."""
    setup = alike("create")
    return replaced(setup, services=(setup.services[0], replaced(setup.services[1], **how)))


def named(name: str) -> Setup:
    """Return two containers of which one has another name."""
    setup = changed(name=name)
    steps = (Step(f"create-{name}", Instant(), Docker("create", name)),)
    return replaced(setup, terminals=(setup.terminals[0], steps))


DIFFERENT = {
    "policy": changed(restart=Restart("always")),
    "image": changed(image="apache"),
    "payload": changed(payload=replaced(LIKE.payload, ready=1)),
    "port inside": changed(ports=(Port(8081, 81),)),
    "address": changed(pins=Pins(address="172.17.0.9")),
    "looks at another": changed(payload=replaced(LIKE.payload, fails=Fails(1, 1, "web", 80))),
    "one is not created": replaced(alike("create"), terminals=alike("create").terminals[:1]),
    "another is done with one": replaced(
        alike("create"), terminals=(alike("create").terminals[0], alike("create", "rm").terminals[1])
    ),
    "a person stops docker": replaced(
        alike("create"), terminals=(*alike("create").terminals, (Step("off", Instant(), Systemctl("stop")),))
    ),
    "faults": replaced(alike("create"), faults=FaultBudget(1)),
    "a program's word": named("start"),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_containers_that_differ_are_not_exchanged(what: str) -> None:
    """Nor are they where a daemon may begin anew, or where a name is a word that programs use."""
    assert swaps_of(DIFFERENT[what]) == ()


def test_labels_and_names_make_no_difference() -> None:
    """Nobody reads labels."""
    assert len(swaps_of(changed(labels=(("a", "b"),)))) == 1
    assert len(swaps_of(named("shop"))) == 1
    assert len(swaps_of(alike("create", number=3))) == 5


def test_words_are_exchanged_whole() -> None:
    """A name is exchanged where it stands by itself, an id wherever it stands."""
    (swap,) = swaps_of(alike("create", ports=True))
    assert swap.text("state_exit/web") == "state_exit/db"
    assert swap.text("/system.slice/docker-web00.scope") == "/system.slice/docker-db00.scope"
    assert swap.text("/var/lib/docker/network/files/local-kv.db#sandbox/web") == (
        "/var/lib/docker/network/files/local-kv.db#sandbox/db"
    )
    assert swap.text("webster my-web web.log web00x") == "webster my-web web.log web00x"
    assert swap.text("tcp:0.0.0.0:8080") == "tcp:0.0.0.0:8081"

"""Explored spaces are those of the plain explorer, and following what was learned is the same as running the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.drive.explore.begin import Lockstep, unpinned
from sim.drive.explore.exploration import Base
from sim.drive.explore.learn import Leaf, Readiness
from sim.drive.explore.walker import Here
from sim.engine.setup import Docker, FaultBudget, HostSetup, Instant, Log, Port, Restart, Setup, Step, Systemctl
from sim.faults import FAULTS, Fault
from sim.kernel.events import IdsSkipped
from sim.kernel.records import Pid
from sim.properties import PROPERTIES
from sim.world import Turn, World
from tests.canonical import key
from tests.drawing import examples
from tests.drive.lives import AFTER, AGREE, CASES, FIRST_PID, HASTY, UP, WITH_PORT, docker, setup_of, with_faults
from tests.drive.plain import Plain, choices
from tests.drive.spaces import Loose, asked, base_of, loose
from tests.test_canonical import STORMS

replaced = msgspec.structs.replace
Spare = Callable[..., None]

# -- the same space as the plain explorer's ----------------------------------------------------------

NET = replaced(WITH_PORT, payload=HASTY.payload)
DB = replaced(WITH_PORT, name="db", id="db0", path="/db", ports=(Port(9090, 90),))
PRINTS = replaced(HASTY, payload=replaced(HASTY.payload, log=(Log("stdout", 20_000),)))
ENDS = replaced(HASTY, restart=Restart("on-failure", 1))


def two(begin: str, *lines: tuple[Step, ...]) -> Setup:
    return Setup((HASTY, DB), host=HostSetup(begin=begin, next_pid=FIRST_PID + 11), terminals=lines)


def of(verb: str, container: str, at: Instant = AFTER) -> Step:
    return Step(f"{verb} {container}", at, Docker(verb, container))


# setup, start, kind of fault, and whom it may befall
EQUAL: dict[str, tuple[Setup, str, str, tuple[str, ...]]] = {
    **{case: (*AGREE[case], "", ()) for case in (*CASES, "shot")},
    "two are made": (two("off", (UP, of("create", "web")), (of("create", "db", Instant("step", "up")),)),
                     "create web", "", ()),
    "two, one after the other": (two("steady", (of("kill", "web"), of("rm", "web")),
                                     (of("rm", "db", Instant("step", "rm web")),)), "open", "", ()),
    "a proxy is killed": (with_faults(setup_of(NET, UP, *docker("run", "stop"))), "stop 1", "kill", ("proxy",)),
    "a hook is killed": (with_faults(setup_of(NET, UP, *docker("run", "stop"))), "stop 1", "kill", ("hook",)),
    "an iptables is killed": (with_faults(setup_of(NET, UP, *docker("run", "stop"))), "stop 1", "kill", ("iptables",)),
    "a runc is killed": (with_faults(setup_of(HASTY, *docker("kill"), begin="steady")), "open", "kill", ("runc",)),
    "a payload is killed": (with_faults(setup_of(ENDS, begin="steady")), "open", "kill", ("payload",)),
    "a shim is killed": (with_faults(setup_of(HASTY, begin="steady")), "open", "kill", ("shim",)),
    "a shim stalls": (with_faults(setup_of(HASTY, *docker("kill"), begin="steady"), "stall"), "open", "stall",
                      ("shim",)),
    "dockerd stalls": (with_faults(setup_of(HASTY, *docker("kill"), begin="steady"), "stall"), "open", "stall",
                       ("dockerd",)),
    "dockerd stalls, web prints": (with_faults(setup_of(PRINTS, begin="steady"), "stall"), "open",
                                   "stall", ("dockerd",)),
    "web prints, its shim is killed": (with_faults(setup_of(PRINTS, begin="steady")), "open", "kill", ("shim",)),
}  # fmt: skip


@pytest.fixture
def spare(monkeypatch: pytest.MonkeyPatch) -> Spare:
    """Return a function that lets a kind of fault befall only some programs."""

    def only(kind: str, *programs: str) -> None:
        if not programs:
            return
        row = FAULTS[kind]

        def hits(world: World, pid: Pid) -> bool:
            return row.hits(world, pid) and world.host.procs[pid].image.program in programs

        monkeypatch.setitem(FAULTS, kind, replaced(row, hits=hits))

    return only


LARGE = ("steady", "hasty", "port")


@pytest.mark.mostly_long
@pytest.mark.parametrize("case", [pytest.param(it, marks=pytest.mark.long if it in LARGE else ()) for it in EQUAL])
def test_a_search_without_intervals_finds_what_the_plain_explorer_finds(case: str, spare: Spare) -> None:
    """As many states, transitions and ends, and as deep: named states are those that copied worlds with keys are."""
    setup, start, kind, programs = EQUAL[case]
    spare(kind, *programs)
    assert loose(setup, start).counts == Plain(unpinned(setup), start).counts


# Here a new containerd may be called as the last one or not, as long as somebody remembers that one.
FINER: dict[str, tuple[Setup, str, str, tuple[str, ...]]] = {
    "anything stalls": (with_faults(setup_of(HASTY, begin="steady"), "stall"), "open", "stall", ()),
    "dockerd is killed": (
        Setup((replaced(HASTY, at_begin=False),), terminals=((Step("k", AFTER, Systemctl("kill", signal="KILL")),),)),
        "open", "", (),
    ),
}  # fmt: skip


@pytest.mark.mostly_long
@pytest.mark.parametrize("case", FINER)
def test_states_that_are_told_apart_by_names_alone_are_the_plain_ones(case: str, spare: Spare) -> None:
    """In each state the same may happen as in its world, and the worlds are all that the plain explorer finds."""
    setup, start, kind, programs = FINER[case]
    spare(kind, *programs)
    base = base_of(setup, start, untimed=True)
    walker, digest = Loose(base.learner, untimed=True), base.learner.space.digest
    todo = [base.lockstep()]
    met = {(key(todo[0].world), digest(todo[0].state))}
    while todo:
        lock = todo.pop()
        actions = choices(lock.world)
        offered = [lock.plain(move.action) for move, _ in walker.choices(walker.acts(lock.state), 0)]
        assert sorted(map(str, offered)) == sorted(map(str, actions))
        for action in actions:
            after = twin(lock)
            after.take(action)
            place = key(after.world), digest(after.state)
            if place not in met:
                met.add(place)
                todo.append(after)
    assert {world for world, _ in met} == Plain(base.setup, start).keys
    assert len({state for _, state in met}) == len(met)


def twin(lock: Lockstep) -> Lockstep:
    """Return a copy that goes its own way."""
    copy = Lockstep.__new__(Lockstep)
    copy.learner, copy.world, copy.state = lock.learner, lock.world.copy(), lock.state.copy()
    copy.names, copy.numbers, copy.box = lock.names.copy(), lock.numbers.copy(), lock.box.copy()
    return copy


# -- following is running ----------------------------------------------------------------------------

BUDGET = FaultBudget(2, (("kill", 1), ("stall", 1)))
WALKS: tuple[Setup, ...] = (*STORMS, *(replaced(setup, faults=BUDGET) for setup in STORMS))
SELDOM = 0.05


@cache
def learned(number: int) -> Base:
    """Return what all walks of one setup share: later ones follow what earlier ones learned."""
    return base_of(WALKS[number], "up", asked=asked(*PROPERTIES), reduce=False)


def walk(base: Base, dice: Random) -> Iterator[tuple[Here, Any, Here]]:
    """Yield the steps of a random walk: state, move, state; people and faults come seldom."""
    walker, here = base.walker, base.root()
    for _ in range(400):
        choices = walker.choices(here[2], here[3])
        anytime = {move for status in here[2].values() for move in status.anytime}
        often = [choice for choice in choices if choice[0] not in anytime]
        if not choices:
            return
        move, passed = dice.choice(often if often and dice.random() >= SELDOM else choices)
        state, digest, acts, _ = here
        leaf = base.learner.leaf(move, state)
        after = walker.reach(state, acts, leaf, *walker.after(state, digest, leaf, passed))
        yield here, move, after
        here = after


def told(status: Readiness) -> tuple[Any, ...]:
    """Return what a status says."""
    timers = [(timer.move.action, timer.slot) for timer in status.timers]
    moves = ([move.action for move in them] for them in (status.at_once, status.anytime))
    return *moves, timers, status.broken


@pytest.mark.long
@examples(80)
@given(st.sampled_from(range(len(WALKS))), st.integers(0, 2**32))
def test_following_what_was_learned_is_running_the_model(number: int, seed: int) -> None:
    """A leaf from a tree leads where a fresh tape leads; digest and what may happen are as if asked anew."""
    base, dice = learned(number), Random(seed)
    learner, space = base.learner, base.learner.space
    for (state, *_), move, (after, digest, acts, _) in walk(base, dice):
        assert digest == space.digest(after)
        if dice.random() < 0.1:
            fresh = learner.leaf_of(learner.taped_step(move.action, state)[0])
            followed = learner.leaf(move, state)
            assert what(fresh) == what(followed)
            there = state.copy()
            fresh.write(there, space.owned)
            assert there == after
        if dice.random() < 0.3:
            assert {s: told(status) for s, status in acts.items()} == {
                s: told(status) for s, status in base.walker.acts(after).items()
            }
        if dice.random() < 0.03:
            asked = {subject: learner._tape_status(subject, after) for subject in learner.subjects(after)}
            assert {s: told(status) for s, status in acts.items()} == {
                s: told(status) for s, status in asked.items() if status
            }


def what(leaf: Leaf) -> tuple[Any, ...]:
    return leaf.writes, leaf.delta, leaf.erased, leaf.timers


# -- numbers are only names --------------------------------------------------------------------------


@examples(60)
@given(st.sampled_from(range(len(WALKS))), st.integers(0, 2**32))
def test_renaming_processes_commutes_with_step(number: int, seed: int) -> None:
    """Where other work takes ids, processes have other numbers, and each step leads to the state of the same name."""
    base, dice = learned(number), Random(seed)
    other = replaced(base.setup, host=replaced(base.setup.host, next_pid=dice.randrange(100, 9_999)))
    one, two = Lockstep(base.learner, base.setup), Lockstep(base.learner, other)
    for _ in range(150):
        actions = [action for action in choices(one.world) if dice.random() < SELDOM or not isinstance(action, Fault)]
        if not actions:
            break
        named = one.named(dice.choice(actions))
        one.take(one.plain(named))
        two.take(two.plain(named))
        assert one.state == two.state
        assert one.box == two.box
        if dice.random() < SELDOM:
            Turn(two.world).emit(IdsSkipped(dice.randrange(2, two.world.host.pid_max)))
    assert one.names.keys() != two.names.keys()
    assert one.numbers.keys() == two.numbers.keys()

"""Reduction: what is taken first changes no end and no verdict; with fewer states."""

from __future__ import annotations

from functools import cache

import msgspec
import pytest

from sim.designs import DESIGNS
from sim.drive.explore import Exploration, explore
from sim.drive.explore.confluent import confluent
from sim.engine.setup import Daemon, EngineSetup, FaultBudget, Instant, Restart, Setup, Step, Systemctl
from tests.drive.lives import (
    AFTER,
    AGREE,
    ALWAYS,
    AT_REST,
    HASTY,
    HUNG,
    WITH_PORT,
    docker,
    kill,
    setup_of,
    systemctl,
    with_faults,
)
from tests.drive.spaces import Graph, asked, base_of

replaced = msgspec.structs.replace
NET = replaced(WITH_PORT, payload=HASTY.payload)
UNLESS = replaced(NET, restart=Restart("unless-stopped"))
LIVE = EngineSetup(daemon=Daemon(live_restore=True))
KILL_UNIT = Step("kill", AFTER, Systemctl("kill", signal="KILL"))
MANY = replaced(HASTY, restart=Restart("on-failure", 1))
EVERY = (
    "V1 V2 V3 V4 V4b V5 V6 V7 V8 V9 V10 V11 V11b V12 V13 V14 V14b V15 V16 V17 V18 V19 V20 V22 V25 who_listens_lives "
    "a_container_runs a_port_answers a_shim_is_an_orphan a_policy_restarts a_container_ends dockerd_leaves"
).split()

SETUPS: dict[str, tuple[Setup, str]] = {
    **{case: AGREE[case] for case in ("port", "hasty", "steady", "again", "restart", "shot", "off")},
    "hung": (HUNG, "open"),
    "dockerd is killed": (setup_of(ALWAYS, kill("dockerd", "kill"), begin="steady"), "open"),
    "dockerd is killed, live-restore": (
        replaced(setup_of(NET, kill("dockerd", "kill"), begin="steady"), engine=LIVE), "open"),
    "the unit is killed": (setup_of(HASTY, KILL_UNIT, begin="steady"), "open"),
    "a stopped one stays so": (setup_of(UNLESS, *docker("stop"), kill("dockerd", "kill"), begin="steady"), "open"),
    "the unit restarts": (setup_of(NET, systemctl("restart"), begin="steady"), "open"),
    "any kill at rest": (with_faults(setup_of(NET, begin="steady")), "open"),
    "any stall at rest": (with_faults(AT_REST, "stall"), "open"),
    "any stall in a stop": (replaced(setup_of(HASTY, *docker("stop"), begin="steady"), faults=FaultBudget(
        1, (("stall", 1),), after=Instant("step", "stop 0"), before=Instant("word", "kill", "web"))), "open"),
    "any kill in a stop": (replaced(setup_of(MANY, *docker("stop"), begin="steady"), faults=FaultBudget(
        1, (("kill", 1),), after=Instant("step", "stop 0"), before=Instant("word", "kill", "web"))), "open"),
    "containerd is killed, then any": (replaced(setup_of(HASTY, kill("containerd", "kill"), begin="steady"),
        faults=FaultBudget(1, (("kill", 1),), after=Instant("fact", "Exited", "containerd"),
        before=Instant("fact", "Forked", "containerd"))), "open"),
}  # fmt: skip


@cache
def searched(case: str, reduce: bool) -> Exploration:
    setup, start = SETUPS[case]
    return explore(setup, start=start, asked=asked(*EVERY), reduce=reduce)


LARGE = ("any stall in a stop", "the unit is killed", "any kill in a stop")


@pytest.mark.mostly_long
@pytest.mark.parametrize("case", [pytest.param(it, marks=pytest.mark.long if it in LARGE else ()) for it in SETUPS])
def test_reduction_loses_no_end_and_no_verdict(case: str) -> None:
    """The same properties show something, the same ends are found, and fewer states."""
    setup, start = SETUPS[case]
    reduced, full = searched(case, True), searched(case, False)
    assert reduced.complete
    assert full.complete
    assert reduced.shown.keys() == full.shown.keys()
    assert reduced.cycles.keys() == full.cycles.keys()
    assert len(reduced.ends) == len(full.ends)
    assert reduced.states < full.states
    assert last_states(setup, start, reduce=True) == last_states(setup, start, reduce=False)


def last_states(setup: Setup, start: str, *, reduce: bool) -> frozenset[int]:
    """Return the digests of the ends that a search finds of which nothing is asked."""
    graph = Graph(base_of(setup, start, reduce=reduce))
    return frozenset(digest for digest, number in graph.part.found.index.items() if number in graph.part.ends)


@pytest.mark.long
def test_together_they_show_something() -> None:
    """The setups are no empty ones: more than ten properties are shown in some, and both kinds of guards hold."""
    seen = {name for case in SETUPS if case not in LARGE for name in searched(case, True).shown}
    assert len(seen) > 10
    assert {"a_container_runs", "dockerd_leaves", "a_shim_is_an_orphan", "V3", "V8"} <= seen, sorted(seen)


@pytest.mark.long
def test_a_stall_shows_what_no_other_setup_does() -> None:
    """Somebody gets no answer."""
    assert "V13" in searched("any stall in a stop", True).shown


def test_an_op_that_a_property_sees_is_not_taken_first() -> None:
    """What is taken first is less the more is asked for: an op is left out once a property reads what it writes."""
    setup, start = AGREE["port"]
    nothing, much = explore(setup, start=start), searched("port", True)
    assert nothing.base.learner.first >= confluent(DESIGNS[setup.engine.design])
    assert much.base.learner.first < nothing.base.learner.first
    assert much.states > nothing.states


def test_ops_are_left_out_that_a_long_search_alone_sees() -> None:
    """A property that reads something late on, beyond the first look, lets the search begin again without it."""
    setup, start = AGREE["hasty"]
    found = explore(setup, start=start, asked=asked("V14b", "V15"))
    assert not found.base.learner.seen(found.base.learner.looked_at())

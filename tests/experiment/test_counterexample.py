"""Counterexamples: faults become steps, the story becomes a scenario, and its run violates the same property."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sim.drive.explore import Path, begin
from sim.drive.follow import Followed
from sim.engine.goroutine import ModelFault
from sim.engine.setup import FaultBudget, Setup
from sim.experiment.counterexample import retell, tell, write_counterexample
from sim.experiment.run import run_scenario
from sim.faults import Fault
from sim.kernel.events import Execed, Exited
from sim.model import Go, initial, step
from sim.scenario import Scenario, load
from sim.trace import Replay
from sim.world import World
from tests.canonical import key
from tests.drive.lives import UP, WITH_PORT, docker, setup_of
from tests.drive.stories import PLENTY, T28, fault_walk, payload_under_init, proxy_unreaped, replaced, shim_gone, story
from tests.test_canonical import STORMS

TEXT = """
title: One web server
host: {next_pid: 20011}
services: {web: {image: nginx, ports: ["80:80"], restart: always}}
steps: [{id: later, at: 5s, docker: stop web}]
expect: [{at: end, container: web, status: running}]
"""
STALLED = ("fault stall containerd", "...", "dockerd health grace")
CASES: dict[str, tuple[tuple[str, ...], Any]] = {
    "V3": (T28, payload_under_init),
    "V4": (("fault kill containerd", "fault kill shim/web"), shim_gone),
    "V8": (("fault kill proxy/web",), proxy_unreaped),
}


def scenario() -> Scenario:
    loaded = load("web.yaml", TEXT)
    return replaced(loaded, setup=replaced(loaded.setup, faults=PLENTY))


def read_back(text: str) -> Setup:
    """Load what was written; the keys that are for the run alone are laid over it here."""
    document = yaml.safe_load(text)
    plain = {name: value for name, value in document.items() if name not in ("order", "faults", "expect")}
    setup = load("written.yaml", yaml.safe_dump(plain)).setup
    return replaced(setup, order=tuple(document["order"]))


def last_world(setup: Setup, actions: Any) -> World:
    world, _ = initial(setup)
    for action in actions:
        step(world, action)
    return world


# -- faults as steps ----------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [*(names for names, _ in CASES.values()), STALLED])
def test_a_story_with_steps_ends_where_its_faults_led(names: tuple[str, ...]) -> None:
    """The host, and what every process remembers, is the same after steps as after faults."""
    setup = scenario().setup
    path, world = story(setup, *names)
    told = retell(setup, path.actions)
    twin = last_world(told.setup, told.actions)
    assert not [action for action in told.actions if isinstance(action, Fault)]
    assert len(told.order) == len(told.actions) - told.opened
    twin.setup, twin.marks, world.marks = world.setup, {}, {}
    assert key(twin) == key(world)


@pytest.mark.long
@given(st.sampled_from(STORMS), st.integers(0, 2**32))
def test_any_story_with_steps_ends_where_its_faults_led(setup: Setup, seed: int) -> None:
    """Whatever befalls whom and when, the story with steps comes to the same host; each step stands for one fault."""
    walk = list(fault_walk(setup, seed))
    world = walk[-1][0]  # one world all along: it has taken the last action, too
    actions = (*begin(setup, "open")[1].actions, *(action for _, action in walk))
    told = retell(replaced(setup, faults=PLENTY), actions)
    twin = last_world(told.setup, told.actions)
    faults, left = (sum(isinstance(action, Fault) for action in them) for them in (actions, told.actions))
    assert len(told.setup.terminals) - len(setup.terminals) == faults - left
    twin.setup, twin.marks, world.marks = world.setup, {}, {}
    assert key(twin) == key(world)


def test_a_stall_and_its_end_become_stop_and_cont() -> None:
    """A process that goes on takes CONT within the step that sends it."""
    names = ("fault stall shim/web", "fault resume shim/web")
    told = retell(scenario().setup, story(scenario().setup, *names)[0].actions)
    assert told.order == (
        "step fault1 more_steps",
        "step fault1 await",
        "step fault1 begin",
        "STOP to shim/web",
        "step fault1 finish",
        "step fault1 more_steps",
        "step fault2 more_steps",
        "step fault2 await",
        "step fault2 begin",
        "step fault2 finish",
        "step fault2 more_steps",
    )


def test_a_fault_that_no_step_can_name_stays_in_the_order() -> None:
    """An iptables has no name in a scenario: the order says the fault, which needs no budget there."""
    setup = replaced(setup_of(WITH_PORT, UP, *docker("run")), faults=PLENTY)
    path, _ = story(setup, "...", "dockerd start/web fork_iptables_run", "fault kill iptables", "fault kill dockerd")
    told = retell(setup, path.actions)
    assert "fault kill iptables" in told.order
    assert told.setup.faults == FaultBudget()
    assert [terminal[0].text for terminal in told.setup.terminals[1:]] == ["kill dockerd"]
    trace = Followed(replaced(told.setup, order=told.order)).run()
    killed = [record.event.pid for record in trace if isinstance(record.event, Exited) and record.event.status == -9]
    image = next(r.event.image for r in trace if isinstance(r.event, Execed) and r.event.pid == killed[0])
    assert image.program == "iptables"


def test_one_of_two_proxies_is_named_by_its_port() -> None:
    """Where a container has several proxies a fault's step says which."""
    text = TEXT.replace('"80:80"', '"80:80", "443:443"')
    setup = replaced(load("web.yaml", text).setup, faults=PLENTY)
    path, _ = story(setup, "fault kill proxy/web#2")
    (step_,) = retell(setup, path.actions).setup.terminals[-1]
    assert step_.text == "kill proxy/web:443"


def test_ids_of_the_scenario_are_not_used_twice() -> None:
    """A step that is called fault1 already leaves the name to it."""
    setup = replaced(load("web.yaml", TEXT.replace("later", "fault1")).setup, faults=PLENTY)
    told = retell(setup, story(setup, *T28)[0].actions)
    assert [terminal[0].id for terminal in told.setup.terminals] == ["fault1", "fault2", "fault3"]


def test_another_way_to_the_start_is_refused() -> None:
    """What comes before t = 0 cannot be ordered, so a path that differs there is no scenario."""
    setup = scenario().setup
    path, _ = story(setup, *T28)
    with pytest.raises(ModelFault, match="another way to t = 0"):
        retell(setup, path.actions[1:])


def test_an_action_that_cannot_happen_is_found() -> None:
    """A path that does not belong to the setup is refused with the place."""
    setup = scenario().setup
    path, _ = story(setup, *T28)
    with pytest.raises(ModelFault, match=rf"action {len(path)} of the path is not enabled"):
        retell(setup, (*path.actions, Go((1, "nobody"))))


# -- the scenario -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_written_scenario_violates_again(name: str, seed: int) -> None:
    """Read back and run, whatever the seed, the story comes to a state that violates the property, and not before."""
    names, violated = CASES[name]
    told = scenario()
    path, world = story(told.setup, *names)
    assert violated(world)
    setup = read_back(write_counterexample(told, path.actions, name))
    trace = Followed(setup, seed).run()
    replay = Replay(trace)
    first = None
    while (record := replay.step()) is not None:
        if first is None and violated(replay.world):
            first = record
    assert first is not None
    assert type(first.event).__name__ in ("Exited", "Reparented")


def test_what_is_written_is_the_scenario_with_faults_order_and_property() -> None:
    """Services, host and steps stay; faults are steps behind them; the only expectation is the property."""
    told = scenario()
    path, _ = story(told.setup, *T28)
    text = write_counterexample(told, path.actions, "V3", story="A story\n\n  of two lines")
    assert text.startswith("# A story\n#\n#   of two lines\ntitle: 'Counterexample to V3: One web server'\n")
    document = yaml.safe_load(text)
    assert document["steps"] == [
        {"id": "later", "at": "5s", "docker": "stop web"},
        {"id": "fault1", "at": "0s", "kill": "containerd"},
        {"id": "fault2", "at": "0s", "kill": "shim/web"},
    ]
    assert document["expect"] == [{"property": "V3"}]
    assert document["order"] == list(retell(told.setup, path.actions).order)
    again = read_back(text)
    assert again.services == told.setup.services
    assert again.host == told.setup.host


def test_a_story_says_how_long_it_is_and_what_broke() -> None:
    """Faults and steps are those of the path; the decisive paragraph is that of its last action."""
    setup = scenario().setup
    path, world = story(setup, *T28)
    other = Path((*path.actions[:-1],))
    told = tell(setup, path.actions, "V3", sibling=(len(other), Go((dockerd_of(world), "connection"))))
    assert (told.faults, told.steps, told.decisive) == (2, 3, 3)
    assert told.sibling is not None
    assert told.sibling.number == 3
    assert (told.sibling.actor, told.sibling.instead_actor) == ("dockerd", "step fault2")


def test_a_scenario_with_an_order_is_run_in_it() -> None:
    """`run_scenario` follows an order: the payload is an orphan as soon as t = 0."""
    told = scenario()
    setup = replaced(told.setup, order=T28)
    run = run_scenario(replaced(told, setup=setup))
    assert payload_under_init(run.at("0s+10ms"))
    assert not payload_under_init(run_scenario(told).at("0s+10ms"))


def dockerd_of(world: World) -> int:
    return next(p.pid for p in world.host.procs.values() if p.image.program == "dockerd")

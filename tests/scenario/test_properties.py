"""Properties of scenario files: how they are read, judged in a run, written back, and handed to an explorer."""

from __future__ import annotations

import pickle

import pytest

from sim.drive.timed import run
from sim.engine.setup import FaultBudget, Instant
from sim.errors import InputError
from sim.properties import EVENTUALLY, PROPERTIES
from sim.scenario import OwnProperty, PropertyExpect, json_schema, load, property_called, property_of, resolved
from sim.scenario.text import Problems, read
from sim.scenario.to_explore import at_end, for_explorer
from sim.scenario.verdict import evaluate
from sim.scenario.verdict_properties import Outcome, judged_text

TEXT = """\
title: A shim killed while containerd is down
services: {web: {image: nginx, ports: ["80:80"]}}
steps:
  - {id: down, at: 60s, kill: containerd}
  - {id: shot, at: Exited(containerd)+200ms, kill: shim/web}
until: down+30s
properties:
  - V3
  - {name: reachable, always: "open(80, remote) or down(dockerd)"}
  - sometimes: >-
      zombie(payload/web)
      or parent(payload/web, init)
  - eventually: not up(shim/*) implies status(web, exited)
  - {name: never, sometimes: down(dockerd)}
  - {name: back, eventually: up(shim/web)}
faults: {total: 2, kinds: {kill: 1, stall: 1}, between: [start(web), "die(web)#2"]}
order: [dockerd  start/web   reserve_port, open, TERM to payload/web]
expect:
  - {property: V3}
  - {property: reachable}
  - {property: V16}
  - {property: property3}
  - {property: property4}
  - {property: never}
  - {property: back}
  - {property: V6}
  - {at: end, container: web, status: exited, exit_code: 255}
  - {at: end, process: payload/web, exists: false}
  - {at: end, port: 80, from: remote, open: true}
  - {at: end, container: web, pid: same}
  - {at: end-1s, container: web, status: exited}
  - {within: 20s, of: down, container: web, status: exited}
  - {dark: all, from: remote, max: 1m}
"""


@pytest.fixture(scope="module")
def scenario():
    return load("f", text=TEXT)


def test_entries_are_names_of_the_table_or_sentences_of_one_s_own(scenario):
    """An own property is plain data; without a name it is called by its place."""
    names = [entry if isinstance(entry, str) else (entry.name, entry.kind, entry.text, entry.line)
             for entry in scenario.properties]  # fmt: skip
    assert names == [
        "V3",
        ("reachable", "always", "open(80, remote) or down(dockerd)", 9),
        ("property3", "sometimes", "zombie(payload/web) or parent(payload/web, init)", 10),
        ("property4", "eventually", "not up(shim/*) implies status(web, exited)", 13),
        ("never", "sometimes", "down(dockerd)", 14),
        ("back", "eventually", "up(shim/web)", 15),
    ]
    assert pickle.loads(pickle.dumps(scenario)) == scenario


def test_an_own_property_becomes_one_of_worlds(scenario):
    """It says of its predicates which hold."""
    prop = property_called(scenario, "reachable")
    assert (prop.name, prop.kind, prop.sentence, prop.source) == (
        "reachable", "always", "Always: open(80, remote) or down(dockerd)", "line 9",
    )  # fmt: skip
    world = run(scenario.setup).first_world()
    assert prop.holds(world)
    assert prop.said(world) == "open(80, remote) is false, down(dockerd) is true"
    assert property_called(scenario, "V3") is PROPERTIES["V3"]
    assert [property_of(entry).name for entry in scenario.properties][:2] == ["V3", "reachable"]
    with pytest.raises(KeyError):
        property_called(scenario, "V99")


def test_a_run_judges_the_properties_that_are_expected(scenario):
    """always in every state, sometimes in one, eventually at the end; the first moment and what was so is said."""
    trace = run(scenario.setup)
    found = [it for it in evaluate(scenario, trace, lambda *_: "") if isinstance(it.expectation, PropertyExpect)]
    assert [(it.holds, it.label) for it in found] == [
        (False, "every state"), (False, "every state"), (True, "every state"), (True, "some state"), (True, "end"),
        (False, "some state"), (False, "end"), (True, "end"),
    ]  # fmt: skip
    states = found[2].detail.split()[2]
    assert [it.detail for it in found] == [
        "first failed at shot+1ms: payload/web (62) is a child of init (1)",
        "first failed at shot+1.169s: open(80, remote) is false, down(dockerd) is false",
        f"in all {states} states",
        "first so at shot+1ms",
        "so it was",
        f"in none of {states} states",
        "then: up(shim/web) is false",
        "so it was",
    ]
    words = "A container's program is a child of its shim, unless a KILL or a working containerd is about to end it."
    assert found[0].text == f"V3: {words}"
    assert found[1].text == "reachable: open(80, remote) or down(dockerd)"
    assert 50 < int(states) < 500


def test_words_where_there_is_no_time_and_no_step():
    """On a path without times the number of the fact is said; before the first step the time since t = 0."""
    assert judged_text(Outcome(False, 3, None, 17, said="so"), "always", 0) == "first failed after fact 17: so"
    assert judged_text(Outcome(True, 3, 5_000_001, 17), "sometimes", 1_000_000) == "first so at 4.001s"
    assert judged_text(Outcome(False, 0), "eventually", 0) == "t = 0 never came"


def test_the_resolved_scenario_keeps_them_all(scenario):
    """Properties, faults and order are read back as they were."""
    text = resolved(scenario)
    again = load("again", text=text)
    assert [it if isinstance(it, str) else (it.name, it.kind, it.text, it.expression) for it in again.properties] == [
        it if isinstance(it, str) else (it.name, it.kind, it.text, it.expression) for it in scenario.properties
    ]
    assert (again.setup.faults, again.setup.order) == (scenario.setup.faults, scenario.setup.order)
    assert [it.text for it in again.expectations] == [it.text for it in scenario.expectations]
    assert resolved(again) == text


def test_properties_do_not_need_to_be_expected():
    """A file may only list them: a run says nothing of them."""
    scenario = load("f", text="services: {web: {}}\nproperties: [V8, always: serving]\n")
    assert [type(it) for it in scenario.properties] == [str, OwnProperty]
    assert scenario.expectations == ()
    assert load("f", text="services: {web: {}}\nproperties:\n").properties == ()


# -- for the explorer -------------------------------------------------------------------------------


def test_faults_and_order_are_part_of_the_setup(scenario):
    """The window is two moments, the order is a list of words."""
    start, die = Instant("word", "start", "web"), Instant("word", "die", "web", 2)
    assert scenario.setup.faults == FaultBudget(2, (("kill", 1), ("stall", 1)), start, die)
    assert scenario.setup.order == ("dockerd start/web reserve_port", "open", "TERM to payload/web")


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("", FaultBudget()),
        ("faults:", FaultBudget()),
        ("faults: {total: 3}", FaultBudget(3)),
        ("faults: {kinds: {kill: 2, stall: 1}}", FaultBudget(3, (("kill", 2), ("stall", 1)))),
        ("faults: {total: 1, kinds: {kill: 1}}", FaultBudget(1, (("kill", 1),))),
        ("faults: {total: 1, between: [0s, end]}", FaultBudget(1)),
        ("faults: {total: 1, between: [ready(docker), end]}", FaultBudget(1, (), Instant("ready", "ready", "docker"))),
        ("faults: {total: 1, between: [0, 'Exited(shim/web)']}",
         FaultBudget(1, (), None, Instant("fact", "Exited", "shim/web"))),
    ],
)  # fmt: skip
def test_a_budget_of_faults(text, budget):
    """Without a total it is the sum of the kinds; an open end of the window is no limit."""
    assert load("f", text=f"services: {{web: {{}}}}\n{text}\n").setup.faults == budget


def test_an_explorer_gets_properties_and_expectations_at_the_end(scenario):
    """What needs a clock, a comparison or a history of events is listed as not checked."""
    properties, unchecked = for_explorer(scenario)
    assert [prop.name for prop in properties] == [
        "V3", "reachable", "property3", "property4", "never", "back", "V16", "V6",
        "expect:27", "expect:28", "expect:29",
    ]  # fmt: skip
    assert [it.line for it in unchecked] == [30, 31, 32, 33]
    assert [prop.sentence for prop in properties[-3:]] == [
        "At the end: web exited, exit code 255", "At the end: payload/web gone", "At the end: port 80 open from remote",
    ]  # fmt: skip


def test_an_expectation_at_the_end_judges_a_world(scenario):
    """It holds in the world at the end of a run exactly if the run's verdict is good, and says the same."""
    trace = run(scenario.setup)
    final = trace.at(trace.end)
    checked = 0
    for verdict in evaluate(scenario, trace, lambda *_: ""):
        prop = at_end(verdict.expectation)
        if prop is not None:
            assert (prop.kind, prop.holds(final), prop.said(final)) == (EVENTUALLY, verdict.holds, verdict.detail)
            checked += 1
    assert checked == 3


def test_two_expectations_of_one_line_have_two_names():
    """Names of properties differ."""
    text = "services: {web: {}}\nexpect: [{at: end, process: init, count: 1}, {at: end, process: init, state: S}]\n"
    properties, _ = for_explorer(load("f", text=text))
    assert [prop.name for prop in properties] == ["expect:2", "expect:2#2"]


# -- wrong files ------------------------------------------------------------------------------------


def test_all_faults_are_said_at_once():
    """Each with its place; those of properties stand beside those of everything else."""
    text = """\
services: {web: {ports: ["80:80"]}}
properties:
  - V33
  - alwys: serving
  - {always: serving, sometimes: serving}
  - {always: "opne(80, remote)"}
  - {always: open(80, remote)}
  - {name: V3, always: serving}
  - {name: x, always: serving}
  - {name: x, always: serving}
  - [V3]
  - "always: serving"
faults: {total: 1, kinds: {kil: 1}, between: [start(wbe), end]}
order: [1, ""]
expect:
  - {property: V33}
  - {at: end, property: V3}
"""
    with pytest.raises(InputError) as refused:
        load("f", text=text)
    assert [problem.where for problem in refused.value.problems] == [
        "f:3:5", "f:4:5", "f:4:5", "f:5:5", "f:6:14", "f:7:5", "f:8:12", "f:10:5", "f:11:5", "f:12:5", "f:13:33",
        "f:14:9", "f:14:12", "f:16:16", "f:17:6",
    ]  # fmt: skip


def test_the_schema_for_editors_accepts_them():
    """The JSON schema knows the new keys."""
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(read(TEXT, "f", Problems())[0].plain(), json_schema())

"""Properties on every design: true of a healthy host, in the design's own words, or said not to apply.

Leaves out what breaks them on docker-1.13 (`test_invariants`) and what a killed holder breaks (`test_shim_killed`).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest

import sim
from sim.cli import main
from sim.designs import DESIGNS, roles
from sim.designs.upgraded import upgraded
from sim.drive.explore import Limits
from sim.drive.timed import run
from sim.engine.setup import Docker
from sim.experiment.exploring import explored
from sim.facts import EngineEvent, Forgot, Marked, StepDone, StepTaken
from sim.kernel import events as e
from sim.model import design_of
from sim.predicates import dockerd, living
from sim.properties import ALWAYS, PROPERTIES, SOMETIMES, Property, in_words_of
from sim.scenario import Scenario, load
from sim.scenario.expect import PropertyExpect
from sim.scenario.verdict_properties import judge
from sim.trace import Trace
from sim.views.exploration import DOES_NOT_APPLY, VIOLATED
from sim.world import World, evolve

HOST = """
title: One container
engine: {{design: {design}}}
services: {{web: {{image: nginx, restart: {policy}, ports: ["80:80"]}}}}
steps: [{steps}]
until: {until}s
"""
LIFE = """{at: 5s, docker: stop web}, {at: 50s, docker: start web}, {at: 80s, docker: exec web true},
  {at: 100s, kill: payload/web}"""
CLIENTS = {design.traits.client for design in DESIGNS.values()}
PLAIN = {"child", "exec"}  # words of English, and a verb, that are roles as well
QUICK = ("docker-1.10", "docker-1.13", "podman", "podman-quadlet", "cri-o")


def scenario(design: str, steps: str = "", policy: str = "always", until: int = 30) -> Scenario:
    return load("host.yaml", HOST.format(design=design, steps=steps, policy=policy, until=until))


@cache
def life(design: str) -> Trace:
    """Return a run in which a container is stopped, started, asked for a command, killed, and started again."""
    return run(scenario(design, LIFE, "unless-stopped", 130).setup)


def applying(design: str) -> list[Property]:
    return [prop for prop in PROPERTIES.values() if not prop.lacks(DESIGNS[design])]


def at_rest(design: str) -> World:
    trace = run(scenario(design).setup)
    return trace.at(trace.end)


def broken(trace: Trace, design: str) -> dict[str, str]:
    asked = [prop for prop in applying(design) if prop.kind != SOMETIMES]
    return {name: found.said for name, found in judge(trace, asked).items() if not found.holds}


# -- healthy hosts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("design", DESIGNS)
def test_a_host_at_rest_violates_nothing(design: str) -> None:
    """With one container, no step and no fault each invariant and law that applies holds, and a container runs."""
    trace = run(scenario(design).setup)
    assert broken(trace, design) == {}
    assert judge(trace, [PROPERTIES["a_container_runs"]])["a_container_runs"].holds


@pytest.mark.parametrize("design", DESIGNS)
def test_what_people_do_to_a_container_violates_nothing(design: str) -> None:
    """A stop, a start, a command and a program that ends are no faults of the engine, and its policy acts."""
    assert broken(life(design), design) == {}
    guards = [PROPERTIES[name] for name in ("a_port_answers", "a_container_runs")]
    assert all(found.holds for found in judge(life(design), guards).values())


@pytest.mark.parametrize("design", [pytest.param(it, marks=() if it in QUICK else pytest.mark.long) for it in DESIGNS])
def test_every_order_of_a_program_s_end_violates_nothing(design: str) -> None:
    """Also in each order of events no property that applies is violated, and none that does not is looked at."""
    asked = [prop for prop in PROPERTIES.values() if prop.kind != SOMETIMES]
    found = explored(scenario(design, "{at: 1s, kill: payload/web}"), asked, limits=Limits(states=20_000))
    assert {it.name: it.verdict for it in found.findings if it.verdict == VIOLATED} == {}
    assert {it.name for it in found.findings if it.verdict == DOES_NOT_APPLY} == {it.name for it in asked} - {
        it.name for it in applying(design)
    }


# -- words ------------------------------------------------------------------------------------------


def named(prop: Property, design: str) -> set[str]:
    """Return the roles of any design that a sentence names."""
    return set(re.findall(r"[a-z]+", in_words_of(prop, DESIGNS[design]).sentence)) & set(roles()) - PLAIN


@pytest.mark.parametrize("design", DESIGNS)
def test_a_sentence_names_what_the_design_has(design: str) -> None:
    """Each role in the words of a property that applies has a process in an ordinary life; so has each unit a file."""
    seen = {record.event.image.program for record in life(design) if isinstance(record.event, e.Execed)}
    for prop in applying(design):
        assert named(prop, design) <= seen, prop.name
        sentence = in_words_of(prop, DESIGNS[design]).sentence
        assert set(re.findall(r"(\w*)\.service", sentence)) <= set(DESIGNS[design].units)
        typed = DESIGNS[design].engine.typed(DESIGNS[design], Docker("stop", "")).strip()
        assert ("succeeds" in sentence) <= (typed in sentence)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_sentence_has_no_place_left_open(design: str) -> None:
    """Also where it does not apply it can be read; a reason follows the design's name."""
    for prop in PROPERTIES.values():
        sentence, lack = in_words_of(prop, DESIGNS[design]).sentence, prop.lacks(DESIGNS[design])
        assert not set("{}") & set(sentence)
        assert sentence[0].isupper() or sentence.startswith((*DESIGNS[design].programs, *CLIENTS))
        assert lack == "" or lack.startswith("has ")


def test_each_reason_not_to_apply_is_one_design_s_and_not_another_s() -> None:
    """On docker-1.13 everything applies; what may not apply somewhere does not on another design."""
    assert len(applying("docker-1.13")) == len(PROPERTIES)
    general = PROPERTIES["V20"].lacks
    for prop in PROPERTIES.values():
        assert prop.lacks is general or any(prop.lacks(design) for design in DESIGNS.values()), prop.name


def test_a_sentence_of_one_s_own_is_said_as_it_stands() -> None:
    """Braces in it are no places."""
    own = Property("own", ALWAYS, "Always: {daemon}", lambda world: True)
    assert in_words_of(own, DESIGNS["podman"]) is own


# -- the rules that differ --------------------------------------------------------------------------


@pytest.mark.parametrize("design", ["containerd-cri", "cri-o", "docker-28", "podman"])
def test_a_payload_without_a_record_is_not_known(design: str) -> None:
    """V2 asks each engine what it has of a container: a record that is gone is what it knows nothing of."""
    world = at_rest(design)
    assert PROPERTIES["V2"].holds(world)
    pid, place = dockerd(world), world.design.traits.records.format(name="web")
    for key in ("container/web", "lib/web"):
        if pid is not None and world.recall(pid, key) is not None:
            evolve(world, Forgot(pid, key))
    for path in [path for path in world.host.files if path == place or path.endswith("#container/web")]:
        evolve(world, e.FileRemoved(path))
    assert PROPERTIES["V2"].said(world) == "web has a payload and no record says so"


def test_where_nobody_holds_a_program_the_daemon_does() -> None:
    """Docker 1.10 has no shims: a program is dockerd's child, and has outlived it when that is killed."""
    trace = run(scenario("docker-1.10", "{at: 1s, kill: dockerd}", until=2).setup)
    found = judge(trace, [PROPERTIES["V3"], PROPERTIES["V6"]])
    assert not found["V3"].holds
    assert found["V3"].said.endswith("is a child of init (1)")
    assert PROPERTIES["V6"].said(at_rest("docker-1.10")) == ""


def test_a_holder_that_cleans_up_stands_beside_the_next_one() -> None:
    """conmon runs the command that starts the container again, and leaves after it; two that hold are too many."""
    world = at_rest("podman")
    conmon = living(world, "conmon", "web")[0]
    evolve(world, e.Forked(900, 1, 900, 900, 0, conmon.cgroup))
    evolve(world, e.Execed(900, conmon.image))
    assert PROPERTIES["V4"].said(world) == "web has 2 conmons"
    assert broken(run(scenario("podman", "{at: 1s, kill: payload/web}").setup), "podman") == {}


@pytest.mark.parametrize(("design", "unit"), [("docker-1.13", "docker"), ("cri-o", "crio"), ("cri-o", "kubelet")])
def test_a_stop_of_the_engine_s_own_unit_is_people_s_will(design: str, unit: str) -> None:
    """V10 excuses what runs no more since a unit was stopped, whatever the unit is called."""
    steps = f"{{at: 1s, systemctl: stop {unit}}}, {{at: 20s, kill: payload/web}}"
    trace = run(scenario(design, steps, until=60).setup)
    assert judge(trace, [PROPERTIES["V10"]])["V10"].holds
    assert f"{unit}.service" in in_words_of(PROPERTIES["V10"], DESIGNS[design]).sentence


@pytest.mark.parametrize("design", ["docker-1.13", "podman", "cri-o", "containerd-cri"])
def test_a_container_that_people_have_stopped_is_not_missed(design: str) -> None:
    """V10 knows a stop by what the engine tells, or by what people keep; one that nobody ended is missed."""
    stopped = run(scenario(design, "{at: 1s, docker: stop web}", until=60).setup)
    assert judge(stopped, [PROPERTIES["V10"]])["V10"].holds
    if design == "podman":  # nobody is left who would start it
        left = run(scenario(design, "{at: 1s, kill: conmon/web}, {at: 2s, kill: payload/web}").setup)
        assert judge(left, [PROPERTIES["V10"]])["V10"].said == "web does not run again"


@pytest.mark.parametrize(("design", "told"), [("podman", False), ("cri-o", False), ("docker-28", True)])
def test_an_end_of_which_nobody_tells_is_found_with_or_without_a_daemon(design: str, told: bool) -> None:
    """V14b: the die that a killed conmon would have brought never comes; dockerd hears of its shim's end."""
    steps = "{at: 1s, kill: supervisor/web}, {at: 5s, kill: payload/web}"
    found = judge(run(scenario(design, steps, until=120).setup), [PROPERTIES["V14b"]])["V14b"]
    assert PROPERTIES["V14b"].lacks(DESIGNS[design]) == ""
    assert found.said == ("" if told else "web has ended and no die was said")


def test_a_daemon_that_is_away_says_no_die() -> None:
    """V14b excuses it where a daemon is to say it."""
    steps = "{at: 1s, kill: shim/web}, {at: 2s, systemctl: stop docker}, {at: 20s, kill: payload/web}"
    trace = run(scenario("docker-1.13", steps, until=40).setup)
    assert judge(trace, [PROPERTIES["V14b"]])["V14b"].holds


@pytest.mark.parametrize("design", DESIGNS)
def test_a_guard_is_not_asked_where_the_engine_counts_no_restarts(design: str) -> None:
    """systemd restarts a unit's container as a new one, so that no record counts it; everywhere else one does."""
    trace = run(scenario(design, "{at: 1s, kill: payload/web}").setup)
    guard = PROPERTIES["a_policy_restarts"]
    assert judge(trace, [guard])["a_policy_restarts"].holds or guard.lacks(DESIGNS[design])


@pytest.mark.parametrize("design", DESIGNS)
def test_every_design_s_stop_is_judged(design: str) -> None:
    """V12 applies to all: a stop that succeeds is noted once, and a container that runs at its answer is a fault."""
    setup = scenario(design, "{id: stop, at: 5s, docker: stop web}", until=60).setup
    trace = run(setup)
    assert PROPERTIES["V12"].lacks(DESIGNS[design]) == ""
    assert judge(trace, [PROPERTIES["V12"]])["V12"].holds
    world, answered = trace.first_world(), 0
    for record in trace:
        marks = v12_marks(world, record.event)
        answered += ("V12:asked:web", 0) in marks
        for mark in marks:
            evolve(world, Marked(*mark))
        evolve(world, record.event)
    assert answered == 1


def v12_marks(world: World, event: Any) -> list[Any]:
    """Return what V12 notes of an event."""
    return [mark for kind, rule in PROPERTIES["V12"].watch if type(event) is kind for mark in rule(world, event)]


@pytest.mark.parametrize("design", ["podman", "podman-quadlet", "cri-o", "containerd-cri"])
def test_a_stop_that_succeeds_while_the_container_runs_is_found(design: str) -> None:
    """V12 breaks where the step is answered at once; a start in between is somebody else's will."""
    trace = run(scenario(design, "{id: stop, at: 20s, docker: stop web}", until=60).setup)
    asked, done = StepTaken("stop"), StepDone("stop")

    def told(*events: Any) -> str:
        """Return what V12 says after events that its own rules alone see."""
        world = trace.at(trace.origin + 1_000_000)
        for event in events:
            for mark in v12_marks(world, event):
                evolve(world, Marked(*mark))
        return PROPERTIES["V12"].said(world)

    assert told(asked, done).startswith("web ran when ")
    assert told(asked, StepDone("stop", "no such container")) == ""
    assert told(asked, EngineEvent("container", "start", "web"), done) == ""
    assert told(done) == ""


@pytest.mark.parametrize("later", ["docker-18.09", "docker-28"])
def test_a_version_that_an_upgrade_brings_is_asked_too(later: str) -> None:
    """The shims of 18.09 live below containerd, so that V5 applies to a host of 26 that gets it, in those words."""
    steps = f"{{at: 1s, upgrade: {{to: {later}}}}}"
    text = HOST.format(design="docker-26", policy="always", until=60, steps=steps) + "expect: [{property: V5}]\n"
    found = load("host.yaml", text)
    lacks = PROPERTIES["V5"].lacks(design_of(found.setup))
    assert lacks == ("has every shim under PID 1" if later == "docker-28" else "")
    (expectation,) = found.expectations
    assert isinstance(expectation, PropertyExpect)
    assert expectation.sentence == in_words_of(PROPERTIES["V5"], design_of(found.setup)).sentence
    assert expectation.sentence.endswith("Every shim is a child of a living containerd.") == (not lacks)


def test_an_expectation_has_the_words_of_what_an_upgrade_brings() -> None:
    """A host of 1.10 that gets 1.13 has shims, and what is expected says so."""
    steps = "{at: 1s, upgrade: {to: docker-1.13}}"
    text = HOST.format(design="docker-1.10", policy="always", until=60, steps=steps) + "expect: [{property: V4}]\n"
    (expectation,) = load("host.yaml", text).expectations
    assert isinstance(expectation, PropertyExpect)
    assert "has exactly one shim, or none" in expectation.sentence


@pytest.mark.parametrize("design", DESIGNS)
def test_a_sentence_that_does_not_apply_claims_nothing_of_the_design(design: str) -> None:
    """It names no program of the design's, and says that it is about others."""
    for prop in PROPERTIES.values():
        if prop.lacks(DESIGNS[design]):
            assert named(prop, design) <= {"payload"}, prop.name  # which every host has
            assert in_words_of(prop, DESIGNS[design]).sentence.startswith("Where it applies: "), prop.name


def test_versions_that_come_later_bring_their_holders() -> None:
    """A host that was upgraded from 1.10 has shims; what ran before had none, and needs none."""
    both = upgraded(DESIGNS["docker-1.10"], DESIGNS["docker-1.13"])
    assert both.holders == ("shim",)
    setup = scenario("docker-1.10", "{at: 1s, upgrade: {to: docker-1.13}}", until=90).setup
    assert PROPERTIES["V5"].lacks(design_of(setup)) == ""
    found = judge(run(setup), [PROPERTIES[name] for name in ("V3", "V4", "V6")])
    assert {name: it.said for name, it in found.items() if not it.holds} == {}


# -- how it is said ---------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a file of podman's that lists and expects what podman has not."""
    monkeypatch.chdir(tmp_path)
    text = HOST.format(design="podman", policy="always", until=9, steps="") + "properties: [V5, V3]\n"
    (tmp_path / "host.yaml").write_text(text)
    (tmp_path / "expects.yaml").write_text(text + "expect: [{property: V5}, {property: V3}]\n")
    return "host.yaml"


def test_an_exploration_says_what_does_not_apply(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It counts neither way; with nothing else asked nothing was found, and the status says so."""
    assert main(["explore", path, "--no-save"]) == 0
    told = capsys.readouterr().out
    assert "Does not apply: V5 (podman has every conmon under PID 1)." in told
    assert "V3: A container's program is a child of its conmon" in told
    assert main(["explore", path, "-p", "V5", "--no-save", "-q"]) == 3
    assert capsys.readouterr().out == "Does not apply: V5 (podman has every conmon under PID 1).\n"
    main(["explore", path, "-p", "all", "--no-save"])
    assert "Not modelled: V24 (" in capsys.readouterr().out  # and neither V15 nor V17, which are about daemons


def test_the_verdict_is_one_of_its_own_in_python(path: str) -> None:
    """So that a loop over designs can tell it from HOLDS."""
    found = sim.explore(path, "V5", "V3")
    assert (found.verdict("V5"), found.verdict("V3")) == ("DOES NOT APPLY", "HOLDS")
    assert found.finding("V5").why == "podman has every conmon under PID 1"


def test_a_run_cannot_tell_what_does_not_apply(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An expectation that is about nothing neither holds nor fails."""
    assert main(["run", "expects.yaml", "--no-save"]) == 3
    told = " ".join(capsys.readouterr().out.split())
    assert "does not apply: podman has every conmon under PID 1" in told
    assert "V3: A container's program is a child of its conmon, unless a KILL is about to end it." in told

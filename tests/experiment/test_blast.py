"""What may befall a host: which acts are found, that branches and early ends change nothing, and what rows say."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest

from sim.designs import DESIGNS
from sim.drive.timed import Timed
from sim.engine.setup import Docker
from sim.errors import InputError
from sim.experiment import harm as harming
from sim.experiment.act_words import kind_of
from sim.experiment.acts import OFFERS, Act, chosen, equals
from sim.experiment.blast import STEP, Host, blast, host_of, setup_with
from sim.experiment.replicate import Interrupted
from sim.scenario import Scenario, load
from sim.views.blast import Blast, BlastRow, Harm, worst_first
from sim.views.fates import KEPT, LOST, NEW, fates

SERVICES = """
services:
  web: {image: nginx, ports: ["80:80"], restart: always, x-payload: {ready: 500ms, on_term: {exit: 0, after: 200ms}}}
  once: {image: app, restart: "no", x-payload: {on_term: {exit: 0, after: 100ms}}}
  deaf: {image: app, ports: ["81:80"], restart: unless-stopped, x-payload: {ready: 1s, on_term: none}}
"""
EVERY = tuple(DESIGNS)


def read(text: str, settings: Any = ()) -> Scenario:
    """Return a scenario under settings."""
    return load("host.yaml", text, tuple(settings))


def host(design: str = "docker-26", text: str = SERVICES, **options: Any) -> Host:
    """Return a small host of a design."""
    return host_of(partial(read, f"engine: {{design: {design}}}\n{text}"), **options)


def row(found: Blast, act: str, live_restore: bool | None = False) -> BlastRow:
    """Return the row of an act in one case."""
    (mine,) = [it for it in found.rows if it.act == act and it.live_restore == live_restore]
    return mine


# -- acts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", EVERY)
def test_acts_are_of_the_roles_units_and_parts_that_the_host_has(design: str) -> None:
    """Every process that can be named gets three signals, every unit its verbs; no role is of another engine."""
    found = host(design, cases=False).acts
    its = DESIGNS[design]
    signalled = {act.subject for act in found if act.kind == "kill"}
    assert signalled <= set(its.roles)
    assert {"payload", *its.holders} <= signalled
    assert its.traits.engine in signalled or its.traits.engine not in its.roles
    for target in {act.target for act in found if act.kind == "kill"}:
        assert {act.kind for act in found if act.target == target} >= {"kill", "stall", "terminate"}
    assert {act.subject for act in found if act.kind == "restart"} - {"journal"} == {it for it in its.units if it != ""}
    assert {"reboot", "power loss", "memory"} <= {act.kind for act in found}


@pytest.mark.parametrize("design", EVERY)
def test_each_act_is_a_step_that_a_file_may_have(design: str) -> None:
    """The step that stands beside an act is read as the act's own command, so that it can be run again."""
    mine = host(design, cases=False)
    for act in mine.acts:
        if act.step:
            again = read(f"engine: {{design: {design}}}\n{SERVICES}\nsteps: [{{at: 1s, id: x, {act.step[1:]}]")
            (step,) = [step for terminal in again.setup.terminals for step in terminal]
            assert step.command == act.command, act.name


@pytest.mark.parametrize("design", ["docker-26-separate", "podman-quadlet", "cri-o"])
def test_measured_acts_are_counted_as_acts_are_called(design: str) -> None:
    """The table of measured acts and the acts of a host agree on what a command is."""
    for act in host(design, cases=False).acts:
        if not act.then:
            assert kind_of(DESIGNS[design], act.command) == (act.kind, act.subject), act.name


def test_equal_containers_are_tried_once() -> None:
    """Three that differ in name and port alone are one; one that another names is none of them."""
    text = "services: {a: {image: x, ports: ['1:80']}, b: {image: x, ports: ['2:80']}, c: {image: x, ports: ['3:80']}}"
    services = read(text).setup.services
    assert dict(equals(services)) == dict.fromkeys("abc", ("a", "b", "c"))
    assert dict(equals(read(text.replace("'3:80'", "'3:81'")).setup.services))["c"] == ("c",)
    acts = host(text=text, cases=False).acts
    assert [act.like for act in acts if act.kind == "kill" and act.subject == "payload"] == [("b", "c")]


def test_upgrades_lead_to_later_versions_alone() -> None:
    """Of the newest version there is only its own package once more."""
    ups = [act.name for act in host("docker-28", cases=False).acts if act.kind == "upgrade"]
    assert ups == ["upgrade within the version"]
    assert "upgrade to docker-28" in [act.name for act in host("docker-24", cases=False).acts]


def test_a_word_names_acts() -> None:
    """A kind, a role, a target, a unit, an act; another word is refused with the nearest."""
    acts = host(cases=False).acts
    assert {act.kind for act in chosen(acts, "payload/web")} == {"kill", "stall", "terminate"}
    assert {act.kind for act in chosen(acts, "dockerd")} >= {"kill", "restart", "stop", "upgrade"}
    assert [act.name for act in chosen(acts, "kill  dockerd")] == ["kill dockerd"]
    with pytest.raises(InputError, match=r"--only reboo.*Did you mean 'reboot'"):
        chosen(acts, "reboo")


def test_the_act_takes_the_place_of_the_first_fault() -> None:
    """What comes before it in the file is kept, what comes after it is left out."""
    steps = (
        "steps:\n- {at: 5s, docker: exec web true}\n- {id: k, at: 7s, kill: dockerd}\n- {at: 9s, docker: stop web}\n"
    )
    found = host(text=SERVICES + steps, cases=False)
    (act,) = chosen(found.acts, "kill payload/web")
    setup = setup_with(found.cases[0].setup, act)
    ids = [(step.id, step.at.offset // 1_000_000) for terminal in setup.terminals for step in terminal]
    assert ids == [("step1", 5), (STEP, 7)]
    assert found.moment == "7s"


def test_a_fault_before_a_fact_is_no_moment() -> None:
    """The moment of such a step is found by trying it, which a branch cannot."""
    with pytest.raises(InputError, match="a moment of its own"):
        host(text=SERVICES + "steps: [{id: k, at: before Exited(payload/web), kill: dockerd}]")


# -- runs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", ["docker-1.10", "docker-1.13", "docker-26-separate", "podman", "cri-o"])
def test_fates_are_those_of_a_whole_run(design: str) -> None:
    """What is seen while a branch runs is what a replay of the whole run from the begin finds."""
    mine = host(design, window="40s", cases=False)
    for act in mine.acts[::5]:
        setup = setup_with(mine.cases[0].setup, act)
        harm = harming.Begin(setup, 3, STEP).harm(setup, explain=True, whole=True)
        trace = Timed(setup, 3).run()
        since = next(r.at for r in trace if type(r.event).__name__ == "StepTaken" and r.event.id == STEP)
        found = {fate.container: fate for fate in fates(trace, since)}
        assert {it.container: it for it in harm.touched}.items() <= found.items(), act.name
        assert sum(count for _, count in harm.fates) == len(found)


@pytest.mark.long
@pytest.mark.parametrize("design", EVERY)
def test_a_run_that_ends_early_says_what_a_whole_one_says(design: str) -> None:
    """Once all has been as before for a while, nothing more comes of an act."""
    mine = host(design, cases=False)
    for act in mine.acts:
        setup = setup_with(mine.cases[0].setup, act)
        begin = harming.begin_of(setup, 1, STEP)
        short, whole = (begin.harm(setup, explain=False, whole=it) for it in (False, True))
        assert short == whole, act.name


def test_rows_say_what_an_act_does() -> None:
    """A killed dockerd of 26 takes all containers along and loses those but for `always`; with live-restore none."""
    mine = host()
    found = blast(mine, chosen(mine.acts, "kill dockerd"), jobs=1)
    off, on = row(found, "kill dockerd").first, row(found, "kill dockerd", live_restore=True).first
    assert dict(off.fates) == {LOST: 2, NEW: 1}
    assert dict(on.fates) == {KEPT: 3}
    assert dict(off.died)["dockerd"] == dict(on.died)["dockerd"] == 1
    assert math.isinf(off.back)
    assert 0 < on.back < 20
    assert [it.container for it in off.touched if it.fate == LOST] == ["once", "deaf"]
    assert next(it.why for it in off.touched if it.container == "once")


def test_a_process_that_stands_still_is_never_as_before() -> None:
    """Nobody continues it; a killed payload is back at once."""
    mine = host(cases=False)
    found = blast(mine, (*chosen(mine.acts, "stall payload/web"), *chosen(mine.acts, "kill payload/web")), jobs=1)
    assert math.isinf(row(found, "stall payload/web").first.back)
    assert row(found, "kill payload/web").first.back < 5


def test_the_worst_comes_first() -> None:
    """Lost before replaced, replaced before dark for ever, dark before nothing."""
    inf = math.inf
    harms = {
        "nothing": Harm(1),
        "dark": Harm(1, fates=((KEPT, 1),), dark=(("remote", inf),), back=inf),
        "new": Harm(1, fates=((NEW, 1),), dark=(("remote", 2.0),)),
        "lost": Harm(1, fates=((LOST, 1),), dark=(("remote", 1.0),)),
    }
    rows = [BlastRow(name, "", "", "", None, True, (harm,)) for name, harm in harms.items()]
    assert [it.act for it in worst_first(rows)] == ["lost", "new", "dark", "nothing"]


def test_processes_give_the_same_rows_as_one() -> None:
    """Acts are dealt out, and come back as they were."""
    mine = host()
    acts = tuple(mine.acts[:10])
    assert blast(mine, acts, 2, jobs=1) == blast(mine, acts, 2, jobs=2)


def test_an_interruption_keeps_whole_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done of all seeds is told, what is done of some is not."""
    mine = host(cases=False)
    acts = chosen(mine.acts, "payload/web")
    whole = blast(mine, acts, jobs=1)
    harms = [it.first for it in whole.rows]

    def cut(*_: Any) -> Any:
        raise Interrupted([harms[0], None, None])

    monkeypatch.setattr("sim.experiment.blast.spread", cut)
    found = blast(mine, acts, jobs=1)
    assert len(found.rows) == 1
    assert found.ended == "interrupted after 1 of 3 runs"


def test_a_fault_in_the_model_is_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other acts are told, and this one says what went wrong."""

    def broken(*_: Any, **__: Any) -> Any:
        raise AssertionError("odd")

    mine = host(cases=False)
    monkeypatch.setattr(harming.Begin, "harm", broken)
    found = blast(mine, mine.acts[:2], jobs=1)
    assert [it.failed for it in found.rows] == ["AssertionError: odd"] * 2


def test_acts_can_be_registered() -> None:
    """A word of steps offers acts of its own beside it."""
    mine = host(cases=False)
    OFFERS["mine"] = lambda world: [Act("pause web", "pause", "web", Docker("pause", "web"))]
    try:
        assert "pause web" in [act.name for act in host(cases=False).acts]
    finally:
        del OFFERS["mine"]
    assert "pause web" not in [act.name for act in mine.acts]

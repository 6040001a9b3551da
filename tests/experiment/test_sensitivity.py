"""What an answer hangs on: each assumed value is varied alone, and ranked by what it moves."""

import json

import pytest

from sim.cli import main
from sim.errors import InputError
from sim.experiment.assumed import assumed_of, drawn, times
from sim.experiment.sensitivity import main_figure, sensitivity
from sim.latency import PROFILES
from sim.render.sensitivity_text import finding, sensitivity_json, sensitivity_text
from sim.scenario import load

HOST = """
services:
  web: {image: nginx, ports: ["80:80"], restart: always, x-payload: {ready: 1s}}
  db: {image: pg, ports: ["5432:5432"], restart: always, x-payload: {ready: 34s}}
engine: {design: docker-26}
steps: [{id: kill, at: 60s, systemctl: restart docker}]
until: kill+3m
"""


@pytest.fixture(scope="module")
def found():
    return sensitivity(load("x.yaml", HOST), 2, 1)


def test_the_value_that_the_answer_hangs_on_comes_first(found):
    """33 of the 37 s are db's ready time: without it web's one second is what is waited for."""
    first = found.hangs[0]
    assert first.key == "services.db.x-payload.ready"
    assert first.share == pytest.approx(33, abs=0.2)
    assert found.figure(found.main).now == pytest.approx(37, abs=0.3)
    assert finding(found).startswith("33.0 s of the 37.")
    assert "hang on db's ready time (as in the file); measure it first." in finding(found)
    changes = [level.changes["until_ready"] for level in first.levels]
    assert changes == [pytest.approx(-33, abs=0.2), pytest.approx(-17, abs=0.2), pytest.approx(34, abs=0.2)]


def test_a_value_that_is_assumed_by_default_is_varied_too(found):
    """Nothing is said of what the programs do on TERM: one that ignores it takes the whole grace."""
    hang = next(it for it in found.hangs if it.key == "services.web.x-payload.on_term")
    assert hang.origin == "assumed"
    level = next(it for it in hang.levels if it.label == "ignored")
    assert level.changes["until_ready"] == pytest.approx(9.9, abs=0.2)


def test_rows_are_sorted_and_what_moves_nothing_is_named(found):
    """The main figure falls from row to row; values without effect are listed by their keys."""
    moved = [it.most(found.main) for it in found.hangs]
    assert moved == sorted(moved, reverse=True)
    assert "engine.unverified.layer_wait" in found.idle
    assert not {it.key for it in found.hangs} & set(found.idle)


def test_measured_durations_are_left_alone(found):
    """Of the profile only what nobody has measured is tried, and of that what the run draws."""
    keys = [it.key.removeprefix("engine.profile.") for it in assumed_of(load("x.yaml", HOST)) if ".profile." in it.key]
    profile = PROFILES["docker-26-2core"]
    assert keys
    assert {profile[key].mark[0] for key in keys} <= {"A", "K"}
    assert set(keys) <= set(drawn(load("x.yaml", HOST).setup, 1))
    assert "dockerd/mount" not in keys  # measured


def test_a_duration_keeps_its_draws():
    """Twice as long is twice each draw, so that pairs share them."""
    row = PROFILES["el7-idle"]["dockerd/create_endpoint"]
    for u in (0.0, 0.3, 1.0):
        assert times(row, 2.0).work.at(u) == 2 * row.work.at(u)
        assert times(row, 2.0).wait.at(u) == 2 * row.wait.at(u)
    assert times(row, 1.0) == row


def test_outcomes_weigh_more_than_times():
    """A value that decides whether a container comes back stands above all that only takes longer."""
    text = """
services:
  web: {image: nginx, ports: ["80:80"], restart: always, x-payload: {ready: 15s}}
  db: {image: pg, restart: always, x-payload: {ready: 2s}}
engine: {design: docker-26}
steps: [{id: kill, at: 60s, kill: "payload/web"}]
until: kill+20s
"""
    found = sensitivity(load("x.yaml", text), 1, 1)
    assert found.hangs[0].key == "services.web.x-payload.ready"
    assert next(it for it in found.hangs[0].levels if it.label == "×2").changes["not_back"] == 1
    assert "not back: " in sensitivity_text(found)


def test_nothing_to_hang_on_is_said():
    """A host on which nothing happens has no value that matters."""
    found = sensitivity(load("x.yaml", "services: {web: {image: nginx}}\nuntil: 5s"), 1, 1)
    assert finding(found) == "Nothing hangs on any value that is assumed here."
    assert found.hangs == ()
    assert main_figure(found.figures) in {figure.metric for figure in found.figures}


def test_text_and_json_say_the_same(found):
    """Every row of the text is in JSON, and lines fit."""
    text, told = sensitivity_text(found, detail=True), sensitivity_json(found)
    json.dumps(told, allow_nan=False)
    assert told["finding"] == finding(found)
    assert [it["key"] for it in told["assumptions"]] == [it.key for it in found.hangs]
    assert all(f"({it['key']})" in text for it in told["assumptions"])
    assert max(map(len, text.splitlines()[4:-1])) <= 110


@pytest.mark.parametrize("design", ["docker-1.10", "podman", "containerd-cri", "cri-o"])
def test_every_engine_has_assumptions(design):
    """On each design ready times are varied, and the engine's own times that nobody has measured."""
    words = HOST.replace("docker-26", design).replace("systemctl: restart docker", "kill: payload/db")
    found = sensitivity(load("x.yaml", words), 1, 1)
    assert found.hangs[0].key == "services.db.x-payload.ready"
    assert any(key.startswith("engine.profile.") for key in (*found.idle, *(it.key for it in found.hangs)))


def test_the_command(tmp_path, capsys):
    """`whatif FILE --sensitivity`, with a design and a fault; what it does not take is refused."""
    file = tmp_path / "x.yaml"
    file.write_text(HOST.replace("3m", "1m"))
    words = ["whatif", str(file), "--sensitivity", "--seeds", "1", "--jobs", "1"]
    assert main([*words, "--no-save", "--design", "cri-o", "--faults", "payload/db", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["kind"], told["assumptions"][0]["key"]) == ("sensitivity", "services.db.x-payload.ready")
    assert main([*words, "--zip"]) == 2
    assert "--zip: --sensitivity does not take it" in capsys.readouterr().err
    assert main(["whatif", "--sensitivity"]) == 2
    with pytest.raises(InputError, match="there is no seed"):
        sensitivity(load("x.yaml", HOST), 0, 1)

"""shimulator calibrate: a table, a profile that run takes, JSON, a picture; and refusals in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import sim.cli.calibrate
from sim.calibration.calibrate import Effort
from sim.cli import main

ROWS = "total_ms\n" + "".join(f"{150 + n * 7 % 40}\n" for n in range(24))


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Write a file of measurements, and be beside it."""
    (tmp_path / "m.csv").write_text(ROWS, encoding="utf-8")
    (tmp_path / "e.jsonl").write_text("{}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sim.cli.calibrate, "EFFORT", Effort(6, 1, 20))
    return tmp_path


def test_a_profile_is_written_that_run_takes(measured, capsys):
    """The table says what was fitted; the run says the profile's name."""
    words = ["calibrate", "m.csv", "--phase", "start=total_ms", "--date", "2026-01-02", "-o", "mine.yaml"]
    assert main([*words, "--plot", "mine.png"]) == 0
    out = capsys.readouterr().out
    assert "mine · docker-26 · shares of docker-26-2core" in out
    assert "mine.yaml: shimulator run FILE --profile mine.yaml" in out
    assert (measured / "mine.png").read_bytes().startswith(b"\x89PNG")
    text = (measured / "mine.yaml").read_text(encoding="utf-8")
    assert "M m.csv: total_ms, n = 24, 2026-01-02: start, share 0.2" in text
    scenario = "engine: {design: docker-26}\nservices: {web: {}}\nsteps: [{at: 1s, docker: stop web}]\n"
    (measured / "x.yaml").write_text(scenario, encoding="utf-8")
    assert main(["run", "x.yaml", "--no-save", "--profile", "mine.yaml"]) == 0
    assert "profile mine" in capsys.readouterr().out
    assert main([*words, "-q"]) == 0
    assert capsys.readouterr().out == ""
    assert (measured / "mine.yaml").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("nope.yaml", "--profile: nope.yaml: no such file or directory. shimulator calibrate writes one."),
        ("el7-idel", "--profile: 'el7-idel' is not a profile; valid: "),
        ("broken.yaml", "broken.yaml:2:1: not YAML: "),
        ("list.yaml", "--profile: list.yaml holds no profile."),
    ],
)
def test_a_profile_that_cannot_be_read_is_one_mistake(measured, capsys, profile, said):
    """Told once, by the name of the option that was typed."""
    (measured / "broken.yaml").write_text("a: [1\n", encoding="utf-8")
    (measured / "list.yaml").write_text("[1]\n", encoding="utf-8")
    assert main(["run", "document", "--no-save", "--profile", profile]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(said)
    assert main(["run", "document", "--no-save", "--set", f"engine.profile={profile}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(said.replace("--profile: ", "--set engine.profile: engine.profile: "))


def test_the_examples_of_the_page_hold(measured, capsys):
    """What the page says to type first, as it stands there."""
    page = (Path(__file__).parents[2] / "docs" / "calibrate.md").read_text(encoding="utf-8")
    block = page.split("```")[1].strip().splitlines()
    (measured / "mine.csv").write_text(ROWS, encoding="utf-8")
    for line in block[:2]:
        assert main([*line.partition("#")[0].split()[1:], "-q"]) == 0, line


@pytest.mark.long
def test_json_has_everything(measured, capsys):
    """One object; distributions are spelt as in a profile."""
    assert main(["calibrate", "m.csv", "--phase", "start=total_ms", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema_version"] == 1
    (phase,) = found["phases"]
    assert phase["sample"]["n"] == 24
    assert phase["chosen"]["distribution"].keys() <= {"lognormal", "quantiles"}
    assert {"ks", "p", "parameters", "name"} <= phase["chosen"].keys()
    assert sum(it["share"] for it in phase["shares"]) == pytest.approx(1)
    assert phase["modelled"]["median_error"] == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["m.csv"], "m.csv:1:1: no column is known to be a phase. Say which: --phase start=total_ms."),
        (["m.csv", "--phase", "strat=total_ms"], "there is no phase 'strat'. Did you mean 'start'?"),
        (["m.csv", "--phase", "start"], "--phase start: this is no pair"),
        (["m.csv", "--phase", "start=x", "--unit", "mss"], "--unit: 'mss' is no unit of time. Did you mean 'ms'?"),
        (["m.csv", "--base", "docker-26-2cor"], "Did you mean 'docker-26-2core'?"),
        (["m.csv", "--design", "docker-62"], "--design: "),
        (["m.csv", "-o", "mine.json"], "Valid endings: .yaml, .yml."),
        (["m.csv", "-o", "nowhere/mine.yaml"], "there is no folder for it"),
        (["m.csv", "--plot", "x.bmp"], "Valid endings: .png, .svg, .pdf."),
        (["other.csv"], "other.csv:1:1: no such file or directory"),
        (["m.csv", "--phase", "start=total_ms", "--load", "n"], "m.csv:1:1: there is no column 'n'."),
        (["m.csv", "--phase", "start=total_ms", "--demand", "5"], "--demand 5: no row of start is of 5 at once. There"),
        (["m.csv", "--phase", "start=total_ms", "--phase", "start=b_ms"], "start is given twice: total_ms and b_ms"),
        (["m.csv", "./m.csv"], "./m.csv: this file is given twice. Its rows would count twice."),
        (["m.csv", "--check", "m.csv"], "m.csv: this file is given twice"),
        (["e.jsonl", "--unit", "s", "--where", "a=b"], "--where: the files hold events of docker, which have no"),
        (
            ["m.csv", "--phase", "start=total_ms", "--design", "cri-o", "-o", "cri.yaml"],
            "-o cri.yaml: nothing was fitted: start: no op of crio-idle lengthens it on cri-o.",
        ),
        (["m.csv", "-o", "/proc/x.yaml"], "-o /proc/x.yaml: "),
        (["m.csv", "-o", "x" * 300 + ".yaml"], "it cannot be written: file name too long"),
        (["m.csv", "--plot", "/proc/x.png"], "--plot /proc/x.png: "),
        (["m.csv", "--demand", "1"], "no whole number from 2 to 10000"),
        (["m.csv", "--date", "today"], "'today' is no day"),
    ],
)
def test_refusals_are_in_words(measured, capsys, words, said):
    """Status 2, and what to do; nothing is written."""
    there = set(measured.iterdir())
    try:
        status = main(["calibrate", *words])
    except SystemExit as left:
        status = left.code
    assert status == 2
    assert said in capsys.readouterr().err
    assert set(measured.iterdir()) == there

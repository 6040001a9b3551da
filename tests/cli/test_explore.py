"""shimulator explore: its words, its statuses, its files."""

import json
import os

import pytest

from sim.cli import explore as module
from sim.drive.explore.search import Part
from sim.experiment import exploring

ONE = """\
title: One container
services: {web: {image: nginx, ports: ["80:80"], restart: always}}
"""
KILL = ("explore", "one.yaml", "--faults", "kill=1")


@pytest.fixture(autouse=True)
def one(folder):
    """Add a scenario that is explored in a blink."""
    (folder / "one.yaml").write_text(ONE, encoding="utf-8")


def test_all_holds_is_0(shimulator):
    """A property of every state, within the bound that is said."""
    done = shimulator("explore", "one.yaml", "-p", "V16", "--no-save")
    assert done.status == 0
    assert "HOLDS     always     V16: There is at most one dockerd and one containerd." in done.out
    assert "COMPLETE:" in done.out
    assert "Bound: No faults but the scenario's own steps." in done.out


def test_a_violation_is_1_and_its_story_is_kept(shimulator):
    """The report tells the story; the folder has it as text and as a scenario, which run plays to the same end."""
    done = shimulator(*KILL, "-p", "V8", "-o", "found")
    assert done.status == 1
    assert "VIOLATED  always     V8" in done.out
    assert "1. step fault1: kill dockerd" in done.out
    assert sorted(os.listdir("found")) == [".shimulator", "V8.txt", "V8.yaml", "result.json"]
    assert shimulator("run", "found/V8.yaml", "--no-save").status == 1
    with open("found/result.json", encoding="utf-8") as file:
        assert json.load(file)["findings"][0]["verdict"] == "VIOLATED"


def fails(*_: object, **__: object) -> None:
    raise KeyError("nobody")


def test_a_story_that_cannot_be_told_loses_no_other_finding(shimulator, monkeypatch):
    """What was found of other properties is said first; then the fault, with its own status."""
    monkeypatch.setattr(exploring, "tell", fails)
    done = shimulator(*KILL, "-p", "V16", "-p", "V8", "--no-save")
    assert done.status == 4
    assert "HOLDS     always     V16" in done.out
    assert "UNDETERMINED always     V8" in done.out
    assert "a fault in the model: KeyError: 'nobody'" in " ".join(done.out.split())
    assert "a fault in the model (KeyError at test_explore.py" in done.err


def test_a_fault_in_the_search_loses_nothing_that_was_found(shimulator, monkeypatch):
    """A violation that was met before it has its story, in the folder too; the other properties are undetermined."""
    expand = Part.expand
    monkeypatch.setattr(Part, "expand", lambda it, number: fails() if len(it.found) > 300 else expand(it, number))
    done = shimulator(*KILL, "-p", "V8", "-p", "V16", "-o", "found", "--jobs", "1")
    assert done.status == 4
    assert "VIOLATED  always     V8" in done.out
    assert "UNDETERMINED (a fault in the model: KeyError: 'nobody') always V16" in " ".join(done.out.split())
    assert "KeyError: 'nobody'" in done.err
    assert {"V8.txt", "V8.yaml", "result.json"} <= set(os.listdir("found"))


@pytest.mark.parametrize("limit", [("--limit", "50"), ("--memory", "1")])
def test_a_limit_is_3(shimulator, limit):
    """What was not seen whole does not hold."""
    done = shimulator("explore", "one.yaml", "--faults", "1", "-p", "V16", *limit, "--no-save")
    assert done.status == 3
    assert "UNDETERMINED (limit of" in done.out
    assert "HOLDS" not in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--faults", "kil=1"), "'kil' is no kind of fault. Valid: kill, stall. Did you mean 'kill'?"),
        (("--faults", "kill=x"), "'x' is no count"),
        (("-p", "V88"), "there is no such property. Did you mean 'V8'?"),
        (("-p", "v4"), "there is no such property. Did you mean 'V4'?"),
        (("-p", "always: opn(8080, remote)"), "column 1: 'opn' is not a predicate. Did you mean open?"),
        (("--between", "die(web)", "lunch"), "'lunch' is not an instant"),
        (("--between", "die(web)+2s", "end"), "times are dropped when orders are explored"),
        (("--jobs", "0"), "is no whole number"),
    ],
)
def test_wrong_words_are_2(shimulator, words, said):
    """What was wrong, what is valid, what is nearest."""
    done = shimulator("explore", "one.yaml", *words)
    assert done.status == 2
    assert said in done.err
    assert not os.path.exists("runs")


def test_json_is_one_object(shimulator):
    """For programs: the counts, the bound, the findings."""
    said = json.loads(shimulator(*KILL, "-p", "V8", "-p", "V16", "--json", "--no-save").out)
    assert (said["schema_version"], said["verdict"]) == (1, "COMPLETE")
    assert [(it["name"], it["verdict"]) for it in said["findings"]] == [("V8", "VIOLATED"), ("V16", "HOLDS")]
    assert said["states"] > 1_000
    assert "order:" in said["findings"][0]["scenario"]


@pytest.mark.long
def test_quiet_says_what_fails_alone(shimulator):
    """One verdict, no bound, no story."""
    said = shimulator(*KILL, "-p", "V8", "-p", "V16", "--quiet", "--no-save").out
    assert said.startswith("✗ VIOLATED  always     V8")
    assert "V16" not in said
    assert "Bound" not in said


def test_without_a_property_it_counts_and_says_how_to_ask(shimulator, tmp_path):
    """A scenario that lists none."""
    (tmp_path / "bare.yaml").write_text("services: {web: {image: nginx}}\n", encoding="utf-8")
    done = shimulator("explore", str(tmp_path / "bare.yaml"))
    assert done.status == 0
    assert "No property is asked for: --property V3" in done.out


def test_a_window_keeps_faults_out(shimulator):
    """Faults come from a moment on that never comes: nothing is violated."""
    done = shimulator(*KILL, "-p", "V8", "--between", "die(web)", "start(web)", "--no-save")
    assert done.status == 0
    assert "Bound: At most 1 fault (kill 1: a process gets SIGKILL and is gone), from die(web) to" in done.out


def test_progress_is_for_terminals(monkeypatch, capsys):
    """States, frontier and rate on stderr, for people only."""
    assert module._progress(False) is None
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: True, raising=False)
    module._progress(False)(1200, 34, 56_789.0)
    assert "1,200 states, 34 in the frontier, 56,789 steps/s" in capsys.readouterr().err
    assert module._progress(True) is None

"""shimulator whatif with several values, designs, faults, files and windows."""

import csv
import io
import json
import math
import re
from pathlib import Path

import pytest

from sim.experiment.executors import Serial
from sim.render.whatif_rows import lines, rows_csv, rows_text, totals
from tests.cli.conftest import SMALL

ROOT = Path(__file__).resolve().parents[2]
LIVE = "engine.daemon.live-restore=true"
FEW = ("--seeds", "6", "--jobs", "1")
ALONE = """
title: Nobody restarts it
services: {web: {image: nginx, ports: ["80:80"]}}
steps: [{id: shot, at: 60s, kill: payload/web}]
until: shot+30s
"""


@pytest.fixture
def files(folder):
    (folder / "alone.yaml").write_text(ALONE)
    return folder


def test_a_grid_is_one_comparison_with_each(shimulator):
    """Two values are two tables, against the same runs."""
    said = shimulator("whatif", "small.yaml", "--set", "host.cores=1,4", *FEW, "--no-save")
    assert said.status == 0
    assert [line for line in said.out.splitlines() if line.startswith("What if")] == [
        "What if host.cores were 1?                                      now: 2, the default",
        "What if host.cores were 4?                                      now: 2, the default",
    ]


@pytest.mark.long
def test_several_files_are_one_table_worst_first_with_totals(shimulator, files):
    """The file whose container stays away stands first; JSON, CSV and text agree."""
    words = ("whatif", "small.yaml", "alone.yaml", "--set", LIVE, *FEW)
    out = shimulator(*words).out.splitlines()
    assert [line.split()[0] for line in out if line.startswith(" ")] == ["file", "alone", "small", "all"]
    assert "> 30s → > 30s" in next(line for line in out if line.startswith(" alone"))
    assert {path.name for path in (files / "runs" / "files.whatif").iterdir()} == {
        ".shimulator", "faults.png", "table.csv", "result.json",
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(shimulator(*words, "--csv", "--no-save").out)))
    assert [row["file"] for row in rows] == ["alone.yaml", "small.yaml", "total"]
    assert [row["processes_kept_then"] for row in rows] == ["0.0", "2.0", "2.0"]
    assert rows[0]["remote_dark_now"] == ""  # not back: no number
    found = json.loads(shimulator(*words, "--json", "--no-save").out)
    assert found["kind"] == "whatifs"
    assert [row["source"] for row in found["order"]] == ["alone.yaml", "small.yaml"]
    (total,) = found["totals"]
    assert (total["fault"], total["then"]["processes_kept"], total["now"]["remote_dark"]) == ("", 2.0, None)


def test_faults_take_the_place_of_the_files_own(shimulator):
    """One row a fault; the worst run can be run again, fault and all."""
    said = shimulator("whatif", "small.yaml", "--set", LIVE, "--faults", "dockerd,shim/web", *FEW, "--no-save")
    rows = {line.split()[1]: line for line in said.out.splitlines() if line.startswith(" small")}
    assert set(rows) == {"dockerd", "shim/web"}
    assert "0 → 2 of 2" in rows["dockerd"]
    assert "1 → 1 of 2" in rows["shim/web"]
    assert '--set \'steps.0={"id": "shot", "at": "60s", "kill": "dockerd"}\'' in said.out


def test_a_window_ends_the_runs_and_is_named(shimulator):
    """What is not back at its end is longer than it."""
    said = shimulator("whatif", "small.yaml", "--set", LIVE, "--window", "shot", "shot+200ms", *FEW, "--no-save")
    assert "window: shot … shot+200ms" in said.out
    line = next(line for line in said.out.splitlines() if line.startswith(" loopback"))
    assert line.count("> 200ms") == 2
    assert "--set until=shot+200ms" in said.out


@pytest.mark.long
def test_a_block_is_what_is_asked_where_the_words_say_nothing(shimulator, folder):
    """whatif: of the file; --set goes before it."""
    block = "whatif: {grid: {host.cores: [1, 4]}, seeds: 6, window: [shot, shot+20s]}\n"
    (folder / "block.yaml").write_text(SMALL + block)
    found = json.loads(shimulator("whatif", "block.yaml", "--json", "--no-save").out)
    assert [it["name"] for it in found["variants"]] == ["host.cores=1", "host.cores=4"]
    assert (found["seeds"], found["window"]["seconds"]) == ([1, 2, 3, 4, 5, 6], 20.0)
    found = json.loads(shimulator("whatif", "block.yaml", "--set", LIVE, "--seeds", "2", "--json", "--no-save").out)
    assert ([it["name"] for it in found["variants"]], found["seeds"]) == ([LIVE], [1, 2])


@pytest.mark.long
def test_runs_go_on_to_a_precision_or_the_most(shimulator):
    """What was asked for, and whether it was reached, is said."""
    words = ("whatif", "small.yaml", "--set", LIVE, "--seeds", "6", "--jobs", "1", "--json", "--no-save")
    wide = json.loads(shimulator(*words, "--precision", "10s").out)
    assert (len(wide["seeds"]), wide["ended"]) == (6, "the precision asked for was reached after 6 pairs of runs")
    narrow = json.loads(shimulator(*words, "--precision", "1us", "--most", "15").out)
    assert len(set(narrow["seeds"])) == 15
    assert narrow["ended"] == "the precision asked for was not reached in 15 pairs of runs, the most"


def test_metrics_of_ones_own(shimulator, folder):
    """A function over a trace has a row of its own; one that fails says with which seed."""
    (folder / "own.py").write_text(
        "BETTER = {'facts': 'lower'}\nUNITS = {'last': 's'}\n"
        "def facts(trace):\n    return len(trace)\n"
        "def last(trace):\n    return (trace.end - trace.origin) / 1e6\n"
        "def fails(trace):\n    return 1 / 0\n"
    )
    words = ("whatif", "small.yaml", "--set", LIVE, *FEW, "--no-save")
    said = shimulator(*words, "--metric", "own.py:facts", "--metric", "own.py:last").out
    rows = {line.split()[0]: line for line in said.splitlines() if line.startswith((" facts", " last"))}
    assert rows["facts"].endswith("better")
    assert rows["last"].split() == ["last", "90.0", "s", "90.0", "s", "0", "s"]
    said = shimulator(*words, "--metric", "own.py:fails")
    assert (said.status, "own.py:fails: it failed with seed 1: ZeroDivisionError" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (["--design", "dokcer-1.13"], "Did you mean docker-1.13"),
        (["--set", "host.cores=9..1"], "holds no value"),
        (["--set", LIVE, "--faults", "systemctrl stop docker"], "Did you mean systemctl"),
        (["--set", LIVE, "--faults", "shim/wbe"], "Did you mean web"),
        (["--set", LIVE, "--window", "shoot", "end"], "Did you mean shot"),
        (["--set", LIVE, "--precision", "7"], "Write 100ms or 5%"),
        (["--set", LIVE, "--metric", "own.py"], "FILE.py:FUNCTION"),
        (["--set", LIVE, "--metric", "none.py:f"], "no such file"),
        (["--set", "host.cores=1,2", "--set", LIVE, "--zip"], "host.cores has 2"),
    ],
)
def test_wrong_words_are_2(more, complaint, shimulator, folder):
    """Nothing is run, and the message says what is valid."""
    said = shimulator("whatif", "small.yaml", *more, "--seeds", "2")
    assert (said.status, said.out) == (2, "")
    assert complaint in said.err


def test_ctrl_c_writes_what_is_done(shimulator, folder, monkeypatch):
    """Status 130, a result of whole pairs, and how many they are."""
    left, submit = [9], Serial.submit

    def counted(self, fn, /, *words, **more):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return submit(self, fn, *words, **more)

    monkeypatch.setattr(Serial, "submit", counted)
    said = shimulator("whatif", "small.yaml", "--set", LIVE, "--seeds", "20", "--jobs", "1")
    assert said.status == 130
    assert "interrupted after 4 pairs of runs" in said.err
    result = json.loads((folder / "runs" / "small.whatif" / "result.json").read_text())
    assert result["seeds"] == [1, 2, 3, 4]


def test_totals_add_counts_and_take_the_longest_time(shimulator, files):
    """A total never hides what was not back."""
    from sim.experiment.question import answers, asked_for, questions
    from sim.experiment.whatif import Terms
    from sim.scenario import load

    terms, asked = Terms(6, 1), asked_for([LIVE], None, None)
    every = [q for name in ("small.yaml", "alone.yaml")
             for q in questions(lambda more, name=name: load(name, None, more), asked, terms)]  # fmt: skip
    found = list(answers(every, lambda words: None))
    then = totals(lines(found), lambda row: row.other)
    assert (then["processes_kept"], then["remote_dark"]) == (2.0, math.inf)
    assert rows_text(found) == rows_text(list(reversed(found)))
    assert rows_csv(found) == rows_csv(list(reversed(found)))


def test_alternatives_and_faults_are_not_added_up(shimulator, files):
    """Each of them has a total over the files."""
    said = shimulator("whatif", "small.yaml", "alone.yaml", "--set", f"{LIVE},false", "--faults", "dockerd,shim/web",
                   "--seeds", "2", "--csv", "--no-save")  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(said.out)))
    for total in [row for row in rows if row["file"] == "total"]:
        about = total["fault"], total["alternative"]
        own = [row for row in rows if (row["fault"], row["alternative"]) == about and row["file"] != "total"]
        assert {row["file"] for row in own} == {"alone.yaml", "small.yaml"}
        assert float(total["processes_kept_then"]) == sum(float(row["processes_kept_then"]) for row in own)
    assert [row["file"] for row in rows].count("total") == 4


def test_a_file_with_several_scenarios_is_several_rows(shimulator, files):
    """Beside other files each of its scenarios has a row."""
    (files / "two.yaml").write_text(f"{ALONE}---\n{SMALL}")
    said = shimulator("whatif", "two.yaml", "alone.yaml", "--set", LIVE, "--seeds", "2", "--csv", "--no-save")
    rows = list(csv.DictReader(io.StringIO(said.out)))
    assert sorted(row["file"] for row in rows) == ["alone.yaml", "total", "two.yaml#1", "two.yaml#2"]


# -- the fault matrix -------------------------------------------------------------------------------


def test_the_matrix_needs_no_file_and_leaves_a_map(shimulator, folder):
    """Designs and faults that are asked for, as codes, as words, as CSV; the map is a picture."""
    words = ("whatif", "--matrix", "--design", "docker-26-separate,podman", "--faults", "f5,F6", "--jobs", "1")
    said = shimulator(*words)
    assert said.status == 0
    lines = [line.split() for line in said.out.splitlines()]
    assert ["podman", "kept/!xl", "–"] in lines
    made = folder / "runs" / "fault-matrix.matrix"
    assert {path.name for path in made.iterdir()} == {".shimulator", "matrix.png", "matrix.csv", "matrix.json"}
    assert (made / "matrix.png").read_bytes()[:4] == b"\x89PNG"
    rows = list(csv.DictReader(io.StringIO(shimulator(*words, "--csv", "--no-save").out)))
    assert [(row["design"], row["live_restore"], row["fault"]) for row in rows][-2:] == [
        ("podman", "", "F5"), ("podman", "", "F6"),
    ]  # fmt: skip
    assert (rows[-1]["code"], rows[-2]["view"], rows[-2]["end"]) == ("", "wrong", "same")
    told = [line.split()[:3] for line in shimulator(*words, "--explain", "--no-save").out.splitlines()]
    assert ["F5", "lives", "same"] in told


def test_the_matrix_of_the_documentation_is_what_its_command_prints(shimulator):
    """The block of docs/whatif.md, line by line."""
    text = (ROOT / "docs" / "whatif.md").read_text(encoding="utf-8")
    command = re.findall(r"    shimulator (whatif --matrix .+)", text)[0]
    block = text[text.index(command) :].split("```\n")[1]
    assert block in shimulator(*command.split(), "--no-save", "--jobs", "1").out


def test_the_matrix_takes_settings_and_refuses_what_is_not_its_own(shimulator, folder):
    """--set changes its host; a window or a second file is refused, with what is for it."""
    alone = ("whatif", "--matrix", "--design", "podman", "--faults", "F7", "--no-save", "--csv", "--jobs", "1")
    (row,) = csv.DictReader(io.StringIO(shimulator(*alone, "--set", "services.web.restart=no").out))
    assert row["end"] == "none"
    said = shimulator("whatif", "small.yaml", "small.yaml", "--matrix", "--window", "0s", "9s", "--zip")
    assert said.status == 2
    assert all(word in said.err for word in ("--zip", "--window", "a matrix is of one file"))


def test_a_what_if_without_a_file_says_what_to_write(shimulator):
    """Status 2, with an example."""
    said = shimulator("whatif", "--set", "host.cores=1")
    assert said.status == 2
    assert "there is no file to compare" in said.err


def test_what_becomes_of_each_container_stands_below_the_rows(shimulator, folder):
    """Both sides of each container are told, in text and in JSON; where all are kept on both nothing is."""
    (folder / "lost.yaml").write_text(
        "engine: {design: docker-26}\nservices: {web: {restart: unless-stopped}, db: {restart: always}}\n"
        "steps: [{id: kill, at: 1s, kill: dockerd}]\nuntil: kill+60s\n"
    )
    words = ("whatif", "lost.yaml", "--set", "engine.daemon.live-restore=true", "--seeds", "2", "--no-save")
    lines = [" ".join(line.split()) for line in shimulator(*words).out.splitlines()]
    assert "container now then" in lines
    assert "web lost kept" in lines
    assert "db new process kept" in lines
    (variant,) = json.loads(shimulator(*words, "--json").out)["variants"]
    web = variant["containers"][0]
    assert (web["container"], web["now"]["fates"]) == ("web", [{"fate": "lost", "runs": 2}])
    assert "somebody's stop" in web["now"]["why"]
    assert web["then"]["fates"] == [{"fate": "kept", "runs": 2}]
    (folder / "calm.yaml").write_text("services: {web: {}}\nsteps: [{id: stop, at: 1s, docker: pause web}]\n")
    calm = shimulator("whatif", "calm.yaml", "--set", "host.cores=4", "--seeds", "2", "--no-save").out
    assert "container  now" not in calm

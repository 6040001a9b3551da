"""shimulator run with several files, a folder, or the rows of the transition table: one table, the worst status."""

import json
import re

import pytest

from sim.bundled import bundled_names, row_names
from sim.engine.goroutine import ModelFault
from tests.cli.conftest import FAILING, SMALL


@pytest.fixture
def many(folder):
    """Make a folder with a scenario that holds, one that fails, and one without expectations."""
    (folder / "many").mkdir()
    (folder / "many" / "a.yaml").write_text(SMALL)
    (folder / "many" / "b.yml").write_text(FAILING)
    (folder / "many" / "c.yaml").write_text("title: Nothing is asked\nuntil: 1s\n---\ntitle: Nor here\nuntil: 1s\n")
    (folder / "many" / "notes.txt").write_text("no scenario")
    (folder / "many" / "docker-compose.yml").write_text("services: {web: {image: nginx, privileged: true}}")
    return folder / "many"


def test_a_folder_is_one_table(shimulator, many, folder):
    """Each scenario has a row; what fails is said below its row; no run is stored."""
    said = shimulator("run", "many/")
    assert said.status == 1
    rows = re.sub(r"\d\.\d\d s", "T s", said.out).splitlines()
    assert [rows[0], *rows[2:]] == [
        "  ✓ many/a.yaml    2 of 2 hold        T s  A small host",
        "      ✗ shot+100ms: payload/web have parent init: " + rows[2].rpartition(": ")[2],
        "  ✓ many/c.yaml#1  nothing expected   T s  Nothing is asked",
        "  ✓ many/c.yaml#2  nothing expected   T s  Nor here",
        "3 of 4 scenarios hold, T s",
    ]
    assert rows[1] == "  ✗ many/b.yml     1 of 2 hold        T s  A small host"
    assert not (folder / "runs").exists()


def test_quiet_says_only_what_fails(shimulator, many):
    """With -q a table that holds is nothing."""
    assert (shimulator("run", "small.yaml", "many/a.yaml", "-q").out) == ""
    said = shimulator("run", "many", "-q")
    assert said.out.splitlines()[0].startswith("  ✗ many/b.yml")
    assert "many/a.yaml" not in said.out


def test_several_seeds_name_the_one_that_fails(shimulator, many):
    """--seeds counts each expectation over all seeds."""
    said = shimulator("run", "many", "--seeds", "2")
    assert said.status == 1
    assert " at --seed 1" in said.out
    assert "3 of 4 scenarios hold in all 2 seeds" in said.out


def test_the_table_as_json(shimulator, many):
    """JSON holds the same."""
    said = shimulator("run", "many", "small.yaml", "--json")
    found = json.loads(said.out)
    assert (found["seeds"], found["of"], len(found["scenarios"])) == (1, 5, 5)
    row = found["scenarios"][1]
    assert (row["source"], row["holds"], row["held"], row["expected"]) == ("many/b.yml", False, 1, 2)
    assert row["wanting"][0].startswith("✗ shot+100ms")


def test_a_file_that_is_wrong_does_not_hide_the_others(shimulator, many):
    """What is wrong is said on stderr, the others are run; the status is 2."""
    (many / "d.yaml").write_text("sevices: {}\n")
    said = shimulator("run", "many")
    assert said.status == 2
    assert "Did you mean services?" in said.err
    assert "! many/d.yaml" in said.out
    assert "✓ many/a.yaml" in said.out


def test_a_fault_in_the_model_ends_one_scenario(shimulator, many, monkeypatch):
    """The others are still run; the status is 4."""
    from sim.cli import catalogue

    plain = catalogue.over_seeds

    def faulty(scenario, *args, **kwargs):
        if scenario.source == "many/a.yaml":
            raise ModelFault("shim (pid 7) got nonsense")
        return plain(scenario, *args, **kwargs)

    monkeypatch.setattr(catalogue, "over_seeds", faulty)
    said = shimulator("run", "many")
    assert said.status == 4
    assert "! many/a.yaml" in said.out
    assert "✗ many/b.yml" in said.out


def test_ctrl_c_keeps_what_is_done(shimulator, many, monkeypatch):
    """The rows so far are printed, and how many there would have been; the status is 130."""
    from sim.cli import catalogue

    plain = catalogue.over_seeds

    def interrupted(scenario, *args, **kwargs):
        if scenario.source == "many/b.yml":
            raise KeyboardInterrupt
        return plain(scenario, *args, **kwargs)

    monkeypatch.setattr(catalogue, "over_seeds", interrupted)
    said = shimulator("run", "many")
    assert said.status == 130
    assert said.out.splitlines()[0].startswith("  ✓ many/a.yaml")
    assert said.out.splitlines()[-1].endswith("interrupted after 1 of 4")


@pytest.mark.parametrize("words", [["-o", "x"], ["--live", "2"]])
def test_what_needs_one_scenario_is_refused(words, shimulator, many):
    """-o and --live are for one run."""
    said = shimulator("run", "many", *words)
    assert said.status == 2
    assert "several scenarios are told in one table" in said.err


def test_rows_are_the_transition_table_and_do_not_drown_the_others(shimulator):
    """`rows` is every file of the table; lists name the other bundled scenarios, a misspelt row its neighbour."""
    assert not set(bundled_names()) & set(row_names())
    assert shimulator("run", "t23-proxy-killed", "t24-proxy-terminated", "-q").status == 0
    hint = shimulator("run", "nothing-like-it").err
    assert "Bundled scenarios: any-kill," in hint
    assert "shimulator run rows runs all" in hint
    assert "t23" not in hint
    assert "Did you mean t23-proxy-killed?" in shimulator("run", "t23-proxy-kiled").err


def test_rows_run(shimulator, monkeypatch):
    """`rows` stands for the names in the table's order."""
    from sim.cli.files import files_of

    assert files_of("rows") == row_names()
    assert files_of("rows")[0] == "t01-start"

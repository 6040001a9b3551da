"""shimulator explore --coverage: what an exploration never exercised, as a table and as rows."""

import json

import pytest

WORDS = ("explore", "one.yaml", "--limit", 2000, "--faults", 1, "--no-save")


@pytest.fixture(autouse=True)
def one(folder):
    """Write a host of one container that is stopped."""
    (folder / "one.yaml").write_text("services: {web: {image: nginx}}\nsteps: [{at: 1s, docker: stop web}]\n")


def test_the_table_comes_after_the_report(shimulator):
    """Asked for, a line for each kind and program stands last, with what is left by name; else none does."""
    plain, said = shimulator(*WORDS), shimulator(*WORDS, "--coverage")
    assert plain.status == said.status
    assert "never exercised" not in plain.out
    assert "Coverage is that of the orders that are taken" in said.out
    report, _, table = said.out.partition("\nkind ")
    assert "Bound:" in report
    assert "never exercised" in table.splitlines()[0]
    rows = {tuple(line.split()[:2]): line for line in table.splitlines() if not line.startswith(" ")}
    assert rows["fault", "shim"].split()[2:5] == ["3", "of", "3"]
    assert rows["fault", "resolver"].endswith("0 of 1  kill")
    assert ("lost", "client") in rows


def test_json_has_a_row_for_each_kind_and_program(shimulator):
    """The same counts as in the table, with full names; without --coverage there are no rows."""
    assert json.loads(shimulator(*WORDS, "--json").out)["coverage"] == []
    rows = json.loads(shimulator(*WORDS, "--json", "--coverage").out)["coverage"]
    assert [row for row in rows if row["kind"] == "fault" and row["program"] in ("shim", "resolver")] == [
        {"kind": "fault", "program": "shim", "of": 3, "exercised": 3, "never": []},
        {"kind": "fault", "program": "resolver", "of": 1, "exercised": 0, "never": ["kill resolver"]},
    ]
    assert all(row["of"] == row["exercised"] + len(row["never"]) for row in rows)
    table = shimulator(*WORDS, "--coverage").out
    for row in rows:
        assert f"{row['exercised']} of {row['of']}" in table


def test_the_same_words_say_the_same(shimulator):
    """What was exercised does not depend on when it is asked, nor on how many processes search."""
    found = [
        json.loads(shimulator(*WORDS, "--limit", 10**6, "--faults", 0, "--json", "--coverage", "--jobs", jobs).out)
        for jobs in (1, 1, 2)
    ]
    assert found[0]["verdict"] == "COMPLETE"
    assert found[0]["coverage"] == found[1]["coverage"] == found[2]["coverage"]

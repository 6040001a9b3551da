"""--json: one valid object with schema_version, whose keys stand in docs/json.md."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.test_files import INIT, TABLE

ROOT = Path(__file__).resolve().parent.parent.parent
DOC = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
DOCUMENTED = set(re.findall(r"`([a-z0-9_]+)`", DOC))
COMMANDS = {
    "run": ["run", "small.yaml"],
    "run remedies": ["run", "small.yaml", "--remedies"],
    "run seeds": ["run", "small.yaml", "--seeds", "2"],
    "show": ["show", "small.yaml", "--at", "shot"],
    "why": ["why", "small.yaml", "container web"],
    "diff": ["diff", "small.yaml@shot-1s", "small.yaml@shot+500ms"],
    "plot": ["plot", "small.yaml", "-o", "x.svg"],
    "report": ["report", "small.yaml", "-o", "x.html"],
    "whatif": ["whatif", "small.yaml", "--set", "engine.daemon.live-restore=true", "--seeds", "2"],
    "whatif --matrix": ["whatif", "--matrix", "--design", "podman", "--faults", "F1,F5,F6", "--jobs", "1"],
    "explore": ["explore", "small.yaml", "--limit", "50"],
    "validate": ["validate", "small.yaml", "wrong.yaml"],
    "designs": ["designs"],
}


def keys(value):
    """Return every key of an object and of what is inside."""
    if isinstance(value, list):
        return set().union(*map(keys, value)) if value else set()
    return set(value) | keys(list(value.values())) if isinstance(value, dict) else set()


def top_keys(command):
    """Return the keys that the table of docs/json.md gives a command's object."""
    (row,) = (line for line in DOC.splitlines() if re.match(rf"\| `{command}`", line))
    return re.findall(r"`([a-z0-9_]+)`", row.split("|")[2])


@pytest.mark.parametrize("name", COMMANDS)
def test_json_is_one_documented_object(name, shimulator, folder):
    """stdout is one JSON object in ASCII, with the keys of the table in its order, and no key that is not there."""
    (folder / "wrong.yaml").write_text("services: {web: {imag: nginx}}")
    said = shimulator(*COMMANDS[name], "--json")
    assert said.err == ""
    assert said.out.isascii()
    value = json.loads(said.out)
    assert value["schema_version"] == 1
    assert list(value) == top_keys({"run seeds": "run --seeds N", "run remedies": "run"}.get(name, name))
    assert keys(value) <= DOCUMENTED


@pytest.mark.parametrize("quiet", [[], ["-q"]])
def test_quiet_does_not_change_json(quiet, shimulator):
    """--json prints its object, also with --quiet and without files."""
    said = shimulator("run", "small.yaml", "--json", "--no-save", *quiet)
    assert [entry["holds"] for entry in json.loads(said.out)["expectations"]] == [True, True]


def test_the_stored_result_is_the_printed_one(shimulator, folder):
    """result.json is what --json prints."""
    printed = shimulator("run", "small.yaml", "--json").out
    assert json.loads(printed) == json.loads((folder / "runs/small/result.json").read_text())


def test_a_table_has_no_moment(shimulator, folder):
    """show --json of a process table has null for the moment."""
    (folder / "t.json").write_text(json.dumps({**TABLE, "procs": [{**INIT, "comm": "x\x7f"}]}))
    value = json.loads(shimulator("show", "t.json", "--json").out)
    assert (value["at"], value["at_s"]) == (None, None)
    assert list(value) == top_keys("show")


def test_wrong_input_prints_no_object(shimulator):
    """A complaint goes to stderr; stdout stays empty."""
    said = shimulator("show", "missing.yaml", "--json")
    assert (said.status, said.out) == (2, "")

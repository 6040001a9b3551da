"""Every command takes every kind of FILE that it names, and refuses the others in words."""

import json

import pytest

from sim.cli.files import is_run

READ = [("show",), ("why", "container web"), ("plot",), ("report",)]
TREE = "systemd"


def words(command, file):
    """Return a command line on *file*."""
    output = {"plot": "picture.svg", "report": "page.html"}.get(command[0])
    if output:
        return [command[0], file, "-o", output]
    return [command[0], file, *command[1:]]


@pytest.mark.mostly_long
@pytest.mark.parametrize("command", READ)
@pytest.mark.parametrize("kind", ["scenario", "bundled", "folder", "trace", "renamed", "stdin scenario", "stdin trace"])
def test_what_reads_a_run_takes_every_file(command, kind, stored, shimulator, folder):
    """show, why, plot and report take a scenario, a bundled name, a runs/ folder, a trace, and - for both."""
    (folder / "renamed").write_bytes((stored / "trace.jsonl").read_bytes())
    file, stdin = {
        "scenario": ("small.yaml", None),
        "bundled": ("shim-while-containerd-down", None),
        "folder": ("runs/small", None),
        "trace": ("runs/small/trace.jsonl", None),
        "renamed": ("renamed", None),
        "stdin scenario": ("-", (folder / "small.yaml").read_bytes()),
        "stdin trace": ("-", (stored / "trace.jsonl").read_bytes()),
    }[kind]
    said = shimulator(*words(command, file), stdin=stdin)
    assert (said.status, said.err) == (0, "")
    assert said.out


@pytest.mark.mostly_long
@pytest.mark.parametrize("command", ["run", "whatif", "explore"])
@pytest.mark.parametrize("kind", ["scenario", "bundled", "folder", "trace", "stdin"])
def test_what_makes_a_run_takes_a_scenario_or_the_one_of_a_run(command, kind, stored, shimulator, folder):
    """run, whatif and explore take scenarios, and runs/ folders for the scenario that is kept there."""
    file, stdin = {
        "scenario": ("small.yaml", None),
        "bundled": ("shim-while-containerd-down", None),
        "folder": ("runs/small", None),
        "trace": ("runs/small/trace.jsonl", None),
        "stdin": ("-", (folder / "small.yaml").read_bytes()),
    }[kind]
    more = {
        "run": ["--no-save"],
        "whatif": ["--no-save", "--seeds", "1", "--set", "engine.daemon.live-restore=true"],
        "explore": ["--limit", "50"],
    }[command]
    said = shimulator(command, file, *more, stdin=stdin)
    assert said.status == (3 if command == "explore" else 0)
    assert said.err == ""


def test_a_run_of_a_stored_run_is_the_same_run(stored, shimulator):
    """runs/NAME/ keeps all that makes the run: run again from there, every fact is the same.

    The headers differ in the lines of the file at which the steps stand.
    """
    assert shimulator("run", "runs/small", "-o", "again", "-q").status == 0
    first, second = (path / "trace.jsonl" for path in (stored, stored.parent.parent / "again"))
    assert first.read_bytes().splitlines()[1:] == second.read_bytes().splitlines()[1:]


@pytest.mark.parametrize("command", ["run", "whatif", "explore"])
def test_a_trace_alone_cannot_be_run(command, stored, shimulator, folder):
    """A trace without its scenario is over: status 2 says what to give."""
    (folder / "alone.jsonl").write_bytes((stored / "trace.jsonl").read_bytes())
    more = ["--set", "engine.daemon.live-restore=true"] if command == "whatif" else []
    for file, stdin in (("alone.jsonl", None), ("-", (stored / "trace.jsonl").read_bytes())):
        said = shimulator(command, file, *more, stdin=stdin)
        assert said.status == 2
        assert "cannot be run" in said.err


@pytest.mark.parametrize("command", READ)
def test_a_stored_run_cannot_be_changed(command, stored, shimulator):
    """--set on a run that is over is refused."""
    for file in ("runs/small", "runs/small/trace.jsonl"):
        said = shimulator(*words(command, file), "--set", "engine.daemon.live-restore=true")
        assert said.status == 2
        assert "cannot be changed" in said.err


INIT = {"pid": 1, "ppid": 0, "pgid": 1, "sid": 1, "comm": "init", "args": [], "state": "S", "start_ticks": 0, "uid": 0}
TABLE = {"schema_version": 1, "meta": {"btime": 0, "now": 9}, "procs": [INIT]}


@pytest.mark.parametrize("stdin", [False, True])
def test_show_takes_a_process_table(stdin, shimulator, folder):
    """show prints a table in JSON, from a file or standard input, with --root too."""
    content = json.dumps(TABLE, separators=(",", ":"))
    (folder / "t.json").write_text(content)
    said = shimulator("show", "-" if stdin else "t.json", "--root", "1", stdin=content.encode() if stdin else None)
    assert (said.status, said.out) == (0, "init\n")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--as", "docker-ps"], "needs a run"),
        (["--at", "3s"], "one moment"),
        (["--set", "a=b"], "no scenario"),
        (["--root", "7"], "no pid '7'"),
        (["--root", "dockerd"], "no pid 'dockerd'"),
    ],
)
def test_what_a_table_does_not_have_is_refused(words, complaint, shimulator, folder):
    """A table has no containers, no moments, no settings, no roles."""
    (folder / "t.json").write_text(json.dumps(TABLE))
    said = shimulator("show", "t.json", *words)
    assert said.status == 2
    assert complaint in said.err


def test_a_folder_with_a_bundled_name_does_not_hide_the_bundled_scenario(shimulator, folder):
    """A folder called document that is no run leaves `document` what it was."""
    (folder / "shim-while-containerd-down").mkdir()
    assert shimulator("show", "shim-while-containerd-down").status == 0


def test_a_folder_that_is_no_run_is_refused(shimulator, folder):
    """A folder without trace and scenario is no run."""
    (folder / "other").mkdir()
    said = shimulator("show", "other")
    assert said.status == 2
    assert "no run" in said.err
    assert not is_run(folder / "other")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"\x00", b"[1, 2", b"- a\n- b\n", b'{"procs": 1}'])
@pytest.mark.parametrize("command", [("run",), *READ])
def test_standard_input_that_is_nothing_is_refused(content, command, shimulator, folder):
    """Nothing, bytes, half a list: status 2, a place, and nothing is written."""
    said = shimulator(*words(command, "-"), stdin=content)
    assert said.status == 2
    assert "stdin" in said.err
    assert not (folder / "runs").exists()


SEVERAL = "title: One\nservices: {a: {image: x}}\nuntil: 1s\n---\ntitle: Two\nservices: {b: {image: y}}\nuntil: 1s\n"
READERS = {
    "show": ["--as", "docker-ps"],
    "plot": ["-o", "x.svg"],
    "why": ["container b"],
    "whatif": ["--set", "engine.daemon.live-restore=true", "--seeds", "2", "--no-save"],
    "explore": ["--limit", "5"],
}


@pytest.mark.parametrize("command", READERS)
def test_one_of_several_scenarios_is_chosen_by_its_number(command, shimulator, folder):
    """FILE#2 is the second; without a number the titles and numbers are said, and nothing is taken silently."""
    (folder / "two.yaml").write_text(SEVERAL)
    assert shimulator(command, "two.yaml#2", *READERS[command]).status in (0, 3)
    for file, what in (("two.yaml", "holds 2 scenarios"), ("two.yaml#3", "there is no #3")):
        said = shimulator(command, file, *READERS[command])
        assert said.status == 2
        assert what in said.err
        assert "two.yaml#1 ('One'), two.yaml#2 ('Two')" in said.err


def test_a_number_is_taken_by_run_validate_and_standard_input(shimulator, folder):
    """run takes all, or the one that is numbered; - is a file as well."""
    (folder / "two.yaml").write_text(SEVERAL)
    assert [title in shimulator("run", "two.yaml").out for title in ("One", "Two")] == [True, True]
    said = shimulator("run", "two.yaml#2").out
    assert (said.startswith("Two"), "runs/two-2/" in said, "whatif 'two.yaml#2'" in said) == (True, True, True)
    assert shimulator("validate", "two.yaml#2").out.count("good") == 1
    stdin = SEVERAL.encode()
    assert [title in shimulator("run", "-", "--no-save", stdin=stdin).out for title in ("One", "Two")] == [True, True]
    assert " y " in shimulator("show", "-#2", "--as", "docker-ps", stdin=stdin).out
    assert shimulator("show", "-", stdin=stdin).status == 2

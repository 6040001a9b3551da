"""show -o: what is written where, which view a file's ending means, and the places that are refused."""

import json
import os
from pathlib import Path

import networkx
import pytest

from tests.cli.test_files import TABLE
from tests.render.trace_format import violations


@pytest.mark.parametrize(
    ("file", "words", "begins"),
    [
        ("tree.dot", [], "digraph"),
        ("tree.GV", [], "digraph"),
        ("tree.mmd", [], "flowchart TD"),
        ("tree.graphml", [], "<graphml"),
        ("run.json", [], '{"displayTimeUnit"'),
        ("tree.txt", [], "systemd─┬─"),
        ("tree", [], "systemd─┬─"),
        ("tree.mmd", ["--as", "dot"], "digraph"),
        ("list.txt", ["--as", "ps-axjf"], " PPID"),
        ("tree.png", ["--as", "ps-ef"], "UID"),
    ],
)
def test_the_ending_says_the_view_unless_as_does(file, words, begins, shimulator, folder):
    """A file holds what would be printed, whole, and the command says what it is and how long."""
    said = shimulator("show", "small.yaml", "--at", "shot+1s", *words, "-o", file)
    text = (folder / file).read_text(encoding="utf-8")
    assert (said.status, said.err) == (0, "")
    assert text.startswith(begins)
    assert said.out.startswith(f"{file}: ")
    assert said.out.endswith(f", {(folder / file).stat().st_size:,} bytes\n")
    printed = shimulator("show", "small.yaml", "--at", "shot+1s", "--as", said.out.split()[1].rstrip(","))
    assert printed.out == text
    assert sorted(path.name for path in folder.iterdir()) == sorted(["small.yaml", file])


@pytest.mark.parametrize(
    ("file", "words", "complaint"),
    [
        ("tree.png", [], "'.png' does not say what to show. Give --as VIEW, or one of .dot"),
        (".", ["--as", "dot"], "this is a folder"),
        ("nowhere/tree.dot", [], "there is no folder nowhere"),
        ("tree.dot", ["--as", "dott"], "Did you mean 'dot'?"),
        ("tree.dot", ["--as", ""], "there is no view"),
        ("tree.dot", ["--of", "web"], "dot is not asked of one container"),
        ("run.json", ["--root", "dockerd"], "perfetto shows no processes"),
    ],
)
def test_what_cannot_be_written_is_refused(file, words, complaint, shimulator, folder):
    """Wrong places and views end with 2, in words, and nothing is left behind."""
    said = shimulator("show", "small.yaml", *words, "-o", file)
    assert (said.status, said.out) == (2, "")
    assert complaint in said.err
    assert [path.name for path in folder.iterdir()] == ["small.yaml"]


def test_a_process_table_has_trees_and_no_run(shimulator, folder):
    """Of a table dot, mermaid and graphml are written; perfetto needs a run."""
    (folder / "t.json").write_text(json.dumps(TABLE))
    for view in ("dot", "mermaid", "graphml"):
        assert "init" in shimulator("show", "t.json", "--as", view).out
    said = shimulator("show", "t.json", "-o", "run.json")
    assert (said.status, said.out) == (2, "")
    assert "perfetto needs a run" in said.err


def test_a_dash_is_standard_output(shimulator):
    """-o - prints."""
    assert shimulator("show", "small.yaml", "-o", "-").out == shimulator("show", "small.yaml").out


@pytest.mark.parametrize("command", [["show", "small.yaml", "--as", "dot", "-o"], ["init", "--force"]])
def test_what_is_no_file_is_written_to_and_stays_what_it_is(command, shimulator, folder):
    """A pipe (as a device such as /dev/null) gets the text; no file takes its place."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert shimulator(*command, "pipe").status == 0
        assert len(os.read(reader, 65_536)) > 100
    finally:
        os.close(reader)
    assert pipe.is_fifo()
    assert sorted(path.name for path in folder.iterdir()) == ["pipe", "small.yaml"]


def test_a_link_keeps_leading_to_its_file(shimulator, folder):
    """What a link leads to is replaced, not the link."""
    (folder / "there").mkdir()
    (folder / "tree.dot").symlink_to("there/tree.dot")
    assert shimulator("show", "small.yaml", "-o", "tree.dot").status == 0
    assert (folder / "tree.dot").is_symlink()
    assert (folder / "there" / "tree.dot").read_text().startswith("digraph")


def test_json_says_the_file_in_place_of_the_text(shimulator, folder):
    """With -o and --json the object names the file, and the text stands there alone."""
    value = json.loads(shimulator("show", "small.yaml", "-o", "tree.dot", "--json").out)
    assert (value["view"], value["text"], value["file"]) == ("dot", None, "tree.dot")
    value = json.loads(shimulator("show", "small.yaml", "--as", "dot", "--json").out)
    assert (value["text"], value["file"]) == ((folder / "tree.dot").read_text(), None)


def test_a_stored_run_and_its_scenario_give_the_same_export(stored, shimulator):
    """A trace that was read back is told as the run that made it, up to any moment."""
    for moment in ("shot", "end"):
        texts = [
            shimulator("show", file, "--as", "perfetto", "--at", moment).out for file in ("small.yaml", "runs/small")
        ]
        assert texts[0] == texts[1]
        assert violations(texts[0]) == []


def test_what_is_exported_can_be_piped(shimulator, monkeypatch):
    """In a locale without line symbols the three trees and the run are the same bytes."""
    for view in ("dot", "mermaid", "graphml", "perfetto"):
        plain = shimulator("show", "small.yaml", "--as", view).out
        monkeypatch.setenv("LC_ALL", "C")
        assert shimulator("show", "small.yaml", "--as", view).out == plain
        monkeypatch.delenv("LC_ALL")


def test_graphml_of_the_command_is_read_by_networkx(shimulator, folder):
    """The file on disk is one that the library opens."""
    shimulator("show", "small.yaml", "-o", "tree.graphml")
    graph = networkx.read_graphml(Path("tree.graphml"), node_type=int)
    assert graph.nodes[1]["comm"] == "systemd"


def test_the_instants_are_those_that_have_come(shimulator):
    """--at says up to when; --json has the same as rows, and a view that is no list has none."""
    asked = ("show", "small.yaml", "--at", "shot", "--as")
    lines = [line.split(" s  ") for line in shimulator(*asked, "instants").out.splitlines()]
    assert lines[0][1] == "0s"
    assert ["60.000000", "shot"] in lines
    assert all(float(at) <= 60 for at, _ in lines)
    rows = json.loads(shimulator(*asked, "instants", "--json").out)["rows"]
    assert rows == [{"at_s": float(at), "instant": text} for at, text in lines]
    assert json.loads(shimulator(*asked, "ps-ef", "--json").out)["rows"] is None

"""shimulator designs: the list; statecharts as files and on stdout, with marks; what is wrong is said."""

import errno
import json
import os
from pathlib import Path

import pytest

from sim.designs import DESIGNS

DOCKER = DESIGNS["docker-1.13"]
NEVER = ["shim.main:exit 1", "shim.copy:read_pipe", "shim.copy:write_fifo", "shim.copy:return"]  # nothing is printed


def test_one_design_can_be_named(shimulator):
    """The list of a design that is named is that of all, as long as there is one."""
    assert shimulator("designs", "docker-1.13").out.startswith("docker-1.13    1.13.1")
    value = json.loads(shimulator("designs", "docker-1.13", "--json").out)
    assert [design["name"] for design in value["designs"]] == ["docker-1.13"]


def test_what_differs_between_two_is_said_with_sources(shimulator):
    """Words and numbers with their sources, then programs; a version stands for its row; the same row says so."""
    said = shimulator("designs", "docker-23", "docker-27")
    assert (said.status, said.err) == (0, "")
    lines = said.out.splitlines()
    assert lines[1:3] == ["  docker-23  no", "  docker-26  yes"]  # whether containerd ends leaked shims
    first = lines.index("what an exit is matched by  (designs §1.1: 24.0 [S], §3.7 [S])")
    assert lines[first + 1 : first + 3] == ["  docker-23  pid", "  docker-26  container"]
    assert sum(not line.startswith(" ") for line in lines) == 8
    rows = json.loads(shimulator("designs", "docker-1.13", "docker-26", "--json").out)["differences"]
    assert {"what": "program exec-shim", "one": "has it", "other": "none", "source": ""} in rows
    assert shimulator("designs", "docker-25", "docker-26").out == "docker-26 and docker-26: they are the same row\n"


@pytest.mark.long
def test_a_picture_of_each_program_is_written_and_said(shimulator, folder):
    """Without more words there is a PNG for each program in statecharts/, and a line for each."""
    said = shimulator("designs", "docker-1.13", "--statecharts")
    assert (said.status, said.err) == (0, "")
    assert [line.split(":")[0] for line in said.out.splitlines()] == [f"statecharts/{p}.png" for p in DOCKER.programs]
    assert "statecharts/shim.png: 2 procedures, 18 ops\n" in said.out
    pictures = list((folder / "statecharts").iterdir())
    assert sorted(path.stem for path in pictures) == sorted(DOCKER.programs)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)


@pytest.mark.parametrize(("kind", "ending", "begins"), [
    ("svg", "svg", "<?xml"), ("mermaid", "mmd", "%% shim"), ("dot", "dot", 'digraph "shim"'),
])  # fmt: skip
def test_other_kinds_go_to_a_folder_that_is_named(kind, ending, begins, shimulator, folder):
    """-o names the folder, above which folders are made; files of other names stay; --program draws one alone."""
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/b/mine.txt").write_text("mine")
    for place in ("a/b", "a/c/d"):
        said = shimulator("designs", "--statecharts", "--as", kind, "--program", "shim", "-o", place)
        assert (said.status, said.out) == (0, f"{place}/shim.{ending}: 2 procedures, 18 ops\n")
        assert (folder / place / f"shim.{ending}").read_text(encoding="utf-8").startswith(begins)
    assert sorted(path.name for path in (folder / "a/b").iterdir()) == ["mine.txt", f"shim.{ending}"]


@pytest.mark.parametrize("kind", ["mermaid", "dot"])
def test_one_program_as_text_is_printed(kind, shimulator, folder):
    """The text of one program goes to stdout, the same as to a file; no folder is made."""
    said = shimulator("designs", "--statecharts", "--as", kind, "--program", "shim")
    assert (said.status, said.err) == (0, "")
    assert not (folder / "statecharts").exists()
    shimulator("designs", "--statecharts", "--as", kind, "--program", "shim", "-o", "x")
    (file,) = (folder / "x").iterdir()
    assert file.read_text(encoding="utf-8") == said.out


def test_what_a_run_reached_is_marked(shimulator, folder, stored):
    """A scenario, a run's folder and its trace mark the same ops."""
    words = ("designs", "--statecharts", "--as", "mermaid", "--program", "shim")
    plain = shimulator(*words).out
    marked = [shimulator(*words, "--reached", file) for file in ("small.yaml", "runs/small", "runs/small/trace.jsonl")]
    assert {said.status for said in marked} == {0}
    bodies = {said.out.split("\n", 1)[1] for said in marked}
    assert len(bodies) == 1
    assert "class shim_main_14,shim_copy_0,shim_copy_1,shim_copy_3 unreached" in marked[0].out
    assert "unreached" not in plain
    assert "reached by small, seed 1" in marked[0].out
    said = shimulator("designs", "--statecharts", "--program", "shim", "--reached", "small.yaml")
    assert said.out.endswith("18 ops, 14 reached\n")


def test_json_says_files_and_what_was_reached(shimulator, folder):
    """One object: the files, and with --reached a row for each program of the design."""
    value = json.loads(shimulator("designs", "--statecharts", "--as", "dot", "--program", "shim", "--json").out)
    assert value == {
        "schema_version": 1, "design": "docker-1.13", "coverage": None,
        "files": [{"file": "statecharts/shim.dot", "drawn": "2 procedures, 18 ops"}],
    }  # fmt: skip
    words = ("--statecharts", "--as", "dot", "--program", "shim", "--reached", "small.yaml", "--json")
    rows = json.loads(shimulator("designs", *words).out)["coverage"]
    assert [row["program"] for row in rows] == list(DOCKER.programs)
    (shim,) = (row for row in rows if row["program"] == "shim")
    assert shim == {"kind": "step", "program": "shim", "of": 18, "exercised": 14, "never": NEVER}


def test_the_same_words_write_the_same_bytes(shimulator, folder):
    """Two calls write the same pictures."""
    words = ("designs", "--statecharts", "--program", "proxy", "--reached", "small.yaml")
    for place in ("a", "b"):
        assert shimulator(*words, "-o", place).status == 0
    assert (folder / "a/proxy.png").read_bytes() == (folder / "b/proxy.png").read_bytes()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["dcoker-1.13"], "'dcoker-1.13' is not a design. Did you mean docker-1.13?"),
        (["dcoker-1.13", "--statecharts"], "Did you mean docker-1.13?"),
        (["docker-1.9"], "'docker-1.9' is not modelled: the ladder begins with 1.10. The nearest is docker-1.10"),
        (["docker-1.13", "docker-26", "docker-28"], "3 designs are too many. Give one design, or two."),
        (["--statecharts", "--program", "containrd"], "Did you mean 'containerd'? Valid: init, journald, dockerd,"),
        (["--statecharts", "--as", "pgn"], "no format 'pgn'. Did you mean 'png'? Valid: png, svg,"),
        (["--statecharts", "--reached", "smal.yaml"], "no such file"),
        (["--statecharts", "-o", "small.yaml"], "small.yaml: this is no folder. Choose another with -o."),
        (["--statecharts", "-o", "small.yaml/x/y"], "small.yaml: this is no folder"),
        (["--program", "shim"], "--program: this is of statecharts. Add --statecharts, or leave it out."),
        (["--as", "png"], "--as: this is of statecharts"),
        (["-o", "x"], "-o: this is of statecharts"),
        (["--reached", "small.yaml"], "--reached: this is of statecharts"),
        (["--statechart"], "Did you mean --statecharts?"),
        (["--statecharts", "--reached"], "--reached needs a value"),
        (["--statecharts", "--program", "\x1b[31mgone"], "no program"),
    ],
)
def test_wrong_words_are_2_with_what_is_valid(words, complaint, shimulator, folder):
    """What is wrong is said with the nearest spelling and all that are valid; nothing is printed or written."""
    said = shimulator("designs", *words)
    assert (said.status, said.out) == (2, "")
    assert complaint in said.err
    assert "\x1b" not in said.err
    assert [path.name for path in folder.iterdir()] == ["small.yaml"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_machine_that_refuses_is_4_and_nothing_is_left(code, monkeypatch, shimulator, folder):
    """A full disk, a folder without the right, a read-only one: said with what to do, and no half of a folder stays."""
    real = Path.write_bytes

    def refuse(path, data):
        if ".shim." in path.name:
            raise OSError(code, os.strerror(code), str(path))
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", refuse)
    said = shimulator("designs", "--statecharts", "--as", "dot", "-o", "a/b")
    assert (said.status, said.out) == (4, "")
    assert f"a/b/shim.dot: {os.strerror(code)}." in said.err
    assert "-o" in said.err
    assert [path.name for path in folder.iterdir()] == ["small.yaml"]


def test_a_run_of_another_engine_marks_nothing(shimulator):
    """Marks are of the design that is drawn."""
    said = shimulator("designs", "docker-26", "--statecharts", "--program", "shim", "--reached", "small.yaml")
    assert said.status == 2
    assert "it is a run of docker-1.13, not of docker-26" in said.err

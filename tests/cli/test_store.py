"""runs/NAME/: replaced whole and only if shimulator made it; nothing is left behind where something fails."""

import json
import os

import pytest

FILES = {".shimulator", "trace.jsonl", "result.json", "trees.txt", "scenario.resolved.yaml"}


def names(folder):
    """Return the names of what stands in a folder."""
    return {path.name for path in folder.iterdir()}


def test_a_run_writes_its_folder(stored):
    """A run writes the trace, the result, the trees and the scenario with every default."""
    assert names(stored) == FILES
    assert json.loads((stored / "result.json").read_text())["title"] == "A small host"
    assert names(stored.parent) == {"small"}


def test_a_folder_of_shimulator_is_replaced_whole(stored, shimulator):
    """A file that somebody put into a run's folder is gone after the next run; nothing else of runs/ is touched."""
    (stored / "extra").write_text("x")
    (stored.parent / "small.new").mkdir()
    assert shimulator("run", "small.yaml", "--seed", "2", "-q").status == 0
    assert names(stored) == FILES
    assert json.loads((stored / "result.json").read_text())["seed"] == 2
    assert names(stored.parent) == {"small", "small.new"}


def test_a_folder_of_the_time_before_the_new_name_is_replaced(stored, shimulator):
    """0.1 marked its folders under the name that it had then."""
    (stored / ".shimulator").rename(stored / ".shimsim")
    assert shimulator("run", "small.yaml", "-q").status == 0
    assert names(stored) == FILES


@pytest.mark.parametrize("name", ["theirs", ".", "..", "file", "file/below", "loose"])
def test_what_is_somebody_elses_is_left_alone(name, shimulator, folder):
    """A folder without the mark, a file, a link to nowhere: status 2, and everything as it was."""
    (folder / "theirs").mkdir()
    (folder / "theirs" / "thesis.txt").write_text("years of work")
    (folder / "file").write_text("x")
    (folder / "loose").symlink_to("nowhere")
    before = names(folder)
    for command in (["run", "small.yaml"], ["whatif", "small.yaml", "--set", "host.cores=1", "--seeds", "1"]):
        said = shimulator(*command, "-o", name)
        assert said.status == 2
        assert "-o" in said.err
        assert said.out == ""
    assert names(folder) == before
    assert (folder / "theirs" / "thesis.txt").read_text() == "years of work"


def test_output_chooses_the_folder(shimulator, folder):
    """-o names the folder, also a deep one, an empty one, or a link to one of shimulator's."""
    (folder / "empty").mkdir()
    for name in ("deep/er", "empty"):
        assert shimulator("run", "small.yaml", "-q", "-o", name).status == 0
        assert names(folder / name) == FILES
    (folder / "link").symlink_to("empty")
    assert shimulator("run", "small.yaml", "-q", "-o", "link").status == 0
    assert (folder / "link").is_symlink()
    assert names(folder / "empty") == FILES


def test_no_save_writes_nothing(shimulator, folder):
    """--no-save leaves no file, whatever the command."""
    shimulator("run", "small.yaml", "--no-save")
    shimulator("whatif", "small.yaml", "--set", "host.cores=1", "--seeds", "1", "--no-save")
    assert names(folder) == {"small.yaml"}


def test_a_whatif_writes_its_folder(shimulator, folder):
    """A what-if writes a figure, a table and the result."""
    said = shimulator("whatif", "small.yaml", "--set", "engine.daemon.live-restore=true", "--seeds", "2", "--explain")
    assert said.status == 0
    files = {".shimulator", "compare.png", "distributions.png", "table.csv", "result.json"}
    assert names(folder / "runs" / "small.whatif") == files
    assert "Assumed:\n  " in said.out


def test_a_swap_that_fails_keeps_the_old_folder(stored, shimulator, monkeypatch):
    """If the new folder cannot take its place, the old one stands as it was and nothing else is left."""
    before = (stored / "result.json").read_bytes()
    rename = os.rename

    def refuse(source, target, **more):
        if os.fspath(target) == str(stored) and "-old-" not in os.fspath(source):
            raise OSError(5, "Input/output error", os.fspath(target))
        return rename(source, target, **more)

    monkeypatch.setattr(os, "rename", refuse)
    said = shimulator("run", "small.yaml", "--seed", "3")
    assert said.status == 4
    assert (stored / "result.json").read_bytes() == before
    assert names(stored.parent) == {"small"}


def test_others_may_read_the_folder(stored):
    """The folder has the rights that the umask gives."""
    mask = os.umask(0)
    os.umask(mask)
    assert stored.stat().st_mode & 0o777 == 0o777 & ~mask


def test_a_wrong_scenario_writes_nothing(shimulator, folder):
    """A scenario that is refused leaves no folder."""
    (folder / "wrong.yaml").write_text("services: {web: {imag: nginx}}")
    assert shimulator("run", "wrong.yaml").status == 2
    assert not (folder / "runs").exists()

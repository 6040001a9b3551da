"""Check `ls -l` of a bundle folder: the document's own listing, and how it follows the run."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from sim.engines.containerd.shows.bundle import FolderEntry
from sim.engines.containerd.shows.ls import ls_l, ls_time
from sim.errors import InputError
from sim.experiment.run import Run, run_scenario
from sim.scenario import load

ROOT = Path(__file__).parent.parent.parent
LISTING = Path(__file__).parent / "data/document/document_ls_l.txt"
FIFOS = ("init-stderr", "init-stdin", "init-stdout")


@cache
def document() -> Run:
    """Run the document's host as it was when its author looked: the kill, which is ours, comes an hour later."""
    file = ROOT / "scenarios/document.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.count("2020-12-14T09:41:00+08:00") == 1
    return run_scenario(load(file, text=text.replace("2020-12-14T09:41:00+08:00", "2020-12-14T10:41:00+08:00")))


def test_the_listing_is_the_documents() -> None:
    """`ll` of node_exporter's folder gives the five lines of the document, letter for letter."""
    assert document().show("ls-bundle", "2020-12-14T10:28:00", of="node_exporter") == LISTING.read_text()


def test_a_fifo_is_as_old_as_its_last_write() -> None:
    """Before the observed write init-stderr is as old as the others; the new folder after the kill is new."""
    before = document().show("ls-bundle", "2020-12-14T10:26:59", of="node_exporter")
    assert before == LISTING.read_text().replace("Dec 14 10:27", "Dec  3 09:49")
    after = document().show("ls-bundle", "end", of="node_exporter").splitlines()
    assert {line.split()[5:8][2] for line in after[1:]} <= {"10:41", "10:42"}


def test_a_size_that_nobody_observed_is_a_question_mark() -> None:
    """Nothing is made up: neither the size of config.json nor the total."""
    lines = document().show("ls-bundle", "kill-1s", of="grafana").splitlines()
    assert lines[0] == "total ?"
    assert lines[1] == "-rw-r--r-- 1 root root ? Dec  3 09:49 config.json"
    assert lines[2:] == [f"prwx------ 1 root root 0 Dec  3 09:49 {name}" for name in FIFOS]


def test_the_folder_is_there_from_the_start_to_the_exit() -> None:
    """A container that has stopped has no folder; of all containers the missing ones are complained about first."""
    text = """
services: {a: {image: a}, b: {image: b}}
steps: [{id: stop, at: 1s, docker: stop a}]
until: 10s
"""
    run = run_scenario(load("two.yaml", text))
    a, b = (f"/var/run/docker/libcontainerd/{run.trace.setup.service(name).id}" for name in "ab")
    assert run.show("ls-bundle", "stop+5s", of="a") == f"ls: cannot access {a}: No such file or directory\n"
    assert run.show("ls-bundle", "stop+5s").splitlines()[:3] == [
        f"ls: cannot access {a}: No such file or directory",
        f"{b}:",
        "total ?",
    ]
    assert f"\n\n{b}:\n" in run.show("ls-bundle", "0s")


@pytest.mark.parametrize(
    ("written", "now", "text"),
    [
        ("2020-12-03 01:49", "2020-12-14 02:00", "Dec  3 09:49"),
        ("2020-12-31 23:59", "2021-01-01 00:00", "Jan  1 07:59"),
        ("2020-01-01 00:00", "2020-12-14 02:00", "Jan  1  2020"),
        ("2020-12-14 02:01", "2020-12-14 02:00", "Dec 14  2020"),
        ("2020-06-14 12:00", "2020-12-14 02:00", "Jun 14 20:00"),
        ("2020-06-14 11:00", "2020-12-14 02:00", "Jun 14  2020"),
    ],
)
def test_times_older_than_half_a_year_or_in_the_future_show_the_year(written: str, now: str, text: str) -> None:
    """Local time, the day padded with a blank."""
    then, today = (datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() for moment in (written, now))
    assert ls_time(then, today, 480) == text


def test_columns_are_as_wide_as_the_widest_entry() -> None:
    """Sizes stand at the right; blocks are whole pages."""
    entries = [
        FolderEntry("a", "-rw-r--r--", 1, 0.0),
        FolderEntry("b", "-rw-r--r--", 4097, 0.0),
        FolderEntry("c", "prwx------", 0, 0.0),
    ]
    assert ls_l(entries, 60.0, 0).splitlines() == [
        "total 12",
        "-rw-r--r-- 1 root root    1 Jan  1 00:00 a",
        "-rw-r--r-- 1 root root 4097 Jan  1 00:00 b",
        "prwx------ 1 root root    0 Jan  1 00:00 c",
    ]


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("{config_size: -1}", "-1 is not a size in bytes"),
        ("{config_sise: 1}", "Did you mean config_size?"),
        ("{written: {init-stder: '2020-12-14T10:27:00Z'}}", "Did you mean init-stderr?"),
        ("{written: {init-stderr: '2020-12-14T10:27:00'}}", "has no offset from UTC"),
        ("{written: {init-stderr: '2020-12-14T10:27:00.5Z'}}", "has a part of a second"),
        ("{written: {init-stderr: yesterday}}", "is not a date and time"),
        ("{written: 5}", "is not a mapping of fifos"),
    ],
)
def test_what_was_observed_is_read_with_care(given: str, what: str) -> None:
    """A wrong observation is refused with its place and what is valid."""
    with pytest.raises(InputError) as error:
        load("x.yaml", f"services: {{web: {{image: nginx, x-bundle: {given}}}}}")
    assert what in str(error.value)
    assert "x.yaml:1:" in str(error.value)

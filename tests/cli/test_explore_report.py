"""shimulator explore: its report as a whole, its options, what goes wrong around it."""

import errno
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.engine.ops import Fork
from tests.cli.test_status import begun

ONE = """\
title: One container
services: {web: {image: nginx, ports: ["80:80"], restart: always}}
"""
KILL = ("explore", "one.yaml", "--faults", "kill=1", "-p", "V5")
REPORT = """\
One container: every order
1.13.1-203.el7 · live-restore off · one.yaml

✗ VIOLATED  always     V5: Every shim is a child of a living containerd. [1 fault, 0 changes of program, 1
                        step]
✓ HOLDS     always     V16: There is at most one dockerd and one containerd.
✓ HOLDS     sometimes  a_container_runs: A container runs, and is said to.

COMPLETE: N states, N transitions, depth N, N ends, N s (N steps/s, one process; N local steps).
Bound: At most 1 fault (kill 1: a process gets SIGKILL and is gone), anywhere, of any process but PID 1.
Bound: Timers ring only where nothing prompt can happen, and in an order that their lengths allow; a program
  that is slow is a fault (stall).
Bound: People act whenever they like: the times of steps are dropped, their order and what they wait for are
  kept.
Bound: Steps that come to the same in any order are taken first, and states that differ in names of processes
  alone are one; --full takes every order.
Bound: What comes before t = 0 happens in one order.
Assumed: web: no command given, the image's name stands for its program; web: no x-payload: ready at once,
  TERM exits 0 after 100 ms.

V5 is violated: 1 fault, 0 context switches, 1 step
Every shim is a child of a living containerd.

    The host is up: docker.service runs, and web.
  1. step fault1: kill containerd; containerd dies of SIGKILL; the parent of shim/web is PID 1 now

Tree before 1:
systemd───dockerd-current─┬─docker-containe─┬─docker-containe─┬─nginx
                          │                 │                 └─9*[{docker-containe}]
                          │                 └─16*[{docker-containe}]
                          ├─docker-proxy-cu───6*[{docker-proxy-cu}]
                          └─12*[{dockerd-current}]

Tree after 1:
systemd─┬─docker-containe─┬─nginx
        │                 └─9*[{docker-containe}]
        └─dockerd-current─┬─docker-containe
                          ├─docker-proxy-cu───6*[{docker-proxy-cu}]
                          └─12*[{dockerd-current}]

found/: V5.yaml V5.txt result.json
"""


@pytest.fixture(autouse=True)
def one(folder):
    """Add a scenario that is explored in a blink."""
    (folder / "one.yaml").write_text(ONE, encoding="utf-8")


def counts_of(report):
    """Return the paragraph with the counts in one line, and the numbers in it."""
    text = " ".join(line.strip() for line in report[report.index("COMPLETE:") :].split("\nBound")[0].splitlines())
    return text, [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d(?=[ .])", text)]


def masked(report):
    """Return a report without its counts, which are those of the model, and its times, which are the machine's."""
    paragraph = report[report.index("COMPLETE:") : report.index("\nBound")]
    text = re.sub(r"depth \d+", "depth N", counts_of(report)[0])
    return report.replace(paragraph, re.sub(r"[\d,.]*\d(?= (states|transitions|ends|s |steps/s|local))", "N", text))


# -- the report ----------------------------------------------------------------------------------------


def test_the_report_as_a_whole(shimulator):
    """Verdicts first, then counts and bound, then the story; everything but counts and times is the same each time."""
    done = shimulator(*KILL, "-p", "V16", "-p", "a_container_runs", "--jobs", "1", "-o", "found")
    assert done.err == ""
    assert masked(done.out) == REPORT


@pytest.mark.long
def test_the_same_words_write_the_same_files(shimulator, folder):
    """The story and the scenario do not depend on the time, nor on how many processes search."""
    for name, jobs in (("a", 1), ("b", 1), ("c", 2)):
        shimulator(*KILL, "--jobs", jobs, "-o", name)
    for name in ("V5.yaml", "V5.txt"):
        assert (folder / "a" / name).read_bytes() == (folder / "b" / name).read_bytes()
        assert (folder / "a" / name).read_bytes() == (folder / "c" / name).read_bytes()


@pytest.mark.long
def test_the_story_stands_in_the_scenario_too(shimulator, folder):
    """V5.txt is what the report tells; V5.yaml has it as a comment, and is a scenario that validates."""
    shimulator(*KILL)
    stored = folder / "runs" / "one.explore"
    story = (stored / "V5.txt").read_text(encoding="utf-8")
    text = (stored / "V5.yaml").read_text(encoding="utf-8")
    assert story in REPORT
    assert "".join(f"# {line}".rstrip() + "\n" for line in story.splitlines()) == text[: text.index("title:")]
    assert shimulator("validate", stored / "V5.yaml").status == 0


def test_a_report_without_a_violation_writes_no_folder(shimulator, folder):
    """What holds needs no files."""
    assert shimulator("explore", "one.yaml", "-p", "V5").status == 0
    assert not (folder / "runs").exists()


# -- options -------------------------------------------------------------------------------------------


@pytest.mark.mostly_long
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--jobs", "2"), "2 processes"),
        (("--full",), "one process"),
        (("--untimed", "--limit", "20000"), "Timers ring at any time, in any order."),
    ],
)
def test_options_change_the_search_and_not_the_verdict(shimulator, words, said):
    """Several processes, every order, no rule of time: the violation stays."""
    done = shimulator(*KILL, "--no-save", "--jobs", "1", *words)
    assert done.status == 1
    assert "✗ VIOLATED  always     V5" in done.out
    assert said in done.out
    assert ("--full takes every order" in done.out) == ("--jobs" in words)


@pytest.mark.long
def test_full_counts_more_states_and_several_processes_the_same(shimulator):
    """The counts are those of the search that was asked for."""
    found = [counts_of(shimulator(*KILL, "--no-save", *words).out)[1][:3]
             for words in (("--jobs", "1"), ("--jobs", "2"), ("--full", "--jobs", "1"))]  # fmt: skip
    assert found[0] == found[1]
    assert found[2][0] > found[0][0]


@pytest.mark.long
def test_a_limit_of_seconds_is_3(shimulator):
    """What takes longer is cut off, in time, and undetermined."""
    began = time.monotonic()
    done = shimulator("explore", "one.yaml", "--faults", "3", "-p", "V16", "--seconds", "1", "--no-save")
    assert time.monotonic() - began < 10
    assert done.status == 3
    assert "UNDETERMINED (limit of 1 s)" in done.out


def test_settings_are_explored(shimulator):
    """--set changes what is explored: with live-restore no payload ends with dockerd."""
    words = ("-p", "eventually: open(80, remote)", "-p", "V19", "--set", "engine.daemon.live-restore=true", "--no-save")
    assert "live-restore on" in shimulator("explore", "one.yaml", *words).out


# -- trouble -------------------------------------------------------------------------------------------


@pytest.mark.mostly_long
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_a_machine_that_refuses_is_4_and_nothing_is_left(code, monkeypatch, shimulator, folder):
    """A full disk or a folder without the right is said with what to do; no half of a folder stays."""

    def refuse(path, data):
        raise OSError(code, os.strerror(code), str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    said = shimulator(*KILL)
    assert said.status == 4
    assert os.strerror(code) in said.err
    assert "-o" in said.err
    assert sorted(path.name for path in folder.iterdir()) == ["one.yaml", "small.yaml"]


def test_a_folder_of_somebody_else_s_is_left_alone(shimulator, folder):
    """It is refused before anything is explored."""
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.txt").write_text("years of work")
    said = shimulator(*KILL, "-o", "mine")
    assert said.status == 2
    assert "mine" in said.err
    assert [path.name for path in (folder / "mine").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_fault_of_the_model_is_4_and_names_the_op(jobs, monkeypatch, shimulator):
    """An op that fails is named with what went wrong."""
    take = Fork.take
    monkeypatch.setattr(Fork, "take", lambda op, g: {}["nobody"] if hasattr(g.world, "tape") else take(op, g))
    said = shimulator("explore", "small.yaml", "--faults", "1", "--jobs", jobs, "--no-save")
    assert said.status == 4
    assert re.search(r"a fault in the model: \w+\.\w+:fork_\w+: KeyError: 'nobody'", said.err)


def test_a_file_that_is_not_there_is_2(shimulator):
    """As with every command."""
    assert shimulator("explore", "nowhere.yaml").status == 2


def children_of(pid):
    """Return how many processes a process has forked."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return len(found.stdout.split())


def group_is_there(group: int) -> bool:
    """Return whether a process group has a process, be it a zombie."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def comes_true(question: Callable[[], bool], within_s: float = 20.0) -> bool:
    """Return whether the answer becomes yes in time."""
    end = time.monotonic() + within_s
    while not (found := question()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


@pytest.mark.skipif(shutil.which("ps") is None, reason="there is no ps here")
def test_ctrl_c_is_130_and_leaves_no_process(folder):
    """A search of several processes that is interrupted ends all of them and writes nothing."""
    words = ("explore", "one.yaml", "--faults", "3", "-p", "V16", "--jobs", "2", "--seconds", "60")
    with begun(*words, start_new_session=True) as it:
        for _ in range(200):
            time.sleep(0.1)
            if children_of(it.pid) == 2:
                break
        os.killpg(it.pid, signal.SIGINT)
        _, said = it.communicate(timeout=20)
    assert it.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    assert comes_true(lambda: not group_is_there(it.pid))  # who reaps the workers may take its time
    assert not (folder / "runs").exists()

"""The exit status, and what stands on stderr: wrong input, failing expectations, faults, Ctrl-C, pipes, full disks."""

import errno
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sim.cli import options_of
from sim.cli.show import FOLDER, listed
from sim.engine.goroutine import ModelFault
from sim.engine.ops import Fork
from sim.experiment.viewing import all_views
from tests.cli.conftest import FAILING, SMALL

ROOT = Path(__file__).resolve().parent.parent.parent
ENV = {**os.environ, "PYTHONPATH": str(ROOT)}
COMMAND = (sys.executable, "-m", "sim")


def real(*words, **more):
    """Run the command as a process."""
    given = {"capture_output": True, "text": True, "check": False, "timeout": 60, "env": ENV, **more}
    return subprocess.run([*COMMAND, *words], **given)


def begun(*words, **more):
    """Begin the command as a process that is read while it runs."""
    return subprocess.Popen([*COMMAND, *words], stderr=subprocess.PIPE, text=True, env=ENV, **more)


# -- 0, 1, 3 ----------------------------------------------------------------------------------------


def test_all_that_holds_is_0(shimulator):
    """A run whose expectations hold ends with 0 and writes its folder."""
    said = shimulator("run", "small.yaml")
    assert (said.status, said.err) == (0, "")
    assert "2 of 2 hold" in said.out


def test_an_expectation_that_fails_is_1_and_quiet_says_only_that(shimulator, folder):
    """A failing expectation ends with 1; --quiet prints it and not the one that holds."""
    (folder / "failing.yaml").write_text(FAILING)
    said = shimulator("run", "failing.yaml", "--quiet")
    assert said.status == 1
    assert said.out.splitlines()[0] == "Expectations"
    assert len(said.out.splitlines()) == 2
    assert "✗ shot+100ms" in said.out


STALLED = """\
engine: {design: docker-26}
services:
  a: {image: x, x-pids: {shim: 2229, payload: 2273, children: [2274]}}
  b: {image: x, x-pids: {shim: 2300, payload: 2310}}
"""


@pytest.mark.parametrize(
    "words", [["run"], ["run", "--quiet", "--no-save"], ["report", "-o", "page.html"], ["run", "small.yaml"]], ids=str
)
def test_a_run_that_never_comes_to_its_begin_is_3_and_says_for_what_it_waits(shimulator, folder, words):
    """A number was observed for a child, and nothing in the file forks one."""
    (folder / "stalled.yaml").write_text(STALLED)
    said = shimulator(words[0], "stalled.yaml", *words[1:])
    assert said.status == 3
    assert "t = 0 never came: no process got the number 2274, which was observed for one of a (x-pids)" in said.err


FULL = """\
host: {pid_max: 400}
services: {a: {image: x, x-payload: {children: [{argv: w, every: 5m}]}}}
"""


@pytest.mark.parametrize("words", [["run"], ["show", "--as", "pstree"]], ids=str)
def test_a_host_that_runs_out_of_process_numbers_is_3_and_no_fault_to_report(shimulator, folder, words):
    """What a full host does is not modelled; who has a program that forks for ever learns what to change."""
    (folder / "full.yaml").write_text(FULL)
    said = shimulator(words[0], "full.yaml", *words[1:])
    assert said.status == 3
    assert "all numbers below pid_max (400) are in use" in said.err
    assert "Raise host.pid_max, shorten host.uptime, or let children end and be waited for" in said.err
    assert "fault in the model" not in said.err
    assert "report it" not in said.err


def test_an_expectation_that_holds_is_not_said_by_quiet(shimulator):
    """--quiet says nothing of what holds, with files and without."""
    for more in ([], ["--no-save"]):
        said = shimulator("run", "small.yaml", "--quiet", *more)
        assert (said.status, said.out, said.err) == (0, "", "")


def test_seeds_count_and_name_a_failing_one(shimulator, folder):
    """--seeds N ends with 1 if an expectation fails in a seed, and names one to look at."""
    (folder / "failing.yaml").write_text(FAILING)
    said = shimulator("run", "failing.yaml", "--seeds", "2")
    assert said.status == 1
    assert "0/2" in said.out
    assert "at --seed 1" in said.out
    assert "1 of 2 hold in all 2 seeds" in said.out
    assert shimulator("run", "small.yaml", "--seeds", "2", "--quiet").out == ""


def test_no_bar_is_drawn_where_there_is_no_terminal(shimulator):
    """stderr stays empty where it is no terminal."""
    assert shimulator("run", "small.yaml", "--seeds", "2").err == ""


def test_a_bound_that_was_hit_is_3(shimulator):
    """An exploration that stops at its limit is undetermined."""
    assert shimulator("explore", "small.yaml", "--limit", "10").status == 3


def test_explore_says_what_it_does_not_check_and_what_its_bound_rests_on(shimulator):
    """Expectations are not dropped without a word; the rule of time is a condition, without it there is none."""
    said = shimulator("explore", "small.yaml", "--limit", "10").out
    assert "Bound: Timers ring only where nothing prompt can happen" in said
    assert "Not checked here, but by run: payload/web have parent shim/web." in said
    assert "Timers ring at any time" in shimulator("explore", "small.yaml", "--limit", "10", "--untimed").out


# -- 2 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["rnu", "small.yaml"], "Did you mean run?"),
        (["run", "small.yaml", "--qiet"], "Did you mean --quiet?"),
        (["run", "smal.yaml"], "no such file"),
        (["run", "documnt"], "document"),
        (["run", "missing.jsonl"], "missing.jsonl"),
        (["show", "missing.jsonl"], "missing.jsonl"),
        (["show", "missing.json"], "missing.json"),
        (["run"], "required"),
        (["run", "small.yaml", "--seed", "x"], "'x' is no whole number"),
        (["run", "small.yaml", "--seed", "-1"], "--seed"),
        (["run", "small.yaml", "--seeds", "0"], "from 1 to"),
        (["run", "small.yaml", "--seeds", "2", "--jobs", "0"], "from 1 to"),
        (["run", "small.yaml", "--live"], "--live needs a value, --live=X: tell it on stderr as it happens, X times"),
        (["show", "small.yaml", "--at", "400d"], "'400d': the run ends at 1m30s. Set until:."),
        (["show", "small.yaml", "--at", "end+1h"], "the run ends at 1m30s"),
        (["show", "small.yaml", "--at", "shot-400d"], "the run begins at -10d"),
        (["show", "small.yaml", "--at", "-400d"], "the run begins at -10d"),
        (["show", "small.yaml", "--at=-5x"], "no unit 'x'"),
        (["show", "small.yaml", "--at"], "--at needs a value, --at=INSTANT: "),
        (["why", "small.yaml", "container web", "--at", "end+1h"], "the run ends at 1m30s"),
        (["plot", "small.yaml", "-o", "x.svg", "--to", "2h"], "the run ends at 1m30s"),
        (["plot", "small.yaml", "-o", "x.svg", "--from=-11d"], "the run begins at -10d"),
        (["report", "small.yaml", "-o", "x.png"], "'.png' is no page. Give a name that ends in .html."),
        (["report", "small.yaml", "-o", "x"], "what it is to be is not said. Give a name that ends in .html."),
        (["report", "small.yaml", "-o", "."], "this is a folder"),
        (["report", "small.yaml", "-o", "no/x.html"], "there is no folder no. Make it, or write elsewhere."),
        (["report", "small.yaml", "-o", "x.html", "--from", "shot", "--to", "10s"], "The earlier moment comes first."),
        (["report", "small.yaml"], "-o/--output"),
        (["explore", "small.yaml", "--seed", "2"], "--seed"),
        (["run", "small.yaml", "--live", "0"], "no speed"),
        (["run", "small.yaml", "--live", "nan"], "no speed"),
        (["run", "small.yaml", "--live", "1", "--seeds", "2"], "--live"),
        (["run", "small.yaml", "--set", "engine.daemon.live-restor=true"], "Did you mean live-restore?"),
        (["run", "small.yaml", "--set", "nothing"], "PATH=VALUE"),
        (["show", "small.yaml", "--as", "pstre"], "Did you mean 'pstree'?"),
        (["show", "small.yaml", "--as", "podman-ps"], "no podman on its host. Did you mean docker-ps? Valid: pstree, "),
        (["show", "podman-payload-killed", "--as", "docker-ps"], "no docker on its host. Did you mean podman-ps?"),
        (["show", "kubelet-conmon-killed", "--as", "docker-events"], "Did you mean crictl-events?"),
        (["show", "podman-payload-killed", "--at", "die(web)#9"], "shimulator show --as podman-events lists what did."),
        (["show", "small.yaml", "--at", "shto"], "Did you mean shot?"),
        (["show", "small.yaml", "--at", "die(wbe)"], "Did you mean web?"),
        (["show", "small.yaml", "--at", "die(web)#9"], "never came"),
        (["show", "small.yaml", "--root", "contanerd"], "Did you mean 'containerd'?"),
        (["show", "small.yaml", "--root", "99999"], "no process 99999"),
        (["show", "small.yaml", "--root", "dockerd", "--as", "docker-ps"], "shows no processes"),
        (["show", "small.yaml", "--of", "web"], "pstree is not asked of one container"),
        (["show", "small.yaml", "--as", "docker-inspect", "--of", "wbe"], "Did you mean 'web'?"),
        (["plot", "small.yaml"], "--output"),
        (["plot", "small.yaml", "-o", "x.gif"], "svg"),
        (["plot", "small.yaml", "-o", "x"], "svg"),
        (["plot", "small.yaml", "-o", "no/x.png"], "no folder"),
        (["plot", "small.yaml", "small.yaml", "small.yaml", "-o", "x.svg"], "too many"),
        (["plot", "small.yaml", "-o", "x.svg", "--from", "shot", "--to", "0s"], "The earlier moment comes first"),
        (["plot", "small.yaml", "-o", "x.svg", "--at", "shot"], "--tree"),
        (["plot", "small.yaml", "-o", "x.svg", "--tree", "--from", "shot"], "a moment"),
        (["plot", "small.yaml", "-o", "x.svg", "--tree", "--at", "0s", "--at", "1s", "--at", "2s"], "too many"),
        (["plot", "small.yaml", "small.yaml", "-o", "x.svg", "--seed", "1,2"], "too many"),
        (["plot", "small.yaml", "-o", "x.svg", "--seed", "1,x"], "whole number"),
        (["why", "small.yaml", "container wbe"], "Did you mean 'web'?"),
        (["whatif", "small.yaml"], "--set"),
        (["whatif", "small.yaml", "--set", "host.cors=1"], "Did you mean cores?"),
        (["explore", "small.yaml", "--limit", "0"], "--limit"),
        (["validate"], "no file"),
        (["init", "small.yaml"], "exists already"),
        (["init", "new.yaml", "--compose", "missing.yml"], "missing.yml"),
    ],
)
def test_wrong_input_is_2_with_what_is_valid(words, complaint, shimulator, folder):
    """What is wrong is said with its place and the nearest spelling; nothing is printed or written."""
    before = sorted(folder.iterdir())
    said = shimulator(*words)
    assert said.status == 2
    assert complaint in said.err
    assert said.out == ""
    assert sorted(folder.iterdir()) == before


def test_no_command_is_2_with_the_help(shimulator):
    """Without a command the help stands on stderr."""
    said = shimulator()
    assert (said.status, said.out) == (2, "")
    assert "examples:" in said.err


def test_help_lists_every_view(capsys):
    """The list stands in the help of `show`, a row for each group of views."""
    rows = re.findall(r"^  \S.*?  +(\w[^:\n]*)", listed().partition("examples:")[0], re.M)
    assert sorted(", ".join(rows).split(", ")) == sorted((*all_views(), FOLDER))
    with pytest.raises(SystemExit):
        options_of(["show", "--help"])
    assert listed().strip() in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["run", "--help"]])
def test_help_is_0(words, shimulator):
    """Help and version are results."""
    said = shimulator(*words)
    assert (said.status, said.err) == (0, "")
    assert "shimulator" in said.out


# -- 4 ----------------------------------------------------------------------------------------------

WORDS = "shim (pid 412, web) at 'wait for StartTask' of 'serve' got DeleteTask; it takes StartTask, Kill"


@pytest.fixture
def broken(monkeypatch):
    """Let an op of the model fail from the kill on."""
    taken, calls = Fork.take, []

    def take(op, g):
        calls.append(op)
        if g.world.marks.get("step:shot:"):
            raise ModelFault(WORDS)
        return taken(op, g)

    monkeypatch.setattr(Fork, "take", take)


def test_a_fault_of_the_model_is_4_and_keeps_what_there_is(broken, shimulator, folder):
    """The model's own words are said, and the trace up to the fault is written, named and readable."""
    said = shimulator("run", "small.yaml")
    assert said.status == 4
    assert WORDS in said.err
    assert "runs/small/trace.jsonl" in said.err
    assert "report" in said.err
    shown = shimulator("show", "runs/small", "--as", "docker-ps-a")
    assert shown.status == 0
    assert "fault in the model" in (folder / "runs/small/trace.jsonl").read_text().splitlines()[0]


@pytest.mark.parametrize("words", [["show"], ["plot", "-o", "x.svg"], ["run", "--seeds", "2"], ["run", "--no-save"]])
def test_a_fault_of_the_model_is_4_in_every_command(words, broken, shimulator, folder):
    """No command shows a traceback of a fault, nor leaves files."""
    said = shimulator(words[0], "small.yaml", *words[1:])
    assert said.status == 4
    assert WORDS in said.err
    assert [path.name for path in folder.iterdir()] == ["small.yaml"]


def test_a_fault_that_is_no_words_of_the_model_names_its_place(monkeypatch, shimulator):
    """An assertion in the model is said with its type, file and line."""
    monkeypatch.setattr(Fork, "take", lambda op, g: {}["nobody"])
    said = shimulator("run", "small.yaml", "--no-save")
    assert said.status == 4
    assert "KeyError" in said.err
    assert "test_status.py:" in said.err


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_machine_that_refuses_is_4_and_nothing_is_left(code, monkeypatch, shimulator, folder):
    """A full disk, a folder without the right, a read-only one: said with what to do; no half of a folder stays."""

    def refuse(path, data):
        raise OSError(code, os.strerror(code), str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    said = shimulator("run", "small.yaml")
    assert said.status == 4
    assert os.strerror(code) in said.err
    assert "-o" in said.err
    assert [path.name for path in folder.iterdir()] == ["small.yaml"]


def test_memory_that_is_full_is_4(monkeypatch, shimulator):
    """No memory is the machine's fault and not the model's."""

    def full(op, g):
        raise MemoryError

    monkeypatch.setattr(Fork, "take", full)
    said = shimulator("run", "small.yaml", "--no-save")
    assert said.status == 4
    assert "memory" in said.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_stdout_is_4():
    """What cannot be printed is said once, without a traceback or a complaint of Python's at its end."""
    with open("/dev/full", "w") as full:
        done = real("designs", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert "disk is full" in done.stderr


# -- 130, pipes -------------------------------------------------------------------------------------


def test_ctrl_c_is_130_and_keeps_what_there_is(folder):
    """A live run that is interrupted writes its trace so far and says where."""
    (folder / "long.yaml").write_text(SMALL.replace("until: shot+30s", "until: 1h"))
    with begun("run", "long.yaml", "--live", "60") as it:
        assert it.stderr is not None
        first = it.stderr.readline()  # the first thing that happened: the kill, one second after t = 0
        time.sleep(0.05)
        it.send_signal(signal.SIGINT)
        rest = it.stderr.read()
    assert it.returncode == 130
    assert "60.000 s  step shot" in first
    assert "interrupted" in rest
    assert "Traceback" not in rest
    done = real("show", "runs/long", "--as", "docker-ps-a")
    assert done.returncode == 0


def test_a_reader_that_leaves_is_no_trouble(folder):
    """`shimulator show … | head -1` is quiet."""
    with begun("show", "small.yaml", stdout=subprocess.PIPE) as it:
        assert it.stdout is not None
        assert it.stderr is not None
        it.stdout.close()
        assert it.stderr.read() == ""
    assert it.returncode == 141


def test_a_closed_stdout_is_no_trouble(folder):
    """`shimulator run … >&-` judges all the same."""
    done = subprocess.run(["sh", "-c", f"'{sys.executable}' -m sim run small.yaml --no-save >&-"],
                          capture_output=True, text=True, env=ENV, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")

"""Toys in one file each pass run, explore, plot, report, whatif and matrix; no file of sim knows them."""

import io
import multiprocessing
from pathlib import Path

import pytest
import yaml

import sim
from sim import parts
from sim.cli import main
from sim.cli.show import listed
from sim.drive.explore import Limits
from sim.engine.program import Program
from sim.engines.host import daemon
from sim.engines.host.programs import on_host
from sim.errors import InputError
from sim.experiment import executors
from sim.experiment.executors import serial
from sim.experiment.exploring import explored
from sim.experiment.faulted import fault_setting
from sim.experiment.matrix import SCENARIO, designs_asked, faults_asked, matrix
from sim.scenario.property_asked import property_of
from sim.scenario.schema import json_schema
from sim.tracefile import lines, read
from sim.views.exploration import VIOLATED
from tests.toys import crash, engine, fault, step_word, view

SWAPPED = """
services: {web: {image: nginx, ports: ["80:80"]}}
steps: [{id: out, at: 5s, swap_out: web}, {id: back, at: 8s, cont: payload/web}]
until: 12s
expect:
  - {at: out+1s, process: payload/web, state: T}
  - {at: end, process: payload/web, state: S}
"""


@pytest.fixture
def _swap_out():
    with parts.registered("steps", step_word):
        yield


@pytest.mark.usefixtures("_swap_out")
def test_a_step_word_in_one_file_is_read_run_saved_and_shown() -> None:
    """The word is in the schema, its command is in the trace, and the picture counts from the fault that it is."""
    run = sim.run(SWAPPED)
    assert [found.holds for found in run.verdicts()] == [True, True]
    assert "swapping out web" in run.timeline().fault
    again, _ = read(io.BytesIO(b"".join(lines(run.trace))), "trace.jsonl")
    assert again.setup == run.trace.setup
    assert "swap_out" in json_schema()["$defs"]["StepFile"]["properties"]


@pytest.mark.usefixtures("_swap_out")
def test_what_a_step_word_refuses_is_said_with_its_place() -> None:
    """A refusal of the toy's reader is an error of the file like any other."""
    with pytest.raises(InputError, match=r"steps\[0\].swap_out: '7' is not a container"):
        sim.run(SWAPPED.replace("swap_out: web", "swap_out: 7"))


def test_without_the_toy_the_word_is_unknown() -> None:
    """The word goes with its module."""
    with pytest.raises(InputError, match="swap_out: unknown key"):
        sim.run(SWAPPED)


# -- an engine ----------------------------------------------------------------------------------------

BOXED = """
engine: {design: boxd}
services: {web: {image: nginx, restart: always}, db: {image: pg}}
steps: [{id: kill, at: 5s, kill: boxd}]
until: 12s
expect:
  - {at: kill-1s, container: [web, db], status: running}
  - {at: end, container: web, status: running, pid: new, since: kill-1s}
  - {at: end, container: db, status: exited}
"""
COMMANDS = {
    "run": ["--no-save"],
    "explore": ["-p", "V16", "--faults", "kill=1", "--seconds", "20", "--no-save"],
    "plot": ["-o", "boxed.png"],
    "report": ["-o", "boxed.html"],
    "whatif": ["--set", "engine.unit.Restart=no", "--seeds", "2", "--no-save"],
    "why": ["container db", "--at", "end"],
}


@pytest.fixture
def _boxd():
    with parts.registered("engines", engine):
        yield


@pytest.mark.usefixtures("_boxd")
def test_an_engine_in_one_file_runs_by_its_own_rules() -> None:
    """Its containers die with its unit's control group, and its policy starts one of them again."""
    run = sim.run(BOXED)
    assert [found.holds for found in run.verdicts()] == [True, True, True]
    assert run.show("pstree", at="kill-1s") == "systemd───boxd─┬─nginx\n               └─pg\n"
    again, _ = read(io.BytesIO(b"".join(lines(run.trace))), "trace.jsonl")
    assert again.records == run.trace.records


@pytest.mark.usefixtures("_boxd")
def test_what_the_engine_does_not_say_is_derived() -> None:
    """The verbs are those of its API, its unit's name is its own, its records are on the disk after a power cut."""
    with pytest.raises(InputError, match="boxd has no pause") as found:
        sim.run(BOXED.replace("kill: boxd", "docker: pause web"))
    assert found.value.problems[0].hint == "It has run, create, start, stop, kill, rm, ps, exec."
    booted = BOXED.replace("at: 5s, kill: boxd", "at: 60s, systemctl: stop boxd").replace("12s", "65s")
    run = sim.run(f"host: {{begin: boot}}\n{booted}")
    assert run.show("pstree", at="kill-1s") == "systemd───boxd───nginx\n"
    assert run.show("pstree") == "systemd\n"


def test_of_two_daemons_somebody_must_say_which_is_the_engine() -> None:
    """Their units cannot both be the one whose keys a scenario sets."""
    with pytest.raises(ValueError, match="which of boxd, other is the engine's own unit"):
        on_host(engine.BOXD, Program("other", engine.TABLES, role=daemon.role()))


@pytest.mark.usefixtures("_boxd")
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_an_engine_in_one_file(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing but the file knows boxd."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "boxed.yaml").write_text(BOXED)
    status = main([command, "boxed.yaml", *COMMANDS[command]])
    said = capsys.readouterr()
    assert status == 0, said.err
    assert "boxd" in said.out or command in ("plot", "report")


@pytest.mark.usefixtures("_boxd")
def test_the_matrix_has_a_column_of_the_toy(capsys: pytest.CaptureFixture[str]) -> None:
    """A fault that it has nothing for has no cell, and one that it refuses says so."""
    assert main(["whatif", "--matrix", "--design", "boxd", "--no-save"]) == 0
    assert "boxd" in capsys.readouterr().out


@pytest.mark.usefixtures("_boxd")
def test_a_spawned_worker_knows_what_was_registered_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """As from a notebook, whose threads forbid a fork."""
    monkeypatch.setattr(executors, "_context", lambda: multiprocessing.get_context("spawn"))
    found = sim.whatif(BOXED, "engine.unit.Restart=no", seeds=[1, 2], jobs=2)
    assert found.rows()


def test_without_its_file_nobody_knows_the_engine() -> None:
    """The design goes with its module."""
    with pytest.raises(InputError, match="'boxd' is not a design"):
        sim.run(BOXED)


KILLED = """
services: {web: {image: nginx}, db: {image: postgres}}
steps: [{id: kill, at: 5s, kill: shim/web}]
until: 8s
"""


@pytest.fixture
def _toy_view():
    with parts.registered("views", view):
        yield


@pytest.mark.usefixtures("_toy_view")
def test_a_view_in_one_file_is_shown_listed_and_stands_on_the_page() -> None:
    """It answers at any moment, of all or of one container; the help and the page have it."""
    run = sim.run(KILLED)
    before, after = run.show("toy-shims", "kill-1s").split(), run.show("toy-shims", "kill+1s").split()
    assert (before[0], before[2], after[:2]) == ("web", "db", ["web", "nobody"])
    assert before[1].isdecimal()
    assert before[3] == after[3]
    assert run.show("toy-shims", "kill+1s", of="web") == "web nobody\n"
    assert "toys" in listed()
    assert "toy-shims" in listed()
    assert '"toy shims"' in run.page()


@pytest.mark.usefixtures("_toy_view")
def test_a_host_that_lacks_what_a_view_needs_is_refused() -> None:
    """One without its command, and one without what it shows."""
    with pytest.raises(InputError, match="podman has no toy-shims: there is no docker on its host"):
        sim.run(f"engine: {{design: podman}}\n{KILLED.replace('shim', 'conmon')}").show("toy-shims")
    with pytest.raises(InputError, match=r"docker-1.10 has no toy-shims: no process of it holds a container"):
        sim.run(f"engine: {{design: docker-1.10}}\n{KILLED.replace('shim', 'payload')}").show("toy-shims")


@pytest.mark.usefixtures("_toy_view")
def test_the_command_line_shows_a_registered_view(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`show --as` knows it, `run` goes on."""
    path = tmp_path / "killed.yaml"
    path.write_text(KILLED)
    assert main(["show", str(path), "--as", "toy-shims"]) == 0
    assert capsys.readouterr().out.startswith("web nobody\ndb ")
    assert main(["run", str(path), "--no-save", "-q"]) == 0


def test_without_the_toy_there_is_no_such_view() -> None:
    """The view goes with its module."""
    with pytest.raises(InputError, match="there is no view 'toy-shims'"):
        sim.run(KILLED).show("toy-shims")


# -- a kind of fault -----------------------------------------------------------------------------------

OVERRUN = """
title: A proxy with a time limit
engine: {{design: {design}}}
services: {{web: {{image: nginx, ports: ["8080:80"], restart: always}}}}
faults: {{total: 1, kinds: {{overrun: 1}}}}
properties: [{{name: lives, always: "up({who})"}}]
until: 60s
"""


@pytest.fixture
def _overrun():
    with parts.registered("faults", fault):
        yield


@pytest.mark.usefixtures("_overrun")
@pytest.mark.parametrize(("design", "who"), [("docker-1.13", "proxy/web"), ("cri-o", "crio"), ("podman", "conmon/web")])
def test_a_fault_in_one_file_is_explored_told_replayed_and_drawn(design: str, who: str) -> None:
    """The search finds it, its counterexample is a file, and the run of that file is drawn and compared as any."""
    asked = sim.load(OVERRUN.format(design=design, who=who))
    found = explored(asked, map(property_of, asked.properties), limits=Limits(states=3_000))
    (finding,) = found.findings
    assert finding.verdict == VIOLATED
    assert "overrun 1: a process has used up its time" in found.bound[0]
    assert f"kill -XCPU {who}" in finding.story
    assert f"XCPU to {who}" in yaml.safe_load(finding.scenario)["order"]
    run = sim.run(finding.scenario)
    assert [verdict.holds for verdict in run.verdicts()] == [False]
    assert "XCPU" in run.timeline().fault
    assert run.plot().caption
    assert "XCPU" in run.page()


@pytest.mark.parametrize("total", [1, 2])
@pytest.mark.parametrize(("design", "who"), [("docker-1.13", "proxy/web"), ("cri-o", "crio"), ("podman", "conmon/web")])
def test_a_fault_that_no_signal_does_is_told_and_replayed(design: str, who: str, total: int) -> None:
    """No step has words for it: it stays a fault of the order, which needs no budget to be followed."""
    text = OVERRUN.format(design=design, who=who).replace("total: 1", f"total: {total}")
    with parts.registered("faults", crash):
        asked = sim.load(text.replace("overrun: 1", f"crash: {total}"))
        (finding,) = explored(asked, map(property_of, asked.properties), limits=Limits(states=3_000)).findings
        assert (finding.verdict, finding.faults) == (VIOLATED, 1)
        assert f"fault: crash {who}" in finding.story
        assert yaml.safe_load(finding.scenario)["order"][-1] == f"fault crash {who}"
        assert [verdict.holds for verdict in sim.run(finding.scenario).verdicts()] == [False]


@pytest.mark.usefixtures("_overrun")
def test_a_fault_in_one_file_is_a_row_of_the_matrix() -> None:
    """The row is known by its number, and each design has its own cell: containerd 0.2's shim catches the signal."""
    designs, faults = designs_asked("docker-1.13,docker-26,podman"), faults_asked("t1")
    with serial() as lanes:
        found = matrix(lambda settings: sim.load(SCENARIO, *settings), designs, faults, lanes=lanes)
    assert [(row.name, row.title) for row in found.faults] == [("T1", fault.ROWS["T1"].title)]
    words = {cell.design: (cell.words["now"], cell.words["view"]) for cell in found.cells}
    ignored, ended, unseen = ("lives", "right"), ("dies", "right"), ("lives", "wrong")
    assert words == {"docker-1.13": ignored, "docker-26": ended, "podman": unseen}


@pytest.mark.usefixtures("_overrun")
def test_a_fault_in_one_file_is_another_fault_of_a_comparison() -> None:
    """A what-if puts its step in the place of the file's own fault."""
    text = "services: {web: {image: nginx, restart: always}}\nsteps: [{id: k, at: 5s, kill: shim/web}]\nuntil: 9s\n"
    other = fault_setting(sim.load(text), fault.ROWS["T1"].step)
    rows = sim.whatif(text, other, seeds=[1], jobs=1).rows()
    assert rows


def test_kinds_of_faults_follow_their_parts() -> None:
    """The budget's schema and its reader know a kind as long as it is registered."""

    def known() -> bool:
        return "overrun" in json_schema()["$defs"]["FaultsFile"]["properties"]["kinds"]["properties"]

    assert not known()
    with parts.registered("faults", fault):
        assert known()
        assert sim.load(OVERRUN.format(design="podman", who="conmon/web")).setup.faults.kinds == (("overrun", 1),)
    assert not known()
    with pytest.raises(InputError, match="'overrun' is not a kind of fault"):
        sim.load(OVERRUN.format(design="podman", who="conmon/web"))

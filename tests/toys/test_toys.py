"""Toys in one file each pass run, explore, plot, report, whatif and matrix; no file of sim knows them."""

import io

import pytest
import yaml

import sim
from sim import parts
from sim.drive.explore import Limits
from sim.errors import InputError
from sim.experiment.executors import serial
from sim.experiment.exploring import explored
from sim.experiment.faulted import fault_setting
from sim.experiment.matrix import SCENARIO, designs_asked, faults_asked, matrix
from sim.scenario.property_read import property_of
from sim.scenario.schema import json_schema
from sim.tracefile import lines, read
from sim.views.exploration import VIOLATED
from tests.toys import fault, step_word

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

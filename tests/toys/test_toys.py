"""Toys in one file each pass run, explore, plot, report, whatif and matrix; no file of sim knows them."""

import io

import pytest

import sim
from sim import parts
from sim.errors import InputError
from sim.scenario.schema import json_schema
from sim.tracefile import lines, read
from tests.toys import step_word

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

"""The stages in which runc goes into a container have names, so that files can speak of them before it runs."""

import pytest

from sim.designs import DESIGNS, stages
from sim.drive.timed import run
from sim.errors import InputError
from sim.kernel import events as e
from sim.scenario import load
from sim.scenario.verdict import evaluate

NAMES = ("runc-parent", "runc-child", "runc-init")
TEXT = """\
engine: {{design: {design}}}
services: {{web: {{image: nginx}}}}
steps:
  - {{id: run, at: 1s, docker: run -d --name late img}}
  - {{id: shot, at: "{at}", kill: {target}/late}}
until: shot+10s
"""


@pytest.mark.parametrize("design", DESIGNS)
def test_each_stage_is_forked_after_the_one_before_or_refused(design):
    """Where runc makes containers a file can wait for each stage; elsewhere the engine says why there is none."""
    text = TEXT.format(design=design, at="Forked(runc-init/late)", target="runc-init")
    if not DESIGNS[design].stages:
        with pytest.raises(InputError, match=rf"{design} has no runc-init: \w+"):
            load("f", text=text)
        return
    expect = """\
expect:
  - {at: Forked(runc-init/late), process: runc-parent/late, exit_status: 0}
  - {at: Forked(runc-init/late), process: runc-child/late, exit_status: 0}
  - {at: Forked(runc-init/late), process: runc-init/late, parent: runc/late, count: 1}
  - {within: 1s, of: shot, process: runc-init/late, exit_status: KILL}
"""
    scenario = load("f", text=text + expect)
    found = evaluate(scenario, run(scenario.setup), lambda *_: "")
    assert [it.holds for it in found] == [True] * 4, [it.detail for it in found]


def test_a_stage_is_named_by_its_comm_too():
    """`runc:[1:CHILD]`, as ps shows it, is the same process as runc-child."""
    at = "Forked(runc:[1:CHILD]/late)"
    plain = load("f", text=TEXT.format(design="docker-1.13", at="Forked(runc-child/late)", target="runc-init"))
    by_comm = load(
        "f", text=TEXT.format(design="docker-1.13", at=at, target='"runc:[2:INIT]').replace("late}", 'late"}')
    )
    assert by_comm.setup.terminals[-1][0].at == plain.setup.terminals[-1][0].at
    assert by_comm.setup.terminals[-1][0].command == plain.setup.terminals[-1][0].command


def test_the_comms_are_those_that_the_kernel_shows():
    """Each name stands for the comm of a process of a run, and those are forked in the order of their numbers."""
    trace = run(load("f", text="services: {web: {image: nginx}}\nuntil: 1s\n").setup)
    comms = [it.event.image.comm for it in trace if isinstance(it.event, e.Execed)]
    assert [comm for comm in comms if comm in stages().values()] == [stages()[name] for name in NAMES]


def test_a_misspelt_stage_is_refused_with_the_nearest():
    """It is a role like any other."""
    with pytest.raises(InputError, match=r"'runc-int' is not a role; .* Did you mean runc-init"):
        load("f", text=TEXT.format(design="docker-1.13", at="1s", target="runc-int"))

"""The view of instants: what it prints, put back into a file, names the moment beside which it stands."""

import pytest

from sim.bundled import bundled_names, row_names
from sim.designs import DESIGNS
from sim.experiment.run import run_scenario
from sim.scenario import instant, load, load_all
from sim.views.moments import Moments
from sim.views.nameable import nameable

MANY = """\
engine: {{design: {design}}}
services:
  web: {{image: nginx, ports: ["80:80", "81:81"], restart: always, x-payload: {{log: 40KB/s, ready: 1s}}}}
  docker: {{image: a container that is called as a unit, restart: always}}
steps:
  - {{at: 1s, docker: run -d --name late img}}
  - {{id: taken, at: 2s, host: {{take_port: 8080}}}}
  - {{id: die-at-once, at: 3s, kill: payload/web}}
  - {{id: stop, at: 5s, docker: stop late}}
  - {{id: hold, at: 20s, stop: {holder}}}
until: 40s
"""


def text_of(design="docker-1.13"):
    """Return the text of a run in which much happens; what web prints stands still once its holder does."""
    return MANY.format(
        design=design, holder="supervisor/web" if DESIGNS[design].holders else DESIGNS[design].traits.engine
    )


def found_again(scenario):
    """Return how many instants a run has, after holding each against the moment that a file's reader and it make."""
    trace = run_scenario(scenario).trace
    listed = list(nameable(trace, trace.end))
    read = [instant(it.text, scenario) for it in listed]
    moments = Moments(trace, read)
    wrong = [it for it, said in zip(listed, read, strict=True) if moments.at(said) != it.at]
    assert not wrong, wrong[:5]
    assert len({it.text for it in listed}) == len(listed)
    assert [it.at for it in listed] == sorted(it.at for it in listed)
    return len(listed)


@pytest.mark.mostly_long
@pytest.mark.parametrize("design", DESIGNS)
def test_each_printed_instant_names_its_moment(design):
    """What the reader of `at:` makes of the words, resolved against the run, is the time that was printed."""
    assert found_again(load("f", text=text_of(design))) > 60


@pytest.mark.mostly_long
@pytest.mark.parametrize("name", [*row_names(), *bundled_names()])
def test_each_instant_of_a_bundled_scenario_names_its_moment(name):
    """It holds on every host and in every story that comes with the program."""
    for scenario in load_all(name):
        assert found_again(scenario) >= 2


def test_a_step_at_a_printed_instant_is_taken_then():
    """A run in which a step waits for the words takes it at the time that was printed."""
    text = text_of()
    first = run_scenario(load("f", text=text)).trace
    listed = [it for it in nameable(first, first.end) if it.at > first.origin and it.text != "end"]
    chosen = listed[:: len(listed) // 6]
    for it in chosen:
        step = f'  - {{id: probe, at: "{it.text}", cont: init}}\nuntil'
        trace = run_scenario(load("f", text=text.replace("until", step, 1))).trace
        assert Moments(trace).at(instant("probe", load("f", text=text.replace("until", step, 1)))) == it.at, it


def test_the_names_are_those_that_people_write():
    """Words, facts, units, containers, strangers, stages and steps; counted from the second time on."""
    trace = run_scenario(load("f", text=text_of())).trace
    texts = [it.text for it in nameable(trace, trace.end)]
    assert (texts[0], texts[-1]) == ("0s", "end")
    for text in (
        "step1", "die-at-once", "start(late)", "die(web)", "ready(web)", "Forked(shim/late)", "Forked(runc-init/late)",
        "Exited(payload/web)", "Exited(proxy/web:80)", "Forked(proxy/web:81)", "SignalTaken(shim/web)",
        "Forked(stranger/taken)", "Forked(iptables)#2", "WriteBlocked(payload/web)",
    ):  # fmt: skip
        assert text in texts, text
    assert "ready(docker)" not in texts  # that is the unit, which has not started again

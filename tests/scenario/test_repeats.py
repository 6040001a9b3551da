"""A step with `every` is taken again and again: when, how often, what it is called, and what is refused."""

import pytest

from sim.cli.seeds import judge
from sim.designs import DESIGNS
from sim.drive.timed import run
from sim.errors import InputError
from sim.facts import StepTaken
from sim.scenario import instant, load, resolved
from sim.scenario.to_explore import check_steps
from sim.views.moments import Moments
from sim.views.nameable import nameable

S = 1_000_000
UNKNOWN = "how often that is cannot be known before the run. Write times: 6, or until: with a time."
TEXT = """\
services: {{web: {{image: nginx, restart: always}}}}
steps:
  - {{id: hup, at: 2s, kill: dockerd, signal: HUP}}
  - {{id: kill, {step}, kill: payload/web}}
  - {{id: after, at: 50s, docker: ps}}
until: 60s
"""


def taken(step, id_="kill"):
    """Return when a repeated step is taken, in seconds from t = 0."""
    scenario = load("f", text=TEXT.format(step=step))
    trace = run(scenario.setup)
    found = [it for it in trace if isinstance(it.event, StepTaken) and it.event.id.partition("#")[0] == id_]
    assert [it.event.id for it in found] == [id_, *(f"{id_}#{n}" for n in range(2, len(found) + 1))]
    return [(it.at - trace.origin) / S for it in found]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("at: 10s, every: 5s, times: 3", [10, 15, 20]),
        ("at: 10s, every: 5s, until: 25s", [10, 15, 20, 25]),
        ("at: 10s, every: 20s", [10, 30, 50]),  # to the end of the run
        ("at: 10s, every: 5s, until: 24s999ms", [10, 15, 20]),
        ("at: hup+1s, every: 5s, times: 2", [3, 8]),
        ("at: hup+1s, every: 5s, until: hup+11s", [3, 8, 13]),
        ("at: hup, every: 5s, until: 12s", [2, 7, 12]),
        ("every: 5s, until: 12s", [2, 7, 12]),  # with the step before it
        ("at: 1s, every: 500ms, times: 2", [1, 1.5]),
    ],
)
def test_a_step_is_taken_so_often_and_then_no_more(step, expected):
    """In its period from its instant on, by number, by an end, or to the end of the run."""
    assert taken(step) == expected


def test_it_may_count_from_what_nobody_knows_before():
    """An event begins it; then its number is said, or an end that counts from the same event."""
    first, *others = taken("at: Signalled(dockerd)+1s, every: 5s, times: 3")
    assert others == [first + 5, first + 10]
    assert len(taken("at: Signalled(dockerd)+1s, every: 5s, until: Signalled(dockerd)+11s")) == 3


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("at: 1s, times: 3", "steps[1].times: times needs every, the period. Write {every: 5s, times: 6}."),
        ("at: 1s, until: 9s", "steps[1].until: until needs every, the period. Write {every: 5s, times: 6}."),
        ("at: 1s, every: 5s, times: 3, until: 9s", "steps[1].times: has both times and until. Leave one of them out."),
        ("at: 1s, every: 0s, times: 3", "steps[1].every: the period is 0. Write every: 5s."),
        ("at: 1s, every: 5, times: 3", "steps[1].every: 5 has no unit. Write 5s, 5ms or 5m."),
        ("at: 1s, every: 5s, times: 1", "steps[1].times: 1 is not a number of times; valid: 2 to 1000."),
        ("at: 1s, every: 5s, times: many", "steps[1].times: 'many' is not a number of times. Write a whole number"),
        ("at: 1s, every: 10ms", "steps[1].every: that is 5901 times; 1000 are the most."),
        ("at: 1s, every: 5s, until: 4s", "steps[1].until: comes before the step is taken twice. Leave every out."),
        ("at: 1s, every: 2m", "steps[1].every: the run ends before the step is taken twice. Leave every out."),
        ("at: 1s, every: 5s, until: die(web)", f"steps[1].until: {UNKNOWN}"),
        ("at: die(web), every: 5s", f"steps[1].every: {UNKNOWN}"),
        ("at: before Exited(dockerd), every: 5s, times: 2", "steps[1].every: a fault goes before a fact once."),
        ("at: 1s, evry: 5s", "steps[1].evry: unknown key. Did you mean every?"),
    ],
)
def test_what_cannot_be_repeated_is_refused(step, message):
    """With its place, and what to write."""
    with pytest.raises(InputError) as refused:
        load("f", text=TEXT.format(step=step))
    assert message in str(refused.value)


def test_without_an_end_of_the_run_it_must_say_how_often():
    """The run goes on until 60 s after the last step, which would never come."""
    with pytest.raises(InputError, match=r"steps\[0\].every: does not say how often, and the run has no until"):
        load("f", text="steps: [{every: 5s, kill: dockerd}]")


def test_each_time_has_a_name():
    """Instants and expectations name them: kill is the first, kill#3 the third, kill#last the last."""
    text = TEXT.format(step="at: 10s, every: 5s, times: 3")
    steps = "  - {id: later, at: kill#last+1s, every: 2s, until: kill#last+5s, docker: [ps, ps]}\nuntil"
    text = text.replace("until", steps, 1).replace("until: 60s", "until: kill#3+20s")
    text += "expect: [{at: kill#2-1us, container: web, restarts: 1}, {step: kill#3, ok: true}, "
    text += "{step: kill#last, ok: true}, {step: later#2, ok: true}]"
    scenario = load("f", text=text)
    trace = run(scenario.setup)
    assert [it.holds for it in judge(scenario, trace)] == [True] * 4
    moments = Moments(trace)
    found = {name: moments.at(instant(name, scenario)) for name in ("kill", "kill#2", "kill#last", "later#last+1s")}
    assert [(at - trace.origin) / S for at in found.values()] == [10, 15, 20, 26]
    assert {"kill", "kill#2", "kill#3"} <= {it.text for it in nameable(trace, trace.end)}
    for wrong, message in (("kill#4", "kill is taken 3 times"), ("hup#2", "hup is taken once. every: repeats")):
        with pytest.raises(InputError, match=message):
            instant(wrong, scenario)
    assert load("f", text=resolved(scenario)).setup.terminals[1][0].at == scenario.setup.terminals[1][0].at


def test_an_expectation_about_a_time_that_never_comes_says_how_many_there_are():
    """The number of times is known before the run."""
    text = TEXT.format(step="at: 10s, every: 5s, times: 3")
    for step, message in (
        ("kill#4", "step: 'kill#4': kill is taken 3 times. Write kill#3."),
        ("hup#2", "step: 'hup#2': hup is taken once. every: repeats a step."),
        ("kill#x", "step: 'kill#x': '#x' is not a count. Write #2 or #last."),
        ("kil", "step: 'kil' is not the id of a step; valid: hup, kill, after. Did you mean kill?"),
        ("kil#2", "step: 'kil#2' is not the id of a step; valid: hup, kill, after."),
    ):
        with pytest.raises(InputError) as refused:
            load("f", text=f"{text}expect: [{{step: {step}, ok: true}}]")
        assert message in str(refused.value)


def test_an_id_that_looks_like_a_repetition_is_refused_and_harms_nobody():
    """A step cannot be called kill#x, and kill#last does not mean it."""
    text = "services: {web: {image: x}}\nsteps: [{id: kill, kill: dockerd}, {id: kill#x, docker: ps}, %s]\nuntil: 9s\n"
    with pytest.raises(InputError, match="'kill#x' is not an id"):
        load("f", text=text % "{at: kill#last, every: 1s, docker: ps}")


def test_an_exploration_refuses_it():
    """It has no clock; a budget of faults says how many may come."""
    scenario = load("f", text=TEXT.format(step="at: 10s, every: 5s, times: 3"))
    with pytest.raises(InputError) as refused:
        check_steps(scenario)
    assert str(refused.value) == (
        "f:4: step kill is repeated (every), and an exploration has no clock. "
        "Leave every out; faults: {kinds: {kill: N}} says how many may come."
    )


@pytest.mark.mostly_long
@pytest.mark.parametrize("design", DESIGNS)
def test_commands_and_faults_are_repeated_on_every_host(design):
    """Whatever the engine: a stop and a start of a container, and a kill of its program."""
    text = f"engine: {{design: {design}}}\n" + TEXT.format(step="at: 5s, every: 15s, times: 3")
    text += "expect: [{step: kill#3, ok: true}, {at: end, container: web, status: running}]"
    scenario = load("f", text=text.replace("kill: dockerd, signal: HUP", "docker: ps"))
    assert [it.holds for it in judge(scenario, run(scenario.setup))] == [True, True]

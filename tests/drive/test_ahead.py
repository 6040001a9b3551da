"""Faults that go before a fact: they come in time, at the same time, and cost nothing where nobody asks for them."""

from __future__ import annotations

import pytest

from sim.drive.ahead import terminals_ahead
from sim.drive.explore import Limits
from sim.drive.timed import Timed, run
from sim.errors import InputError
from sim.experiment.exploring import explored
from sim.facts import StepTaken
from sim.kernel import events as e
from sim.scenario import load
from sim.trace import Trace

WEB = 'services: {web: {image: nginx, ports: ["80:80"], restart: always}}\n'


def steps(*lines: str) -> str:
    return WEB + "steps:\n" + "".join(f"  - {line}\n" for line in lines) + "until: 60s\n"


def ran(*lines: str) -> Trace:
    return run(load("f", text=steps(*lines)).setup)


def when(trace: Trace, step: str) -> int:
    return next(it.at or 0 for it in trace if isinstance(it.event, StepTaken) and it.event.id == step)


def test_a_kill_before_a_fork_leaves_nothing_to_be_forked() -> None:
    """A dockerd that is killed before its proxy is forked has no proxy; it would have been forked at that moment."""
    first = ("{id: up, at: 5s, docker: restart web}",)
    plain = ran(*first, "{id: shot, at: Forked(proxy/web), kill: dockerd}")
    ahead = ran(*first, "{id: shot, at: before Forked(proxy/web), kill: dockerd}")
    assert when(plain, "shot") == when(ahead, "shot")
    at = when(ahead, "shot")
    forks = {
        name: sum(isinstance(it.event, e.Forked) and it.at == at for it in trace)
        for name, trace in (("plain", plain), ("ahead", ahead))
    }
    assert forks == {"plain": 1, "ahead": 0}


@pytest.mark.parametrize("number", [1, 2])
def test_facts_are_counted_from_t_0(number: int) -> None:
    """#2 is the second time; what came before t = 0 does not count."""
    killed = ("{at: 5s, kill: payload/web}", "{at: 15s, kill: payload/web}")
    text = f"{{id: shot, at: 'before Forked(payload/web)#{number}', stop: containerd}}"
    trace = ran(*killed, text)
    assert 5 < (when(trace, "shot") - trace.origin) / 1e6 - 10 * (number - 1) < 7


def test_the_signal_has_arrived() -> None:
    """A process that is stopped before it leaves does not leave, though its clock had rung."""
    trace = ran("{at: 5s, docker: stop web}", "{id: hold, at: before Exited(shim/web), stop: shim/web}")
    at = when(trace, "hold")
    world = trace.at(at)
    (shim,) = [it for it in world.host.procs.values() if it.image.program == "shim"]
    assert shim.state == "T"


def test_what_is_left_of_the_step_still_happens() -> None:
    """A port taken before a proxy listens: the proxy still tries, and fails."""
    trace = ran("{at: 5s, docker: restart web}", "{id: thief, at: before Listened(proxy/web), host: {take_port: 80}}")
    world = trace.at(when(trace, "thief") + 1)
    owner = world.host.listeners["tcp:0.0.0.0:80"]
    assert world.host.procs[owner].image.program == "stranger"


def test_nobody_else_pays() -> None:
    """Without such a step no terminal is watched, and the same run with one that never comes has the same facts."""
    assert terminals_ahead(load("f", text=steps("{at: 5s, kill: shim/web}")).setup) == ()
    plain = [it.event for it in ran("{at: 5s, docker: restart web}") if isinstance(it.event, e.Forked)]
    text = steps("{at: 5s, docker: restart web}", "{id: no, at: 'before Exited(init)', kill: dockerd}")
    driver = Timed(load("f", text=text).setup)
    driver.run()
    assert [it.event for it in driver.trace if isinstance(it.event, e.Forked)] == plain


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ("{at: before Exited(dockerd), docker: stop web}", "only a fault can go before a fact"),
        ("{at: before Exited(dockerd)+1s, kill: shim/web}", "is a time, and before goes by order"),
        ("{at: 'before Exited(dockerd)#last', kill: shim/web}", "is known only at the end"),
        ("{at: before die(web), kill: shim/web}", "'die\\(web\\)' is not a fact of the trace"),
    ],
)
def test_what_cannot_go_before_is_refused(step: str, what: str) -> None:
    """A command of people's, a time, a last one, and a word of docker events."""
    with pytest.raises(InputError, match=what):
        load("f", text=steps(step))


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ("{id: it, at: before Exited(shim/web), kill: dockerd}", "step it goes before a fact"),
        ("{id: it, host: {take_pid: dockerd}}", "step it gives a number anew"),
    ],
)
def test_an_exploration_refuses_what_only_a_run_can_take(step: str, what: str) -> None:
    """Orders are all taken there, and processes have names."""
    with pytest.raises(InputError, match=what):
        explored(load("f", text=steps(step)), (), limits=Limits(states=10))

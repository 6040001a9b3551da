"""Timed runs stay within what is explored: 200 seeds, each step of which the unreduced search takes as well.

In the cases of `AGREE` no timer ends while prompt work is under way, whatever prompt work takes. Where it takes next to
no time this is so in any run but for timers that end in the same instant, so those runs are as many again, of hosts
that boot, stand still and are killed; people come at any time.
"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import msgspec
import pytest

import sim.drive.timed
from sim.drive.explore.begin import renamed
from sim.drive.timed import Timed
from sim.engine.setup import Docker, Exec, Healthcheck, Instant, S, Setup, Step
from sim.facts import StepTaken
from sim.latency import EL7_IDLE, Duration, Profile, Uniform
from sim.model import Open, act
from tests.drive.lives import AGREE, ALWAYS, HASTY, HUNG, MANY, UP, docker, kill, setup_of, signal, systemctl
from tests.drive.spaces import Graph, Shadow, base_of, whole

replaced = msgspec.structs.replace
SEEDS = 25  # of each of 8 cases
FEW = 10  # seeds that the quick tests take


class Within:
    """A timed run and the explored state in which it is; *left* says that a timer ended while something was prompt."""

    def __init__(self, graph: Graph, start: str, timed: Timed, *, may_leave: bool = False) -> None:
        self.graph, self.start, self.timed, self.may_leave = graph, start, timed, may_leave
        self.shadow = Shadow(graph.base.learner, graph.base.setup)
        self.states: list[int] = []
        self.left = False

    def act(self, turn: Any, action: Any) -> None:
        """Take an action in both."""
        if self.states and not self.left:
            self._check(action)
        before = len(self.timed.trace)
        act(turn, action)
        events = [record.event for record in self.timed.trace.records[before:]]
        self.shadow.follow(action, events)
        begins = isinstance(action, Open) if self.start == "open" else StepTaken(self.start) in events
        if (self.states or begins) and not self.left:
            number = self.graph.number_of(self.shadow.digest)
            assert number is not None, f"{action} of step {len(self.states)} leads to a state that was not met"
            self.states.append(number)

    def _check(self, action: Any) -> None:
        state = self.states[-1]
        if self.graph.offers(state, renamed(action, self.shadow.names)):
            return
        self.left = self.may_leave and any(status.at_once for status in self.graph.acts[state].values())
        assert self.left, f"{action} of step {len(self.states)}"


@pytest.mark.parametrize(
    "seed", [pytest.param(it, marks=pytest.mark.long if it > FEW else ()) for it in range(1, SEEDS + 1)]
)
@pytest.mark.parametrize("case", AGREE)
def test_a_timed_run_stays_within_what_was_explored(
    case: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Each state from the start on was met, each action is one that is taken there, and the last state is an end.

    What may be left of the timers is what the search has for that state in all.
    """
    graph = whole(case)
    run = Within(graph, AGREE[case][1], Timed(graph.base.setup, seed))
    monkeypatch.setattr(sim.drive.timed, "act", run.act)
    run.timed.run()
    assert len(run.states) > 50
    assert run.states[-1] in graph.part.ends
    assert run.shadow.digest == graph.base.learner.space.digest(run.shadow.state)


def test_there_are_as_many_seeds_as_was_promised() -> None:
    """200 in all."""
    assert SEEDS * len(AGREE) == 200


# -- where prompt work takes next to no time -----------------------------------------------------------

AT_ONCE: Profile = {name: Duration(wait=Uniform(0, 0.002), scale=row.scale) for name, row in EL7_IDLE.items()}
NET = replaced(ALWAYS, ports=AGREE["port"][0].services[0].ports)
PROBED = replaced(ALWAYS, healthcheck=Healthcheck(("curl",)), execs=(Exec("curl", None),))
LS = Step("ls", Instant(), Docker("exec", "web", words=("ls",)))
BELOW = setup_of(ALWAYS, kill("containerd", "kill"), kill("subreaper", "gone"), *docker("stop"), begin="steady")
QUICK: dict[str, Setup] = {
    "booting": setup_of(ALWAYS, begin="boot"),
    "booting, containerd is killed": setup_of(HASTY, kill("containerd", "kill"), begin="boot"),
    "dockerd is killed": setup_of(ALWAYS, kill("dockerd", "kill"), begin="steady"),
    "dockerd goes on": setup_of(
        HASTY, signal("dockerd", "STOP", "hang"), signal("dockerd", "CONT", "go"), *docker("stop"), begin="steady"
    ),
    "containerd is killed": setup_of(ALWAYS, kill("containerd", "kill"), *docker("stop"), begin="steady"),
    "containerd goes on": setup_of(
        HASTY, signal("containerd", "STOP", "hang"), signal("containerd", "CONT", "go"), begin="steady"
    ),
    "containerd hangs": HUNG,
    "a command runs": setup_of(PROBED, LS, *docker("stop"), begin="steady"),
    "a command runs, containerd is killed": setup_of(ALWAYS, LS, kill("containerd", "kill"), begin="steady"),
    "its children end": setup_of(MANY, UP, *docker("run"), signal("payload", "HUP", "hup")),
    "below a subreaper": replaced(BELOW, host=replaced(BELOW.host, subreaper="tini")),
    "the unit restarts": setup_of(NET, systemctl("restart"), *docker("rm"), begin="steady"),
}


@cache
def explored(case: str) -> Graph:
    return Graph(base_of(QUICK[case], "open", reduce=False))


LARGE = "a command runs"


@pytest.mark.mostly_long
@pytest.mark.parametrize("case", [pytest.param(it, marks=pytest.mark.long if it == LARGE else ()) for it in QUICK])
def test_runs_with_prompt_work_that_takes_no_time_stay_within(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever people come, and whichever timers end, it is one of the orders that their lengths allow."""
    graph = explored(case)
    stayed, steps = 0, 0
    for seed in range(1, 26):
        setup = some_time(graph.base.setup, Random(seed))
        run = Within(graph, "open", Timed(setup, seed, profile=AT_ONCE), may_leave=True)
        with monkeypatch.context() as patch:
            patch.setattr(sim.drive.timed, "act", run.act)
            run.timed.run()
        stayed, steps = stayed + (not run.left), steps + len(run.states)
    assert steps > 300
    assert stayed >= 3


def some_time(setup: Setup, dice: Random) -> Setup:
    """Return the same steps at other times, which an exploration drops."""
    lines = tuple(
        tuple(replaced(step, at=replaced(step.at, offset=dice.randrange(dice.choice((1, S, 9 * S, 30 * S)))))
              for step in line)
        for line in setup.terminals
    )  # fmt: skip
    return replaced(setup, terminals=lines)

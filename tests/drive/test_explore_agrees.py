"""Timed runs stay within what is explored: 200 seeds, each step of which the unreduced search takes as well."""

from __future__ import annotations

from typing import Any

import pytest

import sim.drive.timed
from sim.drive.explore.begin import renamed
from sim.drive.timed import Timed
from sim.facts import StepTaken
from sim.model import Open, act
from tests.drive.lives import AGREE
from tests.drive.spaces import Shadow, whole

SEEDS = 25  # of each of 8 cases


@pytest.mark.parametrize("seed", range(1, SEEDS + 1))
@pytest.mark.parametrize("case", AGREE)
def test_a_timed_run_stays_within_what_was_explored(
    case: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Each state from the start on was met, each action is one that is taken there, and the last state is an end.

    What may be left of the timers is what the search has for that state in all.
    """
    start, graph = AGREE[case][1], whole(case)
    setup, base = graph.base.setup, graph.base
    timed, shadow = Timed(setup, seed), Shadow(base.learner, setup)
    states: list[int] = []

    def watched(turn: Any, action: Any) -> None:
        if states:
            assert graph.offers(states[-1], renamed(action, shadow.names)), f"{action} of step {len(states)}"
        before = len(timed.trace)
        act(turn, action)
        events = [record.event for record in timed.trace.records[before:]]
        shadow.follow(action, events)
        if states or (isinstance(action, Open) if start == "open" else StepTaken(start) in events):
            number = graph.number_of(shadow.digest)
            assert number is not None, f"{action} of step {len(states)} leads to a state that was not met"
            states.append(number)

    monkeypatch.setattr(sim.drive.timed, "act", watched)
    timed.run()
    assert len(states) > 50
    assert states[-1] in graph.part.ends
    assert shadow.digest == base.learner.space.digest(shadow.state)


def test_there_are_as_many_seeds_as_was_promised() -> None:
    """200 in all."""
    assert SEEDS * len(AGREE) == 200

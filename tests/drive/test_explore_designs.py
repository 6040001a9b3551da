"""On every design a search goes by what the model does: what its states leave out is read by nobody.

`test_explore_space` compares states and steps on docker-1.13, whose tables of what is left out are the longest. Here
the search and the model walk side by side on each design, and must agree on what may happen next.
"""

from __future__ import annotations

from random import Random

import pytest
from msgspec.structs import replace

from sim.designs import DESIGNS
from sim.drive.explore.begin import Lockstep
from sim.engine.setup import FaultBudget
from sim.faults import Fault
from sim.model import enabled
from sim.scenario import load
from tests.drive.spaces import base_of

HOST = """
engine: {{design: {design}}}
services: {{web: {{image: nginx, restart: always, ports: ["80:80"]}}}}
steps: [{{at: 1s, docker: restart web}}]
until: 60s
"""
STEPS, SELDOM = 300, 0.02


@pytest.mark.mostly_long
@pytest.mark.parametrize("design", DESIGNS)
def test_a_search_and_the_model_agree_on_what_may_happen(design: str) -> None:
    """A variable that a state leaves out although somebody reads it makes something possible that is not, or not."""
    setup = replace(load("host.yaml", HOST.format(design=design)).setup, faults=FaultBudget(1, (("kill", 1),)))
    base, dice = base_of(setup, "open", reduce=True), Random(design)
    lock: Lockstep = base.lockstep()
    for _ in range(STEPS):
        possible = enabled(lock.world)
        statuses = base.walker.acts(lock.state).values()
        found = {move.action for it in statuses for move in (*it.at_once, *it.anytime, *(t.move for t in it.timers))}
        assert found == {lock.named(action) for action in possible}
        usual = [action for action in possible if not isinstance(action, Fault) or dice.random() < SELDOM]
        if not usual:
            break
        lock.take(dice.choice(usual))

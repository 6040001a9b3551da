"""A slow program takes so many times longer, itself and nobody else, until it is as before."""

from __future__ import annotations

import pytest

from sim.drive.timed import run
from sim.facts import EngineEvent
from sim.kernel import events as e
from sim.scenario import load
from sim.trace import Trace

ROLES = ("proxy", "shim", "runc", "payload")


def ran(*lines: str) -> Trace:
    steps = "".join(f"  - {line}\n" for line in lines)
    text = f'services: {{web: {{image: nginx, ports: ["80:80"]}}}}\nsteps:\n{steps}until: 20m\n'
    return run(load("f", text=text).setup)


def start(trace: Trace, nth: int = 0) -> tuple[int, int]:
    """Return how long a restart took: to the shim's program, and from there to `start`, in µs."""
    after = [it for it in trace if (it.at or 0) > trace.origin]
    shims = [it.at or 0 for it in after if isinstance(it.event, e.Execed) and it.event.image.program == "shim"]
    connects = [it.at or 0 for it in after if isinstance(it.event, EngineEvent) and it.event.action == "connect"]
    starts = [it.at or 0 for it in after if isinstance(it.event, EngineEvent) and it.event.action == "start"]
    return shims[nth] - connects[nth], starts[nth] - shims[nth]


PLAIN = start(ran("{at: 1s, docker: start web}", "{at: 2s, docker: restart web}"))


@pytest.mark.parametrize("words", ["runc", "runc create"])
def test_a_slow_runc_makes_the_part_of_a_start_longer_that_it_has(words: str) -> None:
    """What comes before the shim takes as long as without; what runc does takes more than half of ten times as long."""
    slow = start(ran(f"{{host: {{slow: {{{words}: 10}}}}}}", "{at: 2s, docker: restart web}"))
    assert slow[0] == PLAIN[0]
    assert 3 * PLAIN[1] < slow[1] < 10 * PLAIN[1]


def test_one_verb_is_not_another() -> None:
    """A slow `runc delete` does not hold up a start."""
    assert start(ran("{host: {slow: {runc delete: 10}}}", "{at: 2s, docker: restart web}")) == PLAIN


def test_as_before() -> None:
    """Times 1 ends it: the same run with a slow hour in between starts as quickly."""
    lines = ("{host: {slow: {runc: 10}}}", "{at: 1s, host: {slow: {runc: 1}}}", "{at: 2s, docker: restart web}")
    assert start(ran(*lines)) == PLAIN

"""Tests of your own: strategies of Hypothesis for setups, scenarios, worlds, traces and process tables, and a machine.

A strategy gives what a test is about; EngineMachine does anything in any order to a host of your design, and holds
your laws against it. A law is a `Property`, one of `sim.properties.PROPERTIES` or your own. A design that is not one of
`sim.designs.DESIGNS` is put there first: `DESIGNS["mine"] = Design("mine", ...)`.

>>> from hypothesis import given, settings
>>> @settings(max_examples=5, database=None)
... @given(traces())
... def test_nobody_is_reaped_twice(trace):
...     reaped = [(record.event.pid, record.at) for record in trace if type(record.event).__name__ == "Reaped"]
...     assert len(set(reaped)) == len(reaped)
>>> test_nobody_is_reaped_twice()

>>> from sim.properties import ALWAYS, stated
>>> from sim.predicates import living
>>> def two_shims(world):
...     if len(living(world, "shim")) > 1:
...         yield "there are two"
>>> class OneContainer(EngineMachine):
...     hosts = setups(most=1)
...     laws = (*LAWS, stated("one shim", ALWAYS, "There is one shim at most.", two_shims))
>>> run_machine(OneContainer, examples=5, steps=5)
"""

from sim.testing.commands import commands
from sim.testing.laws import LAWS
from sim.testing.machine import EngineMachine, run_machine
from sim.testing.setups import scenarios, services, setups, traces
from sim.testing.tables import tables
from sim.testing.walk import Walk, worlds

__all__ = [
    "LAWS", "EngineMachine", "Walk", "commands", "run_machine", "scenarios", "services", "setups", "tables", "traces",
    "worlds",
]  # fmt: skip

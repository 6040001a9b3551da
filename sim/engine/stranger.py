"""A process of somebody else's on the host: it holds a port, or merely bears a number.

A child of PID 1 with a session of its own, called after the step that made it. It does nothing, and any signal that
ends a process ends it. Leaves out what it serves: who connects to its port is answered, but not by a container. Source:
engine-1.13 §23 T2, T14b, T25, T46 (strangers), bind(2).
"""

from __future__ import annotations

from sim.engine.goroutine import Spawn
from sim.engine.ops import Return
from sim.engine.procedure import procedure
from sim.engine.program import Program


def stranger(name: str) -> Spawn:
    """Describe the stranger of the step *name*."""
    return Spawn("stranger", ("stranger", name), new_session=True)


PROGRAM = Program("stranger", (procedure("stranger.main", Return()),))

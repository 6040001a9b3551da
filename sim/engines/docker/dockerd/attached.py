"""Clients that are attached to a container: they are told of its next end, as those that read events are.

Leaves out what the container prints, and what its clients type. Source: D daemon/attach.go, cli container/run.go
waitExitOrRemoved; engine-1.13 §2, §13.
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine
from sim.engines.host.client import end_queue
from sim.facts import Forgot, Message
from sim.kernel.records import OUTSIDE


def tell_attached(g: Goroutine, code: int | None) -> None:
    """Tell the attached clients how the container has ended; None is not at all: its start has failed."""
    attached = g.recall(f"attached/{g['c']}")
    if not attached:
        return
    g.emit(Forgot(g.pid, f"attached/{g['c']}"))
    for client in attached if code is not None else ():
        g.send(OUTSIDE, end_queue(client[1]), Message("end", g["c"], None, code))

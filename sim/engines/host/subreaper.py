"""A process of the host below which the engine runs: a user's service manager, or the init of a container around it.

It is a child of PID 1 and has set PR_SET_CHILD_SUBREAPER, so that whatever loses its parent below it comes to it and
not to PID 1; it waits for everything that it is given. Units of the engine and people's commands begin as its children.
Of units it tells the model's systemd what has ended: both are one manager, of which PID 1 has the units' state here.
Once it is gone PID 1 is the nearest reaper, and starts what is started later. Leaves out units, slices and a session of
a manager of its own, and that such a manager takes its units along when it ends. Source: prctl(2),
PR_SET_CHILD_SUBREAPER; kernel/exit.c of 3.10, find_new_reaper [K]; measured with podman 5.4: conmon's parent is the
subreaper, and PID 1 once that is gone.
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine, start_frame
from sim.engine.ops import Do, Goto, Label
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import HOST, Kind, Role
from sim.engines.host.systemd.starter import NAME
from sim.engines.host.systemd.stop import ReapOf, knows, notice
from sim.kernel.records import INIT


def hand_on(g: Goroutine) -> None:
    """Let systemd know of the end of a unit's process; any other child is only reaped."""
    if knows(g.world, g["reaped_pid"]):
        known = {name: g[name] for name in ("reaped_pid", "status", "of")}
        start_frame(g.turn, INIT, f"{NAME}.tell", "", known)


PROGRAM = Program(
    NAME,
    (
        procedure(f"{NAME}.main", Label("next"), ReapOf(), Do(hand_on), Goto("next")),
        procedure(f"{NAME}.tell", Do(notice)),
    ),
    role=Role(kind=Kind.STRANGER, home="init", target=HOST),
)

"""What a state leaves out, because nobody can tell: variables and numbers that are not read again.

* **Variables that are written before they are read again**: the tables `live_at` and `dead_at` of each engine
  (`sim.engine.unread`), and two rules for all procedures. A memory cell that holds what its readers take for a missing
  one: `defaults`. A counter beyond what makes a difference: `at_most`.
* **Numbers that are only compared and counted up**, such as those of containerd's log: `lower`.
* **Moments** that came more often than any step or fault asks for.

Tests step with all of this cut out, and compare with the plain explorer.
"""

from __future__ import annotations

from typing import Any

from sim.designs import Design
from sim.engine.ops import Fork, Reap
from sim.engine.procedure import Procedure
from sim.engine.setup import Setup
from sim.engine.unread import Unread, together
from sim.engines.host.client import mark_name
from sim.kernel.events import FileWritten
from sim.model import OPENED, instants
from sim.world import Frame

HOST = Unread(
    live_at={
        "init.main": {"reaped_pid": ("notice",), "status": ("notice",), "of": ("notice",)},
        "client.terminal": {"answer": ("failed",), "error": ("finish",)},
    },
    status_is_given=("init.clean_up",),
)
"""What every host has, whatever its engine: PID 1 and people."""

PEER_READ_BY = ("answer_", "peer_gone", "check_answered", "has_ended")


def unread(design: Design) -> Unread:
    """Return what is not read again on a host of a design."""
    return together(HOST, *design.engine.unread)


class Liveness:
    """Which variables a goroutine may still read, by procedure and op; found once."""

    def __init__(self, design: Design) -> None:
        self.unread = unread(design)
        tables = design.procedures.items()
        self.dead = {name: [_dead(self.unread, table, op.name) for op in table.ops] for name, table in tables}
        self.names = {name: _named(table) for name, table in tables}

    def live(self, frame: Frame) -> Frame:
        """Return the goroutine without the variables that it does not read again, and no counter too high."""
        op = self.names[frame.procedure][frame.op]
        live_at = self.unread.live_at.get(frame.procedure, {})
        dead = self.dead[frame.procedure][frame.op]
        local = {
            name: value
            for name, value in frame.local.items()
            if name not in dead and (name not in live_at or op in live_at[name])
        }
        for name, most in self.unread.at_most.get(frame.procedure, {}).items():
            if (local.get(name) or 0) > most:
                local[name] = most
        return frame if local == frame.local else Frame(frame.fid, frame.procedure, frame.op, local)


def _named(table: Procedure) -> list[str]:
    return [op.name for op in table.ops]


def _dead(share: Unread, table: Procedure, op: str) -> frozenset[str]:
    """Return what is dead at an op by a rule for all procedures, or by `Unread.dead_at`."""
    dead = set(share.dead_at.get(table.name, {}).get(op, ()))
    if table.name not in share.peer_is_read and not op.startswith(PEER_READ_BY):
        dead.add("peer_pid")
    children = [entry for entry in table.ops if isinstance(entry, (Fork, Reap)) and "child_pid" in vars(entry).values()]
    if children and all(entry.of_run for entry in children):
        if table.name not in share.status_is_given:
            dead.add("status")
        if op != "reap_child":
            dead.add("child_pid")
    return frozenset(dead)


# -- moments ----------------------------------------------------------------------------------------


def most(setup: Setup) -> dict[str, int]:
    """Return up to which count each moment is told apart."""
    asked: dict[str, int] = {OPENED: 1}
    for at in instants(setup):
        asked[mark_name(at)] = max(asked.get(mark_name(at), 1), at.nth)
    return asked


# -- numbers that are only compared -----------------------------------------------------------------


def raises(share: Unread, events: list[Any]) -> bool:
    """Return whether a step may have raised the least number that matters."""
    return any(isinstance(event, FileWritten) and event.path in share.raised_by for event in events)

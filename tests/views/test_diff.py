"""What differs between two moments: which process is the same, and whose parent has changed."""

from __future__ import annotations

from typing import Any

from sim.views.diff import Moment, difference
from sim.views.table import ProcessRow


def row(pid: int, ppid: int, role: str, **more: Any) -> ProcessRow:
    """Return a process."""
    return ProcessRow(pid=pid, ppid=ppid, pgid=pid, sid=pid, comm=role, role=role, **more)


def moment(*rows: ProcessRow, origin: str = "run") -> Moment:
    """Return a moment of a run."""
    return Moment("m", rows, has_roles=True, origin=origin)


def test_a_number_that_came_again_is_another_process() -> None:
    """On one host a start tells processes apart; on two hosts it does not."""
    before, after = moment(row(7, 1, "shim")), moment(row(7, 1, "shim", start_ticks=90))
    assert [(it.before.pid, it.after.pid) for it in difference(before, after).replaced] == [(7, 7)]
    assert difference(before, moment(row(7, 1, "shim", start_ticks=90), origin="other")).empty


def test_a_child_of_a_successor_has_not_moved() -> None:
    """Whose parent was replaced has the same place; who went to PID 1 has another."""
    before = moment(row(1, 0, "init"), row(2, 1, "dockerd"), row(3, 2, "proxy"), row(4, 2, "shim"))
    after = moment(row(1, 0, "init"), row(9, 1, "dockerd"), row(3, 9, "proxy"), row(4, 1, "shim"))
    found = difference(before, after)
    assert [(it.before.name, it.before.parent, it.after.parent) for it in found.reparented] == [
        ("shim", "dockerd 2", "init 1")
    ]
    assert [(it.before.pid, it.after.pid) for it in found.replaced] == [(2, 9)]


def test_states_threads_and_groups_are_told_of_the_same_process() -> None:
    """A stopped process, one thread more and another group: one change each."""
    before, after = row(5, 1, "dockerd", threads=3), row(5, 1, "dockerd", threads=4, state="T", tpgid=5)
    changes = difference(moment(before), moment(after)).states
    assert [(it.what, it.before, it.after) for it in changes] == [
        ("dockerd 5 state", "S", "T"),
        ("dockerd 5 threads", "4", "5"),
    ]


def test_what_sleeps_or_runs_at_a_glance_is_no_change() -> None:
    """ps sees R and S by chance."""
    assert difference(moment(row(5, 1, "x", state="R")), moment(row(5, 1, "x", state="S"))).empty

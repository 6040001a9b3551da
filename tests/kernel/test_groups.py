"""Members of a control group are found by an index, in the order of their start."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from sim.kernel import events as e
from sim.kernel import syscalls
from sim.kernel.host import APPLY, Host
from sim.kernel.records import INIT
from tests.kernel.strategies import Call, calls, history


class Recorder:
    """A turn on a host of its own."""

    def __init__(self) -> None:
        self.host, self.events = Host(), list[Any]()

    def emit(self, event: Any) -> None:
        """Apply and keep."""
        APPLY[type(event)](self.host, event)
        self.events.append(event)


@given(calls(max_size=50))
def test_the_index_equals_a_recount_from_the_records(sequence: list[Call]) -> None:
    """Every process outside the root group is listed under its group, and nobody else."""
    for done in history(sequence):
        host, found = done.after, dict[str, set[int]]()
        for pid, process in host.procs.items():
            if process.cgroup != "/":
                found.setdefault(process.cgroup, set()).add(pid)
        assert {group: set(pids) for group, pids in host.grouped.items()} == found


def test_a_group_is_killed_with_the_groups_below_in_the_order_of_start() -> None:
    """A member that moved away and one of a group with a longer name are spared; those skipped, too."""
    turn = Recorder()
    pids = [syscalls.fork(turn, INIT) for _ in range(6)]
    for pid, group in zip(pids, ("/a/b", "/a", "/ab", "/a", "/a", "/a"), strict=True):
        syscalls.join_cgroup(turn, pid, group)
    syscalls.join_cgroup(turn, pids[3], "/c")
    syscalls.kill_cgroup(turn, "/a", "TERM", skip=(pids[4],))
    assert [event.pid for event in turn.events if isinstance(event, e.Signalled)] == [pids[0], pids[1], pids[5]]

"""The freezer of cgroup v1: members of a frozen group run no code and take no signal until it is thawed."""

from __future__ import annotations

from hypothesis import given, settings

from sim.kernel import events as e
from sim.kernel import freezer
from sim.kernel import syscalls as sc
from sim.kernel.host import Host
from sim.kernel.records import INIT, Pid
from tests.kernel.strategies import FAMILY, IMAGES, Bench, Call, calls, history

FREEZING = (*FAMILY, "kill", "kill", "deliver", "cgroup", "cgroup", "freeze", "freeze", "thaw", "kill_cgroup")


def members(bench: Bench, count: int, cgroup: str = "/a") -> list[Pid]:
    """Fork children of PID 1 and move them to a control group."""
    pids = [sc.fork(bench, INIT) for _ in range(count)]
    for pid in pids:
        sc.execve(bench, pid, IMAGES[2])
        sc.join_cgroup(bench, pid, cgroup)
    return pids


@settings(max_examples=150)
@given(calls(FREEZING))
def test_who_is_frozen_takes_no_signal_and_a_member_of_a_frozen_group_never_runs(sequence: list[Call]) -> None:
    """Whatever happens: in a frozen group nobody is S, what is D is in one, and neither D nor a stopped one takes."""
    for done in history(sequence):
        for pid, process in done.after.procs.items():
            frozen = freezer.is_frozen(done.after, process.cgroup)
            assert process.state != ("S" if frozen else "D")
            if frozen:
                assert sc.deliverable(done.after, pid) == ()


def test_a_kill_waits_until_the_group_is_thawed() -> None:
    """KILL and TERM stay pending in a frozen group; thawed, a member takes KILL."""
    bench = Bench(Host())
    first, second = members(bench, 2)
    freezer.freeze(bench, "/a")
    for signal in ("TERM", "KILL"):
        sc.kill(bench, first, signal)
    assert [bench.host.procs[pid].state for pid in (first, second)] == ["D", "D"]
    assert bench.host.procs[first].pending == {"TERM", "KILL"}
    assert sc.deliverable(bench.host, first) == ()
    freezer.thaw(bench, "/a")
    assert [bench.host.procs[pid].state for pid in (first, second)] == ["S", "S"]
    assert sc.deliverable(bench.host, first) == ("KILL",)


def test_a_stopped_member_stays_stopped_and_is_frozen_when_it_is_continued() -> None:
    """A stopped member of a frozen group is T; CONT makes it D, and thawing a stopped one leaves it stopped."""
    bench = Bench(Host())
    first, second = members(bench, 2)
    for pid in (first, second):
        sc.kill(bench, pid, "STOP")
        sc.deliver(bench, pid, "STOP")
    freezer.freeze(bench, "/a")
    sc.kill(bench, first, "CONT")
    assert [bench.host.procs[pid].state for pid in (first, second)] == ["D", "T"]
    sc.kill(bench, second, "KILL")
    assert sc.deliverable(bench.host, second) == ()
    freezer.thaw(bench, "/a")
    assert [bench.host.procs[pid].state for pid in (first, second)] == ["S", "T"]
    assert sc.deliverable(bench.host, second) == ("KILL",)


def test_who_joins_a_frozen_group_is_frozen_and_who_leaves_a_thawed_one_is_not() -> None:
    """A process that is moved into a frozen group stands still at once."""
    bench = Bench(Host())
    members(bench, 1)
    freezer.freeze(bench, "/a")
    (late,) = members(bench, 1)
    assert bench.host.procs[late].state == "D"
    assert [event.pid for event in bench.events if isinstance(event, e.Frozen)][-1] == late

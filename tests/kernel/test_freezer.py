"""The freezer: members of a frozen group run no code until it is thawed; what KILL does meanwhile is the version's."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernel import events as e
from sim.kernel import freezer
from sim.kernel import syscalls as sc
from sim.kernel.host import Host
from sim.kernel.records import INIT, Image, Pid
from tests.kernel.strategies import FAMILY, IMAGES, Bench, Call, calls, history, small_host

FREEZING = (*FAMILY, "kill", "kill", "deliver", "cgroup", "cgroup", "freeze", "freeze", "thaw", "kill_cgroup")
VERSIONS = pytest.mark.parametrize("version", ["v1", "v2"])
LETTER = {"v1": "D", "v2": "S"}  # of ps, while frozen
PLAIN, POLITE = IMAGES[0], IMAGES[2]  # no handler at all; one for TERM


def members(bench: Bench, count: int, cgroup: str = "/a") -> list[Pid]:
    """Fork children of PID 1 and move them to a control group."""
    pids = [sc.fork(bench, INIT) for _ in range(count)]
    for pid in pids:
        sc.execve(bench, pid, POLITE)
        sc.join_cgroup(bench, pid, cgroup)
    return pids


def states(bench: Bench, *pids: Pid) -> list[tuple[str, bool]]:
    """Return what ps says of processes, and whether they are frozen."""
    return [(bench.host.procs[pid].state, bench.host.procs[pid].frozen) for pid in pids]


@settings(max_examples=150)
@given(calls(FREEZING), st.sampled_from(["v1", "v2"]))
def test_a_member_of_a_frozen_group_never_runs_and_takes_what_its_version_lets_through(
    sequence: list[Call], version: str
) -> None:
    """Whatever happens: in a frozen group nobody runs, who is frozen is in one; v1 lets nothing through, v2 the end."""
    for done in history(sequence, small_host(cgroup=version)):
        for pid, process in done.after.procs.items():
            frozen = freezer.is_frozen(done.after, process.cgroup)
            assert not (frozen and process.runs)
            assert frozen or not process.frozen
            assert not process.frozen or process.state == LETTER[version]
            if frozen and process.alive:
                let_through = {it for it in process.pending if sc.is_fatal(process, it)} if version == "v2" else set()
                assert set(sc.deliverable(done.after, pid)) <= let_through
                assert "KILL" not in let_through or sc.deliverable(done.after, pid) == ("KILL",)


@VERSIONS
def test_kill_waits_for_the_thaw_with_v1_alone(version: str) -> None:
    """KILL and a handled TERM stay pending in a frozen group of v1; with v2 KILL ends its member there."""
    bench = Bench(Host(cgroup=version))
    first, second = members(bench, 2)
    freezer.freeze(bench, "/a")
    for signal in ("TERM", "KILL"):
        sc.kill(bench, first, signal)
    assert states(bench, first, second) == [(LETTER[version], True)] * 2
    assert sc.deliverable(bench.host, first) == (() if version == "v1" else ("KILL",))
    freezer.thaw(bench, "/a")
    assert states(bench, first, second) == [("S", False)] * 2
    assert sc.deliverable(bench.host, first) == ("KILL",)


@pytest.mark.parametrize(
    ("image", "signal", "ends"),
    [
        (PLAIN, "TERM", True),
        (PLAIN, "USR1", True),
        (PLAIN, "QUIT", False),  # it dumps, which no other task can begin for it
        (PLAIN, "CHLD", False),
        (PLAIN, "STOP", False),
        (IMAGES[1], "TERM", False),  # ignored
        (POLITE, "TERM", False),  # handled
        (POLITE, "USR1", True),
    ],
)
@VERSIONS
def test_what_is_fatal_ends_a_frozen_process_with_v2(version: str, image: Image, signal: str, ends: bool) -> None:
    """A signal whose default action ends a process goes through; one that is handled, or dumps, or stops, does not."""
    bench = Bench(Host(cgroup=version))
    (pid,) = members(bench, 1)
    sc.execve(bench, pid, image)
    freezer.freeze(bench, "/a")
    sc.kill(bench, pid, signal)
    assert sc.deliverable(bench.host, pid) == ((signal,) if ends and version == "v2" else ())


def test_the_first_process_of_a_namespace_that_is_frozen_dies_of_kill_alone() -> None:
    """TERM without a handler means nothing to it, frozen or not (pid_namespaces(7))."""
    bench = Bench(Host(cgroup="v2"))
    pid = sc.fork(bench, INIT, ns=sc.NEW_NS)
    sc.execve(bench, pid, PLAIN)
    sc.join_cgroup(bench, pid, "/a")
    freezer.freeze(bench, "/a")
    sc.kill(bench, pid, "TERM")
    assert sc.deliverable(bench.host, pid) == ()
    sc.kill(bench, pid, "KILL")
    assert sc.deliverable(bench.host, pid) == ("KILL",)


def test_a_frozen_state_ends_with_the_last_process_of_its_group() -> None:
    """A scope is removed when it is empty, so that the next one of the name is not born frozen."""
    bench = Bench(Host(cgroup="v2"))
    first, second = members(bench, 2)
    sc.kill(bench, second, "STOP")
    sc.deliver(bench, second, "STOP")
    freezer.freeze(bench, "/a")
    for pid, left in ((first, True), (second, False)):
        sc.kill(bench, pid, "KILL")
        sc.deliver(bench, pid, "KILL")
        assert freezer.is_frozen(bench.host, "/a") == left
    assert states(bench, *members(bench, 1)) == [("S", False)]


@VERSIONS
def test_a_stopped_member_stays_stopped_and_is_frozen_when_it_is_continued(version: str) -> None:
    """A stopped member of a frozen group is T; CONT freezes it, and thawing a stopped one leaves it stopped."""
    bench = Bench(Host(cgroup=version))
    first, second = members(bench, 2)
    for pid in (first, second):
        sc.kill(bench, pid, "STOP")
        sc.deliver(bench, pid, "STOP")
    freezer.freeze(bench, "/a")
    sc.kill(bench, first, "CONT")
    assert states(bench, first, second) == [(LETTER[version], True), ("T", False)]
    sc.kill(bench, second, "KILL")
    assert sc.deliverable(bench.host, second) == (() if version == "v1" else ("KILL",))
    freezer.thaw(bench, "/a")
    assert states(bench, first, second) == [("S", False), ("T", False)]
    assert sc.deliverable(bench.host, second) == ("KILL",)


@VERSIONS
def test_who_joins_a_frozen_group_is_frozen_and_who_leaves_a_thawed_one_is_not(version: str) -> None:
    """A process that is moved into a frozen group stands still at once."""
    bench = Bench(Host(cgroup=version))
    members(bench, 1)
    freezer.freeze(bench, "/a")
    (late,) = members(bench, 1)
    assert states(bench, late) == [(LETTER[version], True)]
    assert [event.pid for event in bench.events if isinstance(event, e.Frozen)][-1] == late

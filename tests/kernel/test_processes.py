"""fork, execve, exit and wait: what a child gets, who adopts it, and how a pid namespace ends."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given, settings
from msgspec.structs import replace

from sim.kernel import events as e
from sim.kernel import syscalls as sc
from sim.kernel.host import Host
from sim.kernel.records import INIT, OUTSIDE, Pid
from tests.kernel.strategies import FAMILY, IMAGES, Bench, Call, Done, calls, history, make, settle, small_host

RUNS = settings(max_examples=80)


# -- fork and execve --------------------------------------------------------------------------------


@RUNS
@given(calls((*FAMILY, "cgroup")))
def test_a_child_is_a_copy_of_its_parent_without_what_fork_clears(sequence: list[Call]) -> None:
    """Group, session, namespace, cgroup and image are copied; signals, death signal, threads and marks are not."""
    for done in history(sequence):
        for event in done.of(e.Forked):
            caller, child = done.before.procs[_caller(done)], done.after.procs[event.pid]
            assert (child.pgid, child.sid, child.cgroup) == (caller.pgid, caller.sid, caller.cgroup)
            assert child.ns in (caller.ns, child.pid)
            assert child.ppid in (caller.pid, caller.ppid)
            assert child.image == done.before.procs[child.ppid].image
            assert (child.state, child.threads, child.pending) == ("S", (), frozenset())
            assert (child.pdeathsig, child.subreaper) == (None, False)


def _caller(done: Done) -> Pid:
    alive = sorted(pid for pid in done.before.procs if done.before.alive(pid))
    return alive[done.call[1] % len(alive)]


def test_clone_parent_makes_a_sibling() -> None:
    """With CLONE_PARENT the child's parent is the caller's parent."""
    bench = Bench(Host())
    create = sc.fork(bench, INIT)
    stage = sc.fork(bench, create)
    payload = sc.fork(bench, stage, parent=create, ns=sc.NEW_NS)
    assert bench.host.procs[payload].ppid == create
    assert bench.host.procs[payload].ns == payload
    assert bench.host.members == {payload: {payload: None}}


@RUNS
@given(calls(FAMILY))
def test_execve_changes_the_image_alone(sequence: list[Call]) -> None:
    """Pending signals, death signal, group, session and parent outlive an execve."""
    for done in history(sequence):
        for event in done.of(e.Execed):
            before, after = done.before.procs[event.pid], done.after.procs[event.pid]
            assert after == replace(before, image=after.image)


# -- exit -------------------------------------------------------------------------------------------


def adopter(host: Host, dead: Pid) -> Pid:
    """Return who should adopt the children of *dead*, as prctl(2), pid_namespaces(7) and a kernel before 4.11 say."""
    ns, line, pid = host.procs[dead].ns, [], host.procs[dead].ppid
    while pid in host.procs and pid != ns != dead:
        line.append(pid)
        pid = host.procs[pid].ppid
    subreapers = [pid for pid in line if host.procs[pid].subreaper and host.procs[pid].state != "Z"]
    if subreapers:
        return subreapers[0]
    return ns if ns not in (OUTSIDE, dead) and host.procs[ns].state != "Z" else INIT


@settings(max_examples=120)
@given(calls(FAMILY))
def test_orphans_go_to_the_nearest_living_subreaper_else_the_first_process_else_init(sequence: list[Call]) -> None:
    """Each child of a dead process gets the next living subreaper, at most its namespace's first process, or PID 1."""
    for done in history(sequence):
        for event in done.of(e.Exited):
            dead = event.pid
            for child in done.before.children.get(dead, ()):
                if child not in done.after.procs or done.before.procs[child].ns == dead:
                    continue  # a member of the namespace that ends: its first process reaps it
                assert done.after.procs[child].ppid == adopter(done.before, dead)


@settings(max_examples=120)
@given(calls(FAMILY))
@example([("fork", 0, 0, 0), ("fork", 1, 0, 0), ("death_signal", 2, 1, 0), ("exit", 1, 0, 0)])
@example([("fork", 0, 0, 0), ("fork", 1, 0, 0), ("death_signal", 2, 0, 0), ("kill", 1, 0, 0), ("deliver", 1, 0, 0)])
def test_a_parent_s_death_sends_the_death_signals_of_its_children(sequence: list[Call]) -> None:
    """A child that asked for a signal at its parent's death has it pending, whoever adopts the child."""
    for done in history(sequence):
        for event in done.of(e.Exited):
            for child in done.before.children.get(event.pid, ()):
                process, after = done.before.procs[child], done.after.procs.get(child)
                if process.pdeathsig is None or process.state == "Z":
                    continue
                assert after is not None
                resumed = process.pdeathsig == "CONT" and process.state == "T"
                assert after.state == "S" if resumed else process.pdeathsig in after.pending
                assert after.pdeathsig == process.pdeathsig  # each subreaper that dies later sends it again: prctl(2)


@RUNS
@given(calls(FAMILY))
def test_every_process_has_a_living_parent_or_its_namespace_is_ending(sequence: list[Call]) -> None:
    """Nobody's parent is missing; a dead parent is only ever the first process of the child's own namespace."""
    for done in history(sequence):
        host = done.after
        for process in host.procs.values():
            if process.pid != INIT:
                parent = host.procs[process.ppid]
                assert parent.state != "Z" or parent.pid == process.ns


@RUNS
@given(calls())
def test_a_process_exits_once_and_is_reaped_once_after_that(sequence: list[Call]) -> None:
    """A life is forked, exited, reaped, in this order and each at most once; a zombie changes only by being reaped."""
    stage: Counter[Pid] = Counter({INIT: 1})
    for done in history(sequence):
        for event in done.events:
            if isinstance(event, (e.Forked, e.Exited, e.Reaped)):
                step = {e.Forked: 0, e.Exited: 1, e.Reaped: 2}[type(event)]
                assert stage[event.pid] == step, event
                stage[event.pid] = (step + 1) % 3
        for pid, process in done.before.procs.items():
            if process.state == "Z" and pid in done.after.procs and not _forked_again(done, pid):
                assert done.after.procs[pid] == replace(process, ppid=done.after.procs[pid].ppid)


def _forked_again(done: Done, pid: Pid) -> bool:
    return any(event.pid == pid for event in done.of(e.Forked))


@RUNS
@given(calls())
def test_a_dead_process_holds_nothing(sequence: list[Call]) -> None:
    """A zombie has no threads, no pending signals, no fifo ends and no listeners."""
    for done in history(sequence):
        host = done.after
        for pid, process in host.procs.items():
            if process.state == "Z":
                assert (process.threads, process.pending, process.subreaper) == ((), frozenset(), False)
                assert pid not in host.ends
                assert pid not in host.ports_of


# -- wait4 ------------------------------------------------------------------------------------------


@RUNS
@given(calls(FAMILY))
def test_only_a_parent_reaps_and_only_what_is_waitable(sequence: list[Call]) -> None:
    """wait4 returns a waitable zombie child with its status, and nothing else ever leaves the table."""
    for done in history(sequence):
        if done.call[0] == "wait":
            host = done.before
            pid = _caller(done)
            asked = sorted(host.procs)[done.call[2] % len(host.procs)] if done.call[3] % 2 else None
            ripe = [child for child in host.zombies.get(pid, ()) if asked in (None, child)]
            assert done.answer == ((ripe[0], host.procs[ripe[0]].status) if ripe else None)
        gone = set(done.before.procs) - set(done.after.procs)
        assert gone <= {event.pid for event in done.of(e.Reaped)}


def test_the_zombie_that_came_first_is_reaped_first() -> None:
    """wait4(-1) goes by the order of the deaths, neither by number nor by age."""
    bench = Bench(small_host())
    young, old = (sc.fork(bench, INIT) for _ in range(2))
    for pid in (old, young):
        sc.exit_process(bench, pid, 3)
    assert [sc.wait4(bench, INIT), sc.wait4(bench, INIT)] == [(old, 3), (young, 3)]


# -- pid namespaces ---------------------------------------------------------------------------------


@settings(max_examples=120)
@given(calls(FAMILY))
def test_the_first_process_of_a_namespace_is_reaped_last(sequence: list[Call]) -> None:
    """The first process of a pid namespace is waitable only when no other member is left, not even as a zombie."""
    for done in history(sequence):
        for process in done.after.procs.values():
            if process.ns:
                assert process.ns in done.after.procs, "the namespace outlives its first process"
        for event in done.of(e.Waitable):
            assert set(done.after.members[event.pid]) == {event.pid}


@settings(max_examples=120)
@given(calls(FAMILY))
def test_a_namespace_dies_with_its_first_process(sequence: list[Call]) -> None:
    """Once the first process is dead every other member has KILL pending, is a zombie, or is gone."""
    for done in history(sequence):
        host = done.after
        for process in host.procs.values():
            if process.ns and host.procs[process.ns].state == "Z":
                assert process.state == "Z" or "KILL" in process.pending


@settings(max_examples=80)
@given(calls(FAMILY))
def test_a_namespace_whose_first_process_was_killed_goes_away_whole(sequence: list[Call]) -> None:
    """If everyone takes signals and every parent reaps, nothing is left of a namespace whose first process died."""
    bench = Bench(small_host())
    for call in sequence:
        make(bench, call)
    for first in list(bench.host.members):
        sc.kill(bench, first, "KILL")
    settle(bench)
    assert not bench.host.members
    assert not bench.host.zombies


def test_a_zombie_that_the_first_process_never_reaped_does_not_outlive_it() -> None:
    """A first process that does not reap (V20) is waitable all the same: the kernel reaps its zombies at its death."""
    bench = Bench(Host())
    first = sc.fork(bench, INIT, ns=sc.NEW_NS)
    child = sc.fork(bench, first)
    sc.exit_process(bench, child, 0)
    assert bench.host.procs[child].state == "Z"
    sc.exit_process(bench, first, -9)
    assert child not in bench.host.procs
    assert sc.wait4(bench, INIT) == (first, -9)


def test_a_member_with_a_parent_outside_delays_the_end_of_its_namespace() -> None:
    """A process that an exec put into the namespace is reaped by its own parent; until then the first one stays."""
    bench = Bench(Host())
    shim = sc.fork(bench, INIT)
    first = sc.fork(bench, shim, ns=sc.NEW_NS)
    guest = sc.fork(bench, shim, ns=first)
    sc.exit_process(bench, first, 0)
    assert sc.deliverable(bench.host, guest) == ("KILL",)
    assert sc.wait4(bench, shim) is None
    sc.deliver(bench, guest, "KILL")
    assert sc.wait4(bench, shim, first) is None
    assert sc.wait4(bench, shim) == (guest, -9)
    assert sc.wait4(bench, shim) == (first, 0)


# -- the engine's own family ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dead", "payload_under"),
    [(("runc",), "shim"), (("shim", "runc"), "init"), (("runc", "shim"), "init"), (("containerd", "runc"), "shim")],
)
def test_a_payload_goes_to_its_shim_else_to_init(dead: tuple[str, ...], payload_under: str) -> None:
    """The shim adopts the payload when runc leaves; containerd and dockerd are no subreapers (§1.3)."""
    bench = Bench(Host())
    pids = {"init": INIT}
    for name, parent in (("dockerd", "init"), ("containerd", "dockerd"), ("shim", "containerd"), ("runc", "shim")):
        pids[name] = sc.fork(bench, pids[parent])
        sc.execve(bench, pids[name], IMAGES[0])
    bench.emit(e.SubreaperSet(pids["shim"]))
    pids["payload"] = sc.fork(bench, pids["runc"], ns=sc.NEW_NS)
    for name in dead:
        sc.exit_process(bench, pids[name], 0)
    assert bench.host.procs[pids["payload"]].ppid == pids[payload_under]

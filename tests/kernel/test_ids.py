"""Process and thread numbers: one cyclic counter, and when a number is free again."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.kernel import events as e
from sim.kernel import syscalls as sc
from sim.kernel.host import Host
from sim.kernel.ids import OutOfIds, next_id
from sim.kernel.records import INIT, Pid
from sim.testing.laws import uses
from tests.kernel.strategies import FAMILY, Bench, Call, Done, calls, history, small_host


def first_free(last: Pid, busy: set[Pid], pid_max: int) -> Pid | None:
    """Return the first free number after *last*, going on at 300 after the end; None if there is none."""
    return next((n for n in chain(range(last + 1, pid_max), range(300, pid_max)) if n not in busy), None)


def expected(last: Pid, busy: set[Pid], pid_max: int, count: int) -> list[Pid] | None:
    """Return the next *count* numbers; None if there are not so many."""
    given = []
    for _ in range(count):
        number = first_free(last, busy, pid_max)
        if number is None:
            return None
        given.append(number)
        last, busy = number, busy | {number}
    return given


def refused(done: Done) -> bool:
    """Say whether the caller of a fork lives in a namespace that ends."""
    host = done.before
    alive = sorted(pid for pid in host.procs if host.alive(pid))
    ns = host.procs[alive[done.call[1] % len(alive)]].ns
    return ns != 0 and not host.alive(ns)


@settings(max_examples=80)
@given(calls(FAMILY))
def test_the_next_number_is_the_first_free_one_after_the_last_and_wraps_to_300(sequence: list[Call]) -> None:
    """A fork or thread gets the first free number after the last one given; from pid_max it goes on at 300."""
    for done in history(sequence):
        word, before = done.call[0], done.before
        if word not in ("fork", "threads") or (word == "fork" and refused(done)):
            continue
        numbers = [event.pid for event in done.of(e.Forked)]
        numbers += [number for event in done.of(e.ThreadsStarted) for number in event.thread_pids]
        count = 1 if word == "fork" else done.call[2] % 4
        wanted = expected(before.last_pid, set(uses(before)), before.pid_max, count)
        if wanted is None:
            assert isinstance(done.answer, OutOfIds)
            assert not done.events
        else:
            assert numbers == wanted
            assert not numbers or done.after.last_pid == numbers[-1]


@settings(max_examples=80)
@given(calls(FAMILY))
def test_a_number_is_free_only_when_reaped_and_in_no_group_or_session(sequence: list[Call]) -> None:
    """The uses of every number equal a recount from the records, after every call."""
    for done in history(sequence):
        assert done.after.uses == uses(done.after)


@settings(max_examples=60)
@given(calls(FAMILY))
def test_no_two_tasks_share_a_number(sequence: list[Call]) -> None:
    """Threads and processes share one number space, and each number names one of them."""
    for done in history(sequence):
        numbers = [number for p in done.after.procs.values() for number in (p.pid, *p.threads)]
        assert len(numbers) == len(set(numbers))
        assert all(done.after.exists(number) for number in numbers)


@given(
    last=st.integers(1, 340),
    busy=st.sets(st.integers(1, 330)),
    pid_max=st.integers(302, 330),
)
@example(last=1, busy=set(range(2, 302)), pid_max=302)
@example(last=301, busy={301}, pid_max=302)
def test_next_id_searches_every_number_once(last: Pid, busy: set[Pid], pid_max: int) -> None:
    """A free number is found wherever it lies, and OutOfIds is raised only where none is free."""
    wanted = first_free(last, busy, pid_max)
    if wanted is None:
        with pytest.raises(OutOfIds, match=f"pid_max \\({pid_max}\\)"):
            next_id(last, dict.fromkeys(busy, 1), pid_max)
    else:
        assert next_id(last, dict.fromkeys(busy, 1), pid_max) == wanted


def test_a_fork_fails_when_every_number_is_in_use_and_goes_on_when_one_is_free() -> None:
    """With twenty numbers the 21st fork fails; one reaped child makes room for one fork."""
    bench = Bench(small_host(320))
    children = [sc.fork(bench, INIT) for _ in range(20)]
    assert sorted(children) == list(range(300, 320))
    with pytest.raises(OutOfIds):
        sc.fork(bench, INIT)
    sc.exit_process(bench, children[3], 0)
    with pytest.raises(OutOfIds):
        sc.fork(bench, INIT)  # a zombie keeps its number
    sc.wait4(bench, INIT)
    assert sc.fork(bench, INIT) == children[3]


def test_a_dead_group_leader_keeps_its_number_while_a_member_lives() -> None:
    """A number that a group or session bears is not given again, although its process was reaped."""
    bench = Bench(small_host(302))
    leader = sc.fork(bench, INIT)
    sc.setsid(bench, leader)
    member = sc.fork(bench, leader)
    sc.exit_process(bench, leader, 0)
    sc.wait4(bench, INIT)
    with pytest.raises(OutOfIds):
        sc.fork(bench, INIT)
    sc.setsid(bench, member)
    assert sc.fork(bench, INIT) == leader


def test_more_threads_than_free_numbers_fail_whole() -> None:
    """Threads that do not all find a number raise OutOfIds and share none."""
    bench = Bench(small_host(304))
    with pytest.raises(OutOfIds):
        sc.start_threads(bench, INIT, 5)
    assert not bench.events


def test_a_number_kept_for_later_is_given_to_nobody_else() -> None:
    """A reserved number is skipped by the counter, goes to the fork that asks for it, and does not move the counter."""
    bench = Bench(Host(320))
    bench.host.reserve([2, 3])
    assert sc.fork(bench, INIT) == 4
    assert sc.fork(bench, INIT, number=3) == 3
    assert bench.host.last_pid == 4
    assert bench.host.uses == uses(bench.host)
    assert sc.fork(bench, INIT) == 5


def test_other_work_on_the_host_moves_the_counter() -> None:
    """After the counter was moved the search begins behind its new place."""
    bench = Bench(Host())
    bench.emit(e.IdsSkipped(32766))
    assert [sc.fork(bench, INIT) for _ in range(2)] == [32767, 300]

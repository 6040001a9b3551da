"""Work shares cores: the virtual clock against a count of every job's share in every µs."""

from __future__ import annotations

from fractions import Fraction

import simpy
from hypothesis import given
from hypothesis import strategies as st

from sim.drive.cores import Cores
from sim.drive.queue import Clock, Queue
from sim.model import Open

Job = tuple[int, int, int | None, int]  # begins at, work, given up at, percent of a core that it keeps busy

JOB = st.tuples(
    st.integers(0, 40), st.integers(1, 30), st.none() | st.integers(0, 80), st.sampled_from((100, 100, 50, 150, 176))
)
JOBS = st.lists(JOB, min_size=1, max_size=8)


class Worker:
    """A job that can be given up."""

    def __init__(self, number: int) -> None:
        self.number, self.alive = number, True


def by_virtual_clock(count: int, jobs: list[Job]) -> list[tuple[int, int]]:
    """Return when which job ends, from moment to moment, as the driver asks."""
    cores, workers = Cores(count), [Worker(number) for number in range(len(jobs))]
    ended: list[tuple[int, int]] = []
    at_work: set[int] = set()
    moments = {job[0] for job in jobs} | {drop for _, _, drop, _ in jobs if drop is not None}
    now = -1
    while True:
        coming = [moment for moment in moments if moment > now]
        first = cores.next(now)
        if first is not None:
            coming.append(first)
        if not coming:
            return ended
        now = min(coming)
        while cores.next(now) == now:
            worker = cores.pop(now)
            at_work.remove(worker.number)
            ended.append((now, worker.number))
        for number, (begin, work, drop, busy) in enumerate(jobs):
            if drop == now and number in at_work:
                workers[number].alive = False
                at_work.remove(number)
                cores.drop(now, busy)
            if begin == now:
                at_work.add(number)
                cores.add(now, work, workers[number], busy)


def by_counting(count: int, jobs: list[Job]) -> list[tuple[int, int]]:
    """Return the same by giving each job its share of every µs."""
    rest: dict[int, Fraction] = {}
    ended: list[tuple[int, int]] = []
    for now in range(1_000):
        done = sorted((left, number) for number, left in rest.items() if left <= 0)
        for _, number in done:
            ended.append((now, number))
            del rest[number]
        for number, (begin, work, drop, _) in enumerate(jobs):
            if drop == now and number in rest:
                del rest[number]
            if begin == now:
                rest[number] = Fraction(work)
        wanted = sum(jobs[number][3] for number in rest)
        share = min(Fraction(1), Fraction(100 * count, wanted)) if rest else Fraction(0)
        rest = {number: left - share for number, left in rest.items()}
    return ended


@given(st.integers(1, 4), JOBS)
def test_each_job_gets_its_share_of_every_microsecond(count: int, jobs: list[Job]) -> None:
    """A job ends in the first whole µs in which it has got its work, however many begin, end or are given up."""
    assert sorted(by_virtual_clock(count, jobs)) == sorted(by_counting(count, jobs))


@given(st.integers(1, 4), st.lists(st.integers(1, 30), min_size=1, max_size=10))
def test_jobs_that_end_together_end_in_the_order_in_which_they_began(count: int, works: list[int]) -> None:
    """Of those that began at one time the shorter ends first, and of equals the first."""
    ended = by_virtual_clock(count, [(0, work, None, 100) for work in works])
    assert [number for _, number in ended] == sorted(range(len(works)), key=lambda number: (works[number], number))


def test_fewer_jobs_than_cores_run_at_full_speed() -> None:
    """With a core for each, a job takes its work."""
    assert by_virtual_clock(2, [(0, 7, None, 100), (3, 5, None, 100)]) == [(7, 0), (8, 1)]


def test_two_jobs_on_one_core_take_turns() -> None:
    """Each runs at half speed while both are there."""
    assert by_virtual_clock(1, [(0, 10, None, 100), (0, 30, None, 100)]) == [(20, 0), (40, 1)]


def test_a_job_that_is_given_up_leaves_its_share_to_the_others() -> None:
    """After one is given up the other runs at full speed."""
    assert by_virtual_clock(1, [(0, 10, None, 100), (0, 30, 10, 100)]) == [(15, 0)]


def test_work_that_keeps_two_cores_busy_halves_on_one() -> None:
    """Alone on two cores it takes its time; two such ones, or one core, take twice as long."""
    wide = (0, 10, None, 200)
    assert by_virtual_clock(2, [wide]) == [(10, 0)]
    assert by_virtual_clock(1, [wide]) == [(20, 0)]
    assert by_virtual_clock(2, [wide, wide]) == [(20, 0), (20, 1)]


# -- the work of one process ------------------------------------------------------------------------


def ends(*pieces: tuple[int, int, int], given_up: int | None = None) -> list[tuple[int, int]]:
    """Return when which piece of work ends on two cores; each is a process, when it begins, and its work in µs.

    One may be given up at 5 µs.
    """
    found: list[tuple[int, int]] = []
    queue = Queue(simpy.Environment(), 2)
    clocks = [Clock(Open(), 0) for _ in pieces]
    for clock, (owner, begin, work) in zip(clocks, pieces, strict=True):
        clock.owner, clock.work = owner, work
        queue.set(clock, begin)
    if given_up is not None:
        queue.set(Clock(Open(), 0), 5)
    while queue.env.peek() != float("inf"):
        queue.env.step()
        if given_up is not None and queue.now == 5:
            queue.give_up(clocks[given_up])
            queue.prompt.clear()
            given_up = None
        while queue.prompt:
            found.append((queue.now, clocks.index(queue.prompt.popleft())))
    return found


def test_a_process_has_as_many_pieces_at_work_as_there_are_cores() -> None:
    """The others wait in turn: GOMAXPROCS. Whoever has none at work is served at once, and shares the cores."""
    assert ends(*[(7, 1, 10)] * 4) == [(11, 0), (11, 1), (21, 2), (21, 3)]
    assert ends((1, 1, 10), (2, 1, 10), (3, 1, 10), (4, 1, 10)) == [(21, 0), (21, 1), (21, 2), (21, 3)]
    assert ends(*[(7, 1, 10)] * 4, (8, 1, 10)) == [(16, 0), (16, 1), (16, 4), (26, 2), (26, 3)]


def test_who_needs_more_at_once_goes_on() -> None:
    """A goroutine runs until it has to wait: its next piece of work goes before those that wait for a core."""
    queue, found = Queue(simpy.Environment(), 1), []
    clocks = [Clock(Open(), 0) for _ in range(3)]
    for clock in clocks:
        clock.owner, clock.work = 7, 10
    queue.set(clocks[0], 1)
    queue.set(clocks[1], 2)
    while queue.env.peek() != float("inf"):
        queue.env.step()
        while queue.prompt:
            ended = clocks.index(queue.prompt.popleft())
            found.append((queue.now, ended))
            if ended == 0:
                queue.set(clocks[2], 0)
    assert found == [(11, 0), (21, 2), (31, 1)]


def test_work_that_is_given_up_makes_room() -> None:
    """A piece that waits is left out; the end of one that is at work lets the next one begin."""
    assert ends(*[(7, 1, 10)] * 4, given_up=2) == [(11, 0), (11, 1), (21, 3)]
    assert ends(*[(7, 1, 10)] * 3, given_up=0) == [(11, 1), (15, 2)]

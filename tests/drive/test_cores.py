"""Work shares cores: the virtual clock against a count of every job's share in every µs."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from sim.drive.cores import Cores

Job = tuple[int, int, int | None]  # begins at, work, given up at

JOB = st.tuples(st.integers(0, 40), st.integers(1, 30), st.none() | st.integers(0, 80))
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
    moments = {begin for begin, _, _ in jobs} | {drop for _, _, drop in jobs if drop is not None}
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
        for number, (begin, work, drop) in enumerate(jobs):
            if drop == now and number in at_work:
                workers[number].alive = False
                at_work.remove(number)
                cores.drop(now)
            if begin == now:
                at_work.add(number)
                cores.add(now, work, workers[number])


def by_counting(count: int, jobs: list[Job]) -> list[tuple[int, int]]:
    """Return the same by giving each job its share of every µs."""
    rest: dict[int, Fraction] = {}
    ended: list[tuple[int, int]] = []
    for now in range(1_000):
        done = sorted((left, number) for number, left in rest.items() if left <= 0)
        for _, number in done:
            ended.append((now, number))
            del rest[number]
        for number, (begin, work, drop) in enumerate(jobs):
            if drop == now and number in rest:
                del rest[number]
            if begin == now:
                rest[number] = Fraction(work)
        share = min(Fraction(1), Fraction(count, len(rest))) if rest else Fraction(0)
        rest = {number: left - share for number, left in rest.items()}
    return ended


@given(st.integers(1, 4), JOBS)
def test_each_job_gets_its_share_of_every_microsecond(count: int, jobs: list[Job]) -> None:
    """A job ends in the first whole µs in which it has got its work, however many begin, end or are given up."""
    assert sorted(by_virtual_clock(count, jobs)) == sorted(by_counting(count, jobs))


@given(st.integers(1, 4), st.lists(st.integers(1, 30), min_size=1, max_size=10))
def test_jobs_that_end_together_end_in_the_order_in_which_they_began(count: int, works: list[int]) -> None:
    """Of those that began at one time the shorter ends first, and of equals the first."""
    ended = by_virtual_clock(count, [(0, work, None) for work in works])
    assert [number for _, number in ended] == sorted(range(len(works)), key=lambda number: (works[number], number))


def test_fewer_jobs_than_cores_run_at_full_speed() -> None:
    """With a core for each, a job takes its work."""
    assert by_virtual_clock(2, [(0, 7, None), (3, 5, None)]) == [(7, 0), (8, 1)]


def test_two_jobs_on_one_core_take_turns() -> None:
    """Each runs at half speed while both are there."""
    assert by_virtual_clock(1, [(0, 10, None), (0, 30, None)]) == [(20, 0), (40, 1)]


def test_a_job_that_is_given_up_leaves_its_share_to_the_others() -> None:
    """After one is given up the other runs at full speed."""
    assert by_virtual_clock(1, [(0, 10, None), (0, 30, 10)]) == [(15, 0)]

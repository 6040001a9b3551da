"""Out of memory: whom the kernel kills."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sim.kernel import events as e
from sim.kernel import syscalls
from sim.kernel.host import Host
from sim.kernel.oom import may_be_killed, victim
from sim.kernel.records import INIT, Image
from tests.kernel.strategies import Bench

PROCESSES = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from([None, -1000, -500, 0, 300]), st.integers(0, 3)), max_size=8
)  # whose child, its own oom_score_adj if it writes one, its memory


def built(processes: list[tuple[int, int | None, int]]) -> tuple[Bench, dict[int, int]]:
    """Return a host with these processes, and their sizes."""
    bench, pids, sizes = Bench(Host()), [INIT], {}
    for parent, adj, size in processes:
        pid = syscalls.fork(bench, pids[parent % len(pids)])
        syscalls.execve(bench, pid, Image("payload", "it", ("it",)))
        if adj is not None:
            bench.emit(e.OomScoreAdjSet(pid, adj))
        pids.append(pid)
        sizes[pid] = size
    return bench, sizes


def test_a_child_inherits_what_its_parent_had_at_the_fork() -> None:
    """proc(5): oom_score_adj goes on to children, and a later change of the parent's does not."""
    bench = Bench(Host())
    parent = syscalls.fork(bench, INIT)
    bench.emit(e.OomScoreAdjSet(parent, -500))
    child = syscalls.fork(bench, parent)
    bench.emit(e.OomScoreAdjSet(parent, 0))
    assert (bench.host.procs[child].oom_score_adj, bench.host.procs[parent].oom_score_adj) == (-500, 0)


@given(PROCESSES)
def test_the_killed_one_has_the_highest_adj_of_all_or_is_a_child_of_such(processes) -> None:
    """Nobody with a higher oom_score_adj is spared, but by a child that is given up for it."""
    bench, sizes = built(processes)
    host = bench.host
    found = victim(host, host.procs, lambda process: sizes[process.pid])
    eligible = [process for process in host.procs.values() if may_be_killed(process)]
    assert (found is None) == (not eligible)
    if found is None:
        return
    highest = max(process.oom_score_adj for process in eligible)
    assert found != INIT
    assert host.procs[found].oom_score_adj > -1000
    assert highest in (host.procs[found].oom_score_adj, host.procs[host.procs[found].ppid].oom_score_adj)


@given(PROCESSES)
def test_killing_on_ends_with_nobody_left_to_kill(processes) -> None:
    """Each kill takes one process; in the end PID 1 and those with -1000 are left."""
    bench, sizes = built(processes)
    host = bench.host
    for _ in processes:
        found = victim(host, host.procs, lambda process: sizes[process.pid])
        if found is not None:
            syscalls.kill(bench, found, "KILL")
    assert victim(host, host.procs, lambda process: sizes[process.pid]) is None
    spared = {pid for pid, process in host.procs.items() if not process.pending}
    assert spared == {INIT} | {pid for pid, process in host.procs.items() if process.oom_score_adj == -1000}


def test_a_child_with_memory_of_its_own_goes_in_its_parent_s_stead() -> None:
    """A shell is spared for the program that it waits for, even if that is smaller."""
    bench, sizes = built([(0, None, 3), (1, None, 1), (0, None, 2)])
    shell, program, _ = sizes
    assert victim(bench.host, sizes, lambda process: sizes[process.pid]) == program
    assert victim(bench.host, [shell], lambda process: sizes[process.pid]) == shell


def test_of_equals_the_largest_goes_then_the_oldest() -> None:
    """The same oom_score_adj: by memory, then by age."""
    bench, sizes = built([(0, None, 1), (0, None, 3), (0, None, 3), (0, None, 2)])
    first, second, third, _ = sizes
    assert victim(bench.host, sizes, lambda process: sizes[process.pid]) == second
    assert victim(bench.host, [first, third], lambda process: sizes[process.pid]) == third

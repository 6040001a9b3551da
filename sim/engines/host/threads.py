"""Threads that end before their process does: a count that falls, and a main thread that leaves the others behind.

The main thread of a process that goes on without it stays in the table as a zombie, under the process's own number: ps
shows `Zl` and no words (proc(5): its memory is no longer its own), while signals go to the other threads and nobody can
wait for it. With the last thread the process ends, with the main thread's code, 0. Leaves out which thread does what:
those that were started last end first. Source: pthread_exit(3), "Notes"; kernel/exit.c of 3.10, delay_group_leader and
wait_task_zombie; fs/proc/array.c, do_task_stat (num_threads counts the dead leader) [K].
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Sleep
from sim.engine.procedure import Procedure, procedure
from sim.engine.setup import Child, Payload
from sim.kernel import syscalls
from sim.world import Frame, World


def begin(g: Goroutine, program: str, how: Payload | Child) -> None:
    """Start the threads, and what makes them end."""
    syscalls.start_threads(g.turn, g.pid, how.threads)
    for end in how.threads_end:
        g.start(f"{program}.threads_end", after=end.after, count=end.count)
    if how.main_ends is not None:
        g.start(f"{program}.main_ends", after=how.main_ends)


def after(world: World, frame: Frame) -> int:
    """Return when it ends, in µs from execve."""
    return int(frame.local["after"])


def end_threads(g: Goroutine) -> None:
    """End some of the threads."""
    syscalls.end_threads(g.turn, g.pid, g["count"])


def end_main_thread(g: Goroutine) -> None:
    """End the main thread, and with it a process that has no other one."""
    syscalls.end_main_thread(g.turn, g.pid)


def thread_tables(program: str) -> tuple[Procedure, ...]:
    """Return how threads of a program end."""
    return (
        procedure(f"{program}.threads_end", Sleep("threads_end", after), Do(end_threads)),
        procedure(f"{program}.main_ends", Sleep("main_ends", after), Do(end_main_thread)),
    )

"""Out of memory: which process the kernel kills.

The process with the highest oom_score_adj goes first; of those with the same the largest, then the one that began
first. Of its children that have memory of their own the same rule chooses one in its stead. PID 1, what has -1000 and
what is about to be killed are left alone. So a daemon at -500 goes before a process at 0 only if it holds half of all
memory; that is left out, as are tasks in D state and panics. With cgroup v2 a control group may be killed as a whole
(memory.oom.group), whoever of it was chosen. Source: Linux 3.10 mm/oom_kill.c (oom_badness, select_bad_process,
oom_kill_process), proc(5) [K]; cgroup-v2.rst, memory.oom.group [S]; engine-1.13 §1.1, §23 T22.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sim.kernel.host import Host
from sim.kernel.records import INIT, Pid, Process

NEVER = -1000

Size = Callable[[Process], int]


def victim(host: Host, among: Iterable[Pid], size: Size) -> Pid | None:
    """Return which process of *among* is killed; None if there is none. *size* is a process's memory in bytes."""
    found = [host.procs[pid] for pid in among if may_be_killed(host.procs[pid])]
    if not found:
        return None
    worst = min(found, key=lambda process: _order(process, size))
    below = [host.procs[pid] for pid in host.children.get(worst.pid, ()) if host.procs[pid] in found]
    return min(below, key=lambda process: _order(process, size)).pid if below else worst.pid


def members(host: Host, chosen: Pid) -> list[Pid]:
    """Return who dies with a process whose control group is killed as a whole, itself among them, in order of start."""
    group = [host.procs[pid] for pid in host.grouped.get(host.procs[chosen].cgroup, ())]
    return [process.pid for process in sorted(group, key=lambda it: it.order) if may_be_killed(process)]


def may_be_killed(process: Process) -> bool:
    """Say whether the kernel considers a process at all."""
    doomed = not process.alive or "KILL" in process.pending
    return process.pid != INIT and process.oom_score_adj > NEVER and not doomed


def _order(process: Process, size: Size) -> tuple[int, int, int, Pid]:
    return -process.oom_score_adj, -size(process), process.order, process.pid

"""The freezer of control groups: members of a frozen group run no code until the thaw.

With cgroup v1 they take no signal meanwhile, not even KILL: the refrigerator sleeps in D (kernel/freezer.c,
cgroup/legacy_freezer.c; el7's 3.10 [K]). With v2, whose freezer came with Linux 5.2, they sleep in the signal code
itself, in S, and die at once of what is fatal; all else waits (kernel/signal.c get_signal, do_freezer_trap and
complete_signal; cgroup-v2.rst, cgroup.freeze [S]).

A stopped member counts as frozen where it stands, and is frozen once it is continued. The state goes with the group,
which systemd removes when the last process of a scope has exited: only v2 lets one exit. Leaves out groups below a
frozen one (a scope has none), and a cgroupfs driver's group that stays, frozen and empty, until the runtime removes it.
"""

from __future__ import annotations

from sim.kernel import events as e
from sim.kernel.context import CallContext
from sim.kernel.host import Host
from sim.kernel.records import V1, Pid

FILES = {"v1": ("/sys/fs/cgroup/freezer{}/freezer.state", "FROZEN"), "v2": ("/sys/fs/cgroup{}/cgroup.freeze", "1")}
"""By version: the file of a group, and what it holds while the group is frozen; a thawed group has none here."""


def state_file(host: Host, cgroup: str) -> str:
    """Return the file that says whether a control group is frozen."""
    return FILES[host.cgroup][0].format(cgroup)


def is_frozen(host: Host, cgroup: str) -> bool:
    """Return whether the freezer holds a control group."""
    return state_file(host, cgroup) in host.files


def holds_kill(host: Host) -> bool:
    """Return whether not even KILL ends a frozen process."""
    return host.cgroup == V1


def freeze(turn: CallContext, cgroup: str) -> None:
    """Freeze a group."""
    turn.emit(e.FileWritten(state_file(turn.host, cgroup), FILES[turn.host.cgroup][1]))
    for pid in _members(turn.host, cgroup):
        if turn.host.procs[pid].runs:
            turn.emit(e.Frozen(pid))


def thaw(turn: CallContext, cgroup: str) -> None:
    """Let a group go on, if it is frozen; signals that came meanwhile are taken now."""
    if not is_frozen(turn.host, cgroup):
        return
    turn.emit(e.FileRemoved(state_file(turn.host, cgroup)))
    for pid in _members(turn.host, cgroup):
        if turn.host.procs[pid].frozen:
            turn.emit(e.Thawed(pid))


def leave(turn: CallContext, cgroup: str) -> None:
    """Let a group's state go with the group if the process that has just exited was its last."""
    host = turn.host
    if is_frozen(host, cgroup) and not any(host.alive(pid) for pid in host.grouped.get(cgroup, ())):
        turn.emit(e.FileRemoved(state_file(host, cgroup)))


def _members(host: Host, cgroup: str) -> list[Pid]:
    return sorted(host.grouped.get(cgroup, ()), key=lambda pid: host.procs[pid].order)

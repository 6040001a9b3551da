"""The freezer of cgroup v1: members of a frozen group run no code and take no signal, not even KILL, until the thaw.

A stopped member counts as frozen where it stands, and is frozen once it is continued. Leaves out groups below a frozen
one: a scope has none. Source: the kernel's cgroup-v1/freezer-subsystem; el7's 3.10 [K].
"""

from __future__ import annotations

from sim.kernel import events as e
from sim.kernel.context import CallContext
from sim.kernel.host import Host
from sim.kernel.records import Pid

STATE = "/sys/fs/cgroup/freezer{}/freezer.state"  # holds FROZEN; a group without the file is thawed


def is_frozen(host: Host, cgroup: str) -> bool:
    """Say whether the freezer holds a control group."""
    return STATE.format(cgroup) in host.files


def freeze(turn: CallContext, cgroup: str) -> None:
    """Freeze a group."""
    turn.emit(e.FileWritten(STATE.format(cgroup), "FROZEN"))
    for pid in _members(turn.host, cgroup):
        if turn.host.procs[pid].state == "S":
            turn.emit(e.Frozen(pid))


def thaw(turn: CallContext, cgroup: str) -> None:
    """Let a group go on, if it is frozen; signals that came meanwhile are taken now."""
    if not is_frozen(turn.host, cgroup):
        return
    turn.emit(e.FileRemoved(STATE.format(cgroup)))
    for pid in _members(turn.host, cgroup):
        if turn.host.procs[pid].state == "D":
            turn.emit(e.Thawed(pid))


def _members(host: Host, cgroup: str) -> list[Pid]:
    return sorted(host.grouped.get(cgroup, ()), key=lambda pid: host.procs[pid].order)

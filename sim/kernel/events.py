"""Facts about the kernel's objects, in the past tense. Each is applied by `sim.kernel.host.evolve` and nowhere else.

A field whose name ends in `pid` or `pids` holds process numbers, so that a state can be renamed.
"""

from __future__ import annotations

import msgspec

from sim.kernel.records import Fifo, Image, Pid, Rule, Seen, Status, Value
from sim.kernel.signals import Signal


class Forked(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* began as a copy of its parent; *ns* is its pid namespace."""

    pid: Pid
    ppid: Pid
    pgid: Pid
    sid: Pid
    ns: Pid
    cgroup: str


class Execed(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* runs another program."""

    pid: Pid
    image: Image


class ThreadsStarted(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* has these threads more."""

    pid: Pid
    thread_pids: tuple[Pid, ...]


class ThreadsEnded(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* has these threads no more; it goes on with the others."""

    pid: Pid
    thread_pids: tuple[Pid, ...]


class MainThreadEnded(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The main thread of *pid* has ended: it stays as a zombie while other threads go on (pthread_exit(3))."""

    pid: Pid


class SessionSet(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* leads a new session and group (setsid(2))."""

    pid: Pid


class GroupSet(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* leads or joins the group *pgid* (setpgid(2))."""

    pid: Pid
    pgid: Pid


class DeathSignalSet(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* gets *signal* when its parent dies (PR_SET_PDEATHSIG of prctl(2))."""

    pid: Pid
    signal: Signal


class SubreaperSet(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* adopts the orphans among its descendants (PR_SET_CHILD_SUBREAPER of prctl(2))."""

    pid: Pid


class OomScoreAdjSet(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* has another oom_score_adj (proc(5)): its children inherit it."""

    pid: Pid
    adj: int


class CgroupSet(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* moved to another control group."""

    pid: Pid
    cgroup: str


class Signalled(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*signal* is pending for *pid*; *by_pid* sent it (0: from outside, or the kernel)."""

    pid: Pid
    signal: Signal
    by_pid: Pid = 0


class SignalTaken(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* took *signal*: *outcome* is handled, ignored, dropped, default, stopped or continued."""

    pid: Pid
    signal: Signal
    outcome: str


class Frozen(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* was frozen with its control group: it runs no code, and takes no signal that cannot end it there."""

    pid: Pid


class Thawed(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* goes on, and takes what signals came meanwhile."""

    pid: Pid


class Exited(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* ended with *status*: a zombie now, its threads, descriptors and listeners gone."""

    pid: Pid
    status: Status


class Reparented(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* lost its parent and got another."""

    pid: Pid
    ppid: Pid


class Waitable(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The first process of a pid namespace can be reaped: every other member is gone."""

    pid: Pid


class Reaped(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The zombie *pid* was waited for by *by_pid*; its number is free unless a group or session uses it."""

    pid: Pid
    by_pid: Pid


class IdsSkipped(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Other work on the host moved the counter: the search for the next number begins after *last_pid*."""

    last_pid: Pid


class IdsReleased(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Numbers that were kept for forks that will not come are free again."""

    kept_pids: tuple[Pid, ...]


class Found(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* is as it was observed at t = 0: parent, group, session, threads, and what else was seen of it."""

    pid: Pid
    ppid: Pid
    pgid: Pid
    sid: Pid
    thread_pids: tuple[Pid, ...]
    seen: Seen


class FifoMade(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A fifo exists."""

    fifo: Fifo


class FifoOpened(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* holds an end: *mode* is r, w or rw."""

    path: str
    pid: Pid
    mode: str


class FifoClosed(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* let go of both ends."""

    path: str
    pid: Pid


class FifoLevel(msgspec.Struct, frozen=True, tag=True, gc=False):
    """So many bytes wait in the fifo after a write(2) or read(2) by *pid*."""

    path: str
    pid: Pid
    level: int


class FifoRemoved(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The fifo's name is gone; ends that are open stay open."""

    path: str


class FifoUnlinked(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The fifo's name is gone, and somebody goes on with an end of it: /proc/PID/fd calls it *deleted* now."""

    path: str
    deleted: str


class Listened(msgspec.Struct, frozen=True, tag=True, gc=False):
    """*pid* accepts connections at *address* (`0.0.0.0:8080`, `172.17.0.2:80`, `unix:/run/x.sock`)."""

    address: str
    pid: Pid


class Unlistened(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Nobody accepts connections at *address* any more."""

    address: str


class RuleAdded(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A packet-filter rule stands."""

    rule: Rule


class RuleRemoved(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A packet-filter rule is gone."""

    rule: Rule


class RulesFlushed(msgspec.Struct, frozen=True, tag=True, gc=False):
    """Every rule of a chain is gone."""

    chain: str


class FileWritten(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A file holds *value* (an atomic rewrite)."""

    path: str
    value: Value


class FileRemoved(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A file is gone."""

    path: str

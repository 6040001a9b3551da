"""What the kernel knows, and how each fact changes it.

`Host` is plain tables of frozen records, with indexes beside them (children by parent, zombies by parent, members by
pid namespace, members by control group other than the root). `evolve` is the only writer. Descriptors are not numbered:
a process holds an end of a fifo or not. Source: architecture "Three truths"; engine-1.13 §16.7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from sim.kernel import ends
from sim.kernel import events as e
from sim.kernel.addresses import split_address
from sim.kernel.ends import link, unlink
from sim.kernel.ids import OutOfIds, next_id
from sim.kernel.records import INIT, OUTSIDE, V1, Fifo, Image, Pid, Process, Rule, Value

SYSTEMD = Image("init", "systemd", ("/usr/lib/systemd/systemd", "--switched-root", "--system", "--deserialize", "22"))

SMALL_INIT = Image("init", "init", ("/sbin/init",))  # one that only reaps


class Host:
    """The kernel's tables. Queries read, `evolve` writes, everything in the tables is frozen."""

    __slots__ = (
        "bound", "cgroup", "children", "ends", "fifos", "files", "forks", "found", "grouped", "last_pid", "listeners",
        "members", "pid_max", "ports_of", "procs", "reserved", "rules", "uses", "zombies",
    )  # fmt: skip

    def __init__(self, pid_max: int = 32768, cgroup: str = V1, init: Image = SYSTEMD) -> None:
        first = Process(INIT, 0, INIT, INIT, 0, init)
        self.pid_max, self.cgroup = pid_max, cgroup  # the version of its control groups: v1 or v2
        self.last_pid: Pid = INIT
        self.forks = 0
        self.procs: dict[Pid, Process] = {INIT: first}
        self.uses: dict[Pid, int] = {INIT: 3}
        self.reserved: dict[Pid, None] = {}
        self.found: dict[Pid, None] = {}  # observed numbers of processes, until t = 0
        self.children: dict[Pid, dict[Pid, None]] = {}
        self.zombies: dict[Pid, dict[Pid, None]] = {}
        self.members: dict[Pid, dict[Pid, None]] = {}
        self.grouped: dict[str, dict[Pid, None]] = {}
        self.fifos: dict[str, Fifo] = {}
        self.ends: dict[Pid, dict[str, None]] = {}
        self.listeners: dict[str, Pid] = {}
        self.bound: dict[str, dict[str, None]] = {}
        self.ports_of: dict[Pid, dict[str, None]] = {}
        self.rules: dict[Rule, None] = {}
        self.files: dict[str, Value] = {}

    def copy(self) -> Host:
        """Return a host that can change without this one: tables are copied, records are shared."""
        twin = object.__new__(Host)
        twin.pid_max, twin.cgroup, twin.last_pid, twin.forks = self.pid_max, self.cgroup, self.last_pid, self.forks
        for name in ("procs", "uses", "reserved", "found", "fifos", "listeners", "rules", "files"):
            setattr(twin, name, getattr(self, name).copy())
        for name in ("children", "zombies", "members", "grouped", "ends", "ports_of", "bound"):
            setattr(twin, name, {key: inner.copy() for key, inner in getattr(self, name).items()})
        return twin

    # -- queries ------------------------------------------------------------------------------------------------

    def fresh_pid(self, caller: Pid, role: str) -> Pid:
        """Return the number that the next fork takes. Raises OutOfIds."""
        return next_id(self.last_pid, self.uses, self.pid_max)

    def fresh_threads(self, pid: Pid, count: int) -> tuple[Pid, ...]:
        """Return the numbers that *count* threads more take. Raises OutOfIds."""
        last, taken = self.last_pid, dict[Pid, None]()
        for _ in range(count):
            last = next_id(last, self.uses, self.pid_max)
            if last in taken:
                raise OutOfIds(f"fewer than {count} numbers below pid_max ({self.pid_max}) are free")
            taken[last] = None
        return tuple(taken)

    def reserve(self, numbers: Iterable[Pid]) -> None:
        """Keep *numbers* for forks that ask for them by number; only for building a first state."""
        for number in numbers:
            self.reserved[number] = None
            self._use(number, 1)

    def expect(self, numbers: Iterable[Pid]) -> None:
        """Keep *numbers* until t = 0 for processes that were observed; only for building a first state.

        A process may take one after another: what was observed is the last of those that bore it.
        """
        for number in numbers:
            self.found[number] = None
            self._use(number, 1)

    def alive(self, pid: Pid) -> bool:
        """Say whether *pid* is a process that still runs code."""
        process = self.procs.get(pid)
        return process is not None and process.state != "Z"

    def is_dying(self, pid: Pid) -> bool:
        """Say whether the first process of *pid*'s namespace is dead: a fork fails then (pid_namespaces(7), ENOMEM)."""
        space = self.procs[pid].ns
        return bool(space) and not self.alive(space)

    def exists(self, number: Pid) -> bool:
        """Say whether /proc/*number* exists: a process, a zombie or a thread (what kill(number, 0) finds, too)."""
        return self.owner_of(number) is not None

    def owner_of(self, number: Pid) -> Pid | None:
        """Return the process that bears *number* or has a thread that does."""
        if number in self.procs:
            return number
        return next((pid for pid, process in self.procs.items() if number in process.threads), None)

    def reaper_of(self, dead: Process) -> Pid:
        """Return who adopts the children of *dead*: the first process of its pid namespace is the last resort.

        The nearest living ancestor marked as subreaper comes first; the walk ends at that first process. It crosses the
        border of a namespace, so that an exec-shim gets the orphans of the process that it has put into one: so did
        kernels before 4.11. Source: prctl(2), pid_namespaces(7), kernel/exit.c find_new_reaper of 3.10; engine-1.13
        §3.3.
        """
        pid = dead.ppid if dead.pid != dead.ns else OUTSIDE
        while pid in self.procs and pid != dead.ns:
            ancestor = self.procs[pid]
            if ancestor.subreaper and ancestor.state != "Z":
                return pid
            pid = ancestor.ppid
        if dead.ns and dead.ns != dead.pid and self.alive(dead.ns):
            return dead.ns
        return INIT

    # -- index upkeep ---------------------------------------------------------------------------------------------

    def _use(self, number: Pid, by: int) -> None:
        count = self.uses.get(number, 0) + by
        if count > 0:
            self.uses[number] = count
        else:
            self.uses.pop(number, None)


def _free(host: Host, numbers: Iterable[Pid]) -> None:
    uses = host.uses
    for number in numbers:
        count = uses.pop(number)
        if count > 1:
            uses[number] = count - 1


def _forked(host: Host, event: e.Forked) -> None:
    pid, parent = event.pid, host.procs[event.ppid]
    host.forks += 1
    kept = (event.ppid, event.pgid, event.sid, host.forks, parent.image)
    host.procs[pid] = Process(pid, *kept, ns=event.ns, cgroup=event.cgroup, oom_score_adj=parent.oom_score_adj)
    for number in (pid, event.pgid, event.sid):
        host.uses[number] = host.uses.get(number, 0) + 1
    if pid in host.reserved:
        del host.reserved[pid]
        host._use(pid, -1)
        host.last_pid = max(host.last_pid, pid)
    elif pid not in host.found:
        host.last_pid = pid
    link(host.children, event.ppid, pid)
    if event.ns:
        link(host.members, event.ns, pid)
    if event.cgroup != "/":
        link(host.grouped, event.cgroup, pid)


def _set(field: str, value: Callable[[Any], Any]) -> Callable[[Host, Any], None]:
    """Return how a fact changes one field of a process, to what *value* takes from it."""

    def apply(host: Host, event: Any) -> None:
        host.procs[event.pid] = replace(host.procs[event.pid], **{field: value(event)})

    return apply


def _threads_started(host: Host, event: e.ThreadsStarted) -> None:
    process = host.procs[event.pid]
    for number in event.thread_pids:
        host._use(number, 1)
    host.last_pid = event.thread_pids[-1]
    host.procs[event.pid] = replace(process, threads=process.threads + event.thread_pids)


def _threads_ended(host: Host, event: e.ThreadsEnded) -> None:
    process = host.procs[event.pid]
    _free(host, event.thread_pids)
    host.procs[event.pid] = replace(process, threads=tuple(it for it in process.threads if it not in event.thread_pids))


def _session_set(host: Host, event: e.SessionSet) -> None:
    process = host.procs[event.pid]
    _regroup(host, process, event.pid, event.pid)


def _group_set(host: Host, event: e.GroupSet) -> None:
    process = host.procs[event.pid]
    _regroup(host, process, event.pgid, process.sid)


def _regroup(host: Host, process: Process, pgid: Pid, sid: Pid) -> None:
    for number, by in ((pgid, 1), (sid, 1), (process.pgid, -1), (process.sid, -1)):
        host._use(number, by)
    host.procs[process.pid] = replace(process, pgid=pgid, sid=sid)


def _cgroup_set(host: Host, event: e.CgroupSet) -> None:
    process = host.procs[event.pid]
    unlink(host.grouped, process.cgroup, event.pid)
    host.procs[event.pid] = replace(process, cgroup=event.cgroup)
    if event.cgroup != "/":
        link(host.grouped, event.cgroup, event.pid)


def _signalled(host: Host, event: e.Signalled) -> None:
    process = host.procs[event.pid]
    host.procs[event.pid] = replace(process, pending=process.pending | {event.signal})


def _signal_taken(host: Host, event: e.SignalTaken) -> None:
    process = host.procs[event.pid]
    state = {"stopped": "T", "continued": "S"}.get(event.outcome, process.state)
    host.procs[event.pid] = replace(process, pending=process.pending - {event.signal}, state=state)


def _frozen(host: Host, event: e.Frozen | e.Thawed) -> None:
    frozen, shown = isinstance(event, e.Frozen), "D" if host.cgroup == V1 else "S"
    host.procs[event.pid] = replace(host.procs[event.pid], state=shown if frozen else "S", frozen=frozen)


def _exited(host: Host, event: e.Exited) -> None:
    process = host.procs[event.pid]
    if process.threads:
        _free(host, process.threads)
    for path in host.ends.pop(event.pid, ()):
        ends.let_go(host, event.pid, path)
    for address in list(host.ports_of.get(event.pid, ())):
        _unlistened(host, e.Unlistened(address))
    gone: dict[str, Any] = {"threads": (), "pending": frozenset(), "pdeathsig": None, "subreaper": False}
    host.procs[event.pid] = replace(process, state="Z", status=event.status, main_ended=False, frozen=False, **gone)
    if process.ns != event.pid or len(host.members[event.pid]) == 1:
        link(host.zombies, process.ppid, event.pid)


def _reparented(host: Host, event: e.Reparented) -> None:
    process = host.procs[event.pid]
    unlink(host.children, process.ppid, event.pid)
    link(host.children, event.ppid, event.pid)
    if event.pid in host.zombies.get(process.ppid, ()):
        unlink(host.zombies, process.ppid, event.pid)
        link(host.zombies, event.ppid, event.pid)
    host.procs[event.pid] = replace(process, ppid=event.ppid)


def _waitable(host: Host, event: e.Waitable) -> None:
    link(host.zombies, host.procs[event.pid].ppid, event.pid)


def _reaped(host: Host, event: e.Reaped) -> None:
    process = host.procs.pop(event.pid)
    unlink(host.children, process.ppid, event.pid)
    unlink(host.zombies, process.ppid, event.pid)
    if process.ns:
        unlink(host.members, process.ns, event.pid)
    if process.cgroup != "/":
        unlink(host.grouped, process.cgroup, event.pid)
    _free(host, (event.pid, process.pgid, process.sid))


def _ids_skipped(host: Host, event: e.IdsSkipped) -> None:
    host.last_pid = event.last_pid


def _ids_released(host: Host, event: e.IdsReleased) -> None:
    for number in event.kept_pids:
        del (host.reserved if number in host.reserved else host.found)[number]
        host._use(number, -1)


def _found(host: Host, event: e.Found) -> None:
    process = host.procs[event.pid]
    _free(host, process.threads)
    for number in event.thread_pids:
        host._use(number, 1)
    if event.ppid != process.ppid:
        _reparented(host, e.Reparented(event.pid, event.ppid))
    _regroup(host, process, event.pgid, event.sid)
    fields = {"pgid": event.pgid, "sid": event.sid, "threads": event.thread_pids, "seen": event.seen}
    host.procs[event.pid] = replace(process, ppid=event.ppid, **fields)


def _execed(host: Host, event: e.Execed) -> None:
    process = host.procs[event.pid]
    seen = process.seen and replace(process.seen, comm="", args="")
    host.procs[event.pid] = replace(process, image=event.image, seen=seen)


def _listened(host: Host, event: e.Listened) -> None:
    host.listeners[event.address] = event.pid
    link(host.ports_of, event.pid, event.address)
    family, ip, port = split_address(event.address)
    link(host.bound, f"{family}:{port}", ip)


def _unlistened(host: Host, event: e.Unlistened) -> None:
    unlink(host.ports_of, host.listeners.pop(event.address), event.address)
    family, ip, port = split_address(event.address)
    unlink(host.bound, f"{family}:{port}", ip)


def _rule_added(host: Host, event: e.RuleAdded) -> None:
    host.rules[event.rule] = None


def _rule_removed(host: Host, event: e.RuleRemoved) -> None:
    del host.rules[event.rule]


def _rules_flushed(host: Host, event: e.RulesFlushed) -> None:
    for rule in [rule for rule in host.rules if rule.chain == event.chain]:
        del host.rules[rule]


def _file_written(host: Host, event: e.FileWritten) -> None:
    host.files[event.path] = event.value


def _file_removed(host: Host, event: e.FileRemoved) -> None:
    del host.files[event.path]


APPLY: dict[type, Callable[[Host, Any], None]] = {
    e.Forked: _forked,
    e.Execed: _execed,
    e.ThreadsStarted: _threads_started,
    e.ThreadsEnded: _threads_ended,
    e.MainThreadEnded: _set("main_ended", lambda event: True),
    e.SessionSet: _session_set,
    e.GroupSet: _group_set,
    e.DeathSignalSet: _set("pdeathsig", lambda event: event.signal),
    e.SubreaperSet: _set("subreaper", lambda event: True),
    e.OomScoreAdjSet: _set("oom_score_adj", lambda event: event.adj),
    e.CgroupSet: _cgroup_set,
    e.Signalled: _signalled,
    e.SignalTaken: _signal_taken,
    e.Frozen: _frozen,
    e.Thawed: _frozen,
    e.Exited: _exited,
    e.Reparented: _reparented,
    e.Waitable: _waitable,
    e.Reaped: _reaped,
    e.IdsSkipped: _ids_skipped,
    e.IdsReleased: _ids_released,
    e.Found: _found,
    **ends.APPLY,
    e.Listened: _listened,
    e.Unlistened: _unlistened,
    e.RuleAdded: _rule_added,
    e.RuleRemoved: _rule_removed,
    e.RulesFlushed: _rules_flushed,
    e.FileWritten: _file_written,
    e.FileRemoved: _file_removed,
}

"""What happens in a system call: each function decides and emits facts; nothing here writes.

`CallContext` is anything with the host and an `emit` that applies an event at once, so that later decisions of the same
call see earlier facts. Source: fork(2), execve(2), _exit(2), wait(2), kill(2), prctl(2), setsid(2), pid_namespaces(7),
engine-1.13 §1.2, §1.3, §16.7.
"""

from __future__ import annotations

from collections.abc import Collection

from sim.kernel import events as e
from sim.kernel.addresses import split_address
from sim.kernel.context import CallContext
from sim.kernel.freezer import holds_kill, is_frozen, leave
from sim.kernel.host import Host
from sim.kernel.ids import RESERVED_PIDS
from sim.kernel.records import INIT, OUTSIDE, Image, Pid, Process, Rule, Status, Value
from sim.kernel.signals import DISCARDED, DUMPING, NUMBERS, STOPPING, Signal

NEW_NS = -1  # for fork: the child is the first process of a new pid namespace


class SyscallError(Exception):
    """A call failed; the text begins with the errno's name, as `EADDRINUSE: 0.0.0.0:80`."""


# -- processes -------------------------------------------------------------------------------------


def fork(
    turn: CallContext,
    pid: Pid,
    *,
    parent: Pid | None = None,
    ns: Pid | None = None,
    number: Pid | None = None,
    role: str = "",
) -> Pid:
    """Make a copy of *pid* and return its number; *parent* is another one for CLONE_PARENT.

    *ns* NEW_NS makes the child first of a new pid namespace. *number* is one that was kept free for it (x-pids). *role*
    tells hosts that name processes what it will be. Raises OutOfIds.
    """
    host = turn.host
    caller = host.procs[pid]
    child = number if number is not None else host.fresh_pid(pid, role)
    space = caller.ns if ns is None else child if ns == NEW_NS else ns
    turn.emit(e.Forked(child, pid if parent is None else parent, caller.pgid, caller.sid, space, caller.cgroup))
    return child


def execve(turn: CallContext, pid: Pid, image: Image) -> None:
    """Put *image* into *pid*: handlers are the image's own, pending signals and the death signal stay."""
    turn.emit(e.Execed(pid, image))


def start_threads(turn: CallContext, pid: Pid, count: int) -> None:
    """Start *count* threads in *pid*: each takes a number of its own. Raises OutOfIds, and then starts none."""
    if count:
        turn.emit(e.ThreadsStarted(pid, turn.host.fresh_threads(pid, count)))


def end_threads(turn: CallContext, pid: Pid, count: int) -> None:
    """End so many threads of *pid* beside the main one, those that were started last; with the last of all it ends."""
    process = turn.host.procs[pid]
    ended = process.threads[max(len(process.threads) - count, 0) :]
    if process.main_ended and ended == process.threads:
        exit_process(turn, pid, 0)
    elif ended:
        turn.emit(e.ThreadsEnded(pid, ended))


def end_main_thread(turn: CallContext, pid: Pid) -> None:
    """End the main thread of *pid*, as pthread_exit(3) does: without another thread the process ends with 0."""
    if turn.host.procs[pid].threads:
        turn.emit(e.MainThreadEnded(pid))
    else:
        exit_process(turn, pid, 0)


def skip_ids(turn: CallContext, count: int) -> None:
    """Let *count* numbers be taken by tasks that begin and end meanwhile, which nothing else can tell from others."""
    last = turn.host.last_pid + count
    turn.emit(e.IdsSkipped(last if last < turn.host.pid_max else last - turn.host.pid_max + RESERVED_PIDS))


def exit_process(turn: CallContext, pid: Pid, status: Status) -> None:
    """End *pid*: children get another parent, those with a death signal get it, its namespace dies with its first.

    The first process of a pid namespace becomes waitable only when all other members are gone; a member whose parent
    it was is reaped by the kernel on its behalf (zap_pid_ns_processes).
    """
    host = turn.host
    dead = host.procs[pid]
    turn.emit(e.Exited(pid, status))
    if dead.frozen or dead.state == "T":
        leave(turn, dead.cgroup)
    if dead.ns == pid:
        for member in sorted(host.members[pid]):
            if member != pid and host.alive(member):
                kill(turn, member, "KILL", by=pid)
            elif host.procs[member].ppid == pid:
                wait4(turn, pid, member)
    _orphan_children(turn, pid)
    leader = host.procs.get(dead.ns) if dead.ns not in (OUTSIDE, pid) else None
    if leader is not None and leader.state == "Z" and dead.ppid == leader.pid:
        wait4(turn, leader.pid, pid)


def _orphan_children(turn: CallContext, pid: Pid) -> None:
    host = turn.host
    dead = host.procs[pid]
    ripe = list(host.zombies.get(pid, ()))  # those that can be reaped stay in the order in which they came
    for child in (*ripe, *(child for child in host.children.get(pid, ()) if child not in ripe)):
        signal = host.procs[child].pdeathsig
        if signal is not None and host.alive(child):
            kill(turn, child, signal, by=pid)
        if host.procs[child].ns == pid and child != pid:
            continue  # a member of the dying namespace: its first process reaps it
        turn.emit(e.Reparented(child, host.reaper_of(dead)))


def wait4(turn: CallContext, pid: Pid, child: Pid | None = None) -> tuple[Pid, Status] | None:
    """Reap *child*, or the zombie that came first, and return its number and status; None if there is none."""
    host = turn.host
    ripe = host.zombies.get(pid, {})
    if child is None:
        child = next(iter(ripe), None)
    if child is None or child not in ripe:
        return None
    dead = host.procs[child]
    turn.emit(e.Reaped(child, pid))
    leader = host.procs.get(dead.ns)
    if dead.ns != child and leader is not None and leader.state == "Z" and len(host.members[dead.ns]) == 1:
        turn.emit(e.Waitable(leader.pid))
    return child, dead.status


def setsid(turn: CallContext, pid: Pid) -> None:
    """Make *pid* the leader of a new session and group."""
    turn.emit(e.SessionSet(pid))


def setpgid(turn: CallContext, pid: Pid) -> None:
    """Make *pid* the leader of a group of its own within its session."""
    turn.emit(e.GroupSet(pid, pid))


# -- signals ---------------------------------------------------------------------------------------


def kill(turn: CallContext, pid: Pid, signal: Signal, by: Pid = OUTSIDE) -> bool:
    """Send *signal*; return False (ESRCH) if no such process exists. Signals are a set: two of a kind are one.

    A signal that stops discards a CONT that waits, and CONT those that stop (signal(7)).
    """
    process = turn.host.procs.get(pid)
    if process is None:
        return False
    if process.state == "Z" or signal in process.pending:
        return True
    undone = STOPPING if signal == "CONT" else {"CONT"} if signal in STOPPING else frozenset()
    for other in sorted(process.pending & undone):
        turn.emit(e.SignalTaken(pid, other, "dropped"))
    if process.state == "T" and signal == "CONT":
        turn.emit(e.Signalled(pid, signal, by))
        turn.emit(e.SignalTaken(pid, signal, "continued"))
        if signal in dict(process.image.handlers):
            turn.emit(e.Signalled(pid, signal, by))  # it goes on at once, and its handler runs besides (signal(7))
        if is_frozen(turn.host, process.cgroup):
            turn.emit(e.Frozen(pid))
        return True
    turn.emit(e.Signalled(pid, signal, by))
    return True


def deliverable(host: Host, pid: Pid) -> tuple[Signal, ...]:
    """Return the pending signals that *pid* would take now: KILL alone if it is among them; stopped, nothing else.

    With cgroup v1 a frozen process takes none, and a stopped one in a frozen group not even KILL (the freezer is looked
    at first). With v2 it takes what is fatal.
    """
    process = host.procs.get(pid)
    if process is None or not process.pending:
        return ()
    stopped = process.state == "T"
    if process.frozen or (stopped and is_frozen(host, process.cgroup)):
        if holds_kill(host):
            return ()
        taken = () if stopped else tuple(it for it in process.pending if is_fatal(process, it))
    else:
        taken = () if stopped else tuple(process.pending)
    return ("KILL",) if "KILL" in process.pending else tuple(sorted(taken, key=NUMBERS.__getitem__))


def is_fatal(process: Process, signal: Signal) -> bool:
    """Return whether a signal begins the end of a whole process as it is sent (kernel/signal.c complete_signal).

    It has its default action, which is to end without a dump. Nothing but KILL is fatal to the first process of a pid
    namespace (SIGNAL_UNKILLABLE).
    """
    caught = signal in dict(process.image.handlers) or signal in process.image.ignored
    ends = signal not in DISCARDED | DUMPING | STOPPING | {"CONT"}
    return signal == "KILL" or (ends and not caught and process.pid not in (INIT, process.ns))


def deliver(turn: CallContext, pid: Pid, signal: Signal) -> str | None:
    """Let *pid* take a pending signal: return the name of its handler, or None when the kernel has done the rest.

    A handler of no name does nothing that another process can see.

    The first process of a pid namespace drops what it has no handler for, except KILL and STOP from outside
    (pid_namespaces(7)); PID 1 of the host drops those, too (kill(2), Notes).
    """
    process = turn.host.procs[pid]
    handler = dict(process.image.handlers).get(signal)
    if signal not in ("KILL", "STOP") and handler is not None:
        turn.emit(e.SignalTaken(pid, signal, "handled"))
        return handler or None
    if signal not in ("KILL", "STOP") and (signal in process.image.ignored or signal in DISCARDED or signal == "CONT"):
        turn.emit(e.SignalTaken(pid, signal, "ignored"))
    elif pid == INIT or (signal not in ("KILL", "STOP") and process.ns == pid):
        turn.emit(e.SignalTaken(pid, signal, "dropped"))
    elif signal in STOPPING:
        turn.emit(e.SignalTaken(pid, signal, "stopped"))
    else:
        turn.emit(e.SignalTaken(pid, signal, "default"))
        exit_process(turn, pid, -NUMBERS[signal])
    return None


# -- sockets and rules -----------------------------------------------------------------------------


def conflicts(host: Host, address: str) -> bool:
    """Say whether bind(2) to *address* fails: it is taken, or a wildcard of the same port stands in the way.

    An address names its family first: `tcp:` and `udp:` are ports of the host, `net/tcp:` are ports in a container's
    own network namespace, `unix:` are sockets by path.
    """
    if address in host.listeners:
        return True
    if not address.startswith(("tcp:", "udp:")):
        return False
    family, ip, port = split_address(address)
    wildcard = "::" if ":" in ip else "0.0.0.0"
    ips = [it for it in host.bound.get(f"{family}:{port}", ()) if (":" in it) == (":" in ip)]
    return wildcard in ips or (ip == wildcard and bool(ips))


def listen(turn: CallContext, pid: Pid, address: str) -> None:
    """Accept connections at *address*; raises SyscallError EADDRINUSE."""
    if conflicts(turn.host, address):
        raise SyscallError(f"EADDRINUSE: {address}")
    turn.emit(e.Listened(address, pid))


def unlisten(turn: CallContext, address: str) -> None:
    """Stop accepting connections at *address*, if anybody did."""
    if address in turn.host.listeners:
        turn.emit(e.Unlistened(address))


def add_rule(turn: CallContext, rule: Rule) -> None:
    """Append a rule; one that stands already stays single (callers check before, as libnetwork does)."""
    if rule not in turn.host.rules:
        turn.emit(e.RuleAdded(rule))


def remove_rule(turn: CallContext, rule: Rule) -> None:
    """Delete a rule, if it stands."""
    if rule in turn.host.rules:
        turn.emit(e.RuleRemoved(rule))


# -- files and control groups ----------------------------------------------------------------------


def write_file(turn: CallContext, path: str, value: Value) -> None:
    """Write a file whole (write to a temporary one, then rename)."""
    turn.emit(e.FileWritten(path, value))


def remove_file(turn: CallContext, path: str) -> None:
    """Remove a file, if it is there."""
    if path in turn.host.files:
        turn.emit(e.FileRemoved(path))


def join_cgroup(turn: CallContext, pid: Pid, cgroup: str) -> None:
    """Move *pid* to a control group; one with a name and members is a scope or service of systemd."""
    turn.emit(e.CgroupSet(pid, cgroup))
    frozen, process = is_frozen(turn.host, cgroup), turn.host.procs[pid]
    if frozen and process.runs:
        turn.emit(e.Frozen(pid))
    elif process.frozen and not frozen:
        turn.emit(e.Thawed(pid))


def kill_cgroup(turn: CallContext, cgroup: str, signal: Signal, skip: Collection[Pid] = ()) -> None:
    """Send *signal* to each member of the group and of groups below it."""
    host, below = turn.host, cgroup + "/"
    groups = [cgroup]
    if not cgroup.endswith(".scope"):  # a scope holds processes alone (systemd.scope(5))
        groups += [group for group in host.grouped if group.startswith(below)]
    members = sorted((host.procs[pid].order, pid) for group in groups for pid in host.grouped.get(group, ()))
    for _, pid in members:
        if pid not in skip:
            kill(turn, pid, signal)

"""Random hosts: a sequence of system calls is drawn as numbers, and each number picks among what is there.

A call that Linux would refuse (CLONE_PARENT of a first process, a second nested namespace, the end of PID 1) does
nothing. A host has twenty numbers to give, so that the counter wraps and runs out. Source: the man page of each call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import strategies as st

from sim.kernel import events as e
from sim.kernel import fifos, freezer
from sim.kernel import syscalls as sc
from sim.kernel.host import APPLY, Host
from sim.kernel.ids import OutOfIds
from sim.kernel.records import INIT, Fifo, Image, Pid, Rule

Call = tuple[str, int, int, int]

SIGNALS = ("KILL", "TERM", "STOP", "CONT", "CHLD", "USR1", "PIPE", "INT", "TSTP")
IMAGES = (
    Image("plain", "plain", ("plain",)),
    Image("deaf", "deaf", ("deaf",), ignored=frozenset({"TERM", "INT", "PIPE"})),
    Image("polite", "polite", ("polite",), handlers=(("TERM", "close"), ("CHLD", "reap"))),
)
FIFOS = ("/run/a", "/run/b")
ADDRESSES = ("tcp:0.0.0.0:80", "tcp:10.0.0.1:80", "tcp:10.0.0.2:80", "udp:0.0.0.0:80", "net/tcp:172.17.0.2:80",
             "unix:/s")  # fmt: skip
FILES = ("/etc/a", "/etc/b")
RULES = tuple(Rule("nat/DOCKER", port, "tcp", "172.17.0.2", 80) for port in (80, 81))
CGROUPS = ("/", "/a", "/a/b")
CAPACITY = 8


class Bench:
    """A host and all that has happened to it: a `Turn` for system calls."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.events: list[Any] = []
        self.answer: Any = None

    def emit(self, event: Any) -> None:
        """Apply *event* and keep it."""
        APPLY[type(event)](self.host, event)
        self.events.append(event)

    def since(self, number: int) -> list[Any]:
        """Return the events after the first *number*."""
        return self.events[number:]


class Done:
    """One call that was made: the host before it and after it, its events, and what it returned or raised."""

    def __init__(self, call: Call, before: Host, after: Host, events: list[Any], answer: Any) -> None:
        self.call, self.before, self.after, self.events, self.answer = call, before, after, events, answer

    def of(self, kind: type) -> list[Any]:
        """Return the events of one type."""
        return [event for event in self.events if type(event) is kind]


# -- calls ------------------------------------------------------------------------------------------


def living(host: Host) -> list[Pid]:
    """Return the processes that run code, smallest number first."""
    return sorted(pid for pid in host.procs if host.alive(pid))


def pick(items: Iterable[Any], number: int) -> Any:
    """Return the item that *number* falls on."""
    items = list(items)
    return items[number % len(items)]


def _fork(bench: Bench, a: int, b: int, c: int) -> Any:
    pid = pick(living(bench.host), a)
    process = bench.host.procs[pid]
    if process.ns and not bench.host.alive(process.ns):
        return None  # ENOMEM in a namespace that ends
    if freezer.is_frozen(bench.host, process.cgroup):
        return None  # it runs no code
    first = pid in (INIT, process.ns)
    parent = process.ppid if b % 4 == 1 and not first else None
    ns = sc.NEW_NS if c % 4 == 1 and not process.ns else None
    return sc.fork(bench, pid, parent=parent, ns=ns)


def _exec(bench: Bench, a: int, b: int, c: int) -> Any:
    pid = pick(living(bench.host), a)
    return sc.execve(bench, pid, pick(IMAGES, b)) if pid != INIT else None


def _threads(bench: Bench, a: int, b: int, c: int) -> Any:
    return sc.start_threads(bench, pick(living(bench.host), a), b % 4)


def _setsid(bench: Bench, a: int, b: int, c: int) -> Any:
    pid = pick(living(bench.host), a)
    return sc.setsid(bench, pid) if bench.host.procs[pid].pgid != pid else None  # a leader gets EPERM


def _setpgid(bench: Bench, a: int, b: int, c: int) -> Any:
    return sc.setpgid(bench, pick(living(bench.host), a))


def _death_signal(bench: Bench, a: int, b: int, c: int) -> Any:
    return bench.emit(e.DeathSignalSet(pick(living(bench.host), a), pick(SIGNALS, b)))


def _subreaper(bench: Bench, a: int, b: int, c: int) -> Any:
    return bench.emit(e.SubreaperSet(pick(living(bench.host), a)))


def _kill(bench: Bench, a: int, b: int, c: int) -> Any:
    return sc.kill(bench, pick(sorted(bench.host.procs), a), pick(SIGNALS, b))


def _deliver(bench: Bench, a: int, b: int, c: int) -> Any:
    pid = pick(sorted(bench.host.procs), a)
    signals = sc.deliverable(bench.host, pid)
    return sc.deliver(bench, pid, pick(signals, b)) if signals else None


def _exit(bench: Bench, a: int, b: int, c: int) -> Any:
    pid = pick(living(bench.host), a)
    return sc.exit_process(bench, pid, b % 3) if pid != INIT else None


def _wait(bench: Bench, a: int, b: int, c: int) -> Any:
    pid = pick(living(bench.host), a)
    child = pick(sorted(bench.host.procs), b) if c % 2 else None
    return sc.wait4(bench, pid, child)


def _mkfifo(bench: Bench, a: int, b: int, c: int) -> Any:
    return fifos.mkfifo(bench, pick(FIFOS, a), CAPACITY)


def _open(bench: Bench, a: int, b: int, c: int) -> Any:
    return fifos.open_fifo(bench, pick(living(bench.host), a), pick(FIFOS, b), pick(("r", "w", "rw"), c))


def _close(bench: Bench, a: int, b: int, c: int) -> Any:
    return fifos.close_fifo(bench, pick(living(bench.host), a), pick(FIFOS, b))


def _write(bench: Bench, a: int, b: int, c: int) -> Any:
    path = pick(FIFOS, b)
    pids = [pid for pid in living(bench.host) if pid in bench.host.fifos.get(path, Fifo(path)).writers]
    return fifos.write_fifo(bench, pick(pids, a), path, c % (CAPACITY + 4)) if pids else None


def _read(bench: Bench, a: int, b: int, c: int) -> Any:
    path = pick(FIFOS, b)
    pids = [pid for pid in living(bench.host) if pid in bench.host.fifos.get(path, Fifo(path)).readers]
    return fifos.read_fifo(bench, pick(pids, a), path, c % (CAPACITY + 4)) if pids else None


def _unlink(bench: Bench, a: int, b: int, c: int) -> Any:
    return fifos.unlink_fifo(bench, pick(FIFOS, a), used=bool(b % 2))


def _listen(bench: Bench, a: int, b: int, c: int) -> Any:
    return sc.listen(bench, pick(living(bench.host), a), pick(ADDRESSES, b))


def _unlisten(bench: Bench, a: int, b: int, c: int) -> Any:
    return sc.unlisten(bench, pick(ADDRESSES, a))


def _rule(bench: Bench, a: int, b: int, c: int) -> Any:
    return (sc.remove_rule if b % 3 == 2 else sc.add_rule)(bench, pick(RULES, a))


def _file(bench: Bench, a: int, b: int, c: int) -> Any:
    path = pick(FILES, a)
    return sc.remove_file(bench, path) if b % 3 == 2 else sc.write_file(bench, path, b)


def _cgroup(bench: Bench, a: int, b: int, c: int) -> Any:
    return sc.join_cgroup(bench, pick(living(bench.host), a), pick(CGROUPS, b))


def _kill_cgroup(bench: Bench, a: int, b: int, c: int) -> Any:
    return sc.kill_cgroup(bench, pick(CGROUPS[1:], a), pick(SIGNALS, b))


def _freeze(bench: Bench, a: int, b: int, c: int) -> Any:
    return freezer.freeze(bench, pick(CGROUPS[1:], a))


def _thaw(bench: Bench, a: int, b: int, c: int) -> Any:
    return freezer.thaw(bench, pick(CGROUPS[1:], a))


CALLS: dict[str, Callable[[Bench, int, int, int], Any]] = {
    "fork": _fork, "exec": _exec, "threads": _threads, "setsid": _setsid, "setpgid": _setpgid,
    "death_signal": _death_signal, "subreaper": _subreaper, "kill": _kill, "deliver": _deliver, "exit": _exit,
    "wait": _wait, "mkfifo": _mkfifo, "open": _open, "close": _close, "write": _write, "read": _read,
    "unlink": _unlink, "listen": _listen, "unlisten": _unlisten, "rule": _rule, "file": _file, "cgroup": _cgroup,
    "kill_cgroup": _kill_cgroup, "freeze": _freeze, "thaw": _thaw,
}  # fmt: skip

FAMILY = ("fork", "fork", "fork", "exec", "threads", "setsid", "setpgid", "death_signal", "subreaper", "kill",
          "deliver", "exit", "wait")  # fmt: skip
PIPES = ("fork", "mkfifo", "open", "open", "open", "close", "close", "write", "write", "read", "read", "unlink", "exit",
         "wait", "kill", "deliver")  # fmt: skip
PORTS = ("fork", "listen", "listen", "unlisten", "rule", "file", "exit", "kill", "deliver", "wait")

NUMBER = st.integers(0, 11)


def calls(words: Iterable[str] = tuple(CALLS), max_size: int = 40) -> st.SearchStrategy[list[Call]]:
    """Return sequences of system calls of these kinds, long ones as often as short ones (lists alone are short)."""
    call = st.tuples(st.sampled_from(list(words)), NUMBER, NUMBER, NUMBER)
    return st.integers(0, max_size).flatmap(lambda size: st.lists(call, min_size=size, max_size=size))


def small_host(pid_max: int = 320, cgroup: str = "v1") -> Host:
    """Return a host whose counter is about to wrap: numbers from 300 to *pid_max* - 1 are left."""
    host = Host(pid_max, cgroup)
    APPLY[e.IdsSkipped](host, e.IdsSkipped(max(299, pid_max - 4)))
    return host


def piped_host() -> Host:
    """Return a small host on which both fifos are made, and two processes run."""
    bench = Bench(small_host())
    for path in FIFOS:
        fifos.mkfifo(bench, path, CAPACITY)
        sc.fork(bench, INIT)
    return bench.host


def make(bench: Bench, call: Call) -> Done:
    """Make one call; an error of the call is its answer."""
    word, *numbers = call
    before, mark = bench.host.copy(), len(bench.events)
    try:
        answer = CALLS[word](bench, *numbers)
    except (sc.SyscallError, OutOfIds) as error:
        answer = error
    return Done(call, before, bench.host.copy(), bench.since(mark), answer)


def history(sequence: list[Call], host: Host | None = None) -> list[Done]:
    """Make the calls of a sequence, one after the other, on a small host."""
    bench = Bench(small_host() if host is None else host)
    return [make(bench, call) for call in sequence]


def settle(bench: Bench, limit: int = 500) -> None:
    """Let every signal be taken and every parent reap, until nothing is left to do."""
    for _ in range(limit):
        host = bench.host
        signals = [(pid, signal) for pid in host.procs for signal in sc.deliverable(host, pid)]
        parents = [pid for pid in host.zombies if host.alive(pid)]
        if signals:
            sc.deliver(bench, *signals[0])
        elif parents:
            sc.wait4(bench, parents[0])
        else:
            return
    raise AssertionError(f"signals and zombies are left after {limit} steps")


# -- what the records say ---------------------------------------------------------------------------


def plain(host: Host) -> dict[str, Any]:
    """Return everything in a host as plain data that can be compared, order included."""
    tables = {}
    for name in Host.__slots__:
        value = getattr(host, name)
        if isinstance(value, dict):
            value = [(key, list(inner) if isinstance(inner, dict) else inner) for key, inner in value.items()]
        tables[name] = value
    return tables

"""The kernel's objects as frozen records: a process and what it runs, a fifo, a packet-filter rule.

A thread is a number in its process's *threads*: threads are not scheduled apart. Uids, terminals and nice values are
left out, since the engine's processes all run as root without a terminal. Source: proc(5), fifo(7), clone(2).
"""

from __future__ import annotations

import msgspec

from sim.kernel.signals import Signal

Pid = int
Status = int  # of an exit: 0..255 is a code, -N is death by signal number N (as Python's subprocess says it)
Value = object  # anything a file or a memory cell may hold: frozen records, text, numbers, tuples of them

INIT: Pid = 1
NO_POWER: Status = -30  # a process that went with the power: nobody sees a status; the number is SIGPWR's
OUTSIDE: Pid = 0  # people at other machines: no process of this host
V1, V2 = "v1", "v2"  # of control groups: a hierarchy for each controller, or a single one for all


def code_of(status: Status) -> int:
    """Return the exit code that stands for a status: 128 + the signal for a death by one.

    >>> code_of(3), code_of(-9)
    (3, 137)
    """
    return status if status >= 0 else 128 - status


class Image(msgspec.Struct, frozen=True, gc=False):
    """What execve(2) put into a process: the program, its words, and what it does with signals.

    *handlers* pairs a signal with the name of the procedure that handles it, "" for one that goes on as before.
    *container* names the container that the process serves or is, "" for none.
    """

    program: str
    comm: str
    argv: tuple[str, ...]
    container: str = ""
    handlers: tuple[tuple[Signal, str], ...] = ()
    ignored: frozenset[Signal] = frozenset()


class Seen(msgspec.Struct, frozen=True, gc=False):
    """What was observed of a process and no rule of the model gives: its terminal, its words, when it began.

    *stat* is the column of ps, *started* a unix time in seconds, None if it was not said. *comm* and *args* are what
    ps shows until the process executes something else, "" for those of its image. *cpu_s* is the time of the processor
    that it had used, in seconds. Source: proc(5), ps(1).
    """

    tty: str = ""
    tpgid: Pid = -1
    stat: str = ""
    started: int | None = None
    comm: str = ""
    args: str = ""
    uid: int = 0
    cpu_s: int = 0


class Process(msgspec.Struct, frozen=True, gc=False):
    """A process as /proc shows it. *order* counts forks, so that it sorts by start; *ns* is its pid namespace.

    *ns* is the host pid of the namespace's first process, 0 for the host's own namespace. *state* is S, T (stopped),
    D or Z; one that is *frozen* with its control group is D with cgroup v1, and S with v2. *status* is set once it is a
    zombie. *main_ended* says that its main thread has ended, while others go on. *seen* is what was observed of it.
    """

    pid: Pid
    ppid: Pid
    pgid: Pid
    sid: Pid
    order: int
    image: Image
    threads: tuple[Pid, ...] = ()
    state: str = "S"
    status: Status = 0
    ns: Pid = 0
    cgroup: str = "/"
    pdeathsig: Signal | None = None
    subreaper: bool = False
    pending: frozenset[Signal] = frozenset()
    oom_score_adj: int = 0
    frozen: bool = False
    main_ended: bool = False
    seen: Seen | None = None

    @property
    def runs(self) -> bool:
        """Return whether it executes code: it is neither stopped nor frozen nor dead."""
        return self.state == "S" and not self.frozen

    @property
    def alive(self) -> bool:
        """Say whether it still runs code: a zombie does not."""
        return self.state != "Z"

    @property
    def shown_state(self) -> str:
        """Return the state that ps shows, which is that of the main thread."""
        return "Z" if self.main_ended else self.state


class Fifo(msgspec.Struct, frozen=True, gc=False):
    """A named or anonymous pipe: how many bytes wait in it, and which processes hold its ends."""

    path: str
    capacity: int = 65_536
    level: int = 0
    readers: frozenset[Pid] = frozenset()
    writers: frozenset[Pid] = frozenset()

    @property
    def nameless(self) -> bool:
        """Say whether it is an anonymous pipe, or has lost its name while somebody held it open (proc(5), fd/)."""
        return self.path.startswith("pipe:") or " (deleted)" in self.path


class Rule(msgspec.Struct, frozen=True, gc=False):
    """A rule that forwards *port* of the host's address *ip* (0.0.0.0: any) to *to_port* of *address*.

    *chain* is `nat/DOCKER` and the like.
    """

    chain: str
    port: int
    proto: str
    address: str
    to_port: int
    ip: str = "0.0.0.0"

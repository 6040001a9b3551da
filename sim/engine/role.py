"""What a program is to its host: what kind of process, whose child, how it is named, ordered and weighed.

One record stands beside each program, and every question about roles outside is answered by it: which processes hold a
container, which may stall, what a scenario may name. A design may say otherwise of a program that it shares with
another (`Program.with_role`): containerd is dockerd's guest or a unit of systemd. Source: each program's own header.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum, auto

import msgspec

from sim.kernel.records import Status

Bytes = int
MB: Bytes = 1_000_000
KIB: Bytes = 1_024  # the kB of /proc
HOST, CONTAINER, STEP = "host", "container", "step"  # how a scenario names a role: ROLE, ROLE/NAME, ROLE/STEP
SUPERVISOR = "supervisor"  # a word for whoever holds a container, whatever the design
LAST = 1_000  # the place of roles that no list of processes ranks


class Kind(StrEnum):
    """What kind of process a program is.

    >>> Kind.HOLDER in LASTING, Kind.ERRAND in LASTING
    (True, False)
    """

    INIT = auto()  # process 1
    DAEMON = auto()  # the main process of a unit of systemd
    GUEST = auto()  # a daemon that another daemon keeps as its child
    HOLDER = auto()  # holds the container's first process, waits for it and keeps its exit status: shim, conmon
    FORWARDER = auto()  # carries the connections of one published port: docker-proxy
    PAYLOAD = auto()  # the first process of a container
    SANDBOX = auto()  # the first process of a pod, which holds its namespaces
    MEMBER = auto()  # another process of a container's program
    EXECED = auto()  # a command that runs in a container beside its program
    ERRAND = auto()  # does one thing for an engine and ends: runc, iptables
    STRANGER = auto()  # a process of somebody else's on the host
    CLIENT = auto()  # people, who are no process of the host


LASTING = frozenset({Kind.INIT, Kind.DAEMON, Kind.GUEST, Kind.HOLDER, Kind.FORWARDER})


def unless_zero(status: Status) -> bool:
    """Return whether a status is none of success: a program whose status is its own.

    >>> unless_zero(0), unless_zero(2), unless_zero(-9)
    (False, True, True)
    """
    return status != 0


class Rss(msgspec.Struct, frozen=True):
    """The resident memory of one process of a program, published or measured; *source* says by whom.

    *size* is what it holds while no container runs, *grown* what it holds while so many do, rising. *shared* is what
    all processes of the program have in common, the pages of their file: a sum of RSS counts it for each of them, a sum
    of PSS once. None: nobody has measured it.
    """

    size: Bytes
    source: str
    grown: tuple[tuple[int, Bytes], ...] = ()
    shared: Bytes | None = None

    def at(self, running: int) -> Bytes:
        """Return the size while so many containers run: straight lines between the known ones, the last goes on.

        >>> [Rss(80, "", grown=((10, 90), (50, 110))).at(running) for running in (0, 5, 10, 30, 70)]
        [80, 85, 90, 100, 120]
        """
        points = ((0, self.size), *self.grown)
        if len(points) == 1:
            return self.size
        place = next((n for n, (count, _) in enumerate(points) if count >= running), len(points) - 1)
        (low, small), (high, large) = points[max(place - 1, 0)], points[max(place, 1)]
        return small + round((large - small) * (running - low) / (high - low))


class Stage(msgspec.Struct, frozen=True):
    """A stage of a program that runs itself anew on its way into a container, under a *comm* of its own.

    A scenario names its processes by *name* or by the comm, as it does those of a role. *programs* are whose processes
    go through it: the last stage is already the process that becomes the container's program.
    """

    name: str
    comm: str
    programs: tuple[str, ...]


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """What a program is to its host.

    *home* is the role whose child it lives as while nothing has gone wrong: `init` for what systemd starts and for what
    daemonizes on purpose. "" is an errand's, or a child's of a container, which is at home wherever it was started, but
    never under PID 1. *order* is
    its place among siblings in trees and lists. *target* says how a scenario names it: by its name (`host`), as
    `ROLE/NAME` (`container`), by the step that made it (`step`), or not at all (""). *brief* ones end when their errand
    is done. *stalls_as* is what a report calls it among those that the fault `stall` may befall, such as "daemon"; ""
    if none stalls it. *slows* says that a step may slow it down, *verbs* that it may do so for one verb. *words* is the
    field of `Words` that has its command line. *noun* is what a legend calls it, "" for its name: those of one noun and
    one kind are drawn alike. *failed* returns whether an exit status tells that it failed itself. *tries* are the verbs
    of which it may find nothing to do and fail, `*` for all of them. *stages* are those in which it starts a container.
    """

    kind: Kind
    order: int = LAST
    home: str = ""
    target: str = ""
    brief: bool = False
    stalls_as: str = ""
    slows: bool = False
    verbs: tuple[str, ...] = ()
    words: str = ""
    plural: str = ""
    rss: Rss | None = None
    noun: str = ""
    failed: Callable[[Status], bool] = unless_zero
    tries: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()

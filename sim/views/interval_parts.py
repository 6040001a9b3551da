"""What a run's intervals are made of: the states of containers and daemons, and records of what was when.

Leaves out how they come from a trace (`sim.views.replaying`) and what is measured on them (`sim.views.intervals`).
Source: engine-1.13 §1.1, §6, §16.10.
"""

from __future__ import annotations

from itertools import product

import msgspec

from sim.engine.setup import Command, Microseconds, Service
from sim.kernel.signals import Signal
from sim.views.names import Names
from sim.views.spells import Spell

# states of a container
ABSENT, STARTING, UNREADY, RUNNING, STOPPING, DEAD = "absent", "starting", "unready", "running", "stopping", "dead"
# states of a daemon
DOWN, BOOTING, UP, LEAVING, FROZEN = "down", "booting", "up", "leaving", "frozen"
# who looks after a process that runs
KEPT, ORPHANED, REATTACHED, NOBODY = "kept", "orphaned", "reattached", "nobody"
ATTACHED, UNATTACHED = "attached", "unattached"  # of holders that live under PID 1
ALONE, UNHELD = "alone", "unheld"  # of engines without a daemon that knows the holders
OWN, ADOPTED = "own", "adopted"  # of an engine that is the parent of its containers itself

Window = tuple[Microseconds, Microseconds]
Gap = tuple[Microseconds, Microseconds, bool]  # from, to, and whether it was over at *to*
PortKey = tuple[str, int, str]  # container, port of the host, class of client
EVERYONE = ("remote", "loopback")
IN_TABLES = (*EVERYONE, "remote6", "loopback6")  # classes of clients of which tables have rows


class Interval(msgspec.Struct, frozen=True):
    """From *start* up to *end* (µs from t = 0) something was in *state*; *pid* is the process meant, 0 for none.

    *held* says who looks after a container that has a process: `kept` if its holder is a child of the daemon that
    starts holders; `reattached` if the holder has lost that parent and is PID 1's, but the daemons that live know it;
    `orphaned` if they do not (yet); `nobody` if there is no holder. Where holders live under PID 1 it is `attached`, or
    `unattached` if no living daemon knows the holder. Where no daemon keeps them it is `alone`, or `unheld` if there is
    none; where the engine itself is the parent, `own` or `adopted`. *parent* says the same
    with the name of the program that is meant, if one is: of the daemon whose child the holder is, of PID 1, of the
    holder.
    """

    start: Microseconds
    end: Microseconds
    state: str
    parent: str = ""
    pid: int = 0
    held: str = ""


class Lane(msgspec.Struct, frozen=True):
    """One container or daemon: its intervals follow each other without a hole, from the run's begin to its end."""

    name: str
    intervals: tuple[Interval, ...]

    def at(self, moment: Microseconds) -> Interval:
        """Return the interval that a moment lies in; one at a border lies in the later one."""
        found = self.intervals[0]
        for interval in self.intervals:
            if interval.start > moment:
                break
            found = interval
        return found


class Life(msgspec.Struct, frozen=True):
    """One process of a container, from its execve: *told* says when it got which stop signal, *code* is a shell's.

    *ready* and *end* are None if that did not come.
    """

    container: str
    pid: int
    start: Microseconds
    ready: Microseconds | None = None
    told: tuple[tuple[Microseconds, Signal], ...] = ()
    end: Microseconds | None = None
    code: int | None = None


class Death(msgspec.Struct, frozen=True):
    """The engine said `die` of a container, with this code."""

    at: Microseconds
    container: str
    code: int


class Start(msgspec.Struct, frozen=True):
    """The engine began to start a container at *begun*, and its program ran from *done* on."""

    container: str
    begun: Microseconds
    done: Microseconds


class PortTrack(msgspec.Struct, frozen=True):
    """A published port as a class of clients sees it: the times in which it was open.

    *spare*: it is one of a range out of which the engine never chose it, and chose another.
    """

    container: str
    port: int
    proto: str
    client: str
    opened: tuple[Window, ...]
    spare: bool = False


def port_tracks(
    services: tuple[Service, ...],
    clients: tuple[str, ...],
    opened: dict[tuple[tuple[int, str], str], tuple[Window, ...]],
) -> tuple[PortTrack, ...]:
    """Return the tracks of every published port, from the times in which each port of the host was *opened*."""
    found = []
    for service in services:
        for port in service.on_host:
            singles = port.singles()
            for single, client in product(singles, clients):
                windows = opened[(single.host, single.proto), client]
                chosen = [it for it in singles if opened[(it.host, it.proto), client]] or singles[:1]
                track = (service.name, single.host, single.proto, client, windows, single not in chosen)
                found.append(PortTrack(*track))
    return tuple(found)


class Mark(msgspec.Struct, frozen=True):
    """A step of the scenario began."""

    at: Microseconds
    id: str
    text: str
    command: Command


class Connection(msgspec.Struct, frozen=True):
    """The engine reached the daemon that starts its holders, at its so-many-th attempt."""

    at: Microseconds
    attempt: int


class Intervals(msgspec.Struct, frozen=True):
    """All of a run. Times are µs from t = 0; what came before is negative.

    *engine* is the lane of the engine's daemon, *second* that of the daemon beside it, without a name if there is none.
    *flushes* is when the engine's NAT chains were emptied, *proxies_left* when a forwarder ended together with its
    engine. *names* is what the programs are called.
    """

    begin: Microseconds
    end: Microseconds
    boots: bool
    containers: tuple[Lane, ...]
    engine: Lane
    second: Lane
    connections: tuple[Connection, ...] = ()
    ports: tuple[PortTrack, ...] = ()
    marks: tuple[Mark, ...] = ()
    lives: tuple[Life, ...] = ()
    deaths: tuple[Death, ...] = ()
    flushes: tuple[Microseconds, ...] = ()
    proxies_left: tuple[Microseconds, ...] = ()
    spells: tuple[Spell, ...] = ()
    starts: tuple[Start, ...] = ()
    names: Names = Names()

    @property
    def dockerd(self) -> Lane:
        """Return `engine` under the name that it had when docker was the only engine."""
        return self.engine

    @property
    def containerd(self) -> Lane:
        """Return `second` under the name that it had when docker was the only engine."""
        return self.second

    @property
    def daemons(self) -> tuple[Lane, ...]:
        """Return the lanes of the daemons that the engine has."""
        return tuple(lane for lane in (self.engine, self.second) if lane.name)

    def lane(self, container: str) -> Lane:
        """Return the lane of a container; raise KeyError if there is none."""
        for lane in self.containers:
            if lane.name == container:
                return lane
        raise KeyError(container)

"""What differs between two moments: processes that are gone, new, replaced or have another parent; states; ports.

A process is the same on both sides if number and program are, and, on one host, its start. What is gone and what is
new are one replacement if both are the same role of the same container; where a side knows no roles, the same command
line. Containers and ports are compared where both sides are runs. Leaves out memory and times. Source: none; the
project's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from sim.engines.host.reach import reachable
from sim.views.interval_parts import EVERYONE
from sim.views.story import Story
from sim.views.table import ProcessRow, Table
from sim.views.why_words import state_of

ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b")
Port = tuple[int, str, str]  # host port, protocol, class of clients


class Moment(msgspec.Struct, frozen=True):
    """One side: *name* is what it was asked for as; of a run also what its engine says, and which ports are open."""

    name: str
    rows: tuple[ProcessRow, ...]
    has_roles: bool = False
    containers: dict[str, str] | None = None
    ports: dict[Port, bool] | None = None
    origin: str = ""  # the run or the host that the moment is of: on one host a start tells processes apart


class Process(msgspec.Struct, frozen=True):
    """A process of one side, as a difference tells it; *name* is its role and container, or its command."""

    pid: int
    ppid: int
    name: str
    parent: str


class Change(msgspec.Struct, frozen=True):
    """Something that is otherwise: of *what*, before and after."""

    what: str
    before: str
    after: str


class Pair(msgspec.Struct, frozen=True):
    """A process on both sides: the same one, or one and its successor."""

    before: Process
    after: Process


class Difference(msgspec.Struct, frozen=True):
    """All that differs. *replaced* are pairs with other numbers, *reparented* pairs of one process with other parents.

    *states* are changes of processes that are on both sides: stopped, zombie, other threads or groups.
    """

    one: str
    other: str
    gone: tuple[Process, ...] = ()
    new: tuple[Process, ...] = ()
    replaced: tuple[Pair, ...] = ()
    reparented: tuple[Pair, ...] = ()
    states: tuple[Change, ...] = ()
    containers: tuple[Change, ...] = ()
    ports: tuple[Change, ...] = ()

    @property
    def empty(self) -> bool:
        """Return whether nothing differs."""
        found = (self.gone, self.new, self.replaced, self.reparented, self.states, self.containers, self.ports)
        return not any(found)


def of_story(story: Story, name: str, origin: str) -> Moment:
    """Return the moment at which a story stands."""
    world, services = story.world, story.trace.setup.services
    return Moment(
        name,
        story.table().procs,
        has_roles=True,
        containers={it.name: state_words(story, it.name) for it in services},
        ports={
            (port.host, port.proto, client): reachable(world, port.host, client, port.proto)
            for it in services
            for port in it.published
            for client in EVERYONE
        },
        origin=origin,
    )


def state_words(story: Story, container: str) -> str:
    """Return what the engine says of a container, without process numbers, with its health."""
    words = state_of(story.believed(container)).partition(" (pid")[0]
    health = story.health(container)
    return words if health is None else f"{words}, {health[0]}"


def of_table(table: Table, name: str) -> Moment:
    """Return the moment of a table; it may know roles."""
    return Moment(name, table.procs, has_roles=any(row.role for row in table.procs), origin=name)


def difference(one: Moment, other: Moment) -> Difference:
    """Return what differs between two moments."""
    roles = one.has_roles and other.has_roles
    before, after = _Side(one, roles=roles), _Side(other, roles=roles)
    same = [pid for pid in before.rows if pid in after.rows and _is_same(before, after, pid)]
    gone = [pid for pid in before.rows if pid not in set(same)]
    new = [pid for pid in after.rows if pid not in set(same)]
    replaced = _replaced(before, after, gone, new)
    pairs = [(pid, pid) for pid in same]
    moved = [pid for pid in same if _has_moved(before, after, pid, replaced)]
    return Difference(
        one.name,
        other.name,
        gone=tuple(before.process(pid) for pid in gone if pid not in replaced),
        new=tuple(after.process(pid) for pid in new if pid not in replaced.values()),
        replaced=tuple(Pair(before.process(a), after.process(b)) for a, b in replaced.items()),
        reparented=tuple(Pair(before.process(pid), after.process(pid)) for pid in moved),
        states=tuple(change for a, b in (*pairs, *replaced.items()) for change in _states(before, after, a, b)),
        containers=_changed(one.containers, other.containers),
        ports=_ports(one.ports, other.ports),
    )


class _Side:
    """One side, by number, and what its processes are called."""

    def __init__(self, moment: Moment, *, roles: bool) -> None:
        self.moment, self.roles = moment, roles
        self.rows = {row.pid: row for row in sorted(moment.rows, key=lambda row: row.pid)}

    def label(self, pid: int) -> str:
        """Return what a process is: role and container, else its command line."""
        row = self.rows.get(pid)
        if row is None:
            return ""
        if self.roles and row.role:
            return f"{row.role}/{row.container}" if row.container else row.role
        return " ".join(row.args) or row.comm

    def kind(self, pid: int) -> str:
        """Return what its successor has in common with a process: all but the addresses of a command line."""
        return self.label(pid) if self.roles else ADDRESS.sub("IP", self.label(pid))

    def name(self, pid: int) -> str:
        """Return a process with its number; of a command line its first word."""
        label = self.label(pid)
        short = label if self.roles else label.split(" ", 1)[0].rpartition("/")[2]
        return f"{short} {pid}".strip()

    def process(self, pid: int) -> Process:
        """Return a process of this side."""
        row, label = self.rows[pid], self.label(pid)
        first, blank, rest = label.partition(" ")
        name = label if self.roles else first.rpartition("/")[2] + blank + rest
        return Process(pid, row.ppid, name, self.name(row.ppid))


def _is_same(one: _Side, other: _Side, pid: int) -> bool:
    before, after = one.rows[pid], other.rows[pid]
    if one.label(pid) != other.label(pid):
        return False
    known = "start_ticks" not in (*before.unknown, *after.unknown)
    on_one_host = one.moment.origin == other.moment.origin
    return before.start_ticks == after.start_ticks or not (known and on_one_host)


def _replaced(one: _Side, other: _Side, gone: Sequence[int], new: Iterable[int]) -> dict[int, int]:
    """Return by number which process has taken the place of which: of several of one name the first of the first."""
    free: dict[str, list[int]] = {}
    for pid in new:
        free.setdefault(other.kind(pid), []).append(pid)
    found = {}
    for pid in gone:
        successors = free.get(one.kind(pid))
        if successors:
            found[pid] = successors.pop(0)
    return found


def _has_moved(one: _Side, other: _Side, pid: int, replaced: dict[int, int]) -> bool:
    """Return whether a process has another parent, which is not its old one's successor."""
    before, after = one.rows[pid].ppid, other.rows[pid].ppid
    return before != after and replaced.get(before) != after


def _states(one: _Side, other: _Side, a: int, b: int) -> Iterable[Change]:
    before, after = one.rows[a], other.rows[b]
    name = other.name(b)
    if before.state != after.state and {before.state, after.state} & set("TtZ"):
        yield Change(f"{name} state", before.state, after.state)
    known = "threads" not in (*before.unknown, *after.unknown)
    if known and a == b and before.extra_threads != after.extra_threads:
        yield Change(f"{name} threads", str(before.extra_threads + 1), str(after.extra_threads + 1))
    if a == b and (before.pgid, before.sid) != (after.pgid, after.sid):
        yield Change(f"{name} group, session", f"{before.pgid}, {before.sid}", f"{after.pgid}, {after.sid}")


def _changed(before: dict[str, str] | None, after: dict[str, str] | None) -> tuple[Change, ...]:
    if before is None or after is None:
        return ()
    names = dict.fromkeys((*before, *after))
    pairs = ((name, before.get(name, "absent"), after.get(name, "absent")) for name in names)
    return tuple(Change(*pair) for pair in pairs if pair[1] != pair[2])


def _ports(before: dict[Port, bool] | None, after: dict[Port, bool] | None) -> tuple[Change, ...]:
    words = {True: "open", False: "closed", None: "not published"}
    if before is None or after is None:
        return ()
    ports = dict.fromkeys((*before, *after))
    return tuple(
        Change(f"{port}/{proto} from {client}", words[before.get(key)], words[after.get(key)])
        for key in ports
        if before.get(key) != after.get(key)
        for port, proto, client in [key]
    )

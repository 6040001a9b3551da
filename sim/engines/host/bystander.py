"""The table of processes that was observed at t = 0: who is somebody else's, and what the model cannot know of others.

Until t = 0 the processes of the engine and of containers have their observed numbers (`sim.engine.observed`) and
whatever else the model gives them. At t = 0 each is as its row says: parent, group, session, terminal, number of
threads, start. All other rows are processes of somebody else's, which reap their children and end by any signal that
ends a process by default; below a container's process they are in its pid namespace and control group, below its holder
they were exec'd in it. A row of an engine's process that the model does not have then is left out, and so is what
descends from it: nobody would wait for it as a real engine does. Numbers of threads are not observed: they are taken to
be those after the process's own that are free. Leaves out what their programs do, and handlers of theirs.
Source: the project's scenario language (`host.processes`); ps(1), proc(5), setns(2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sim.engine.goroutine import start_frame
from sim.engine.ops import Do, Goto, Label
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.engine.setup import Observed
from sim.engines.host.subreaper import hand_on
from sim.engines.host.systemd.stop import ReapOf
from sim.kernel import events as e
from sim.kernel import syscalls
from sim.kernel.ids import RESERVED_PIDS
from sim.kernel.records import INIT, Image, Pid, Process, Seen
from sim.world import Turn, World

NAME = "bystander"
NAMED = re.compile(r"\[\S+\](?: <defunct>)?")
ADOPTABLE = (Kind.MEMBER, Kind.EXECED, Kind.PAYLOAD)  # rows that stand for themselves where the model has no process


def settle(turn: Turn) -> None:
    """Let every process be as it was observed, where the host's table was; the counter goes on after the last number.

    With `next_pid` it goes on there.
    """
    host = turn.world.setup.host
    if not host.processes:
        return
    rows = {row.pid: row for row in host.processes}
    zombies = {row.ppid for row in rows.values() if row.stat.startswith("Z")}
    made = [row for row in _parents_first(rows) if _begin(turn, row)]
    threads, foreground = _Threads(turn.world, rows), _foreground(rows.values())
    for pid in sorted(pid for pid in rows if pid in turn.host.procs):
        turn.emit(_found(turn.world, rows[pid], threads, foreground.get((rows[pid].tty, rows[pid].sid), -1)))
    turn.emit(e.IdsReleased(tuple(turn.host.found)))
    turn.emit(e.IdsSkipped((host.next_pid or max(rows) + 1) - 1))
    for row in rows.values():
        if row.stat.startswith("T") and row.pid in turn.host.procs:
            syscalls.kill(turn, row.pid, "STOP")
            syscalls.deliver(turn, row.pid, "STOP")
    for row in made:
        if row.stat.startswith("Z"):
            turn.emit(e.Exited(row.pid, 0))
        elif row.pid not in zombies:  # who leaves a zombie where it is does not reap
            start_frame(turn, row.pid, f"{NAME}.main", "", {})


def missing(world: World) -> tuple[Observed, ...]:
    """Return the rows that the model has no process for: of a world at t = 0."""
    return tuple(row for row in world.setup.host.processes if row.pid not in world.host.procs)


def besides(world: World) -> tuple[Process, ...]:
    """Return the processes that no row tells of: of a world at t = 0; none where no table was observed."""
    known = {row.pid for row in world.setup.host.processes}
    return tuple(it for it in world.host.procs.values() if known and it.pid not in known and it.pid != INIT)


# -- processes of somebody else -----------------------------------------------------------------------


def _parents_first(rows: dict[Pid, Observed]) -> Iterator[Observed]:
    """Yield every row after that of its parent; those of a circle not at all."""
    below: dict[Pid, list[Observed]] = {}
    for row in rows.values():
        parent = row.ppid if row.ppid in rows else None
        below.setdefault(INIT if parent is None else parent, []).append(row)
    waiting = [it for it in reversed(below.get(INIT, ())) if it.pid != INIT]
    while waiting:
        row = waiting.pop()
        yield row
        waiting += reversed(below.get(row.pid, ()))


def _begin(turn: Turn, row: Observed) -> bool:
    """Begin a process of somebody else's below its parent; return whether there is one now."""
    world, host = turn.world, turn.host
    parent = _parent_of(world, row)
    if row.pid in host.procs or parent is None or not _stands_alone(world, row):
        return False
    into = _entered(world, parent)
    own = parent.pid == INIT or into is not parent  # whoever starts these gives them a session of their own
    group, session = (row.pid, row.pid) if own else (parent.pgid, parent.sid)
    turn.emit(e.Forked(row.pid, parent.pid, group, session, into.ns, into.cgroup))
    turn.emit(e.Execed(row.pid, Image(NAME, _comm(row), _argv(row), parent.image.container)))
    return True


def _parent_of(world: World, row: Observed) -> Process | None:
    """Return the parent of a row, PID 1 for one that the kernel started; None if the model has no such process."""
    rows = {INIT, 0, None}
    return world.host.procs.get(INIT if row.ppid in rows else row.ppid or INIT)


def _stands_alone(world: World, row: Observed) -> bool:
    """Return whether a row without a process of the model may be one of somebody else's."""
    if row.target is None:
        return True
    return any(world.design.roles[it].kind in ADOPTABLE for it in world.design.meant_by(row.target.role)) and (
        _parent_of(world, row) is not world.host.procs[INIT]
    )


def _entered(world: World, parent: Process) -> Process:
    """Return whose namespace and control group a child has: of a container's holder those of the container."""
    role = world.design.roles.get(parent.image.program)
    if role is None or role.kind is not Kind.HOLDER:
        return parent
    inside = (
        it
        for it in world.host.procs.values()
        if it.alive and it.image.container == parent.image.container and _is_first(world, it)
    )
    return next(inside, parent)


def _is_first(world: World, process: Process) -> bool:
    role = world.design.roles.get(process.image.program)
    return role is not None and role.kind is Kind.PAYLOAD


def _comm(row: Observed) -> str:
    """Return the short name: as it was observed, else that of the file, or what stands in brackets.

    >>> _comm(Observed(2, "[kthreadd]")), _comm(Observed(9, "/usr/sbin/sshd -D")), _comm(Observed(9, "-bash"))
    ('kthreadd', 'sshd', 'bash')
    """
    if row.comm:
        return row.comm
    if is_name(row.args):
        return row.args[1:].partition("]")[0][:15]
    first = row.args.split(" ")[0].removeprefix("-").rstrip(":")
    return first.rpartition("/")[2][:15] or first[:15]


def _argv(row: Observed) -> tuple[str, ...]:
    """Return the words of a command line; none where ps shows a name in brackets."""
    return () if is_name(row.args) or not row.args else tuple(row.args.split(" "))


def is_name(args: str) -> bool:
    """Return whether ps shows a short name in brackets, since the kernel has no command line of the process.

    >>> is_name("[kthreadd]"), is_name("[date] <defunct>"), is_name("[ -f x ]")
    (True, True, False)
    """
    return NAMED.fullmatch(args) is not None


# -- what is known of every process -----------------------------------------------------------------


class _Threads:
    """Numbers for threads, of which only the count was observed."""

    def __init__(self, world: World, rows: Iterable[Pid]) -> None:
        self.pid_max = world.host.pid_max
        self.taken = {*world.host.uses, *rows}

    def of(self, process: Process, count: int | None) -> tuple[Pid, ...]:
        """Return the numbers of so many threads, with the main one; those that it has if nobody counted them."""
        if count is None:
            return process.threads
        self.taken.difference_update(process.threads)
        found, number = list[Pid](), process.pid
        while len(found) < count - 1:
            number = number + 1 if number + 1 < self.pid_max else RESERVED_PIDS
            if number not in self.taken:
                self.taken.add(number)
                found.append(number)
        return tuple(found)


def _found(world: World, row: Observed, threads: _Threads, foreground: Pid) -> e.Found:
    process = world.host.procs[row.pid]
    seen = Seen(row.tty.removeprefix("?"), foreground, row.stat, row.started, row.comm, row.args, row.uid, row.cpu_s)
    ppid = row.ppid if _may_be_below(world, process, row.ppid) else process.ppid
    pgid, sid = (own if said is None else said for own, said in ((process.pgid, row.pgid), (process.sid, row.sid)))
    return e.Found(row.pid, ppid or 0, pgid, sid, threads.of(process, row.threads), seen)


def _may_be_below(world: World, process: Process, parent: Pid | None) -> bool:
    """Return whether a process may have the parent that was observed.

    One that PID 1 starts may have been started by anybody, and members of a container by one another. Whoever waits for
    any other process in the model has forked it: while that lives, the kernel gives it no other parent.
    """
    if parent == 0 or process.image.program == NAME:
        return parent == 0 or parent in world.host.procs
    role = world.design.roles[process.image.program]
    above = world.host.procs.get(INIT if parent is None else parent)
    if parent is None or above is None:
        return False
    within = role.kind is Kind.MEMBER and above.image.container == process.image.container
    return process.ppid == INIT or within


def _foreground(rows: Iterable[Observed]) -> dict[tuple[str, Pid | None], Pid]:
    """Return by terminal and session the foreground group, whose members ps marks by a `+`."""
    marked = (row for row in rows if "+" in row.stat and row.tty not in ("", "?") and row.pgid is not None)
    return {(row.tty, row.sid): row.pgid or -1 for row in marked}


PROGRAM = Program(
    NAME,
    (procedure(f"{NAME}.main", Label("next"), ReapOf(), Do(hand_on), Goto("next")),),
    role=Role(kind=Kind.STRANGER, home="init"),
)

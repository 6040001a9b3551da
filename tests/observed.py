"""Hosts whose table of processes was observed: drawn from the model's own tree, numbered and timed otherwise.

`observe` takes the first tree of a setup and makes of it what another host of the same kind might show: any numbers in
any order, daemons younger than containers, other thread counts and words, processes of somebody else's. What it returns
is the table as ps has it, and the rows of `host.processes` that say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from msgspec.structs import replace

from sim.designs import DESIGNS
from sim.drive.timed import run
from sim.engine.role import CONTAINER, HOST
from sim.engine.setup import Instant, Observed, Setup, Target
from sim.engines.host.client import targets_of
from sim.facts import OPENED
from sim.kernel.host import Host
from sim.trace import Trace
from sim.views.story import Story
from sim.views.table import ProcessRow, Table
from sim.world import World

WORDS = ("-bash", "sshd: root@pts/1", "python3 -m http.server 8000", "nc -ll  -p 8125 -e cat", "[kworker/0:1]", "sh")


def first_story(setup: Setup, seed: int = 1) -> Story:
    """Return what a run's views say at t = 0."""
    trace = run(replace(setup, terminals=(), until=Instant(offset=1)), seed)
    return at_opening(trace)


def at_opening(trace: Trace) -> Story:
    """Return the story at t = 0, before anything that begins there."""
    story = Story(trace)
    while not story.world.marks.get(OPENED) and story.step() is not None:
        pass
    return story


def target_of(world: World, row: ProcessRow) -> Target | None:
    """Return how a row says which process of the model it is; None for one that no file names."""
    roles = world.design.roles
    role = roles.get(row.role or "")
    if role is None or role.target not in (HOST, CONTAINER):
        return None
    found = next(targets_of(world, world.host.procs[row.pid].image), None)
    if found is None:
        return None
    name, _, rest = found.partition("/")
    container, _, port = rest.partition(":")
    return Target(name, container, int(port) if port else None)


def observe(setup: Setup, random: Random, seed: int = 1) -> tuple[Table, tuple[Observed, ...]]:
    """Return a table that a host of this setup might show, and its rows."""
    story = first_story(setup, seed)
    table, host = story.table(), story.world.host
    number = _numbers(table, host, random)
    rows = [_renamed(row, number, table, random) for row in table.procs]
    targets = {number[row.pid]: target_of(story.world, row) for row in table.procs}
    rows += _others(rows, random, host.pid_max)
    table = Table(replace(table.meta, btime=min(table.meta.now - 900, table.meta.btime)), tuple(rows))
    rows = [replace(row, start_ticks=100 * random.randrange(900)) for row in rows]
    table = replace(table, procs=tuple(sorted(rows, key=lambda row: row.pid)))
    return table, tuple(_observed(row, targets.get(row.pid), table) for row in table.procs)


def _numbers(table: Table, host: Host, random: Random) -> dict[int, int]:
    """Return another number for each that a process, a group or a session bears; 1 and 0 stay."""
    known = sorted({it for row in table.procs for it in (row.pid, row.pgid, row.sid)} - {0, 1})
    return {0: 0, 1: 1} | dict(zip(known, random.sample(range(2, host.pid_max), len(known)), strict=True))


def _renamed(row: ProcessRow, number: dict[int, int], table: Table, random: Random) -> ProcessRow:
    ids = {"pid": number[row.pid], "ppid": number[row.ppid], "pgid": number[row.pgid], "sid": number[row.sid]}
    row = replace(row, **ids, threads=random.choice((row.extra_threads, random.randrange(40))))
    if not random.randrange(4):
        row = replace(row, args=(*row.args, f"--number={random.randrange(9)}"))
    if row.pid == 1 and random.randrange(2):
        row = replace(row, pgid=0, sid=0, comm="tini", args=("/sbin/tini",))
    return row


def _others(rows: Sequence[ProcessRow], random: Random, pid_max: int) -> list[ProcessRow]:
    """Return processes of somebody else's, below anything but a process of a container's program that is a child."""
    found: list[ProcessRow] = []
    taken = {it for row in rows for it in (row.pid, row.pgid, row.sid)}
    for _ in range(random.randrange(5)):
        pid = random.choice([it for it in range(2, pid_max) if it not in taken])
        taken.add(pid)
        parent = random.choice([*rows, *found])
        words = tuple(random.choice(WORDS).split(" "))
        leads = bool(random.randrange(2))
        tty = f"pts/{random.randrange(3)}" if leads and random.randrange(2) else None
        state = "Z" if parent.pid == 1 and not random.randrange(4) else random.choice("SSRDT")
        kernel = words[0].startswith("[") or state == "Z"
        found.append(
            ProcessRow(
                pid=pid,
                ppid=parent.pid,
                pgid=pid if leads else parent.pgid,
                sid=pid if leads else parent.sid,
                comm=words[0].strip("[]") if kernel else words[0].strip("-:").rpartition("/")[2],
                args=() if kernel else words,
                threads=0 if state == "Z" else random.randrange(3),
                state=state,
                tty=tty,
                tpgid=pid if tty else -1,
            )
        )
    return found


def _observed(row: ProcessRow, target: Target | None, table: Table) -> Observed:
    args = " ".join(row.args) or f"[{row.comm}]{' <defunct>' if row.state == 'Z' else ''}"
    return Observed(
        row.pid,
        args,
        row.ppid,
        row.pgid,
        row.sid,
        row.tty or "?",
        stat_of(row),
        1 + row.extra_threads,
        table.meta.btime + row.start_ticks // 100,
        row.comm,
        target,
    )


def stat_of(row: ProcessRow) -> str:
    """Return the column STAT."""
    flags = ("s" if row.sid == row.pid else "") + ("l" if row.extra_threads else "")
    return row.state + flags + ("+" if row.pgid == row.tpgid else "")


def shown(table: Table) -> dict[int, tuple[object, ...]]:
    """Return by number what ps shows of each process but cpu time, memory and user."""
    return {
        row.pid: (
            (row.ppid, row.pgid, row.sid, row.tty, row.tpgid, row.state, row.extra_threads),
            table.meta.btime + row.start_ticks // 100,
            row.comm15,
            " ".join(row.args),
        )
        for row in table.procs
    }


def designs() -> list[str]:
    """Return every design."""
    return list(DESIGNS)

"""What `host.processes` says: the table of processes at t = 0, each row with the columns of ps.

Models: the checks that concern several rows: numbers once each, parents that stand in the table, no circle, no more
tasks than there are numbers; and which process of the engine a row is, in the words of targets. Leaves out whether
the model will have that process. Source: the project's scenario language; proc(5), pid_max.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from pydantic import Field

from sim.designs import DESIGNS
from sim.engine.setup import HostSetup, Observed, Service, Target
from sim.scenario import units
from sim.scenario.check import Report
from sim.scenario.fields import Pid, Text, kind, whole
from sim.scenario.instants import Names, parse_target
from sim.scenario.schema_program import Strict
from sim.scenario.text import Node, Path
from sim.scenario.words import Refusal, listed, shown

PLACE: Path = ("host", "processes")
MOST = 4_194_304  # the largest pid_max (proc(5))
MOST_TASKS = 500_000  # of a table: some 100 bytes are kept of each
IN_TABLE = "Give its row, or write ppid: 1."

ParentPid = Annotated[int, *kind(whole(0, MOST - 1, "a process id"), type="integer", minimum=0)]
Tasks = Annotated[int, *kind(whole(1, MOST - 1, "a number of threads"), type="integer", minimum=1)]


TIME = re.compile(
    r"(?:(?P<days>[0-9]{1,5})-)?(?:(?P<hours>[0-9]{1,2}):)?(?P<minutes>[0-9]{1,7}):(?P<seconds>[0-9]{2})\Z"
)


def cpu_time(value: object) -> int:
    """Take TIME of ps in seconds: `0:01`, `00:00:01`, `1-02:03:04`. Raises Refusal.

    >>> cpu_time("0:01"), cpu_time("00:02:03"), cpu_time("1-00:00:05")
    (1, 123, 86405)
    """
    match = TIME.match(value) if isinstance(value, str) else None
    if match is None:
        raise Refusal(f"{shown(value)} is not a time of the processor.", "Write it as ps does: 0:01 or 00:00:01.")
    days, hours, minutes, seconds = (int(match[name] or 0) for name in ("days", "hours", "minutes", "seconds"))
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


class ProcessFile(Strict):
    """A process as it was found: a row of ps."""

    pid: Pid
    ppid: ParentPid | None = None
    pgid: ParentPid | None = None
    sid: ParentPid | None = None
    tty: Text = ""
    stat: Text = ""
    threads: Tasks | None = Field(None, description="with the main one: NLWP of ps")
    started: Annotated[Any, *kind(units.wall_clock, type="string", examples=["2026-12-01T14:12:00Z"])] = None
    comm: Text = ""
    uid: Annotated[int, *kind(whole(0, 2**32 - 2, "a user's number"), type="integer", minimum=0)] = 0
    time: Annotated[int, *kind(cpu_time, type="string", examples=["0:01"])] = 0
    args: Text
    is_: Text = Field(
        "", alias="is", description="which process of the engine it is, as kill: names it: dockerd, shim/web"
    )


def read_processes(
    root: Node, rows: Sequence[ProcessFile], host: HostSetup, services: Iterable[Service], names: Names, report: Report
) -> tuple[Observed, ...]:
    """Return the table; note what is wrong with it."""
    if not rows:
        return ()
    pinned = next((service.name for service in services if service.pins.numbers()), None)
    if pinned is not None:
        what = f"has the numbers of all processes, and x-pids of {pinned} has some, too."
        report.refuse(root, PLACE, Refusal(what, "Leave x-pids out."))
    if host.begin == "boot":
        what = "is the table of a host that runs, and with begin: boot t = 0 is the power button."
        report.refuse(root, PLACE, Refusal(what, "Write begin: steady."))
    for place, below, refusal in (*_wrong_numbers(rows, host.pid_max), *_wrong_parents(rows)):
        report.refuse(root, (*PLACE, place, below), refusal)
    tasks = sum(row.threads or 1 for row in rows)
    if tasks >= host.pid_max:
        what = f"these are {tasks} tasks, and pid_max {host.pid_max} leaves numbers for fewer."
        report.refuse(root, PLACE, Refusal(what, "Write pid_max: as /proc/sys/kernel/pid_max says."))
    elif tasks > MOST_TASKS:
        what = f"these are {tasks} tasks, and a host has {MOST_TASKS} here at most, each with a number of its own."
        report.refuse(root, PLACE, Refusal(what, "Leave threads: out where it counts most."))
    return tuple(_observed(root, place, row, names, report) for place, row in enumerate(rows))


Wrong = list[tuple[int, str, Refusal]]  # place of the row, its key, what is wrong


def _wrong_numbers(rows: Sequence[ProcessFile], pid_max: int) -> Wrong:
    """Return numbers that stand twice or cannot be."""
    found: Wrong = []
    places: dict[int, int] = {}
    for place, row in enumerate(rows):
        first = places.setdefault(row.pid, place)
        if first != place:
            what = f"{row.pid} is processes[{first}], too: {shown(rows[first].args)}."
            found.append((place, "pid", Refusal(what, "A number belongs to one process.")))
        if row.pid >= pid_max:
            hint = "Write pid_max: as /proc/sys/kernel/pid_max says."
            found.append((place, "pid", Refusal(f"{row.pid} is not below pid_max {pid_max}.", hint)))
    return found


def _wrong_parents(rows: Sequence[ProcessFile]) -> Wrong:
    """Return parents that are not there, and one row of each circle."""
    parents = {row.pid: row.ppid for row in rows}
    places = {row.pid: place for place, row in enumerate(rows)}
    found: Wrong = []
    for place, row in enumerate(rows):
        if row.ppid not in (None, 0, 1) and row.ppid not in parents:
            found.append((place, "ppid", Refusal(f"there is no process {row.ppid} in the table.", IN_TABLE)))
    safe: set[int | None] = {None, 0}
    for pid in parents:
        line: dict[int, None] = {}
        at: int | None = pid
        while at is not None and at not in safe and at in parents and at not in line:
            line[at] = None
            at = parents[at]
        if at in line:
            circle = list(line)[list(line).index(at) :]
            more = f" and {len(circle) - 8} more" if len(circle) > 8 else ""
            what = f"{listed(map(str, circle[:8]))}{more}: each descends from itself."
            found.append((places[circle[0]], "ppid", Refusal(what, "The line of parents ends at 1 or 0.")))
        safe.update(line)
    return found


def _observed(root: Node, place: int, row: ProcessFile, names: Names, report: Report) -> Observed:
    started = None if row.started is None else row.started.micros // 1_000_000
    seen = (row.tty, row.stat, row.threads, started, row.comm)
    try:
        target = _target(row, names)
    except Refusal as refusal:
        report.refuse(root, (*PLACE, place, "is"), refusal)
        target = None
    return Observed(row.pid, row.args, row.ppid, row.pgid, row.sid, *seen, target, row.uid, row.time)


def _target(row: ProcessFile, names: Names) -> Target | None:
    """Return which process of the engine a row is. Raises Refusal."""
    if not row.is_:
        return None
    target, design = parse_target(row.is_, names), DESIGNS[names.design]
    if target.container == "*":
        raise Refusal(f"{shown(row.is_)} are many processes.", "Write whose it is, such as shim/web.")
    if not any(program in design.programs for program in design.meant_by(target.role)):
        valid = listed(name for name, role in design.roles.items() if role.target)
        raise Refusal(f"{design.name} has no {target.role}.", f"It has {valid}. Leave is: out for any other process.")
    return target


def process_plain(row: Observed, tz_minutes: int) -> dict[str, Any]:
    """Return a row as a file writes it.

    >>> process_plain(Observed(172, "-bash", 1, tty="pts/2"), 0)
    {'pid': 172, 'ppid': 1, 'tty': 'pts/2', 'args': '-bash'}
    """
    started = None if row.started is None else units.format_clock(row.started, tz_minutes)
    keys: dict[str, Any] = {
        "pid": row.pid,
        "ppid": row.ppid,
        "pgid": row.pgid,
        "sid": row.sid,
        "tty": row.tty or None,
        "stat": row.stat or None,
        "threads": row.threads,
        "started": started,
        "uid": row.uid or None,
        "time": f"{row.cpu_s // 60}:{row.cpu_s % 60:02}" if row.cpu_s else None,
        "comm": row.comm or None,
        "args": row.args,
        "is": None if row.target is None else str(row.target),
    }
    return {key: value for key, value in keys.items() if value is not None}

"""Hold the processes of one host at one moment, as `ps` and `pstree` see them.

Models: what /proc tells about a process (numbers, names, arguments, state, times) and about the host (boot time,
clock tick, pid_max), plus notes of our own, `role`, `container` and `orphan`, which no real tool shows. Leaves out:
names that threads give themselves, separate real and effective ids, environment and open files, since none of the
rendered views prints them.
Source: proc(5), man-pages 6.03.
"""

import json
from pathlib import Path
from typing import Any

import msgspec

from sim.errors import InputError, Problem
from sim.views.table_check import check_document

COMM_BYTES = 15  # the kernel's TASK_COMM_LEN, 16, less the NUL


class Meta(msgspec.Struct, frozen=True):
    """Describe the host and the moment: unix seconds, ticks in a second, KiB; `tz` has a fixed offset (zone.py).

    >>> Meta(btime=1606182000, now=1607910000).hertz
    100
    """

    btime: int
    now: int
    hertz: int = 100
    pid_max: int = 32768
    tz: str = "UTC"
    locale: str = "C.UTF-8"
    users: tuple[tuple[int, str], ...] = ((0, "root"),)
    mem_total_kib: int = 8388608
    notes: tuple[str, ...] = ()


class ProcessRow(msgspec.Struct, frozen=True):
    """Describe one process: times in clock ticks, vsize in bytes, rss in pages of 4 KiB, lock_kb in KiB.

    `threads` are the extra ones, without the main thread: their tids, or only how many.  `tty` is `pts/N`, `ttyN` or
    None.  An `orphan` has lost the parent that it was made for and is PID 1's now.  `derived` and `unknown` name fields
    that the row's source does not state.

    >>> ProcessRow(pid=625, ppid=1, pgid=625, sid=625, comm="docker-containerd-shim-current").comm15
    'docker-containe'
    """

    pid: int
    ppid: int
    pgid: int
    sid: int
    comm: str
    args: tuple[str, ...] = ()
    threads: tuple[int, ...] | int = 0
    state: str = "S"
    start_ticks: int = 0
    uid: int = 0
    tty: str | None = None
    tpgid: int = -1
    nice: int = 0
    utime: int = 0
    stime: int = 0
    vsize: int = 0
    rss: int = 0
    lock_kb: int = 0
    role: str | None = None
    container: str | None = None
    orphan: bool = False
    derived: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def comm15(self) -> str:
        """Give the name as the kernel keeps it: 15 bytes, a letter cut in two left as stray bytes."""
        return self.comm.encode("utf-8", "surrogateescape")[:COMM_BYTES].decode("utf-8", "surrogateescape")

    @property
    def extra_threads(self) -> int:
        """Count the threads without the main one."""
        return self.threads if isinstance(self.threads, int) else len(self.threads)


class Table(msgspec.Struct, frozen=True):
    """Hold the rows of one moment, in any order; a view sorts for itself.

    >>> table = Table(Meta(btime=0, now=60), (ProcessRow(pid=1, ppid=0, pgid=1, sid=1, comm="init"),))
    >>> parse_table(to_json(table), "t.json") == table
    True
    """

    meta: Meta
    procs: tuple[ProcessRow, ...]

    def by_pid(self) -> list[ProcessRow]:
        """List the rows as /proc lists them: pid ascending."""
        return sorted(self.procs, key=lambda row: row.pid)

    def children(self) -> dict[int, list[ProcessRow]]:
        """Map each ppid to its rows, pid ascending."""
        found: dict[int, list[ProcessRow]] = {}
        for row in self.by_pid():
            found.setdefault(row.ppid, []).append(row)
        return found


def load_table(path: str | Path) -> Table:
    """Read a table from a JSON file; raise InputError with every problem of it."""
    name = str(path)
    try:
        text = Path(path).read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError([Problem(name, f"the file cannot be read: {error.strerror}", "Check the path.")]) from error
    except UnicodeDecodeError as error:
        raise InputError([Problem(name, f"byte {error.start} is not UTF-8", "Save the file as UTF-8.")]) from error
    return parse_table(text, name)


def parse_table(text: str, name: str) -> Table:
    """Read a table from JSON; *name* stands for the file in what InputError says.

    >>> parse_table('{"meta": {"btime": 0, "now": 1}, "procs": [{"pid": 0}', "t.json")
    Traceback (most recent call last):
    sim.errors.InputError: t.json:1:54: the JSON is broken: Expecting ',' delimiter. Mend it there or just before.
    """
    document = _decode(text, name)
    problems = check_document(document, name)
    if problems:
        raise InputError(problems)
    return Table(_meta(document["meta"]), tuple(_row(proc) for proc in document["procs"]))


def to_json(table: Table) -> str:
    """Write a table as JSON that parse_table reads back to the same value; keys with their default are left out."""
    default = Meta(btime=0, now=0)
    meta = {"btime": table.meta.btime, "now": table.meta.now} | _changed(table.meta, default)
    if "users" in meta:
        meta["users"] = {str(uid): user for uid, user in table.meta.users}
    document = {"schema_version": 1, "meta": meta, "procs": [_plain(row) for row in table.procs]}
    return json.dumps(document, indent=1) + "\n"


def thread_ids(table: Table) -> dict[int, tuple[int, ...]]:
    """Give every process its tids; where only a count is known, the next numbers after its pid that nobody uses.

    >>> init = ProcessRow(pid=1, ppid=0, pgid=1, sid=1, comm="init", threads=2)
    >>> thread_ids(Table(Meta(0, 1), (init, ProcessRow(pid=3, ppid=1, pgid=3, sid=3, comm="sh"))))
    {1: (2, 4), 3: ()}
    """
    used = {row.pid for row in table.procs}
    for row in table.procs:
        used.update(row.threads if isinstance(row.threads, tuple) else ())
    found = {}
    for row in table.by_pid():
        found[row.pid] = row.threads if isinstance(row.threads, tuple) else _next_free(row.pid, row.threads, used)
    return found


def _next_free(pid: int, count: int, used: set[int]) -> tuple[int, ...]:
    tids: list[int] = []
    tid = pid
    while len(tids) < count:
        tid += 1
        if tid not in used:
            used.add(tid)
            tids.append(tid)
    return tuple(tids)


def _decode(text: str, name: str) -> Any:
    """Decode JSON, telling the place of a mistake as file:line:column."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{name}:{error.lineno}:{error.colno}"
        hint = "Mend it there or just before." if text.strip() else "The file is empty; a table is an object."
        raise InputError([Problem(where, f"the JSON is broken: {error.msg}", hint)]) from error
    except (RecursionError, ValueError) as error:
        raise InputError(
            [
                Problem(
                    f"{name}:1:1",
                    "the JSON nests too deep or holds a number too long",
                    "A table is an object with a list of flat objects.",
                )
            ]
        ) from error


def _given(record: dict[str, Any]) -> dict[str, Any]:
    """Drop what is null, so that the default stands, and freeze lists."""
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in record.items() if value is not None
    }


def _meta(record: dict[str, Any]) -> Meta:
    given = _given(record)
    if "users" in given:
        given["users"] = tuple((int(uid), user) for uid, user in given["users"].items())
    return Meta(**given)


def _row(record: dict[str, Any]) -> ProcessRow:
    return ProcessRow(**_given(record))


def _changed(record: msgspec.Struct, default: msgspec.Struct) -> dict[str, Any]:
    return {
        key: getattr(record, key) for key in record.__struct_fields__ if getattr(record, key) != getattr(default, key)
    }


_ALWAYS = ("pid", "ppid", "pgid", "sid", "comm", "args", "state", "start_ticks", "uid")


def _plain(row: ProcessRow) -> dict[str, Any]:
    default = ProcessRow(pid=-1, ppid=-1, pgid=-1, sid=-1, comm="")
    return {key: getattr(row, key) for key in _ALWAYS} | _changed(row, default)

"""A process table as a folder that looks like /proc, for tools that read one: psutil, and ps and pstree over /proc.

Models: what ps, pstree and psutil read of processes, threads and the host: stat, status, statm, comm, cmdline, task/,
and of the host stat, uptime, meminfo, loadavg, sys/kernel. Files come with the highest number first: a tmpfs lists what
was made last first, as /proc does by number. Leaves out owners of folders, which only root could set; everything else
that a kernel has in /proc; descriptors, which are none. Source: proc(5), man-pages 6.03; tty numbers: Linux,
Documentation/admin-guide/devices.txt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sim.errors import InputError, Problem
from sim.views.table import ProcessRow, Table, thread_ids

MOST = 200_000  # processes and threads together, four files each
STATES = {"R": "running", "S": "sleeping", "D": "disk sleep", "Z": "zombie", "T": "stopped", "t": "tracing stop",
          "I": "idle", "X": "dead"}  # fmt: skip
PTS_MAJOR, TTY_MAJOR = 136, 4
TTY = re.compile(r"(pts/|tty)(\d+)")
DEVICES = (
    "pty_slave            /dev/pts      136 0-1048575 pty:slave\nunknown              /dev/tty        4 1-63 console\n"
)
UNMASKED = ("SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt")


def procfs_files(table: Table) -> dict[str, bytes]:
    """Return the files of the folder by their names in it; a name that ends with / is an empty folder.

    Raises InputError for a table with too many threads to write a folder of each.
    """
    tids = thread_ids(table) if _size(table) <= MOST else {}
    if not tids:
        what = f"{_size(table):,} processes and threads are too many for a folder each; {MOST:,} are the most"
        raise InputError([Problem("--as procfs", what, "Show a run with fewer threads, or --as ps-axjf.")])
    found: dict[str, bytes] = {}
    for row in reversed(table.by_pid()):
        found.update(_process(row, tids[row.pid], table.meta.hertz))
    first = min(tids)
    found |= {f"self/{name}": found[f"{first}/{name}"] for name in ("stat", "status", "cmdline", "comm")}
    return {**found, **_host(table)}


def _size(table: Table) -> int:
    return sum(1 + row.extra_threads for row in table.procs)


def _host(table: Table) -> dict[str, bytes]:
    """Return what is told of the host itself."""
    meta = table.meta
    up, memory, count = meta.now - meta.btime, meta.mem_total_kib, len(table.procs)
    cpu = f"cpu  0 0 0 {up * meta.hertz} 0 0 0 0 0 0\ncpu0 0 0 0 {up * meta.hertz} 0 0 0 0 0 0\n"
    running = max(sum(row.state == "R" for row in table.procs), 1)
    last = max((row.pid for row in table.procs), default=0)
    files = {
        "stat": f"{cpu}intr 0\nctxt 0\nbtime {meta.btime}\nprocesses {count}\n"
        f"procs_running {running}\nprocs_blocked 0\n",
        "uptime": f"{up}.00 {up}.00\n",
        "loadavg": f"0.00 0.00 0.00 {running}/{_size(table)} {last}\n",
        "meminfo": f"MemTotal: {memory} kB\nMemFree: {memory} kB\nMemAvailable: {memory} kB\n"
        "Buffers: 0 kB\nCached: 0 kB\n",
        "version": "Linux version 3.10.0 (a@b) (gcc) #1 SMP\n",
        "sys/kernel/pid_max": f"{meta.pid_max}\n",
        "sys/kernel/osrelease": "3.10.0\n",
        "tty/drivers": DEVICES,
    }
    return {name: text.encode() for name, text in files.items()}


def _process(row: ProcessRow, threads: tuple[int, ...], hertz: int) -> Iterator[tuple[str, bytes]]:
    count = 1 + len(threads)
    for tid in sorted((row.pid, *threads), reverse=True):
        yield from ((f"{row.pid}/task/{tid}/{name}", data) for name, data in _task(row, tid, count).items())
    yield from ((f"{row.pid}/{name}", data) for name, data in _task(row, row.pid, count).items())
    yield f"{row.pid}/fd/", b""
    yield f"{row.pid}/environ", b""
    yield f"{row.pid}/cgroup", b""


def _task(row: ProcessRow, tid: int, count: int) -> dict[str, bytes]:
    args = () if row.state == "Z" else row.args
    return {
        "stat": _stat(row, tid, count),
        "status": _status(row, tid, count, args),
        "statm": f"{row.vsize // 4096} {row.rss} 0 0 0 0 0\n".encode(),
        "comm": _bytes(row.comm15) + b"\n",
        "cmdline": b"".join(_bytes(word) + b"\0" for word in args),
    }


def _stat(row: ProcessRow, tid: int, count: int) -> bytes:
    """Return the 52 fields of a stat file."""
    fields = (
        row.state, row.ppid, row.pgid, row.sid, tty_number(row.tty), row.tpgid, 4194304, 0, 0, 0, 0, row.utime,
        row.stime, 0, 0, 20 + row.nice, row.nice, count, 0, row.start_ticks, row.vsize, row.rss, 2**64 - 1,
        *[0] * 12, 17, *[0] * 14,
    )  # fmt: skip
    return b"%d (%s) " % (tid, _bytes(row.comm15)) + " ".join(map(str, fields)).encode() + b"\n"


def _status(row: ProcessRow, tid: int, count: int, args: tuple[str, ...]) -> bytes:
    memory = {"VmSize": row.vsize // 1024, "VmLck": row.lock_kb, "VmRSS": row.rss * 4} if args else {}
    lines = [
        f"State:\t{row.state} ({STATES.get(row.state, 'unknown')})",
        f"Tgid:\t{row.pid}",
        f"Pid:\t{tid}",
        f"PPid:\t{row.ppid}",
        "TracerPid:\t0",
        f"Uid:\t{row.uid}\t{row.uid}\t{row.uid}\t{row.uid}",
        "Gid:\t0\t0\t0\t0",
        f"NSpid:\t{tid}",
        *(f"{key}:\t{value:8} kB" for key, value in memory.items()),
        f"Threads:\t{count}",
        *(f"{key}:\t{0:016x}" for key in UNMASKED),
        "voluntary_ctxt_switches:\t0",
        "nonvoluntary_ctxt_switches:\t0",
    ]
    name = _bytes(row.comm15).replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
    return b"Name:\t" + name + b"\n" + "\n".join(lines).encode() + b"\n"


def tty_number(tty: str | None) -> int:
    """Return the device number of a terminal, 0 for none and for one of another kind.

    >>> tty_number("pts/0"), tty_number("tty1"), tty_number(None)
    (34816, 1025, 0)
    """
    match = TTY.fullmatch(tty or "")
    if match is None:
        return 0
    number = int(match[2])
    if match[1] == "tty":
        return TTY_MAJOR << 8 | number
    return (PTS_MAJOR + number // 256) << 8 | number % 256


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")

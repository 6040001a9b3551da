"""Process tables, drawn: random trees with hostile names, strays, wrapped numbers and all states.

Models: what a kernel could show, and a little more (parents that are not there). Leaves out: tables without pid 1.
Source: none.
"""

from __future__ import annotations

from hypothesis import strategies as st
from msgspec.structs import replace

from sim.views.table import Meta, ProcessRow, Table

COMMS = ("sh", "sh", "java", "docker-containerd", "docker-proxy-cu", "(x)", "{sh}", "a b) (c", "Zed", "~t",
         "back\\slash", "t\te\x1b",
         "é漢字e\u0301", "漢漢漢漢漢漢", "\udcff\x01é", "x\u200by\x9b", "\u202eevil", "a\nb", "")  # fmt: skip
WORDS = ("", "x", "--flag=é", "two words", "a\nb", "-v " * 30, " \\_ ", "漢" * 9, "\x1b[2J", "\u202e")
TTYS = ("pts/0", "pts/12", "pts/300", "tty1")
USERS = ((0, "root"), (33, "www-data"), (1000, "alice"), (101, "a-very-long-name"))
UPTIME_S = 400 * 86400
TICKS = UPTIME_S * 100
META = Meta(btime=1600000000, now=1600000000 + UPTIME_S, users=USERS)
YEAR = st.integers(0, TICKS - 1)
TODAY = st.integers(TICKS - 8640000, TICKS - 1)
# %CPU of a long life, in the middle of a step so that the seconds of a test do not move it
MILLE = st.sampled_from([0, 3, 499, 999, 1005, 2505])


@st.composite
def tables(draw: st.DrawFn, most: int = 14, comms: tuple[str, ...] = COMMS) -> Table:
    """Draw a table of so many processes at most, in any order.

    >>> from hypothesis import find
    >>> [(row.pid, row.ppid) for row in find(tables(), lambda table: len(table.procs) == 2).procs]
    [(1, 0), (2, 1)]
    """
    highest = draw(st.sampled_from([99, 32767, 123456]))
    numbers = draw(st.lists(st.integers(2, highest), unique=True, min_size=0, max_size=3 * most))
    strays = [draw(st.integers(2, highest)), 0]
    rows = [_row(draw, 1, [0], numbers, comms)]
    while numbers and len(rows) < most:
        pid = numbers.pop()
        parents = [1, *(row.pid for row in rows[-3:]), *strays]
        rows.append(_row(draw, pid, [ppid for ppid in parents if ppid != pid], numbers, comms))
    rows = [replace(row, ppid=_no_circle(number, rows)) for number, row in enumerate(rows)]
    return Table(META, tuple(draw(st.permutations(rows))))


def _no_circle(number: int, rows: list[ProcessRow]) -> int:
    """Give up a stray parent that turned out to be a later row or a thread."""
    row = rows[number]
    later = {tid for other in rows[number:] for tid in (other.pid, *_tids(other))}
    return 1 if row.ppid in later and row.pid != 1 else row.ppid


def _tids(row: ProcessRow) -> tuple[int, ...]:
    assert not isinstance(row.threads, int)
    return row.threads


def _row(draw: st.DrawFn, pid: int, parents: list[int], numbers: list[int], comms: tuple[str, ...]) -> ProcessRow:
    mille = draw(MILLE)
    start = draw(st.integers(0, TICKS - 8640000)) if mille else draw(YEAR | TODAY)
    word = st.sampled_from(WORDS)
    threads = tuple(numbers.pop() for _ in range(draw(st.integers(0, min(2, len(numbers))))))
    return ProcessRow(
        pid=pid,
        ppid=draw(st.sampled_from(parents)),
        pgid=draw(st.sampled_from([pid, 1])),
        sid=draw(st.sampled_from([pid, 1, 0])),
        comm=draw(st.sampled_from(comms)),
        threads=threads,
        args=tuple(draw(st.just([]) | st.lists(word, min_size=1, max_size=3))),
        state=draw(st.sampled_from("SSRDTtZI")),
        start_ticks=start,
        uid=draw(st.sampled_from([*(uid for uid, _ in USERS), 472])),
        tty=draw(st.sampled_from([None, *TTYS])),
        tpgid=draw(st.sampled_from([-1, pid, 1])),
        nice=draw(st.sampled_from([0, -5, 7])),
        utime=(TICKS - start) * (2 * mille + 1) // 2000 if mille else 0,
        vsize=draw(st.sampled_from([0, 20480000])),
        rss=draw(st.sampled_from([0, 250, 70000])),
        lock_kb=draw(st.sampled_from([0, 4])),
    )

"""Draw process tables for tests: random trees with hostile names, strays, wrapped numbers and all states.

Models: what a kernel could show, and a little more (parents that are not there). Leaves out: tables without pid 1.
Source: none.
"""

from typing import Any

from hypothesis import strategies as st

from sim.views.table import Meta, ProcessRow, Table
from tests.render.oracle import MEM_TOTAL_KIB, TTYS, UPTIME_S, USERS

COMMS = ["sh", "sh", "java", "docker-containerd", "docker-proxy-cu", "(x)", "{sh}", "a b) (c", "Zed", "~t",
         "back\\slash", "t\te\x1b",
         "é漢字e\u0301", "漢漢漢漢漢漢", "\udcff\x01é", "x\u200by\x9b", "\u202eevil", "a\nb", ""]
WORDS = ["", "x", "--flag=é", "two words", "a\nb", "-v " * 30, " \\_ ", "漢" * 9, "\x1b[2J", "\u202e"]
TICKS = UPTIME_S * 100
YEAR = st.integers(0, TICKS - 1)
TODAY = st.integers(TICKS - 8640000, TICKS - 1)
# %CPU of a long life, in the middle of a step so that the seconds of a test do not move it
MILLE = st.sampled_from([0, 3, 499, 999, 1005, 2505])


@st.composite
def tables(draw: st.DrawFn, most: int = 14, comms: list[str] = COMMS) -> list[dict[str, Any]]:
    """Draw the rows of a table in any order, as keyword arguments of ProcessRow but with lists."""
    highest = draw(st.sampled_from([99, 32767, 123456]))
    numbers = draw(st.lists(st.integers(2, highest), unique=True, min_size=0, max_size=3 * most))
    strays = [draw(st.integers(2, highest)), 0]
    rows = [_row(draw, 1, [0], numbers, comms)]
    while numbers and len(rows) < most:
        pid = numbers.pop()
        parents = [1, *(row["pid"] for row in rows[-3:]), *strays]
        rows.append(_row(draw, pid, [ppid for ppid in parents if ppid != pid], numbers, comms))
    rows = [row | {"ppid": _no_circle(row, rows)} for row in rows]
    return draw(st.permutations(rows))


def _no_circle(row: dict[str, Any], rows: list[dict[str, Any]]) -> int:
    """Give up a stray parent that turned out to be a later row or a thread."""
    later = {number for other in rows[rows.index(row):] for number in (other["pid"], *other["threads"])}
    return 1 if row["ppid"] in later and row["pid"] != 1 else int(row["ppid"])


def _row(draw: st.DrawFn, pid: int, parents: list[int], numbers: list[int], comms: list[str]) -> dict[str, Any]:
    mille = draw(MILLE)
    start = draw(st.integers(0, TICKS - 8640000)) if mille else draw(YEAR | TODAY)
    word = st.sampled_from(WORDS)
    threads = [numbers.pop() for _ in range(draw(st.integers(0, min(2, len(numbers)))))]
    return {
        "pid": pid, "ppid": draw(st.sampled_from(parents)),
        "pgid": draw(st.sampled_from([pid, 1])), "sid": draw(st.sampled_from([pid, 1, 0])),
        "comm": draw(st.sampled_from(comms)), "threads": threads,
        "args": draw(st.just([]) | st.lists(word, min_size=1, max_size=3)),
        "state": draw(st.sampled_from("SSRDTtZI")), "start_ticks": start,
        "uid": draw(st.sampled_from([*USERS, 472])), "tty": draw(st.sampled_from([None, *TTYS])),
        "tpgid": draw(st.sampled_from([-1, pid, 1])), "nice": draw(st.sampled_from([0, -5, 7])),
        "utime": (TICKS - start) * (2 * mille + 1) // 2000 if mille else 0, "stime": 0,
        "vsize": draw(st.sampled_from([0, 20480000])), "rss": draw(st.sampled_from([0, 250, 70000])),
        "lock_kb": draw(st.sampled_from([0, 4])),
    }


def to_table(rows: list[dict[str, Any]], *, btime: int = 1600000000, uptime_s: int = UPTIME_S, pid_max: int = 32768,
             locale: str = "C.UTF-8") -> Table:
    """Make the records of drawn rows."""
    meta = Meta(btime=btime, now=btime + uptime_s, pid_max=pid_max, locale=locale, users=tuple(USERS.items()),
                mem_total_kib=MEM_TOTAL_KIB)
    frozen = [row | {"args": tuple(row["args"]), "threads": tuple(row["threads"])} for row in rows]
    return Table(meta, tuple(ProcessRow(**row) for row in frozen))

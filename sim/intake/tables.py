"""Tables of processes: what `ps` prints in any of its forms, whole or cut, with its header or without.

Models: the columns of a header wherever they stand, by name; the forms of `-axjf`, `-ef`, `auxf` and the three numbers
of a trimmed table where no header is; the lines of a forest; dates of `lstart` in English. A line that has reached the
width at which a table was cut is marked: its last column is not whole. Leaves out dates in other languages and those
without a year, which are unknown then. Source: procps-ng 4.0 ps(1) [S], busybox procps/ps.c [S].
"""

from __future__ import annotations

import re
from datetime import datetime

from msgspec.structs import replace

from sim.intake.pieces import LAST, Piece
from sim.intake.records import Process, Table

DEPTH = re.compile(r"(?<= )\\_ ")
FORESTED = re.compile(r"[| ]*\\_ ")
LSTART = re.compile(r"\S+\s+\S+\s+\S+\s+\d\d:\d\d:\d\d\s+\d{4}")
STARTED_SHORT = re.compile(r"[A-Z][a-z]{2} ?\d\d|\d{1,2}:\d\d(?::\d\d)?|\d{4}")
AXJF = "PPID PID PGID SID TTY TPGID STAT UID TIME COMMAND".split()
EF = "UID PID PPID C STIME TTY TIME CMD".split()
AUX = "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND".split()
TRIMMED = "PPID PID PGID COMMAND".split()
BARE = {"ps bare axjf": AXJF, "ps bare ef": EF, "ps bare aux": AUX, "ps trimmed": TRIMMED}
FILTERED = re.compile(r"\|\s*(?:\S*grep|head|tail|awk|less|more)")
LARGEST_PID = 4_194_304
LARGEST_UID = 2**32 - 2
LARGEST_COUNT = 100_000_000  # of threads in one row; what a host cannot have is refused with the sum (inventory)
WIDTHS = 40  # no terminal is narrower, so a table of shorter lines was not cut


def table_of(piece: Piece) -> tuple[Table, int]:
    """Return the processes of a piece, and how many lines below its header are no rows."""
    head, lines, columns = _columns(piece)
    width = cut_at(lines)
    offset = _last_column(head, columns)
    rows, wrong = [], 0
    for number, line in enumerate(lines, len(piece.lines) - len(lines)):
        row = row_of(line, columns, piece.place(number), offset, bool(width) and len(line) >= width)
        if row is None:
            wrong += 1
        else:
            rows.append(row)
    whole = any(row.pid == 1 for row in rows) and not FILTERED.search(piece.command)
    if "PPID" not in columns and piece.lines:
        rows = with_parents(rows, lines, columns)
    return Table(tuple(rows), frozenset(columns), piece.kind, whole, piece.place()), wrong


def with_parents(rows: list[Process], lines: list[str], columns: list[str]) -> list[Process]:
    """Return the rows of a forest without a column of parents: those stand above, less deep; roots are of process 1."""
    depths = [match.start() for line in lines if (match := DEPTH.search(line))]
    if not depths or "PID" not in columns:
        return rows
    by_line = {int(row.place.rpartition(":")[2]): row for row in rows}
    first = min(by_line, default=0)
    above: list[tuple[int, int]] = []
    found = []
    begin = min(depths)
    for place, row in by_line.items():
        match = DEPTH.search(lines[place - first]) if place - first < len(lines) else None
        depth = match.start() - begin + 1 if match else 0
        while above and above[-1][0] >= depth:
            above.pop()
        parent = above[-1][1] if above else (1 if row.pid != 1 else 0)
        above.append((depth, row.pid))
        found.append(replace(row, ppid=parent))
    return found


def _columns(piece: Piece) -> tuple[str, list[str], list[str]]:
    if piece.kind in BARE:
        return "", list(piece.lines), BARE[piece.kind]
    head, *lines = piece.lines
    return head, lines, head.split()


def cut_at(lines: list[str]) -> int:
    """Return the width at which lines of several programs end as if cut, 0 if the table is whole.

    Lines of one program may be as long as one another for their own reason: the ids of all shims have 64 digits.

    >>> cut_at(["1 1 1 /x " + "x" * 71, "1 1 1 /y " + "y" * 71, "z"]), cut_at(["x" * 80, "y" * 81])
    (80, 0)
    """
    longest = max(map(len, lines), default=0)
    ends = {line[-12:] for line in lines if len(line) == longest}
    return longest if longest >= WIDTHS and len(ends) > 1 else 0


def _last_column(head: str, columns: list[str]) -> int:
    """Return where the arguments begin if the column before them is text, too; 0 elsewhere."""
    texts = [name for name in columns if name in LAST]
    return head.rfind(columns[-1]) if head and len(texts) > 1 else 0


def row_of(line: str, columns: list[str], place: str, offset: int, cut: bool) -> Process | None:
    """Return the row of a line, None if it is none."""
    found: dict[str, str] = {}
    rest = line
    for name in columns[:-1]:
        rest = rest.lstrip(" ")
        pattern = LSTART if name == "STARTED" else None
        match = pattern.match(rest) if pattern else None
        if name == "STIME" or name == "START":
            match = STARTED_SHORT.match(rest)
        word = match[0] if match else rest.split(" ", 1)[0].split("\t", 1)[0]
        if name in LAST and offset and len(line) > offset and line[offset - 1 : offset] == " ":
            end = len(line) - len(rest)
            word = line[end:offset].rstrip()
            rest = line[offset:]
            found["COMM"] = word
            continue
        if not word:
            return None
        found["COMM" if name in LAST else name] = word
        rest = rest[len(word) :]
    args = FORESTED.sub("", rest, count=1) if FORESTED.match(rest) else rest
    args = args.strip() if "\\_" in rest[:200] else rest.strip()
    args = FORESTED.sub("", args, count=1) if FORESTED.match(args) else args
    return _process(found, args, place, cut) if args else None


def number(text: str | None, most: int = LARGEST_PID, low: int = 0) -> int | None:
    """Return a whole number in a range, None for anything else.

    >>> number("12"), number("?"), number("99999999"), number(None)
    (12, None, None, None)
    """
    if not text or len(text) > 12 or not text.isascii() or not text.lstrip("-").isdigit():
        return None
    found = int(text)
    return found if low <= found <= most else None


def _process(found: dict[str, str], args: str, place: str, cut: bool) -> Process | None:
    pid = number(found.get("PID"), low=1)
    if pid is None:
        return None
    first = found.get
    return Process(
        pid=pid,
        ppid=number(first("PPID")),
        pgid=number(first("PGID") or first("PGRP")),
        sid=number(first("SID") or first("SESS")),
        tty=first("TTY") or first("TT") or "",
        stat=first("STAT") or first("S") or "",
        threads=number(first("NLWP") or first("THCNT"), LARGEST_COUNT, 1),
        started=started_at(first("STARTED", "")),
        comm=first("COMM", ""),
        args=args,
        cut=cut,
        place=place,
        uid=number(first("UID"), LARGEST_UID),
        time=first("TIME", ""),
    )


def started_at(text: str) -> str:
    """Return the date of `lstart` as an ISO date without a zone, "" where it cannot be read.

    >>> started_at("Tue Dec  1 14:14:24 2026"), started_at("mar. 1 déc. 14:14:24 2026")
    ('2026-12-01T14:14:24', '')
    """
    try:
        return datetime.strptime(" ".join(text.split()), "%a %b %d %H:%M:%S %Y").isoformat()  # noqa: DTZ007
    except ValueError:
        return ""

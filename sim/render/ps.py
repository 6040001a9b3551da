"""Print a process table as `ps -axjf`, `ps -ef`, `ps -eo pid,ppid,pgid,sid,nlwp,args` and `ps auxf` would.

Models: the text of procps-ng 4.0.4, letter for letter, on a screen of a given width or none. Leaves out: the rows of
ps itself and of a grep behind it, terminals other than pts/N and ttyN, and the tool's limit of 128 KiB a row. A
kernel keeps neither arguments nor memory of a zombie, so a zombie's are not shown whatever the table says.
Source: procps-ng 4.0.4, rules seen by running it on many tables.
"""

from collections.abc import Callable, Iterable

from sim.render.cells import cells, cut, ps_text
from sim.render.clock import bsd_time, cpu_percent, cpu_whole_percent, start_text, unix_time
from sim.render.columns import FixedColumn, lay_out, usable_width
from sim.render.forest import forest
from sim.views.table import Meta, ProcessRow, Table

_Text = Callable[[ProcessRow, Meta], str]
_Field = tuple[str, int, bool, _Text]  # title, least width in cells (PID: as wide as a pid), right-aligned, text
_Ordered = Iterable[tuple[ProcessRow, tuple[str, ...]]]
PID = 0


def ps_axjf(table: Table, *, width: int | None = None) -> str:
    """Print the forest with ids, terminal, state and time; *width* in cells cuts the commands.

    >>> row = ProcessRow(pid=1, ppid=0, pgid=1, sid=1, comm="init", args=("/sbin/init",))
    >>> print(ps_axjf(Table(Meta(btime=0, now=9), (row,))), end="")
     PPID   PID  PGID   SID TTY      TPGID STAT   UID   TIME COMMAND
        0     1     1     1 ?           -1 Ss       0   0:00 /sbin/init
    """
    return _print(table.meta, AXJF, "COMMAND", forest(table.procs), width)


def ps_ef(table: Table, *, width: int | None = None) -> str:
    """Print all processes by pid with user, share of a core and start.

    >>> row = ProcessRow(pid=1, ppid=0, pgid=1, sid=1, comm="init", args=("/sbin/init",))
    >>> print(ps_ef(Table(Meta(btime=0, now=9), (row,))), end="")
    UID        PID  PPID  C STIME TTY          TIME CMD
    root         1     0  0 00:00 ?        00:00:00 /sbin/init
    """
    return _print(table.meta, EF, "CMD", _flat(table), width)


def ps_eo(table: Table, *, width: int | None = None) -> str:
    """Print ids and the number of threads of all processes by pid.

    >>> row = ProcessRow(pid=1, ppid=0, pgid=1, sid=1, comm="init", args=("/sbin/init",), threads=2)
    >>> print(ps_eo(Table(Meta(btime=0, now=9), (row,))), end="")
      PID  PPID  PGID   SID NLWP COMMAND
        1     0     1     1    3 /sbin/init
    """
    return _print(table.meta, EO, "COMMAND", _flat(table), width)


def ps_auxf(table: Table, *, width: int | None = None) -> str:
    """Print the forest with user, shares of core and memory, and start.

    >>> row = ProcessRow(pid=1, ppid=0, pgid=1, sid=1, comm="init", args=("/sbin/init",))
    >>> print(ps_auxf(Table(Meta(btime=0, now=9), (row,))), end="")
    USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND
    root         1  0.0  0.0      0     0 ?        Ss   00:00   0:00 /sbin/init
    """
    return _print(table.meta, AUXF, "COMMAND", forest(table.procs), width)


def _print(meta: Meta, fields: tuple[_Field, ...], title: str, rows: _Ordered, width: int | None) -> str:
    columns = [
        FixedColumn(name, max(least, len(name)) if least else _pid_width(name, meta), right)
        for name, least, right, _ in fields
    ]
    usable = None if width is None else usable_width(columns, max(width, 1))
    lines = [lay_out(columns, [column.title for column in columns]) + title]
    for row, prefix in rows:
        left = lay_out(columns, [text(row, meta) for _, _, _, text in fields])
        room = None if usable is None else usable - cells(left)
        lines.append(left + _command_cell(prefix, command(row, meta.locale), room))
    return "\n".join(lines) + "\n"


def _pid_width(title: str, meta: Meta) -> int:
    return max(len(str(meta.pid_max)), len(title))


def _command_cell(prefix: tuple[str, ...], text: str, room: int | None) -> str:
    """Join branches and command; where room is short, whole pieces of four cells go first, then the command's end.

    A row that is too long before its command even starts is not cut at all: seen in the real tool.
    """
    if room is None or room < 0:
        return "".join(prefix) + text
    pieces = prefix[: room // 4]
    return "".join(pieces) + cut(text, room - 4 * len(pieces))


def command(row: ProcessRow, locale: str) -> str:
    """Write the arguments joined by blanks, or the name in brackets where the kernel gives none.

    >>> command(ProcessRow(7, 1, 7, 7, "curl", state="Z"), "C.UTF-8")
    '[curl] <defunct>'
    """
    if not row.args or row.state == "Z":
        return f"[{ps_text(row.comm15, locale)}]" + (" <defunct>" if row.state == "Z" else "")
    line = "\0".join(row.args).rstrip("\0")
    if not line:
        return "?"
    return ps_text(line.replace("\0", " ").replace("\n", " "), locale)


def _flat(table: Table) -> _Ordered:
    return [(row, ()) for row in table.by_pid()]


def _user(row: ProcessRow, meta: Meta) -> str:
    """Give the user's name, 7 cells and `+` of one that is too long, or the number of one without a name."""
    name = dict(meta.users).get(row.uid, str(row.uid))
    return name if cells(name) <= 8 else cut(name, 7) + "+"


def _stat(row: ProcessRow, meta: Meta) -> str:
    """Join the state and its flags: priority, locked memory, session leader, threads, foreground."""
    return "".join(
        (
            row.state,
            "<" if row.nice < 0 else "N" if row.nice > 0 else "",
            "L" if row.lock_kb > 0 and _has_memory(row) else "",
            "s" if row.sid == row.pid else "",
            "l" if row.extra_threads else "",
            "+" if row.pgid == row.tpgid else "",
        )
    )


def _has_memory(row: ProcessRow) -> bool:
    """Say whether the kernel tells of the process's memory: not of a kernel thread, not of a zombie."""
    return bool(row.args) and row.state != "Z"


def _rss_kib(row: ProcessRow) -> int:
    return row.rss * 4 if _has_memory(row) else 0


def _memory_percent(row: ProcessRow, meta: Meta) -> str:
    mille = min(_rss_kib(row) * 1000 // meta.mem_total_kib, 999)
    return f"{mille // 10:2}.{mille % 10}"


_PPID: _Field = ("PPID", PID, True, lambda row, meta: str(row.ppid))
_PID: _Field = ("PID", PID, True, lambda row, meta: str(row.pid))
_PGID: _Field = ("PGID", PID, True, lambda row, meta: str(row.pgid))
_SID: _Field = ("SID", PID, True, lambda row, meta: str(row.sid))
_TTY: _Field = ("TTY", 8, False, lambda row, meta: row.tty or "?")
_STAT: _Field = ("STAT", 4, False, _stat)
_TIME: _Field = ("TIME", 6, True, bsd_time)

AXJF: tuple[_Field, ...] = (
    _PPID,
    _PID,
    _PGID,
    _SID,
    _TTY,
    ("TPGID", PID, True, lambda row, meta: str(row.tpgid)),
    _STAT,
    ("UID", 5, True, lambda row, meta: str(row.uid)),
    _TIME,
)
EF: tuple[_Field, ...] = (
    ("UID", 8, False, _user),
    _PID,
    _PPID,
    ("C", 2, True, cpu_whole_percent),
    ("STIME", 5, True, start_text),
    _TTY,
    ("TIME", 8, True, unix_time),
)
EO: tuple[_Field, ...] = (
    _PID,
    _PPID,
    _PGID,
    _SID,
    ("NLWP", 4, True, lambda row, meta: str(1 + row.extra_threads)),
)
AUXF: tuple[_Field, ...] = (
    ("USER", 8, False, _user),
    _PID,
    ("%CPU", 4, True, cpu_percent),
    ("%MEM", 4, True, _memory_percent),
    ("VSZ", 6, True, lambda row, meta: str(row.vsize // 1024 if _has_memory(row) else 0)),
    ("RSS", 5, True, lambda row, meta: str(_rss_kib(row))),
    _TTY,
    _STAT,
    ("START", 5, True, start_text),
    _TIME,
)

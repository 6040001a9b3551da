"""Print a folder as `ls -l` of coreutils 8.22 would, on a host without SELinux labels.

Models: the total, columns as wide as their widest entry, and the two forms of a time. Leaves out: colours, links,
hidden names, other owners than root. A size that is not known is `?`, and so is the total then.
Source: facts on rendering, part 6: seen by running the tool on files with these sizes, modes and times.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sim.engines.containerd.shows.bundle import FolderEntry
from sim.render.clean import printable
from sim.render.clock import MONTHS

HALF_A_YEAR_S = 15_778_476
LINKS, OWNER, GROUP = "1", "root", "root"


def ls_l(entries: Sequence[FolderEntry], now: float, offset_min: int) -> str:
    """Print *entries* in their order at *now* (unix seconds), in local time.

    >>> print(ls_l([FolderEntry("config.json", "-rw-r--r--", 20733, 0.0)], 86400.0, 60), end="")
    total 24
    -rw-r--r-- 1 root root 20733 Jan  1 01:00 config.json
    """
    kib = [entry.kib for entry in entries]
    total = "?" if None in kib else str(sum(size or 0 for size in kib))
    sizes = ["?" if entry.size is None else str(entry.size) for entry in entries]
    widest = max(map(len, sizes), default=0)
    rows = [
        f"{entry.mode} {LINKS} {OWNER} {GROUP} {size:>{widest}} {ls_time(entry.written, now, offset_min)} "
        f"{printable(entry.name)}"
        for entry, size in zip(entries, sizes, strict=True)
    ]
    return "".join(line + "\n" for line in [f"total {total}", *rows])


def ls_time(written: float, now: float, offset_min: int) -> str:
    """Write a time with its minute if it lies in the last half year, else with its year.

    >>> ls_time(0.0, 15778475.5, 0), ls_time(0.0, 15778476.0, 0), ls_time(0.5, 0.0, 480)
    ('Jan  1 00:00', 'Jan  1  1970', 'Jan  1  1970')
    """
    local = datetime.fromtimestamp(written, tz=UTC) + timedelta(minutes=offset_min)
    recent = now - HALF_A_YEAR_S < written <= now
    return f"{MONTHS[local.month - 1]} {local.day:2} " + (f"{local:%H:%M}" if recent else f"{local.year:5}")


def no_such_folder(path: str) -> str:
    """Complain as ls does.

    >>> no_such_folder("/x")
    'ls: cannot access /x: No such file or directory\\n'
    """
    return f"ls: cannot access {path}: No such file or directory\n"

"""Write the times of a process as `ps` does: time on a core, share of a core, and when it started.

Models: TIME of BSD and UNIX formats, C and %CPU, STIME and START. Leaves out: other languages' month names, and the
fraction of a second of the moment, which moves %CPU of a young process.
Source: procps-ng 4.0.4, rules seen by running it on many tables.
"""

from datetime import UTC, datetime

from sim.views.table import Meta, ProcessRow
from sim.views.zone import utc_offset_s

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LAST_S = 253402300799  # the end of the year 9999, where Python's calendar ends


def bsd_time(row: ProcessRow, meta: Meta) -> str:
    """Write time on a core as minutes and seconds.

    >>> bsd_time(ProcessRow(1, 0, 1, 1, "x", utime=2690400), Meta(btime=0, now=0))
    '448:24'
    """
    minutes, seconds = divmod(_cpu_s(row, meta), 60)
    return f"{minutes:3}:{seconds:02}"


def unix_time(row: ProcessRow, meta: Meta) -> str:
    """Write time on a core as hours, minutes and seconds, days in front where there are any.

    >>> unix_time(ProcessRow(1, 0, 1, 1, "x", utime=432066300), Meta(btime=0, now=0))
    '50-00:11:03'
    """
    minutes, seconds = divmod(_cpu_s(row, meta), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    return (f"{days}-" if days else "") + f"{hours:02}:{minutes:02}:{seconds:02}"


def cpu_percent(row: ProcessRow, meta: Meta) -> str:
    """Write the share of one core over the whole life, in percent: one decimal below 100, none from there on.

    >>> cpu_percent(ProcessRow(1, 0, 1, 1, "x", utime=999), Meta(btime=0, now=10))
    '99.9'
    """
    mille = _share(row, meta, 1000)
    return f"{mille // 10}.{mille % 10}" if mille <= 999 else str(mille // 10)


def cpu_whole_percent(row: ProcessRow, meta: Meta) -> str:
    """Write the share of one core over the whole life in whole percent, 99 at most.

    >>> cpu_whole_percent(ProcessRow(1, 0, 1, 1, "x", utime=5000), Meta(btime=0, now=10))
    '99'
    """
    return f"{min(_share(row, meta, 100), 99):2}"


def start_text(row: ProcessRow, meta: Meta) -> str:
    """Write when the process started: the minute if it was today, the day if this year, else the year.

    >>> meta = Meta(btime=1606182000, now=1607910000)
    >>> start_text(ProcessRow(1, 0, 1, 1, "x"), meta)
    'Nov24'
    >>> start_text(ProcessRow(1, 0, 1, 1, "x", start_ticks=172700000), meta)
    '01:23'
    """
    start = _local(meta.btime + row.start_ticks // meta.hertz, meta)
    now = _local(meta.now, meta)
    if start.year != now.year:
        return f"{start.year:4}"
    if start.timetuple().tm_yday != now.timetuple().tm_yday:
        return f"{MONTHS[start.month - 1]}{start.day:02}"
    return f"{start:%H:%M}"


def _cpu_s(row: ProcessRow, meta: Meta) -> int:
    return (row.utime + row.stime) // meta.hertz


def _share(row: ProcessRow, meta: Meta, parts: int) -> int:
    """Divide time on a core by life, in *parts* of one; a process that has not lived yet has used nothing."""
    life_ticks = (meta.now - meta.btime) * meta.hertz - row.start_ticks
    return (row.utime + row.stime) * parts // life_ticks if life_ticks > 0 else 0


def _local(unix_s: int, meta: Meta) -> datetime:
    offset = utc_offset_s(meta.tz)
    assert offset is not None, f"meta.tz {meta.tz!r} was let in by parse_table but has no offset"
    return datetime.fromtimestamp(min(unix_s + offset, _LAST_S), tz=UTC)

"""Know how far a time zone written as in the TZ variable is from UTC.

Models: POSIX zones without daylight saving (`UTC`, `CST-8`, `<+0530>-5:30`), whose sign counts hours WEST of
Greenwich. Leaves out: names of the zone database (`Asia/Shanghai`) and daylight saving rules, because both need files
or rules that change; a recorded table names the one offset that was in force.
Source: POSIX.1-2017, section 8.3, TZ.
"""

import re

_POSIX = re.compile(r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]{3,}>)([+-]?)(\d{1,2})(?::([0-5]\d))?(?::([0-5]\d))?")
_UTC = ("UTC", "GMT")
VALID = "UTC, GMT or a POSIX zone with a fixed offset such as CST-8 (eight hours east)"


def utc_offset_s(zone: str) -> int | None:
    """Give the seconds that local time is ahead of UTC, or None for a zone that cannot be read.

    >>> utc_offset_s("CST-8"), utc_offset_s("<+0530>-5:30"), utc_offset_s("UTC"), utc_offset_s("Asia/Shanghai")
    (28800, 19800, 0, None)
    """
    if zone in _UTC:
        return 0
    found = _POSIX.fullmatch(zone)
    if found is None or int(found[2]) > 24:
        return None
    west = int(found[2]) * 3600 + int(found[3] or 0) * 60 + int(found[4] or 0)
    return west if found[1] == "-" else -west

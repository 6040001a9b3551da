"""The Docker ladder: which row each version from 1.10 to 29 belongs to, and why some have none.

A row is a version at which faults begin to go otherwise. From 18.09 on a row stands twice: as it is when dockerd starts
containerd itself, and with `-separate` as its packages install it: containerd is a service. Source: designs
§1.1 [S].
"""

from __future__ import annotations

import re

SEPARATE = "-separate"
ROWS: dict[str, tuple[str, ...]] = {  # row -> the versions that it stands for, oldest first
    "docker-1.10": ("1.10",),
    "docker-1.11": ("1.11",),
    "docker-1.12": ("1.12",),
    "docker-1.13": ("1.13", "17.03", "17.04", "17.05"),
    "docker-17.06": ("17.06", "17.07", "17.09"),
    "docker-18.09": ("18.09",),
    "docker-19.03": ("19.03",),
    "docker-20.10": ("20.10",),
    "docker-23": ("23", "23.0"),
    "docker-24": ("24", "24.0"),
    "docker-26": ("25", "25.0", "26", "26.0", "26.1", "27", "27.0", "27.1", "27.2", "27.3", "27.4", "27.5"),
    "docker-28": ("28", "28.0", "28.1", "28.2", "28.3", "28.4", "28.5", "29", "29.0", "29.1", "29.2", "29.3", "29.4"),
}
FIRST_SEPARATE = "docker-18.09"

KIN = dict.fromkeys(("kata", "gvisor"), ("its containers run on a kernel of their own", "docker-26"))
_ABSENT: tuple[tuple[str, str, str], ...] = (  # pattern of the version, why it has no row, nearest
    (r"0\..*|1\.[0-9]", "the ladder begins with 1.10", "docker-1.10"),
    (r"17\.1[0-2]|18\.0[1-6]", "its containerd is 1.0 or 1.1, with shims of another kind", "docker-18.09"),
    (r"30.*", "the ladder ends with 29", "docker-28"),
)


def _versions() -> dict[str, str]:
    rows, found, separate = list(ROWS), dict[str, str](), False
    for row in rows:
        separate = separate or row == FIRST_SEPARATE
        for version in ROWS[row]:
            found[f"docker-{version}"] = row
            if separate:
                found[f"docker-{version}{SEPARATE}"] = row + SEPARATE
    return found


VERSIONS = _versions()
"""Every name that stands for a row -> the row's own name."""


def absent(name: str) -> tuple[str, str] | None:
    """Return why an engine has no row, and the nearest that has; None if *name* is no version of an engine.

    >>> absent("docker-17.12")[1], absent("dcoker")
    ('docker-18.09', None)
    """
    if name in KIN:
        return KIN[name]
    match = re.fullmatch(r"docker-([0-9.]+)", name)
    if match is None:
        return None
    found = (row for row in _ABSENT if re.fullmatch(row[0], match[1]))
    return next(((why, nearest) for _, why, nearest in found), None)

"""The exit statuses of the command line, and the one that several verdicts or runs come to.

Source: the project's own conventions; 130 and 141 are what a shell gives for SIGINT and SIGPIPE.
"""

from __future__ import annotations

from collections.abc import Iterable

HOLDS, FAILS, WRONG, UNDETERMINED, FAULT, INTERRUPTED, NOBODY_READS = 0, 1, 2, 3, 4, 130, 141


def status_of(holds: Iterable[bool | None]) -> int:
    """Return the exit status that verdicts mean."""
    found = set(holds)
    return FAILS if False in found else UNDETERMINED if None in found else HOLDS


def worst(statuses: Iterable[int]) -> int:
    """Return the status that counts where there are several."""
    found = set(statuses)
    return next((it for it in (INTERRUPTED, FAULT, WRONG, FAILS, UNDETERMINED) if it in found), HOLDS)

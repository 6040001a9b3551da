"""Restart= of a unit: in which way a main process ended, and which of its values starts it again.

Leaves out watchdogs, RestartPreventExitStatus= and its like. Source: systemd.service(5), the table of Restart=.
"""

from __future__ import annotations

from sim.kernel.signals import NAMES

CLEAN_SIGNALS = frozenset({"HUP", "INT", "TERM", "PIPE"})
CLEAN, CODE, SIGNAL, TIMEOUT = "clean exit or signal", "unclean exit code", "unclean signal", "timeout"
RESTARTS: dict[str, frozenset[str]] = {  # systemd.service(5), the table of Restart=; watchdogs do not exist here
    "no": frozenset(),
    "always": frozenset({CLEAN, CODE, SIGNAL, TIMEOUT}),
    "on-success": frozenset({CLEAN}),
    "on-failure": frozenset({CODE, SIGNAL, TIMEOUT}),
    "on-abnormal": frozenset({SIGNAL, TIMEOUT}),
    "on-abort": frozenset({SIGNAL}),
    "on-watchdog": frozenset(),
}


def way_of(status: int) -> str:
    """Return in which of the table's ways a main process ended.

    >>> way_of(0), way_of(1), way_of(-9), way_of(-15)
    ('clean exit or signal', 'unclean exit code', 'unclean signal', 'clean exit or signal')
    """
    if status < 0:
        return CLEAN if NAMES[-status] in CLEAN_SIGNALS else SIGNAL
    return CODE if status else CLEAN

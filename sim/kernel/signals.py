"""Signal names, numbers and default actions.

Leaves out real-time signals, and the dumps themselves. Source: signal(7); numbers are those of x86.
"""

from __future__ import annotations

Signal = str

NUMBERS: dict[Signal, int] = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9, "USR1": 10,
    "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "CHLD": 17, "CONT": 18, "STOP": 19, "TSTP": 20,
    "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24, "XFSZ": 25, "VTALRM": 26, "PROF": 27, "WINCH": 28, "IO": 29,
    "PWR": 30, "SYS": 31,
}  # fmt: skip
NAMES: dict[int, Signal] = {number: name for name, number in NUMBERS.items()}

# Default actions other than "terminate" (signal(7), table "Standard signals").
DISCARDED = frozenset({"CHLD", "URG", "WINCH"})
DUMPING = frozenset({"QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "SEGV", "XCPU", "XFSZ", "SYS"})
STOPPING = frozenset({"STOP", "TSTP", "TTIN", "TTOU"})
UNCATCHABLE = frozenset({"KILL", "STOP"})
CATCHABLE = frozenset(NUMBERS) - UNCATCHABLE

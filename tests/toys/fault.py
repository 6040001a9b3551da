"""A fault in one file: a process has used up the time that setrlimit(2) allows it, and gets SIGXCPU."""

from sim.faults.kind import Row, lives, signalled

KINDS = {"overrun": signalled("a process has used up its time and gets SIGXCPU", "XCPU", lives)}
ROWS = {"T1": Row("who holds web has used up its time", '{"kill": "supervisor/web", "signal": "XCPU"}')}

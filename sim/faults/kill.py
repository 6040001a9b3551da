"""A process gets SIGKILL and is gone. Source: signal(7); engine-1.13 §23 T22, T23, T26."""

from sim.faults.kind import lives, signalled

KINDS = {"kill": signalled("a process gets SIGKILL and is gone", "KILL", lives)}

"""setup-resolver: dockerd's re-exec that redirects DNS inside a container of a user-defined network, and leaves.

Source: libnetwork resolver_unix.go; engine-1.13 §2 step 14, §12 (1 process and about 7 threads).
"""

from __future__ import annotations

from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Exit
from sim.engine.procedure import procedure
from sim.engine.program import Program
from sim.engine.role import Kind, Role
from sim.kernel import syscalls


def start_threads(g: Goroutine) -> None:
    """Start the Go runtime's threads."""
    syscalls.start_threads(g.turn, g.pid, g["count"])


PROGRAM = Program(
    "resolver",
    (procedure("resolver.main", Do(start_threads), Exit(0)),),
    role=Role(kind=Kind.ERRAND, target="container", brief=True, slows=True),
)

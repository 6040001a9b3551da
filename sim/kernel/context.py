"""What a system call needs of whoever makes it: the host as it is now, and a place for its events.

The driver's turns satisfy it, and so does anything else that keeps a host up to date. Source: the project's own.
"""

from __future__ import annotations

from typing import Any, Protocol

from sim.kernel.host import Host


class CallContext(Protocol):
    """What a call needs of its surroundings."""

    @property
    def host(self) -> Host:
        """Return the kernel's tables as they are now."""

    def emit(self, event: Any) -> None:
        """Apply *event* and keep it."""

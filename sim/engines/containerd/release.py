"""What containerd's packages bring: where it listens, its unit, and what was measured of 1.7 (with docker 26.1.5).

Source: designs §1.1, §3.9 [S]; docs/measurements [M].
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.setup import S, Unit, Unverified

SOCKET = paths.SERVICE_SOCK.removeprefix("unix:")
SERVICE = Unit("always", "process", 5 * S, 5, 10 * S, 90 * S)  # containerd's own unit
UNVERIFIED = Unverified(
    dockerd_threads_after=6,
    containerd_threads=8,
    shim_threads_before=9,
    runc_threads=9,
    hook_threads=8,
)

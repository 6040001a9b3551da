"""What a version of containerd brings, and its packages: where it listens, its unit, what was measured of 1.7.24.

Source: designs §1.1, §3.9 [S]; docs/measurements [M]; the versions at which a rule begins: see `containerd_of`.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine import paths
from sim.engine.role import KIB, Rss
from sim.engine.setup import S, Unit, Unverified
from sim.engine.traits import Traits

SOCKET = paths.SERVICE_SOCK.removeprefix("unix:")
SERVICE = Unit("always", "process", 5 * S, 5, 10 * S, 90 * S)  # containerd's own unit
UNVERIFIED = Unverified(
    dockerd_threads_after=6,
    containerd_threads=8,
    shim_threads_before=9,
    runc_threads=9,
    hook_threads=8,
)
# Processes of 1.7.24 beside Docker 26.1.5, in kB of smaps_rollup: what is shared is RSS less the pages of its own
SIZES = "M 26.1.5, containerd 1.7.24: memory_threads.csv"
CONTAINERD_RSS = Rss(45_560 * KIB, f"{SIZES}, n = 2", ((10, 46_756 * KIB),), 1_592 * KIB)
SHIM_RSS = Rss(20_314 * KIB, f"{SIZES}, n = 20", shared=16_126 * KIB)


def containerd_of(version: str, traits: Traits) -> Traits:
    """Return the traits of an engine whose containerd is of a *version*.

    The first that cleans up leaked shims is v1.7.0 (runtime/v2/shim_load.go 152-170; containerd#6860, never in 1.6).
    `shim delete` tells the pid since v1.5.10 and v1.6.1 (runtime/v2/runc/manager/manager_linux.go Stop). Which Docker
    has which version: moby hack/dockerfile/install/containerd.installer. It is released with runc 1.1 since v1.6.0
    (script/setup/runc-version), of which Docker's packages had the same.

    >>> containerd_of("1.6.38", Traits()).cleans_leaked_shims, containerd_of("1.7.0", Traits()).cleans_leaked_shims
    (False, True)
    """
    number = tuple(int(part) for part in version.split("."))
    tells = number >= ((1, 6, 1) if number >= (1, 6) else (1, 5, 10))
    runc_1_1 = number >= (1, 6)
    return replace(traits, dead_shim_tells_pid=tells, cleans_leaked_shims=number >= (1, 7), kill_thaws=runc_1_1)

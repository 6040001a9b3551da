"""The podman ladder: at which version an outcome becomes another one, and which row each version belongs to.

The row that is called podman alone is that of 5.3 to 5.5, of which 5.4.2 was measured. podman-quadlet
is of the same version. Source: podman, libpod/container_internal.go (waitForConmonToExitAndSave, resetContainerState,
handleRestartPolicy), container_api.go (WaitForExit), runtime.go (refresh), pkg/util/utils.go (ConvertTimeout), each
read at v4.6.0, v4.9.0, v5.0.0, v5.1.0, v5.2.0, v5.3.0, v5.4.2, v5.5.2, v5.6.0 and v5.8.2 [S].
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from sim.engine.setup import S
from sim.world import World

STAYS, FAILS, IS_KNOWN = "stays", "fails", "is known"


class Version(NamedTuple):
    """What differs between versions in an outcome; the defaults are those of podman 5.4.

    *conmon_dead* is what a stop makes of a container whose conmon is dead: nothing, so that it is stopping for good
    (until 5.0); an end with -1, and an error that rm -f, too, gives up at (ErrInternal, 5.1); one that rm -f goes on
    after (ErrConmonDead, 5.6). *wait_limit* is how long `podman wait` looks for the code of a container without a
    conmon, in µs (until 5.2 it polls). *exited_at_boot* says that what ran when the host went down has exited, and is
    removed if it was to be (5.0); it is created before. *new_network* says that a policy's restart makes the network
    anew (5.1). *endless_stop* says that `podman stop -t -1` waits for ever (5.0: 136 years); before, its number is too
    large for a duration, which wraps round and is over at once.
    """

    conmon_dead: str = FAILS
    wait_limit: int = 0
    exited_at_boot: bool = True
    new_network: bool = True
    endless_stop: bool = True


POLLS = 20 * S  # v4.9.0 and v5.2.0 container_api.go, WaitForExit
VERSION_5_4 = Version()
VERSION_4_9 = Version(STAYS, POLLS, exited_at_boot=False, new_network=False, endless_stop=False)
VERSION_5_0 = Version(STAYS, POLLS, new_network=False)
VERSION_5_2 = Version(wait_limit=POLLS)
VERSION_5_6 = Version(IS_KNOWN)

ROWS: dict[str, tuple[str, ...]] = {  # row -> the versions that it stands for, oldest first
    "podman": ("5.3", "5.4", "5.5"),
    "podman-4.9": ("4.6", "4.7", "4.8", "4.9"),
    "podman-5.0": ("5.0",),
    "podman-5.2": ("5.1", "5.2"),
    "podman-5.6": ("5.6", "5.7", "5.8"),
}
VERSIONS = {f"podman-{version}": row for row, versions in ROWS.items() for version in versions}
"""Every name that stands for a row -> the row's own name."""

KIN = dict.fromkeys(("podman-rootless", "lxc", "systemd-nspawn"), ("another kind of engine", "podman"))
KIN["quadlet"] = ("it is podman under systemd", "podman-quadlet")
_ABSENT = (  # pattern of the version, why it has no row, nearest
    (r"[0-3](\..*)?|4(\.[0-5](\..*)?)?", "the ladder begins with 4.6", "podman-4.9"),
    (r"(6|5\.9|5\.\d\d).*", "the ladder ends with 5.8", "podman-5.6"),
)


def absent(name: str) -> tuple[str, str] | None:
    """Return why a version has no row, and the nearest that has; None if *name* is no version of podman.

    >>> absent("podman-3.4"), absent("podmn")
    (('the ladder begins with 4.6', 'podman-4.9'), None)
    """
    if name in KIN:
        return KIN[name]
    version = name.removeprefix("podman-")
    if version == name:
        return None
    return next(((why, nearest) for pattern, why, nearest in _ABSENT if re.fullmatch(pattern, version)), None)


def version_of(world: World) -> Version:
    """Return what is true of the podman of a host."""
    engine: Any = world.design.engine
    version: Version = engine.version
    return version

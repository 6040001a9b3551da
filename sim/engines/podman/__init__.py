"""podman, rootful: no daemon, each command a process; by itself, or under systemd as Quadlet writes its units."""

from __future__ import annotations

from sim.designs.family import Family
from sim.engines.podman.ladder import ROWS, VERSIONS, absent

_PLACES = {row: f"{__name__}.podman:{row.upper().replace('-', '_').replace('.', '_')}" for row in ROWS}
FAMILY = Family(
    order=1,
    designs={**_PLACES, "podman-quadlet": f"{__name__}.podman_quadlet:PODMAN_QUADLET"},
    versions=VERSIONS,
    absent=absent,
    recognition=f"{__name__}.recognition:RECOGNITION",
)

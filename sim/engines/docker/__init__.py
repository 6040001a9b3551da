"""Docker from 1.10 to 29: dockerd, and the containerd, shims and proxies that it works with. One file a version."""

from __future__ import annotations

from sim.designs.family import Family
from sim.engines.docker.ladder import FIRST_SEPARATE, ROWS, SEPARATE, VERSIONS, absent


def _designs() -> dict[str, str]:
    found, separate = dict[str, str](), False
    for row in ROWS:
        constant = row.upper().replace("-", "_").replace(".", "_")
        place = f"{__name__}.{constant.lower()}:{constant}"
        found[row] = place
        separate = separate or row == FIRST_SEPARATE
        if separate:
            found[row + SEPARATE] = f"{place}_SEPARATE"
    return found


RECOGNITION = f"{__name__}.recognition:RECOGNITION"
FAMILY = Family(order=0, designs=_designs(), versions=VERSIONS, absent=absent, recognition=RECOGNITION)

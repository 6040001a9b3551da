"""Docker 25 to 27; 26.1.5 was measured, with containerd 1.7.24 as a child of dockerd."""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.role import KIB, Rss
from sim.engines.containerd.release import CONTAINERD_RSS, SHIM_RSS, SIZES
from sim.engines.docker.docker_24 import TRAITS_24
from sim.engines.docker.since_20_10 import UNREACHABLE, pair

SOURCE = "designs §1.1, §3 [S]; measurements of 26.1.5 [M]"
REFUSED = 'cannot remove container "/{name}": container is {state}'
TRAITS_26 = replace(
    TRAITS_24,
    unreachable=UNREACHABLE.replace("dialing dial", "dialing: dial"),
    removal_refused=(
        f"{REFUSED}: stop the container before removing or force remove",
        f"{REFUSED} and must be unpaused first",
    ),
)
RSS_26 = {
    "dockerd": Rss(
        85_280 * KIB,
        f"{SIZES} with 0 and 10 containers; measured beside it with 50",
        ((10, 96_252 * KIB), (50, 108_000 * KIB)),
        1_972 * KIB,
    ),
    "containerd": CONTAINERD_RSS,
    "shim": SHIM_RSS,
    "proxy": Rss(4_688 * KIB, f"{SIZES}, n = 20", shared=3_602 * KIB),
}
DOCKER_26, DOCKER_26_SEPARATE = pair("docker-26", SOURCE, TRAITS_26, "1.7.24", "Wants", rss=RSS_26)

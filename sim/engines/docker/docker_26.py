"""Docker 25 to 27; 26.1.5 was measured, with containerd 1.7.24 as a child of dockerd."""

from __future__ import annotations

from msgspec.structs import replace

from sim.engines.docker.docker_24 import TRAITS_24
from sim.engines.docker.since_20_10 import UNREACHABLE, pair

SOURCE = "designs §1.1, §3 [S]; measurements of 26.1.5 [M]"
TRAITS_26 = replace(TRAITS_24, unreachable=UNREACHABLE.replace("dialing dial", "dialing: dial"))
DOCKER_26, DOCKER_26_SEPARATE = pair("docker-26", SOURCE, TRAITS_26, "1.7.24", "Wants")

"""Docker 28 and 29: dockerd binds a published port itself and hands the socket to the proxy."""

from __future__ import annotations

from msgspec.structs import replace

from sim.designs.design import Design
from sim.designs.docker_24 import TRAITS_24
from sim.designs.since_20_10 import MANAGED

TRAITS_28 = replace(TRAITS_24, binds_first=True)
DOCKER_28 = Design("docker-28", "28.5, dockerd starts containerd", "designs §1.1, §3 [S]", MANAGED, TRAITS_28)

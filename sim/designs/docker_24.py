"""Docker 24: an exit is matched by container, so that the end of a shim is always noticed."""

from __future__ import annotations

from msgspec.structs import replace

from sim.designs.design import Design
from sim.designs.since_20_10 import MANAGED, TRAITS

TRAITS_24 = replace(TRAITS, exits_by="container")
DOCKER_24 = Design("docker-24", "24.0, dockerd starts containerd", "designs §1.1, §3 [S]", MANAGED, TRAITS_24)

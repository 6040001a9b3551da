"""Docker 24: an exit is matched by container, so that the end of a shim is always noticed."""

from __future__ import annotations

from msgspec.structs import replace

from sim.engines.docker.since_20_10 import TRAITS, pair

TRAITS_24 = replace(TRAITS, exits_by="container")
DOCKER_24, DOCKER_24_SEPARATE = pair("docker-24", "designs §1.1, §3 [S]", TRAITS_24, "Wants")

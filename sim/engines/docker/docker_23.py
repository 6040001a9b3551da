"""Docker 23: as 20.10, with Wants=containerd.service, so that the end of containerd stops nobody; `die` comes later."""

from __future__ import annotations

from msgspec.structs import replace

from sim.engines.docker.since_20_10 import TRAITS, pair

TRAITS_23 = replace(TRAITS, die_after_record=True)
DOCKER_23, DOCKER_23_SEPARATE = pair("docker-23", "designs §1.1, §3 [S]", TRAITS_23, "1.6.16", "Wants")

"""Docker 23: as 20.10, with Wants=containerd.service, so that the end of containerd stops nobody."""

from __future__ import annotations

from sim.engines.docker.since_20_10 import TRAITS, pair

DOCKER_23, DOCKER_23_SEPARATE = pair("docker-23", "designs §1.1, §3 [S]", TRAITS, "1.6.16", "Wants")

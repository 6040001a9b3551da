"""Docker 20.10: shims v2, which PID 1 has as children; an exit is matched by pid; Requires=containerd.service."""

from __future__ import annotations

from sim.engines.docker.since_20_10 import TRAITS, pair

DOCKER_20_10, DOCKER_20_10_SEPARATE = pair("docker-20.10", "designs §1.1, §3 [S]", TRAITS, "1.4.3", "Requires")

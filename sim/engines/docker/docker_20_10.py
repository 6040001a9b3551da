"""Docker 20.10: shims v2, which PID 1 has as children; an exit is matched by pid; Requires=containerd.service."""

from __future__ import annotations

from msgspec.structs import replace

from sim.engines.docker.since_20_10 import TRAITS, pair

TRAITS_20_10 = replace(TRAITS, dead_shim_tells_pid=False)  # before containerd 1.5.11 and 1.6.2

DOCKER_20_10, DOCKER_20_10_SEPARATE = pair("docker-20.10", "designs §1.1, §3 [S]", TRAITS_20_10, "Requires")

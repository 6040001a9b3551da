"""Docker 20.10: shims v2, which PID 1 has as children; an exit is matched by pid."""

from __future__ import annotations

from sim.designs.design import Design
from sim.designs.since_20_10 import MANAGED, TRAITS

DOCKER_20_10 = Design("docker-20.10", "20.10, dockerd starts containerd", "designs §1.1, §3 [S]", MANAGED, TRAITS)

"""Docker 23: shims v2, which PID 1 has as children; an exit is matched by pid."""

from __future__ import annotations

from sim.designs.design import Design
from sim.designs.since_20_10 import MANAGED, TRAITS

DOCKER_23 = Design("docker-23", "23.0, dockerd starts containerd", "designs §1.1, §3 [S]", MANAGED, TRAITS)

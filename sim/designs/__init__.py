"""Which programs make an engine. One file a variant; `DESIGNS` names them all."""

from __future__ import annotations

from sim.designs.design import Design
from sim.designs.docker_1_13 import DOCKER_1_13
from sim.designs.docker_17_06 import DOCKER_17_06
from sim.designs.docker_20_10 import DOCKER_20_10
from sim.designs.docker_23 import DOCKER_23
from sim.designs.docker_24 import DOCKER_24
from sim.designs.docker_26 import DOCKER_26
from sim.designs.docker_28 import DOCKER_28
from sim.designs.podman import PODMAN

DESIGNS: dict[str, Design] = {
    design.name: design
    for design in (DOCKER_1_13, DOCKER_17_06, DOCKER_20_10, DOCKER_23, DOCKER_24, DOCKER_26, DOCKER_28, PODMAN)
}

__all__ = ["DESIGNS", "Design"]

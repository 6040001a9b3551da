"""Which programs make an engine. One file a variant; `DESIGNS` names them all."""

from __future__ import annotations

from sim.designs.design import Design
from sim.designs.docker_1_13 import DOCKER_1_13

DESIGNS: dict[str, Design] = {design.name: design for design in (DOCKER_1_13,)}

__all__ = ["DESIGNS", "Design"]

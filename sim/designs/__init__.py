"""Which programs make an engine. One file a version; `DESIGNS` names them all, oldest first."""

from __future__ import annotations

from sim.designs.design import Design
from sim.engines.cri.containerd_cri import CONTAINERD_CRI
from sim.engines.cri.cri_o import CRI_O, CRI_O_CGROUPFS
from sim.engines.docker.docker_1_10 import DOCKER_1_10
from sim.engines.docker.docker_1_11 import DOCKER_1_11
from sim.engines.docker.docker_1_12 import DOCKER_1_12
from sim.engines.docker.docker_1_13 import DOCKER_1_13
from sim.engines.docker.docker_17_06 import DOCKER_17_06
from sim.engines.docker.docker_18_09 import DOCKER_18_09, DOCKER_18_09_SEPARATE
from sim.engines.docker.docker_19_03 import DOCKER_19_03, DOCKER_19_03_SEPARATE
from sim.engines.docker.docker_20_10 import DOCKER_20_10, DOCKER_20_10_SEPARATE
from sim.engines.docker.docker_23 import DOCKER_23, DOCKER_23_SEPARATE
from sim.engines.docker.docker_24 import DOCKER_24, DOCKER_24_SEPARATE
from sim.engines.docker.docker_26 import DOCKER_26, DOCKER_26_SEPARATE
from sim.engines.docker.docker_28 import DOCKER_28, DOCKER_28_SEPARATE
from sim.engines.podman.podman import PODMAN
from sim.engines.podman.podman_quadlet import PODMAN_QUADLET

_ALL = (
    DOCKER_1_10,
    DOCKER_1_11,
    DOCKER_1_12,
    DOCKER_1_13,
    DOCKER_17_06,
    DOCKER_18_09,
    DOCKER_18_09_SEPARATE,
    DOCKER_19_03,
    DOCKER_19_03_SEPARATE,
    DOCKER_20_10,
    DOCKER_20_10_SEPARATE,
    DOCKER_23,
    DOCKER_23_SEPARATE,
    DOCKER_24,
    DOCKER_24_SEPARATE,
    DOCKER_26,
    DOCKER_26_SEPARATE,
    DOCKER_28,
    DOCKER_28_SEPARATE,
    PODMAN,
    PODMAN_QUADLET,
    CONTAINERD_CRI,
    CRI_O,
    CRI_O_CGROUPFS,
)
DESIGNS: dict[str, Design] = {design.name: design for design in _ALL}

__all__ = ["DESIGNS", "Design"]

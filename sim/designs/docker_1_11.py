"""Docker 1.11: the first with containerd, which outlives its dockerd; a stop of the unit kills all; no live-restore."""

from __future__ import annotations

from msgspec.structs import replace

from sim.designs.design import Design
from sim.designs.docker_1_12 import TRAITS_1_12, WORDS
from sim.designs.docker_1_13 import DOCKER_1_13
from sim.engine.setup import Unit

DOCKER_1_11 = Design(
    "docker-1.11",
    "1.11",
    "designs §1.1 [S][I]; all else as docker-1.13",
    tuple(DOCKER_1_13.programs.values()),
    replace(
        TRAITS_1_12,
        words=replace(WORDS, dockerd=("/usr/bin/docker", "daemon")),
        containerd_dies_with=None,
        live_restore=False,
        unit=Unit("no", "control-group"),
    ),
)

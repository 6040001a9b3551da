"""Docker 23: as 20.10, with Wants=containerd.service, so that the end of containerd stops nobody; `die` comes later.

Its packages have the unit of the engine's own repository, whose TimeoutStartSec=0 leaves a stop the usual 90 s; that of
18.09 to 20.10 had TimeoutSec=0. Source: docker-ce-packaging c4c2d89; moby v23.0.0 contrib/init/systemd/docker.service.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.setup import S
from sim.engines.docker.since_20_10 import TRAITS, pair

TRAITS_23 = replace(TRAITS, die_after_record=True, unit=replace(TRAITS.unit, timeout_stop=90 * S))
DOCKER_23, DOCKER_23_SEPARATE = pair("docker-23", "designs §1.1, §3 [S]", TRAITS_23, "1.6.16", "Wants")

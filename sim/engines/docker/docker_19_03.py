"""Docker 19.03: as 18.09; container records are read many at a time; containerd's unit is started again [K]."""

from __future__ import annotations

from msgspec.structs import replace

from sim.engines.containerd.release import SERVICE
from sim.engines.docker.docker_18_09 import OF_SHIMS_V1, SOURCE, TRAITS_18_09
from sim.engines.docker.dockerd import program_v2
from sim.engines.docker.since_20_10 import managed, separate

TRAITS_19_03 = replace(TRAITS_18_09, load_each=3_000, writes_signals=True)
DOCKER_19_03 = managed("docker-19.03", SOURCE, TRAITS_19_03, OF_SHIMS_V1, program_v2.MANAGED_UNTIL_19_03)
DOCKER_19_03_SEPARATE = separate(
    "docker-19.03", SOURCE, TRAITS_19_03, "BindsTo", OF_SHIMS_V1, SERVICE, 0, program_v2.SEPARATE_UNTIL_19_03
)

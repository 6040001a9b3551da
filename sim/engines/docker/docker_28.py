"""Docker 28 and 29: dockerd binds a published port itself and hands the socket to the proxy; sizes as of 26 [K]."""

from __future__ import annotations

from msgspec.structs import replace

from sim.engines.docker.docker_26 import RSS_26, TRAITS_26
from sim.engines.docker.since_20_10 import pair

TRAITS_28 = replace(TRAITS_26, binds_first=True)
DOCKER_28, DOCKER_28_SEPARATE = pair("docker-28", "designs §1.1, §3 [S]", TRAITS_28, "1.7.25", "Wants", rss=RSS_26)

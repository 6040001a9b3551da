"""Docker 28 and 29: dockerd binds a published port itself and hands the socket to the proxy.

ip6tables is on unless a file says no, since 27. Sizes are those of 26 [K]. Source: moby v28.0.0
cmd/dockerd/config_unix.go 29.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.setup import S
from sim.engines.docker.docker_26 import RSS_26, TRAITS_26
from sim.engines.docker.since_20_10 import pair

TRAITS_28 = replace(TRAITS_26, binds_first=True, start_interval=5 * S, daemon=replace(TRAITS_26.daemon, ip6tables=True))
DOCKER_28, DOCKER_28_SEPARATE = pair("docker-28", "designs §1.1, §3 [S]", TRAITS_28, "1.7.25", "Wants", rss=RSS_26)

"""Docker 24: an exit is matched by container, so that the end of a shim is always noticed; its end waits for streams.

It is built with containerd 1.7.1 (v24.0.0 hack/dockerfile/install/containerd.installer), "static binaries and CI only":
its packages of that time have 1.6 (docker/packaging: 1.6.24 beside 24.0.7 [K]).
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.engine.setup import S
from sim.engines.docker.docker_23 import TRAITS_23
from sim.engines.docker.since_20_10 import pair

TRAITS_24 = replace(
    TRAITS_23, exits_by="container", no_task_code=0, start_forgets_oom=True, stream_wait=5 * S, waits_for_proxies=True
)
DOCKER_24, DOCKER_24_SEPARATE = pair(
    "docker-24", "designs §1.1, §3 [S]", TRAITS_24, "1.7.1", "Wants", packaged="1.6.24"
)

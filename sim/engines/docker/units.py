"""docker.service, and what ties it to containerd.service: BindsTo=, Requires= or Wants=; it is ordered after that unit.

Source: designs §1.1, §3.8, §3.9 [S]; the package's unit file of el7, whose description is public. Docker's own: moby
v1.10.3 to v1.12.6 and v23.0.0 to docker-v29.0.0, contrib/init/systemd/docker.service; docker-ce-packaging, branch
17.06, deb/systemd/docker.service, 18.09 to 20.10, systemd/docker.service [S].
"""

from __future__ import annotations

from typing import Any

from sim.engines.host.systemd.unit import UnitFile
from sim.engines.host.units import engine_unit

DOCKERD = (  # variables are not filled in
    "/usr/bin/dockerd-current --add-runtime docker-runc=/usr/libexec/docker/docker-runc-current"
    " --default-runtime=docker-runc --exec-opt native.cgroupdriver=systemd"
    " --userland-proxy-path=/usr/libexec/docker/docker-proxy-current"
    " --init-path=/usr/libexec/docker/docker-init-current --seccomp-profile=/etc/docker/seccomp.json $OPTIONS"
    " $DOCKER_STORAGE_OPTIONS $DOCKER_NETWORK_OPTIONS $ADD_REGISTRY $BLOCK_REGISTRY $INSECURE_REGISTRY $REGISTRIES"
)
DESCRIPTION = "Docker Application Container Engine"
DOCKER_STATUS = (DESCRIPTION, "http://docs.docker.com", DOCKERD)
COUPLINGS = {"BindsTo": "binds_to", "Requires": "requires", "Wants": "wants"}


def upstream(exec_start: str) -> tuple[str, str, str]:
    """Return what Docker's own packages have in docker.service, with *exec_start* as its command line."""
    return DESCRIPTION, "https://docs.docker.com", exec_start


def docker(coupling: str = "", status: tuple[str, str, str] = DOCKER_STATUS) -> UnitFile:
    """Return docker.service, tied by *coupling* to containerd.service, if there is one."""
    tied: dict[str, Any] = {COUPLINGS[coupling]: ("containerd",), "after": ("containerd",)} if coupling else {}
    return engine_unit("docker", "dockerd", reload="HUP", status=status, **tied)

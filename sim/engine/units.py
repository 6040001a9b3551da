"""The unit files of daemons: the engine's own, whatever it is called, and containerd.service beside docker.service.

What becomes of docker.service goes by what ties it to containerd.service: BindsTo=, Requires= or Wants=; it is ordered
after that unit. Source: designs §1.1, §3.8, §3.9 [S]; the packages' unit files, whose descriptions are [K] but for
docker's of el7.
"""

from __future__ import annotations

from typing import Any

from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.setup import Unit
from sim.engine.systemd.unit import ENGINE, UnitFile, group
from sim.engine.traits import traits, unit_keys

DOCKERD = (  # variables are not filled in
    "/usr/bin/dockerd-current --add-runtime docker-runc=/usr/libexec/docker/docker-runc-current"
    " --default-runtime=docker-runc --exec-opt native.cgroupdriver=systemd"
    " --userland-proxy-path=/usr/libexec/docker/docker-proxy-current"
    " --init-path=/usr/libexec/docker/docker-init-current --seccomp-profile=/etc/docker/seccomp.json $OPTIONS"
    " $DOCKER_STORAGE_OPTIONS $DOCKER_NETWORK_OPTIONS $ADD_REGISTRY $BLOCK_REGISTRY $INSECURE_REGISTRY $REGISTRIES"
)
DOCKER_STATUS = ("Docker Application Container Engine", "http://docs.docker.com", DOCKERD)
CONTAINERD_STATUS = ("containerd container runtime", "https://containerd.io", "/usr/bin/containerd")
COUPLINGS = {"BindsTo": "binds_to", "Requires": "requires", "Wants": "wants"}


def _daemon(g: Goroutine, name: str) -> Spawn:
    """Describe the engine's daemon: a session of its own in the unit's control group."""
    found = traits(g.world, g.pid)
    return Spawn(
        found.engine,
        found.words.dockerd,
        main=found.engine_main,
        new_session=True,
        cgroup=group(g.world, name),
        oom_score_adj=found.engine_score,
    )


def engine_unit(name: str, program: str, **more: Any) -> UnitFile:
    """Return the engine's own unit, whose keys a scenario may set (NotifyAccess=main)."""
    return UnitFile(
        name=name, program=program, spawn=_daemon, keys=lambda world, name: unit_keys(world), key=ENGINE, **more
    )


def docker(coupling: str = "") -> UnitFile:
    """Return docker.service, tied by *coupling* to containerd.service, if there is one."""
    tied: dict[str, Any] = {COUPLINGS[coupling]: ("containerd",), "after": ("containerd",)} if coupling else {}
    return engine_unit("docker", "dockerd", reload="HUP", status=DOCKER_STATUS, **tied)


def _containerd(g: Goroutine, name: str) -> Spawn:
    """Describe containerd: a session of its own in the unit's control group."""
    found, own = g.world.design.containerd_io(g.world).traits, group(g.world, name)
    words, score = found.words.containerd, found.containerd_score
    return Spawn("containerd", words, new_session=True, cgroup=own, oom_score_adj=score)


def containerd(keys: Unit) -> UnitFile:
    """Return containerd.service beside docker.service."""
    return UnitFile(
        name="containerd",
        program="containerd",
        spawn=_containerd,
        keys=lambda world, name: keys,
        status=CONTAINERD_STATUS,
    )

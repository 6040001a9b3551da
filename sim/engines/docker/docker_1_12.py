"""Docker 1.12 as its own packages have it: the programs of 1.13, and a unit that nobody starts again."""

from __future__ import annotations

from msgspec.structs import replace

from sim.designs.design import Design
from sim.engine.setup import Unit
from sim.engine.traits import Words
from sim.engines.docker.docker_1_13 import DOCKER_1_13
from sim.engines.docker.engine import DOCKER
from sim.engines.docker.units import docker, upstream
from sim.engines.host.systemd.program import Systemd

WORDS = Words(
    dockerd=("/usr/bin/dockerd",),
    containerd=(
        "docker-containerd",
        "-l",
        "unix:///var/run/docker/libcontainerd/docker-containerd.sock",
        "--shim",
        "docker-containerd-shim",
        "--runtime",
        "docker-runc",
    ),
    shim=("docker-containerd-shim",),
    runc=("docker-runc",),
    proxy="/usr/bin/docker-proxy",
)
TRAITS_1_12 = replace(
    DOCKER_1_13.traits,
    words=WORDS,
    unit=Unit("no"),
    canceled_by="any signal",
    restore_asks="exit, pause or resume",
    unknown_exit=1,
    thaws_orphans=False,
    ends_late_execs=False,
    listens_first=False,
    drops_torn_state=False,
    restored_exits_after=0,
    discards_kept=False,
    pause_outlives_run=False,
)
DOCKER_1_12 = Design(
    "docker-1.12",
    "1.12",
    "designs §1, §1.1 [S]; all else as docker-1.13",
    DOCKER_1_13.programs_with(Systemd(docker(status=upstream(" ".join(WORDS.dockerd))))),
    TRAITS_1_12,
    DOCKER,
)

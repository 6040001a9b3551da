"""Docker 1.11: the first with containerd, which outlives its dockerd; a stop of the unit kills all; no live-restore.

Its dockerd does not ignore SIGPIPE yet: a line to standard error ends it once the journald behind it is gone.
"""

from __future__ import annotations

from msgspec.structs import replace

from sim.designs.design import Design
from sim.engine.goroutine import Goroutine
from sim.engine.ops import Do, Go
from sim.engine.program import Program
from sim.engine.setup import Unit
from sim.engines.docker.docker_1_12 import TRAITS_1_12, WORDS
from sim.engines.docker.docker_1_13 import DOCKER_1_13
from sim.engines.docker.dockerd import native_boot
from sim.engines.docker.dockerd.boot import SUPERVISED, boot_table
from sim.engines.docker.dockerd.program import API, PROGRAM
from sim.engines.docker.dockerd.supervise import check_containerd_pid
from sim.engines.docker.engine import DOCKER
from sim.engines.docker.units import docker, upstream
from sim.engines.host.systemd.program import Systemd


def look_for_containerd(g: Goroutine) -> str | None:
    """Note where standard error leads, then look for a containerd that an earlier dockerd has left."""
    native_boot.note_stderr(g)
    return check_containerd_pid(g)


DAEMON = ("/usr/bin/docker", "daemon")
TABLES = PROGRAM.with_tables(
    boot_table(Do(look_for_containerd, "adopted"), *SUPERVISED[1:], Go("health")), native_boot.api(API)
).procedures
DOCKERD = Program("dockerd", TABLES, dict(PROGRAM.handlers), ignored=frozenset({"USR1"}), role=PROGRAM.role)  # not PIPE
DOCKER_1_11 = Design(
    "docker-1.11",
    "1.11",
    "designs §1.1 [S][I]; all else as docker-1.13",
    DOCKER_1_13.programs_with(DOCKERD, Systemd(docker(status=upstream(" ".join(DAEMON))))),
    replace(
        TRAITS_1_12,
        words=replace(WORDS, dockerd=DAEMON),
        containerd_dies_with=None,
        restore_asks="new events",
        unknown_exit=0,
        live_restore=False,
        unit=Unit("no", "control-group"),
    ),
    DOCKER,
)

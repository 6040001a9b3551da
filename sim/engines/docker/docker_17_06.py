"""Docker 17.06: as 1.13, with a pause before restarts that ends at 60 s, and a unit that is started again."""

from __future__ import annotations

from msgspec.structs import replace

from sim.designs.design import Design
from sim.engine.setup import MS, S, Unit
from sim.engines.docker.docker_1_13 import DOCKER_1_13
from sim.engines.docker.engine import DOCKER
from sim.engines.docker.units import DOCKERD, docker, upstream
from sim.engines.host.systemd.program import Systemd

FILE = docker(status=upstream(DOCKERD))  # with the command line that its dockerd has here, that of 1.13
REFUSED_BY_STATE = (
    "You cannot remove a {state} container {id}. Stop the container before attempting removal or force remove",
    (
        "You cannot remove a {state} container {id}. "
        "Unpause and then stop the container before attempting removal or force remove"
    ),
)
UNIT = Unit("on-failure", "process", 100 * MS, 3, 60 * S, 90 * S)
DOCKER_17_06 = Design(
    "docker-17.06",
    "17.06",
    "designs §1.1 [S]; all else as docker-1.13",
    DOCKER_1_13.programs_with(Systemd(FILE)),
    replace(
        DOCKER_1_13.traits,
        restart_cap=60 * S,
        unit=UNIT,
        canceled_by="stop signal, KILL",
        removal_wakes=True,
        thaws_orphans=False,
        waits_for_ever=False,
        ends_ghosts=True,
        restored_exits_after=0,
        restore_kill_code=137,
        removal_refused=REFUSED_BY_STATE,
        discards_kept=False,
        pause_outlives_run=False,
    ),
    DOCKER,
)

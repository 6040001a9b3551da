"""What settings of docker cost that no metric shows. Source: each row's mark."""

from __future__ import annotations

from sim.engine.engine import Priced

LIVE_RESTORE = ("docker-1.13", "engine.daemon.live-restore", "true")
PRICES = (
    Priced(
        *LIVE_RESTORE,
        "this build reads each log FIFO twice after a restore and loses lines at random",
        "engine-1.13 §6 step 5, projectatomic/docker#311",
        "S",
    ),
    Priced(*LIVE_RESTORE, "dockerd refuses to start with it in swarm mode", "docker/docs#16059", "I"),
)

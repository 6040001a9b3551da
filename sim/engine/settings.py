"""daemon.json: what the file says, and what a daemon that has read it goes by.

Source: dockerd(8); engine-1.13 §11, §20.
"""

from __future__ import annotations

from sim.engine import paths
from sim.engine.setup import Daemon
from sim.kernel.records import Pid
from sim.world import World


def daemon_of(world: World, pid: Pid | None) -> Daemon:
    """Return the settings that a dockerd goes by."""
    given: Daemon = world.setup.engine.daemon
    found = given if pid is None else world.recall(pid, "settings", given)
    assert isinstance(found, Daemon)
    return found


def written(world: World) -> Daemon:
    """Return what daemon.json says."""
    found = world.host.files.get(paths.DAEMON_JSON, world.setup.engine.daemon)
    assert isinstance(found, Daemon)
    return found

"""Process numbers that files keep on a host of Docker: pid files of daemons, and a container's record.

Whoever reads one later takes the process that bears the number for the one that it was. Source: engine-1.13 §1.4, §3.1.
"""

from __future__ import annotations

from typing import Any

from sim.engine import paths
from sim.engine.records import Container
from sim.kernel.records import Pid
from sim.world import World


def of_dockerd(world: World, container: str) -> Pid:
    """Return the number in dockerd's pid file; 0 if there is none."""
    found: Any = world.host.files.get(paths.DOCKER_PID, 0)
    return int(found)


def of_containerd(world: World, container: str) -> Pid:
    """Return the number in the pid file of a containerd that dockerd started; 0 if there is none."""
    found: Any = world.host.files.get(paths.CONTAINERD_PID, 0)
    return int(found)


def of_payload(world: World, container: str) -> Pid:
    """Return the number that dockerd's record of a container has, or else containerd's; 0 if neither has one."""
    record = world.host.files.get(paths.container(container))
    state: Any = world.host.files.get(f"{paths.state(world.services[container].id)}/pid")
    return (record.pid if isinstance(record, Container) else 0) or state or 0


WRITTEN_DOWN = {"dockerd": of_dockerd, "containerd": of_containerd, "payload": of_payload}

"""What is true of Docker alone: what its disk says, and in which procedure it starts a container.

Source: engine-1.13 §1.4, §6.
"""

from __future__ import annotations

from typing import Any

from sim.engine import paths
from sim.engine.engine import IN_MEMORY, Engine, daemon_faults, daemon_of, ran, remembered
from sim.engine.networks import address, bindings, host_addresses
from sim.engine.records import Endpoint
from sim.engines.containerd.unit_faults import CONTAINERD_UNIT
from sim.engines.containerd.unread import CONTAINERD
from sim.engines.docker import meaning
from sim.engines.docker.dockerd.ranges import first_free
from sim.engines.docker.numbers import WRITTEN_DOWN
from sim.engines.docker.prices import PRICES
from sim.engines.docker.proxy import forwards
from sim.engines.docker.unread import DOCKERD
from sim.engines.docker.vocabulary import DOCKER as VOCABULARY
from sim.engines.host.client import NO_DAEMON
from sim.kernel import syscalls
from sim.world import Turn, World


def disk_of_a_running_host(turn: Turn) -> None:
    """Write what the disk says after a power cut while every service ran."""
    used: dict[str, int] = {}
    taken: set[str] = set()
    for service, record in ran(turn.world):
        number = used[service.network] = used.get(service.network, 1) + 1
        place = address(turn.world, service.network, number)
        ports = bindings(service.ports, host_addresses(turn.world, 0))
        ports = first_free(ports, taken, alone=turn.world.design.traits.binds_first)
        endpoint = Endpoint(service.name, service.network, number, place, ports)
        syscalls.write_file(turn, paths.container(service.name), record)
        syscalls.write_file(turn, paths.ENDPOINTS + service.name, endpoint)
        syscalls.write_file(turn, paths.SANDBOXES + service.name, endpoint)


def knows(world: World, container: str) -> bool:
    """Return whether dockerd hears of a container's exit: it is deaf to what libcontainerd's table lacks.

    Where no dockerd has read the records, the disk must say that the container runs, so that the next one asks.
    """
    pid = daemon_of(world)
    if pid is not None and world.recall(pid, IN_MEMORY + container) is not None:
        return bool(world.recall(pid, f"lib/{container}"))
    record = remembered(world, container)
    return record is not None and record.running


def exit_told(world: World, container: str) -> bool:
    """Return whether a shim told dockerd when the container's last run ended."""
    pid = daemon_of(world)
    return pid is not None and bool(world.recall(pid, f"told/{container}"))


def faults(design: Any) -> dict[str, str]:
    """Return how the matrix's faults are written: containerd is dockerd's child, a unit of its own, or not there."""
    found = daemon_faults(design) | {"F6": "kill proxy/web", "F12": f'{{"upgrade": {{"to": "{design.name}"}}}}'}
    if "containerd" in design.programs:
        found["F3"] = "kill containerd"
    return found | (CONTAINERD_UNIT if design.traits.containerd_unit is not None else {})


DOCKER = Engine(
    disk=disk_of_a_running_host,
    starts=("dockerd.start",),
    vocabulary=VOCABULARY,
    faults=faults,
    refuses=meaning.takes_all,
    instead=meaning.instead,
    written_down=WRITTEN_DOWN,
    upgrades=meaning.upgrades,
    backoff=("dockerd.restart",),
    errands=("runc, hooks", "runc, iptables, hook"),
    keeper="containerd",
    forwards=forwards,
    unreached=NO_DAEMON,
    prices=PRICES,
    unread=(CONTAINERD, DOCKERD),
    ends_with="dockerd",
    knows=knows,
    exit_told=exit_told,
    policy_source="restartmanager/restartmanager.go ShouldRestart",
    pid_files={paths.DOCKER_PID: "dockerd", paths.CONTAINERD_PID: "containerd"},
)

"""A container as a unit of systemd, as Quadlet writes it: `podman run` starts it, conmon is the main process.

A unit is of Type=notify: `podman run --replace --rm --cgroups=split --sdnotify=conmon -d` tells the number of conmon
and that it is ready (NotifyAccess=all), and leaves. All of it lives in the unit's control group, the container's
processes too, so that nothing outlives the main process: what is left gets KILL (KillMode=mixed), ExecStopPost= removes
the container, and Restart= starts it again. A stop runs ExecStop= first, `podman rm -f`. Each container of the file is
a unit, wanted by multi-user.target; those that commands make are none. The policy of the Compose file is Restart=; a
count of on-failure has no key. Leaves out that podman moves itself into the group that conmon is in, dependencies
between containers, and daemon-reload, which would write the units anew. podman-restart.service, which would start
containers whose policy is always, is not enabled, as packages leave it. Source: designs §4.2, C3, F8 [S][S*], §1 (70
s); podman quadlet.go, libpod/container_internal.go start [S]; podman-systemd.unit(5).
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine.containers import unit_group
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.setup import Service, Unit
from sim.engine.traits import unit_keys
from sim.engines.conmon.conmon import runtime_group
from sim.engines.host.systemd.program import Systemd
from sim.engines.host.systemd.unit import TEMPLATE, UnitFile
from sim.engines.podman.client import PODMAN
from sim.engines.podman.stop import IGNORE
from sim.facts import Message
from sim.world import World

RESTART_OF = {"no": "no", "always": "always", "unless-stopped": "always", "on-failure": "on-failure"}
RM = (None, None, True, (IGNORE,), False, False)  # what `podman rm -f -i` is asked
RUN = (None, None, True, (), True, False)


def _podman(service: Service, verb: str, main: str, *words: str, data: Any) -> Spawn:
    """Describe a podman command that systemd runs in the unit's control group."""
    local = {"c": service.name, "request": Message(verb, service.name, None, data)}
    argv = (PODMAN, verb, *words)
    return Spawn("podman", argv, service.name, main=main, local=local, new_session=True, cgroup=unit_group(service))


def _run(g: Goroutine, name: str) -> Spawn:
    """Describe ExecStart=."""
    service = g.world.services[name]
    words = ("--name", name, "--replace", "--rm", "--cgroups=split", "--sdnotify=conmon", "-d", service.image)
    return _podman(service, "run", "run_unit", *words, data=RUN)


def _remove(g: Goroutine, name: str) -> Spawn:
    """Describe ExecStop= and ExecStopPost=: remove the container whatever it does."""
    return _podman(g.world.services[name], "rm", "rm", "-v", "-f", "-i", name, data=RM)


def _keys(world: World, name: str) -> Unit:
    return replace(unit_keys(world), restart=RESTART_OF[world.services[name].restart.name])


def _groups(world: World, name: str) -> tuple[str, ...]:
    service = world.services[name]
    payload = world.design.traits.split_scope.format(id=service.id, name=service.name)
    return unit_group(service), runtime_group(service), payload


QUADLET = UnitFile(
    name=TEMPLATE,
    program="conmon",
    spawn=_run,
    keys=_keys,
    notify="all",
    exec_stop=_remove,
    exec_stop_post=_remove,
    groups=_groups,
)
WITHOUT_UNITS = Systemd()
WITH_QUADLETS = Systemd(QUADLET)

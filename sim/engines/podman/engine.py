"""What is true of podman alone: what its database says, and what of that counts as believed.

No process holds anything: what is believed is what the next command would find. Source: designs §4.2 [S].
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sim.engine.containers import is_split
from sim.engine.engine import HOLDER_KILLED, Change, Engine, own_scope
from sim.engine.setup import Instant, Service, Step, Systemctl
from sim.engine.unread import Unread
from sim.engines.conmon.files import EXITS, exit_file
from sim.engines.conmon.unread import CONMON
from sim.engines.host.reach import address_in
from sim.engines.podman import meaning
from sim.engines.podman.exit_codes import exit_code
from sim.engines.podman.ladder import VERSION_5_4, Version
from sim.engines.podman.state import disk_of_a_running_host, synced, synced_in, told_by
from sim.engines.podman.states import LibpodContainer
from sim.engines.podman.vocabulary import PODMAN, QUADLET
from sim.kernel import events as e
from sim.world import World


def changed(world: World, event: Any) -> Change | None:
    """Return what a file that is written or removed changes in what a command would find of a container."""
    name = told_by(world, event.path) if isinstance(event, e.FileWritten | e.FileRemoved) else None
    if name is None:
        return None
    files: dict[str, Any] = dict(world.host.files)
    if isinstance(event, e.FileWritten):
        files[event.path] = event.value
    else:
        files.pop(event.path, None)
    service = world.services[name]
    return Change(name, synced_in(world, world.host.files, service), synced_in(world, files, service))


def teller(path: str) -> str:
    """Return what tells of a container: conmon's file, or the database."""
    return "conmon's exit file" if path.startswith(EXITS) else "podman's database"


def unit_started(service: Service, at: Instant) -> Step:
    """Return the step in which the unit of a service is started."""
    return Step(f"(start {service.name})", at, Systemctl("start", service.name), text=f"systemctl start {service.name}")


def faults(design: Any) -> dict[str, str]:
    """Return how the matrix's faults are written: the engine is a command, a holder is a conmon."""
    return {"F1": "kill podman/web", "F5": HOLDER_KILLED}


class Podman(Engine, frozen=True, kw_only=True):
    """What shared code asks podman, and its version, which its own room asks."""

    version: Version = VERSION_5_4


PODMAN_ENGINE = Podman(
    faults=faults,
    records=(LibpodContainer,),
    exit_code=exit_code,
    disk=disk_of_a_running_host,
    starts=("podman.run", "podman.run_unit", "podman.start"),
    start=(),
    believed=synced,
    changed=changed,
    address=address_in,
    vocabulary=PODMAN,
    refuses=meaning.refuses,
    instead=meaning.instead,
    no_daemon=meaning.NO_UNIT,
    fit=meaning.fit,
    errands=("podman, crun", "podman, crun, netavark"),
    end_file=exit_file,
    teller=teller,
    unread=(CONMON, Unread(tried=True)),
    policy_source="v5.4.2 libpod/container_internal.go 226-264",
)


def split_scope(world: World, service: Service) -> str:
    """Return the control group of a container: within its unit, if it was started there."""
    if not is_split(world, service):
        return own_scope(world, service)
    return str(world.design.traits.split_scope.format(id=service.id, name=service.name))


def of_the_file(service: Service) -> bool:
    """Return whether a container is a unit: those of the file are, those that commands make are not."""
    return service.at_begin


UNIT_S_MAIN_PROCESS = Unread(remembered=("podman",), tried=True)  # that of a unit that starts
QUADLET_ENGINE = replace(
    PODMAN_ENGINE,
    run=unit_started,
    at_boot=("init.units",),
    vocabulary=QUADLET,
    scope=split_scope,
    is_unit=of_the_file,
    unread=(CONMON, UNIT_S_MAIN_PROCESS),
    policy_source="systemd.service(5), Restart=",
)

"""Unit files, and what systemd knows of each unit.

A unit file is data of an engine: a design lists those that its packages install, and the first of them may be the
engine's own. A frame of PID 1 says by its variables which unit it is about: `unit` is a name, `c` a container that is a
unit; without either it is the engine's own. Source: systemd.unit(5), systemd.service(5).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from sim.engine.containers import is_unit
from sim.engine.goroutine import Goroutine, Spawn
from sim.engine.records import ServiceState, UnitState
from sim.engine.setup import Unit
from sim.facts import Fid, Locals, UnitChanged
from sim.kernel.records import INIT
from sim.world import Frame, Key, World

ENGINE = "docker"  # systemd's memory: what it knows of the engine's own unit, whatever that is called
UNIT = "unit/"  # the same of a container's unit
OF_CONTAINER = "unit"  # before a verb: the job is about the unit of the request's container
TEMPLATE = ""  # the name of a unit file that stands for every container of the file
NOT_FOUND = "Unit {name}.service could not be found."  # systemctl's own words for a unit that is not there
RUNS = ("active", "activating")
UP = (*RUNS, "auto-restart")  # what a stop or a restart of another unit takes along


class UnitFile(msgspec.Struct, frozen=True, kw_only=True):
    """A unit file. *spawn* describes the main process, *keys* are those of [Service] that a scenario may set.

    *own* are the keys of a unit beside the engine's own as its package has them, None where a scenario cannot set them.
    *notify* says who may tell that it is ready: its "main" process, "all" of its processes, nobody ("": Type=simple).
    *reload* is the signal of ExecReload=, "" if there is none. *groups* are the control groups of its processes, if
    they are not the unit's own. *status* is what `systemctl status` prints of the file: description, Docs=, ExecStart=.
    """

    name: str
    program: str
    spawn: Callable[[Goroutine, str], Spawn]
    keys: Callable[[World, str], Unit]
    own: Unit | None = None
    key: str = ""
    notify: str = "main"
    reload: str = ""
    wants: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    binds_to: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    exec_stop: Callable[[Goroutine, str], Spawn] | None = None
    exec_stop_post: Callable[[Goroutine, str], Spawn] | None = None
    groups: Callable[[World, str], tuple[str, ...]] | None = None
    status: tuple[str, str, str] = ("", "", "")

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the units that a start of this one starts, too."""
        return (*self.wants, *self.requires, *self.binds_to)

    @property
    def falls_with(self) -> tuple[str, ...]:
        """Return the units whose stop or restart by a job stops or restarts this one."""
        return (*self.requires, *self.binds_to)


# -- which unit -------------------------------------------------------------------------------------


def installed(world: World) -> dict[str, UnitFile]:
    """Return by name the unit files that are on the disk."""
    files: dict[str, UnitFile] = world.design.unit_files(world)
    return files


def is_there(world: World, name: str) -> bool:
    """Return whether there is such a unit now: its file is on the disk, or it is that of a container."""
    service = world.services.get(name)
    return name in installed(world) or (service is not None and is_unit(world, service))


def file_of(world: World, name: str) -> UnitFile:
    """Return the file of a unit: the one on the disk, or that of a version which was there before."""
    known: dict[str, UnitFile] = world.design.units
    return installed(world).get(name) or known.get(name) or known[TEMPLATE]


def own_name(world: World) -> str:
    """Return the name of the engine's own unit."""
    return str(world.design.traits.engine_unit)


def named(world: World, local: Locals) -> str:
    """Return which unit a frame of PID 1 is about."""
    return str(local.get("unit") or local.get("c") or own_name(world))


def of(g: Goroutine) -> str:
    """Return which unit this frame is about."""
    return str(g["unit"] or g["c"] or own_name(g.world))


def variables(world: World, name: str) -> Locals:
    """Return the variables that say which unit a frame is about; the engine's own needs none."""
    if name == own_name(world):
        return {}
    return {"unit": name} if name in world.design.units else {"c": name}


def daemons(world: World) -> list[str]:
    """Return the units with a file of their own."""
    return [name for name in world.design.units if name != TEMPLATE]


def names(world: World) -> list[str]:
    """Return every unit: those with a file of their own, and the containers that are units."""
    return daemons(world) + [name for name, service in world.services.items() if is_unit(world, service)]


def others(world: World) -> list[str]:
    """Return every unit but the engine's own."""
    own = own_name(world)
    return [name for name in names(world) if name != own]


# -- what systemd knows -----------------------------------------------------------------------------


def key_of(world: World, name: str) -> str:
    """Return under which key systemd remembers a unit."""
    file = file_of(world, name)
    return file.key or (UNIT + name if file.name == TEMPLATE else name)


def unit_of(world: World) -> UnitState:
    """Return what systemd knows of the engine's own unit."""
    state = world.recall(INIT, ENGINE)
    return state if isinstance(state, UnitState) else UnitState()


def state_of(world: World, name: str) -> UnitState:
    """Return what systemd knows of a unit; one with commands of its own has a number for them."""
    state = world.recall(INIT, key_of(world, name))
    if isinstance(state, UnitState):
        return state
    file = file_of(world, name)
    return UnitState() if file.exec_stop is None and file.exec_stop_post is None else ServiceState()


def control_pid(unit: UnitState) -> int:
    """Return the number of the unit's command that runs, 0 if none does."""
    return unit.control_pid if isinstance(unit, ServiceState) else 0


def is_supervised(world: World) -> bool:
    """Return whether PID 1 is a service manager: it watches the units, and starts them with the host."""
    return bool(world.setup.host.supervisor == "systemd")


def keys_of(world: World, name: str) -> Unit:
    """Return the keys of a unit; without a service manager those by which it does what somebody does who types.

    They start a daemon by hand as often as they like, end it by a TERM and wait for its end; nobody else does anything.
    """
    keys = file_of(world, name).keys(world, name)
    if is_supervised(world):
        return keys
    return replace(keys, restart="no", kill_mode="process", start_limit_burst=0, timeout_stop=0)


def group(world: World, name: str = "") -> str:
    """Return the control group of a unit."""
    return f"/system.slice/{name or own_name(world)}.service"


def groups(world: World, name: str) -> tuple[str, ...]:
    """Return every control group in which processes of a unit may be."""
    file = file_of(world, name)
    return (group(world, name),) if file.groups is None else file.groups(world, name)


def memory_of(world: World, frame: Frame) -> tuple[Key, ...]:
    """Name what a condition reads that asks for the state of a frame's unit."""
    return (("memory", INIT, key_of(world, named(world, frame.local))),)


def change(g: Goroutine, name: str, **fields: Any) -> None:
    """Change a unit, and say so where its state or its main process changes."""
    before = state_of(g.world, name)
    after = replace(before, **fields)
    g.remember(key_of(g.world, name), after)
    if (after.state, after.main_pid) != (before.state, before.main_pid):
        g.emit(UnitChanged(name, after.state, after.main_pid))


def start_about(g: Goroutine, procedure: str, name: str, **local: Any) -> Fid:
    """Start a frame of PID 1 that is about a unit."""
    subject = "" if name == own_name(g.world) else name
    return g.start(f"init.{procedure}", subject, **variables(g.world, name), **local)

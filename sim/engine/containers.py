"""The short words that many programs share: a container's service, its id, its folders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sim.engine import paths
from sim.engine.goroutine import Goroutine
from sim.engine.records import RuntimeState
from sim.engine.setup import Exec, Pins, Service
from sim.engine.traits import traits
from sim.facts import Locals
from sim.kernel.events import IdsReleased
from sim.kernel.records import INIT, OUTSIDE, Pid
from sim.world import Frame, Key, World

POD = "@pod"  # behind a container's name: the sandbox of its pod, which the pause process holds


def sandbox(name: str) -> str:
    """Return what the sandbox of a container's pod is called.

    >>> sandbox("web"), pod(sandbox("web")), pod("web")
    ('web@pod', 'web', 'web')
    """
    return pod(name) + POD


def pod(name: str) -> str:
    """Return the pod, which bears the name of its one container, of a container or a sandbox."""
    return name.partition("@")[0]


def is_sandbox(name: str) -> bool:
    """Say whether a name is that of a sandbox."""
    return name.endswith(POD)


def shim_holder(world: World, name: str) -> str:
    """Return after what the shim of a container is named: the container, or the sandbox, whose shim a pod shares."""
    return str(world.design.engine.shim_of(name))


def exit_key(world: World, c: str) -> str:
    """Return under which key a shim keeps the exit status of a container's first process; one of a pod has several."""
    return "exit/init" if shim_holder(world, c) == c else f"exit/{c}"


def service_of(g: Goroutine) -> Service:
    """Return the service of the container in variable `c`."""
    service = g.world.services[g["c"]]
    assert isinstance(service, Service)
    return service


def first_ns(world: World, service: Service) -> dict[str, Any]:
    """Return into which pid namespace a container's first process is cloned, as variables of a Spawn: a new one.

    Or the host's, whose its parent's is, or that in which another container's first process is.
    """
    if not service.pid_of:
        return {"new_ns": not service.host_pid}
    pid = first_pid(world, service.pid_of)
    return {"ns": OUTSIDE if pid is None else world.host.procs[pid].ns}


def first_pid(world: World, name: str) -> Pid | None:
    """Return the first process of a container as its runtime has written it down; None if that one does not live."""
    state = runtime_state(world, world.services[name].id)
    pid = None if state is None else state.pid
    return pid if pid is not None and world.host.alive(pid) else None


def can_join(world: World, service: Service) -> bool:
    """Return whether the namespaces are there which a container shares with others: those of a process that lives.

    A pid namespace whose first process is dead takes nobody in (pid_namespaces(7)).
    """
    if service.joins and first_pid(world, service.joins) is None:
        return False
    pid = first_pid(world, service.pid_of) if service.pid_of else INIT
    return pid is not None and not world.host.is_dying(pid)


def identity(world: World, frame: Frame) -> str:
    """Return the id of the container in variable `c`."""
    return str(world.services[frame.local["c"]].id)


def runtime_files(world: World, identity: str) -> tuple[str, ...]:
    """Return where a runtime may keep the state of a container id: a file for each root of a host's versions."""
    return tuple(paths.runtime_state(identity, root) for root in world.design.runtime_roots)


def own_state(g: Goroutine) -> str:
    """Return the file in which a runtime keeps the state of its container: versions have roots of their own.

    Source: moby v20.10.0 daemon/runtime_unix.go 46, v26.1.5 64; containerd v1.2.0 runtime/v1/linux/proc/init.go 84 adds
    the namespace. v1.10.3 has that of its driver, daemon/execdriver/native.
    """
    return paths.runtime_state(service_of(g).id, traits(g.world, g.pid).runtime_root)


def runtime_state(world: World, identity: str) -> RuntimeState | None:
    """Return what a runtime keeps of a container id; of two in several roots that of the process begun last."""
    files, procs = world.host.files, world.host.procs
    states = [it for path in runtime_files(world, identity) if isinstance(it := files.get(path), RuntimeState)]
    if len(states) < 2:
        return states[0] if states else None
    return max(states, key=lambda it: procs[it.pid].order if it.pid in procs else 0)


def scope_of(world: World, service: Service) -> str:
    """Return the control group of a container, where the engine puts it."""
    return str(world.design.engine.scope(world, service))


def is_unit(world: World, service: Service) -> bool:
    """Return whether a container is a unit of systemd: one of the file's, where the engine has them as units."""
    return bool(world.design.engine.is_unit(service))


def names_container(world: World, unit: str) -> bool:
    """Return whether the unit of that name is a container's."""
    return unit in world.services and is_unit(world, world.services[unit])


def is_split(world: World, service: Service) -> bool:
    """Return whether a container was started in its unit's control group: not one that somebody starts by hand."""
    return paths.split(service.id) in world.host.files


def unit_group(service: Service) -> str:
    """Return the control group of a container's unit."""
    return f"/system.slice/{service.name}.service"


def exec_of(service: Service, argv: tuple[str, ...]) -> Exec:
    """Return what a command does that runs in the container: as its words say, else as its first word does.

    >>> from sim.engine.setup import Payload
    >>> exec_of(Service("web", "", "", "", (), Payload("", ()), execs=(Exec("ls", 2),)), ("/bin/ls", "-l")).code
    2
    """
    names = names_of(argv)
    found = (row for name in names for row in service.execs if row.name == name)
    return next(found, Exec(names[0]))


def names_of(argv: tuple[str, ...]) -> tuple[str, str]:
    """Return the names of a command: its words, and the first of them without folders; of `sh -c` those of the script.

    >>> names_of(("/bin/ls", "-l")), names_of(("/bin/sh", "-c", "pg_isready -q || exit 1"))
    (('/bin/ls -l', 'ls'), ('pg_isready -q || exit 1', 'pg_isready'))
    """
    words = tuple(argv[2].split()) if argv[1:2] == ("-c",) and argv[2:] else argv
    return " ".join(words), words[0].rpartition("/")[2] if words else ""


def folder(world: World, frame: Frame) -> str:
    """Return containerd's folder for the process in variable `x` of the container in `c`; without `x`, its first."""
    return paths.state(identity(world, frame), frame.local.get("x") or "init")


def task_key(local: Locals) -> str:
    """Return under which key containerd remembers that process."""
    return f"task/{local['c']}/{local['x']}" if local.get("x") else f"task/{local['c']}"


def payload_reads(world: World, frame: Frame) -> tuple[Key, ...]:
    """Name what tells containerd whether that process is gone: what it remembers of it, and the process."""
    key = task_key(frame.local)
    task = world.recall(frame.fid[0], key)
    return (("memory", frame.fid[0], key), *((("proc", task.payload_pid),) if task else ()))


def pins(world: World, frame: Frame) -> Pins:
    """Return the numbers that were observed for the first start of the container in variable `c`."""
    found: Pins = world.services[frame.local["c"]].pins
    return found


def drop_pins(g: Goroutine, names: Iterable[str]) -> None:
    """Free the observed numbers of containers whose first start has come to nothing, so that nobody waits for them."""
    numbers = (number for name in names for number in g.world.services[name].pins.numbers())
    kept = [number for number in numbers if number in g.world.host.reserved]
    if kept:
        g.emit(IdsReleased(tuple(kept)))

"""What may be asked of a world: who lives, what the engine believes, who reaches a port; and the table of their names.

Two truths are kept apart. What the engine believes of a container is the record that a living dockerd holds, or, while
none has read it, the one on the disk. What the kernel knows of it is the process that runs its program; the stage of
runc that waits for `runc start` is none yet. All functions are pure and read only the tables of the world, so that the
explorer knows what an answer depends on. Leaves out time. Source: engine-1.13 §16.1, §16.9, §16.10; Docker 1.13
container/state.go StateString.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator

import msgspec

from sim.engine import records as engine
from sim.engine.containers import scope_of
from sim.engine.engine import daemon_of
from sim.engine.setup import Target
from sim.engines.host import output
from sim.engines.host.client import named_by
from sim.engines.host.payload import PROGRAM as PAYLOAD
from sim.engines.host.reach import finds, reachable
from sim.engines.host.stranger import PROGRAM as STRANGER
from sim.kernel.records import Image, Pid, Process
from sim.world import World

STAGE = "runc:[2:INIT]"  # what the first process is called until it runs its own program (engine-1.13 §2 step 12)

# -- the engine -------------------------------------------------------------------------------------


def dockerd(world: World) -> Pid | None:
    """Return the dockerd, or other engine, that systemd runs, if it lives."""
    return daemon_of(world)


def serving(world: World) -> Pid | None:
    """Return the dockerd that answers requests; None while it is down, starting or shutting down."""
    pid = dockerd(world)
    return pid if pid is not None and world.running(pid, f"{world.design.traits.engine}.api") else None


def believed(world: World, container: str) -> engine.Container | None:
    """Return what the engine believes of a container; None if it knows of none."""
    found: engine.Container | None = world.design.engine.believed(world, container)
    return found


def status_of(record: engine.Container) -> str:
    """Return State.Status as the engine's client says it.

    >>> status_of(engine.Container("web")), status_of(engine.Container("web", running=True, restarting=True))
    ('created', 'restarting')
    """
    return record.status


def health_of(world: World, container: str) -> str | None:
    """Return the health that dockerd tells of a container; None without a health check, or a dockerd."""
    pid = dockerd(world)
    health = None if pid is None else world.recall(pid, f"health/{container}")
    return health.status if isinstance(health, engine.Health) else None


def address_of(world: World, container: str) -> str | None:
    """Return the address that the engine holds for a container; None while it holds none."""
    found: str | None = world.design.engine.address(world, container)
    return found


def said_to_run(world: World) -> Iterator[tuple[str, engine.Container]]:
    """Yield the containers that the engine believes to run, those that wait for their restart left out."""
    for name in world.services:
        record = believed(world, name)
        if record is not None and status_of(record) in ("running", "paused"):
            yield name, record


# -- the kernel -------------------------------------------------------------------------------------


def is_program(image: Image) -> bool:
    """Say whether a first process runs the container's own program."""
    return image.program == PAYLOAD.name and image.comm != STAGE


def programs(world: World, container: str) -> list[Process]:
    """Return the living first processes of a container that run its program: one, unless something went wrong."""
    return [process for process in payloads(world, container) if is_program(process.image)]


def payloads(world: World, container: str) -> list[Process]:
    """Return the living first processes of a container, also those that wait for `runc start`.

    They are looked up in the container's scope, which runc makes before it lets them go on.
    """
    scope = scope_of(world, world.services[container])
    found = (world.host.procs[pid] for pid in world.host.grouped.get(scope, ()))
    return [process for process in found if process.alive and process.image.program == PAYLOAD.name]


def of_program(world: World, program: str, container: str | None = None) -> list[Process]:
    """Return the processes that run a program (for a container), zombies too.

    A host that knows them without a look at every process is asked: an explorer keeps what an answer has read.
    """
    procs, ask = world.host.procs, getattr(world.host, "running", None)
    if ask is not None:
        return [procs[pid] for pid in ask(program, container)]
    return [it for it in procs.values() if it.image.program == program and container in (None, it.image.container)]


def living(world: World, program: str, container: str | None = None) -> list[Process]:
    """Return the living processes that run a program (for a container)."""
    return [process for process in of_program(world, program, container) if process.alive]


def doomed(process: Process) -> bool:
    """Return whether a KILL is on its way to a process: nobody can tell it from a dead one. In D it takes none."""
    return not process.alive or ("KILL" in process.pending and process.state != "D")


def named(world: World, target: Target) -> list[Process]:
    """Return the processes that a target names, zombies too."""
    container = None if target.container in ("", "*") or target.role == STRANGER.name else target.container
    found = [process for role in world.design.meant_by(target.role) for process in of_program(world, role, container)]
    return [process for process in found if named_by(world, target, process.image)]


def spelled(process: Process) -> str:
    """Name a process by role, container and number.

    >>> spelled(Process(7, 1, 7, 7, 2, Image("shim", "sh", (), "web"), state="Z"))
    'shim/web (7, zombie)'
    """
    image = process.image
    role = f"{image.program}/{image.container}" if image.container else image.program
    return f"{role} ({process.pid})" if process.alive else f"{role} ({process.pid}, zombie)"


# -- predicates -------------------------------------------------------------------------------------


def is_up(world: World, target: Target) -> bool:
    """Say whether at least one process that is named lives."""
    return any(process.alive for process in named(world, target))


def exists(world: World, thing: Target | str) -> bool:
    """Return whether there is a process that is named, a zombie is one; or a container, whether it runs or not."""
    return bool(named(world, thing)) if isinstance(thing, Target) else believed(world, thing) is not None


def is_zombie(world: World, target: Target) -> bool:
    """Say whether a process that is named is a zombie."""
    return any(not process.alive for process in named(world, target))


def in_state(world: World, target: Target, state: str) -> bool:
    """Say whether there is a process that is named, and each is in this state; zombies count for Z alone."""
    found = [process for process in named(world, target) if state == "Z" or process.alive]
    return bool(found) and all(process.shown_state == state for process in found)


def has_parent(world: World, target: Target, parent: Target) -> bool:
    """Say whether a process that is named lives, and the parent of each is another that is named."""
    procs = world.host.procs
    above = [procs.get(process.ppid) for process in named(world, target) if process.alive]
    return bool(above) and all(it is not None and named_by(world, parent, it.image) for it in above)


def has_count(world: World, target: Target, numbers: Container[int]) -> bool:
    """Say whether so many of the processes that are named live."""
    return sum(process.alive for process in named(world, target)) in numbers


def has_status(world: World, container: str, status: str) -> bool:
    """Say whether the engine believes a container to be in this status."""
    record = believed(world, container)
    return record is not None and status_of(record) == status


def is_said_to_run(world: World, container: str) -> bool:
    """Say whether the engine believes a container to run."""
    return has_status(world, container, "running")


def has_exit_code(world: World, container: str, numbers: Container[int]) -> bool:
    """Say whether the engine keeps such an exit code of a container."""
    record = believed(world, container)
    return record is not None and record.exit_code in numbers


def has_restarts(world: World, container: str, numbers: Container[int]) -> bool:
    """Say whether the policy has restarted a container so many times since somebody started it."""
    record = believed(world, container)
    return record is not None and record.restart_count in numbers


def was_restarted(world: World, container: str) -> bool:
    """Say whether the policy has restarted a container since somebody started it."""
    record = believed(world, container)
    return record is not None and record.restart_count > 0


def _proto_of(world: World, port: int) -> str:
    """Return the protocol of a published port; of one that is published for tcp and udp, tcp."""
    published = (it for service in world.services.values() for it in service.published if it.host == port)
    return "udp" if {it.proto for it in published} == {"udp"} else "tcp"


def port_open(world: World, port: int, client: str, proto: str | None = None) -> bool:
    """Return whether clients of a class reach a published port."""
    return reachable(world, port, client, proto or _proto_of(world, port))


def found_at(world: World, port: int, client: str, proto: str | None = None) -> str:
    """Return what clients of a class find at a published port."""
    return finds(world, port, client, proto or _proto_of(world, port))


def port_finds(world: World, port: int, client: str, found: str, proto: str | None = None) -> bool:
    """Return whether clients of a class find just that at a published port."""
    return found_at(world, port, client, proto) == found


def is_blocked(world: World, target: Target) -> bool:
    """Say whether there is a program that is named, and each waits in write(2) on what it prints."""
    found = [process for process in named(world, target) if process.alive]
    return bool(found) and all(output.stuck(world, process.pid) for process in found)


def buffered(world: World, container: str) -> int:
    """Return how many bytes stand between what a container prints and its log."""
    return sum(output.standing(world, container, log.stream) for log in world.services[container].payload.log)


def lost(world: World, container: str) -> int:
    """Return how many bytes of a container's output nobody will ever read."""
    return world.marks.get(output.lost_mark(container), 0)


class Predicate(msgspec.Struct, frozen=True):
    """A question with a name: the kinds of its arguments (with ? where one may be left out), and who answers it."""

    takes: tuple[str, ...]
    asks: Callable[..., bool]
    sentence: str


PREDICATES: dict[str, Predicate] = {
    "open": Predicate(("port", "client", "proto?"), port_open, "clients of a class reach a published port"),
    "finds": Predicate(
        ("port", "client", "found", "proto?"), port_finds, "what a connect of a class of clients finds at a port"
    ),
    "up": Predicate(("target",), is_up, "at least one such process lives"),
    "down": Predicate(("target",), lambda world, target: not is_up(world, target), "no such process lives"),
    "exists": Predicate(
        ("target|container",), exists, "there is such a process, a zombie counts; or the engine knows the container"
    ),
    "zombie": Predicate(("target",), is_zombie, "such a process is a zombie"),
    "state": Predicate(("target", "state"), in_state, "there is such a process, and each is in this state of ps"),
    "parent": Predicate(("target", "target"), has_parent, "such a process lives, and each is a child of the second"),
    "count": Predicate(("target", "numbers"), has_count, "so many such processes live"),
    "serving": Predicate((), lambda world: serving(world) is not None, "the engine's daemon answers requests"),
    "running": Predicate(("container",), is_said_to_run, "the engine believes that the container runs"),
    "status": Predicate(("container", "status"), has_status, "the engine says this status of the container"),
    "exit_code": Predicate(("container", "numbers"), has_exit_code, "the engine keeps such an exit code"),
    "restarts": Predicate(("container", "numbers"), has_restarts, "the policy has restarted it so many times"),
    "blocked": Predicate(("target",), is_blocked, "there is such a payload, and each waits in write(2) on its output"),
    "buffered": Predicate(
        ("container", "bytes"),
        lambda world, container, numbers: buffered(world, container) in numbers,
        "so many bytes stand between the program and its log",
    ),
    "lost": Predicate(
        ("container", "bytes"),
        lambda world, container, numbers: lost(world, container) in numbers,
        "so many counted bytes of its output are lost",
    ),
    "restarted": Predicate(("container",), was_restarted, "the policy has restarted it at least once"),
}
"""By name, in the words that scenarios' expectations use for the same questions."""

"""An engine: what is true of it and of no other, as tables and functions that shared code asks.

`Traits` has its words and numbers, `Role` what its programs are; here is what it keeps and where, how a host with it
comes up, and what counts as believed. Shared code never asks which engine it is. The functions below are those of an
engine with a daemon that remembers its containers, as dockerd does. Source: each engine's own room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from sim.durations import Row
from sim.engine import paths
from sim.engine.exit_codes import exit_code
from sim.engine.meaning import Fitted, Given, Said, as_given, one_way, unless_served, without_words
from sim.engine.records import Container, Endpoint, UnitState
from sim.engine.setup import Command, Docker, EngineSetup, Instant, Microseconds, Service, Step, Systemctl
from sim.engine.unread import Unread
from sim.engine.vocabulary import Vocabulary
from sim.facts import Remembered
from sim.kernel import syscalls
from sim.kernel.records import INIT, Pid
from sim.world import Turn, World

IN_MEMORY = "container/"  # a daemon's memory: what it believes of a container
UNIT = "docker"  # systemd's memory: the engine's unit, whatever it is called
START = Step("(start)", Instant(), Systemctl("start"))


class Priced(NamedTuple):
    """What a setting of a design costs that no metric shows: in words, with the source and how that is known."""

    design: str
    path: str
    value: str
    text: str
    source: str
    mark: str


class Change(msgspec.Struct, frozen=True):
    """What is believed of a container before a fact and after it; None: nothing is known of it."""

    container: str
    before: Container | None
    after: Container | None


def record_of(value: object) -> Container | None:
    """Return a value that is a container's record; None if it is none."""
    return value if isinstance(value, Container) else None


def daemon_of(world: World) -> Pid | None:
    """Return the main process of the engine's unit, if it lives; None where each command is a process of its own."""
    unit = world.recall(INIT, UNIT)
    pid = unit.main_pid if isinstance(unit, UnitState) else 0
    return pid if pid and world.host.alive(pid) else None


def remembered(world: World, container: str) -> Container | None:
    """Return what the engine's daemon remembers of a container; while it is away, what its disk says."""
    pid = daemon_of(world)
    record = None if pid is None else world.recall(pid, IN_MEMORY + container)
    return record_of(world.host.files.get(file_of(world, container)) if record is None else record)


def file_of(world: World, container: str) -> str:
    """Return where the engine keeps a container."""
    return str(world.design.traits.records.format(name=container))


def remembers(world: World, event: Any) -> Change | None:
    """Return what a fact, not yet applied, changes in a daemon's memory of a container; None if it is about none."""
    if not isinstance(event, Remembered) or not event.key.startswith(IN_MEMORY):
        return None
    before = world.recall(event.pid, event.key)
    return Change(event.key[len(IN_MEMORY) :], record_of(before), record_of(event.value))


def endpoint_address(world: World, container: str) -> str | None:
    """Return the address that a daemon's IPAM holds for a container; while it is away, the one on its disk."""
    pid, name = daemon_of(world), f"endpoint/{container}"
    endpoint = world.host.files.get(paths.ENDPOINTS + container) if pid is None else world.recall(pid, name)
    return endpoint.address if isinstance(endpoint, Endpoint) else None


def docker_run(service: Service, at: Instant) -> Step:
    """Return the step in which a service is run."""
    return Step(f"(run {service.name})", at, Docker("run", service.name))


def as_docker(design: Any, command: Docker) -> str:
    """Return a docker command as people type it whose engine has a command of the same words."""
    return " ".join(word for word in (design.traits.client, command.verb, command.container, *command.words) if word)


def as_they_are(services: dict[str, Service]) -> dict[str, Service]:
    """Return the services by name."""
    return services


def itself(container: str) -> str:
    """Return the container: it shares its shim with no other."""
    return container


def own_scope(world: World, service: Service) -> str:
    """Return the control group that the engine's words give to a container."""
    return str(world.design.traits.scope.format(id=service.id, name=service.name))


def ran(world: World) -> Iterator[tuple[Service, Container]]:
    """Yield each container that is there from the begin on, with what a power cut has left of its record: it ran."""
    for service in world.setup.services:
        if service.at_begin:
            yield service, Container(service.name, service.restart, running=True, started=True)


def every_record(turn: Turn) -> None:
    """Write the record of each container where the engine keeps it, if it keeps any."""
    for service, record in ran(turn.world):
        path = file_of(turn.world, service.name)
        if path:
            syscalls.write_file(turn, path, record)


def forwards_nothing(argv: tuple[str, ...]) -> tuple[str, int, str]:
    """Raise ValueError: an engine without forwarders has none of their command lines."""
    raise ValueError(f"no forwarder of this engine has the command line {argv}")


def has_a_record(world: World, container: str) -> bool:
    """Return whether the engine has a record of a container."""
    return world.design.engine.believed(world, container) is not None


def still_wanted(world: World, container: str) -> bool:
    """Return that a container is wanted: what people want comes as events alone."""
    return True


class Notes:
    """What is gathered on the way through a trace for the commands of an engine; of most there is nothing."""

    def take(self, event: Any, at: Microseconds) -> None:
        """Take a fact that has been applied at a clock value (µs)."""


def no_unit(service: Service) -> bool:
    """Return that a container is no unit of systemd."""
    return False


def never_told(world: World, container: str) -> bool:
    """Return whether the engine was told when the container ended: it goes by its own clock."""
    return False


def in_no_file(service: Service) -> str:
    """Return that no file is written when a container ends."""
    return ""


def its_disk(path: str) -> str:
    """Return what tells of a container where a file does."""
    return "the engine's disk"


HOLDER_KILLED = '{"kill": ["supervisor/web", "supervisor/chat"]}'


def daemon_faults(design: Any) -> dict[str, str]:
    """Return how the matrix's faults are written for an engine with a daemon: F1, F2, F12, and F5 if it has holders."""
    restart = f"systemctl restart {design.traits.engine_unit}"
    held = {"F5": HOLDER_KILLED} if design.holders else {}
    return {"F1": f"kill {design.traits.engine}", "F2": restart, "F12": restart, **held}


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """What shared code asks an engine.

    *disk* writes what the disk says after a power cut while every service ran. *start* is what people do for the engine
    itself before t = 0, *run* how they run a container then. *at_boot* names procedures of PID 1 that run from the boot
    on. *services* may know more names than the file's. *records* are the classes of what it keeps, which traces name.
    *believed*, *changed* and *address* say what it knows of a container, and what a fact changes in that. *vocabulary*
    has the keys of files that it knows. *starts* names the procedures in which it starts a container, which is their
    variable `c`. *shim_of* returns whose shim holds a container: its own, or that of its pod. *scope* returns its
    control group, *is_unit* whether it is a unit of systemd, one for which the template stands. *faults* returns how
    faults of the matrix that hit the engine's own parts are written as steps for one of its designs, by row; what is
    left out, the design has nothing for. *durations* are of an engine that has none in `sim.latency`. *backoff* names
    the procedures in which it waits before it starts a container again, which is their variable `c`. *errands* is what
    its programs that do one thing and end are called, in short on a lane and in full in a legend. *keeper* is the
    daemon that starts the holders of containers and knows each of them by the container's task, "" for none; a design
    may be without it. *forwards* returns what the command line of a forwarder says: the protocol and the port of the
    host, and the address to which its connections go.

    The rest is about scenario files (`sim.engine.meaning`). *refuses* returns why a command means nothing on a host of
    a design, as far as its programs and units do not tell. *instead* returns why there are no processes of a role, and
    what to write; *no_daemon* is the hint for who asks systemd for an engine that is no unit. *fit* returns how the
    engine has what a file says. *written_down* has by role what returns the number that a file keeps for a process of
    it. *upgrades* returns why no host goes from one version to another.

    Its commands: *unreached* is what its command prints while nobody listens at its socket. *typed* returns a docker
    command as people type it on a host of a design. *exit_code* returns the code with which a command leaves, by the
    error that its user sees. *end_file* returns the file that tells when a container ended, "" if its events do;
    *exit_told* whether the last end was told with its own time; *teller* names what tells of a container by a file.
    *notes* gathers what its commands show and no record holds; *shown* are the classes of records that they show
    besides containers. *prices* is what settings cost that no metric shows.

    Searches and properties: *unread* has what a search may leave out of the states of its programs. *ends_with* is the
    daemon with which containers end unless live-restore is on, "" where they outlive it. *pid_files* has by path whose
    number is written there. *knows* returns whether the engine knows a container so that it will hear of its end;
    *wanted* whether people still want it to run, where they keep that as an object and no event tells of a stop.
    *own_networks*: each container has one network, of its own, and shares no namespace with others.
    """

    disk: Callable[[Turn], None] = every_record
    starts: tuple[str, ...] = ()
    start: tuple[Step, ...] = (START,)
    run: Callable[[Service, Instant], Step] = docker_run
    typed: Callable[[Any, Docker], str] = as_docker
    at_boot: tuple[str, ...] = ()
    services: Callable[[dict[str, Service]], dict[str, Service]] = as_they_are
    records: tuple[type[msgspec.Struct], ...] = ()
    believed: Callable[[World, str], Container | None] = remembered
    changed: Callable[[World, Any], Change | None] = remembers
    address: Callable[[World, str], str | None] = endpoint_address
    vocabulary: Vocabulary = {}
    durations: tuple[Row, ...] = ()
    shim_of: Callable[[str], str] = itself
    scope: Callable[[World, Service], str] = own_scope
    is_unit: Callable[[Service], bool] = no_unit
    faults: Callable[[Any], Mapping[str, str]] = daemon_faults
    refuses: Callable[[Any, Command], Said | None] = unless_served
    instead: Callable[[Any, str], Said] = without_words
    no_daemon: str = "There is no engine to stop."
    fit: Callable[[Any, Given], Fitted] = as_given
    written_down: Mapping[str, Callable[[World, str], Pid]] = {}
    upgrades: Callable[[Any, Any, EngineSetup], Said | None] = one_way
    backoff: tuple[str, ...] = ()
    errands: tuple[str, str] = ("errands", "of its engine")
    keeper: str = ""
    forwards: Callable[[tuple[str, ...]], tuple[str, int, str]] = forwards_nothing
    exit_code: Callable[[object, str], int] = exit_code
    unreached: str = "nobody listens at {socket}"
    end_file: Callable[[Service], str] = in_no_file
    exit_told: Callable[[World, str], bool] = never_told
    teller: Callable[[str], str] = its_disk
    notes: Callable[[], Notes] = Notes
    shown: tuple[type[msgspec.Struct], ...] = ()
    unread: tuple[Unread, ...] = ()
    ends_with: str = ""
    pid_files: Mapping[str, str] = {}
    knows: Callable[[World, str], bool] = has_a_record
    wanted: Callable[[World, str], bool] = still_wanted
    own_networks: bool = False
    prices: tuple[Priced, ...] = ()


PLAIN = Engine()

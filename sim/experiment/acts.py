"""What may befall a host: every act that its processes, units, versions and hardware know, found on the host itself.

An act is one command at one moment, and what follows it. Processes come from the process table of the moment and are
called by their roles; units are those of the design; versions are the later ones of the same engine. Others register
theirs beside a word of steps: a module in `sim/steps` with `ACTS`, a mapping from a name to an `Offer`. Leaves out
errands, which end by themselves, and processes that a scenario cannot name, such as a program's children. Source:
the model's own commands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from sim import parts
from sim.designs import DESIGNS, Design
from sim.designs.takes import is_version_of, refusal, units_in
from sim.engine.role import HOST, Kind
from sim.engine.setup import (
    Bundle,
    Command,
    FillDisk,
    FlushRules,
    Journald,
    KillProcess,
    LosePower,
    Microseconds,
    OutOfMemory,
    Pins,
    S,
    Service,
    Systemctl,
    Target,
    Upgrade,
)
from sim.engines.host.client import targets_of
from sim.errors import InputError, Problem, nearest
from sim.world import World

PAUSE: Microseconds = 10 * S  # between the stop of a unit and its start
POWER_OFF: Microseconds = 10 * S
SIGNALS = {"kill": "KILL", "stall": "STOP", "terminate": "TERM"}  # kind of act -> what the process gets
FLUSHED = {"filter": "iptables", "nat": "iptables -t nat"}  # table -> what people type before -F
UNTOLD = frozenset(
    {Kind.INIT, Kind.ERRAND, Kind.CLIENT, Kind.STRANGER}
)  # whose processes nobody hits: PID 1 takes none


class Act(msgspec.Struct, frozen=True):
    """One act. *name* is what people call it; *kind* and *subject* what kind it is, and of which role, unit or part.

    *step* is the act as `steps:` has it, in JSON. *target* is whom a signal hits, *container* whose process that is.
    *then* are later commands, each so long after the end of the one before. *like* are containers that equal this one,
    for which the same act was not run. *program* is the main program of a unit.
    """

    name: str
    kind: str
    subject: str
    command: Command
    step: str = ""
    target: str = ""
    container: str = ""
    then: tuple[tuple[Microseconds, Command], ...] = ()
    like: tuple[str, ...] = ()
    program: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Return every word by which the act may be asked for; the last two are the step in short and in JSON."""
        names = (self.name, self.kind, self.subject, self.target, self.container, self.program)
        return (*names, _in_short(self.step), self.step)


def _in_short(step: str) -> str:
    """Return a step as `--faults` takes it, "" if it is too much for that.

    >>> _in_short('{"systemctl": "restart docker"}'), _in_short('{"reboot": true}')
    ('systemctl restart docker', 'reboot')
    """
    said = json.loads(step or "{}")
    if len(said) != 1:
        return ""
    ((word, value),) = said.items()
    return word if value is True else f"{word} {value}" if isinstance(value, str) else ""


Offer = Callable[[World], Iterable[Act]]

# -- processes -------------------------------------------------------------------------------------


def of_processes(world: World) -> Iterator[Act]:
    """Yield the signals that each process of the moment may get: it is killed, it stands still, it is told to end."""
    alike = dict(equals(world.setup.services))
    for target, program in _targets(world):
        container = target.partition("/")[2].partition(":")[0]
        first, *others = alike.get(container, (container,))
        if container != first:
            continue
        for kind, signal in SIGNALS.items():
            yield _signal(kind, signal, target, program, container, tuple(others))


def _signal(kind: str, signal: str, target: str, program: str, container: str, like: tuple[str, ...]) -> Act:
    role, _, rest = target.partition("/")
    name, _, port = rest.partition(":")
    command = KillProcess(Target(role, name, int(port) if port else None), signal)
    word = {"STOP": {"stop": target}, "KILL": {"kill": target}}.get(signal, {"kill": target, "signal": signal})
    return Act(f"{kind} {target}", kind, program, command, json.dumps(word), target, container, like=like)


def _targets(world: World) -> Iterator[tuple[str, str]]:
    """Yield how each process that can be named is named, with its program: daemons that are not there yet, too."""
    design, seen = world.design, set[str]()
    for process in sorted(world.host.procs.values(), key=lambda it: (_order(design, it.image.program), it.order)):
        role = design.roles.get(process.image.program)
        if role is None or role.brief or role.kind in UNTOLD or not process.alive:
            continue
        name = next(targets_of(world, process.image), None)
        if name is not None and name not in seen:
            seen.add(name)
            yield name, process.image.program
    for name in design.of_kind(Kind.DAEMON):  # a part of the host that only comes with a step that names it
        if name not in seen and design.roles[name].target == HOST and name not in units_in(design).values():
            yield name, name


def _order(design: Design, program: str) -> int:
    role = design.roles.get(program)
    return 0 if role is None else role.order


# -- containers that are alike ---------------------------------------------------------------------


def equals(services: Sequence[Service]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each container with those that equal it, the first of them first; one that another names equals none.

    Two are alike if they differ in names, numbers and addresses alone, and publish as many ports of the same kinds.
    """
    named = {word for service in services for word in _words(service)}
    groups: dict[Any, list[str]] = {}
    for service in services:
        key = service.name if service.name in named else _likeness(service)
        groups.setdefault(key, []).append(service.name)
    for group in groups.values():
        for name in group:
            yield name, tuple(group)


def _likeness(service: Service) -> Service:
    """Return a service without what even equal ones have each for itself."""
    ports = tuple(replace(port, host=0) for port in service.ports)
    return replace(service, name="", id="", pins=Pins(), bundle=Bundle(), labels=(), ports=ports)


def _words(service: Service) -> Iterator[str]:
    """Yield the words of a service that may name another container."""
    for name in Service.__struct_fields__:
        value = getattr(service, name)
        if name not in ("name", "id", "image", "path", "args", "labels"):
            yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value.rpartition(":")[2]
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item)


# -- units, versions, the host ---------------------------------------------------------------------


def of_units(world: World) -> Iterator[Act]:
    """Yield what systemctl does to the units of the design."""
    for unit, program in units_in(world.design).items():
        for verb in ("restart", "stop") if unit else ():
            step = json.dumps({"systemctl": f"{verb} {unit}"})
            yield Act(f"{verb} {unit}", verb, unit, Systemctl(verb, unit), step, program=program)
        if unit:
            name, later = f"stop {unit}, start it {PAUSE // S} s later", (PAUSE, Systemctl("start", unit))
            yield Act(name, "start", unit, Systemctl("stop", unit), then=(later,), program=program)


def of_versions(world: World) -> Iterator[Act]:
    """Yield the package of the same version once more, and an upgrade to each later version of the engine."""
    design, names = world.design, list(DESIGNS)
    unit = design.traits.engine_unit
    if not is_version_of(design, design):
        return
    for place in range(names.index(design.name), len(names)) if design.name in names else ():
        other = DESIGNS[names[place]]
        again = other is design
        if is_version_of(design, other) and (again or _may_follow(world, other)):
            name = "upgrade within the version" if again else f"upgrade to {other.name}"
            step = json.dumps({"upgrade": {"to": other.name}})
            yield Act(name, "upgrade", unit, Upgrade(other.name, 0), step, other.name, program=design.traits.engine)


def _may_follow(world: World, other: Design) -> bool:
    """Return whether an upgrade leads to a version: containerd is a service of its own on both sides, or on none."""
    design = world.design
    alone = (design.traits.containerd_unit is None) == (other.traits.containerd_unit is None)
    return alone and design.engine.upgrades(design, other, world.setup.engine) is None


def of_host(world: World) -> Iterator[Act]:
    """Yield what may befall the machine: a reboot, a power cut, no memory, a full disk, journald, the packet filter."""
    yield Act("reboot", "reboot", "host", Systemctl("reboot", ""), json.dumps({"reboot": True}))
    yield Act("power loss", "power loss", "host", LosePower(POWER_OFF), json.dumps({"power_loss": "10s"}))
    yield Act("no memory left", "memory", "host", OutOfMemory(), json.dumps({"oom": "host"}))
    alike = dict(equals(world.setup.services))
    for service in world.setup.services:
        first, *others = alike[service.name]
        if service.memory is not None and service.name == first:
            step, target = json.dumps({"oom": service.name}), service.name
            name = f"memory limit of {service.name}"
            yield Act(
                name, "memory", "container", OutOfMemory(service.name), step, target, service.name, like=tuple(others)
            )
    yield Act("full disk", "disk", "host", FillDisk(), json.dumps({"host": {"fill_disk": True}}))
    for verb in ("restart", "stop"):
        command = Journald(verb)
        yield Act(f"{verb} the journal", verb, "journal", command, json.dumps({"host": {_word(command): verb}}))
    for table, typed in FLUSHED.items():
        step = json.dumps({"host": {"flush": typed}})
        yield Act(f"flush the {table} table", "flush", "rules", FlushRules(table), step, target=table)


def _word(command: Command) -> str:
    return type(command).__name__.lower()


OWN_ACTS: Mapping[str, Offer] = {
    "processes": of_processes,
    "units": of_units,
    "versions": of_versions,
    "host": of_host,
}
OFFERS: parts.TableOfParts[Offer] = parts.TableOfParts("steps", "ACTS", OWN_ACTS)
"""By name: these, then what words of steps offer."""


def acts_of(world: World) -> tuple[Act, ...]:
    """Return every act that means something on a host, in the order of the offers."""
    found = (act for offer in OFFERS.values() for act in offer(world))
    names = [service.name for service in world.setup.services]
    return tuple(act for act in found if refusal(world.design, act.command, names) is None)


def chosen(acts: Sequence[Act], asked: str, option: str = "--only") -> tuple[Act, ...]:
    """Return the acts that a word names: a kind, role, unit, target or container, or an act. Raises InputError."""
    word = " ".join(asked.split())
    found = tuple(act for act in acts if word and word in act.words)
    if found:
        return found
    known = list(dict.fromkeys(name for act in acts for name in act.words[:-2] if name))
    kinds = ", ".join(dict.fromkeys(name for act in acts for name in (act.kind, act.subject)))
    hint = f"{nearest(word, known)} Name an act, a target, or one of: {kinds}.".strip()
    raise InputError([Problem(f"{option} {asked[:60]}", "nothing that may befall this host is called so", hint)])

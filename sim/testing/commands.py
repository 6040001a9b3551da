"""What people do to a host, drawn: a docker command, a systemctl job, a signal, or any other word of a step.

Tables say what each verb and each kind of command may be given; what a design has no program or unit for is not given
there. Containers are those of the given services, whether they exist at that moment or not; what cannot be done ends
with an error. `docker rename` gives one of OTHER_NAMES, and
a command may call a container by that. Source: the words of `sim.engine.setup`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import product
from typing import Any

from hypothesis import strategies as st

from sim.designs import DESIGNS, roles, stages, versions
from sim.designs.takes import OF_THE_HOST, known_units, takes
from sim.engine.engine import UNIT
from sim.engine.role import CONTAINER, HOST, STEP, SUPERVISOR, Kind
from sim.engine.setup import (
    MS,
    BusyMount,
    Command,
    Docker,
    EditDaemon,
    EngineSetup,
    FillDisk,
    FlushRules,
    Install,
    Journald,
    KillProcess,
    LosePower,
    OutOfMemory,
    S,
    Service,
    SetNextPid,
    Slow,
    Systemctl,
    TakePid,
    TakePort,
    Target,
    Tear,
    Upgrade,
)
from sim.kernel.signals import NUMBERS

OTHER_NAMES = ("other", "old")
OFTEN = ("KILL", "TERM", "STOP", "CONT", "INT", "HUP", "QUIT", "USR1")  # the engine tells these apart
SIGNALS = (*OFTEN, *sorted(NUMBERS))

VERBS: dict[str, dict[str, tuple[Any, ...]]] = {
    "run": {"attach": (False, True)},
    "create": {},
    "start": {"attach": (False, True)},
    "stop": {"timeout": (None, 0, 2 * S)},
    "kill": {"signal": (None, *SIGNALS)},
    "restart": {"timeout": (None, 0, 2 * S)},
    "rm": {"force": (False, True)},
    "exec": {"words": (("check",), ("sleep", "5"), ("gone",), ("ls", "-l")), "detach": (False, True)},
    "top": {},
    "pause": {},
    "unpause": {},
    "rename": {"words": tuple((name,) for name in OTHER_NAMES)},
    "update": {"words": (("always", "0"), ("no", "0"), ("unless-stopped", "0"), ("on-failure", "1"))},
    "wait": {},
    "ps": {},
    "inspect": {},
    "info": {},
    "version": {},
    "logs": {"words": ((), ("follow",))},
    "events": {},
    "attach": {"attach": (True,)},
}
"""By verb of docker: what its flags and words may be."""

OF_NOBODY = ("ps", "info", "version", "events")  # they name no container
BY_SERVICE = ("run", "create")  # they make it, so that it has no other name yet

JOBS = (
    "start", "stop", "restart", "try-restart", "reload", "kill", "reset-failed", "is-active", "status", "daemon-reload",
    "daemon-reexec", "reboot",
)  # fmt: skip
KEYS: dict[str, tuple[int | bool, ...]] = {
    "live_restore": (False, True),
    "shutdown_timeout": (0, 15 * S),
    "max_health_check_retries": (1, 3),
}
"""By key of daemon.json that a running host may get."""

Services = Sequence[Service]
Choices = list[list[Command]]  # first one of the lists is chosen, then one of its commands


def _combinations(make: Callable[..., Command], **fields: Sequence[Any]) -> list[Command]:
    return [make(**dict(zip(fields, values, strict=True))) for values in product(*fields.values())]


def _docker(services: Services) -> Choices:
    names = [service.name for service in services]
    found: Choices = []
    renamed: list[Command] = []  # now and then by another name, which it may bear or not
    for verb, fields in VERBS.items():
        subjects = [""] if verb in OF_NOBODY else names
        if subjects:
            found.append(_combinations(Docker, verb=[verb], container=subjects, **fields))
        if verb not in (*OF_NOBODY, *BY_SERVICE):
            renamed += _combinations(Docker, verb=[verb], container=names, called=OTHER_NAMES, **fields)
    return [*found, renamed] if renamed else found


def _systemctl(services: Services) -> Choices:
    of_the_host, found = {"reboot": "", "daemon-reload": UNIT, "daemon-reexec": UNIT}, Choices()
    for job in JOBS:
        units = [of_the_host[job]] if job in of_the_host else known_units()
        signals = SIGNALS if job == "kill" else ["TERM"]
        found += [_combinations(Systemctl, verb=[job], unit=[unit], signal=signals) for unit in units]
    if services:
        found += [[Systemctl(job, it.name) for it in services] for job in JOBS if job not in OF_THE_HOST]
    return found


def targets(services: Services) -> dict[str, list[Target]]:
    """Return by role which processes a signal may go to: of one container, of all, by port, of a stranger."""
    names = ["*", *(service.name for service in services)]
    found = {SUPERVISOR: [Target(SUPERVISOR, name) for name in names]}
    for role, what in roles().items():
        found[role] = [Target(role, name) for name in {HOST: [""], CONTAINER: names, STEP: ["*"]}.get(what.target, [])]
        if what.kind is Kind.FORWARDER:
            found[role] += [Target(role, "*", port.host) for service in services for port in service.published]
    found |= {stage: [Target(stage, name) for name in names] for stage in stages()}
    return {role: them for role, them in found.items() if them}


def _slow(services: Services) -> Choices:
    """Return what may be slowed down: a program, or one verb of it."""
    programs = [name for name, role in roles().items() if role.slows]
    verbs = [f"{name} {verb}" for name, role in roles().items() for verb in role.verbs[:1]]
    return [_combinations(Slow, program=(*programs, *verbs), percent=(300, 100))]


def _upgrades(services: Services) -> Choices:
    """Return the designs that a host may be upgraded to: those whose engine has versions, and so may be another one."""
    return [[Upgrade(to, 800 * MS) for to in sorted(set(versions().values()))]]


def _packages(services: Services) -> Choices:
    """Return what may be upgraded by the scripts of a package: to each design that has it."""
    packages = [(to, name) for to, design in DESIGNS.items() for name in design.engine.packages]
    return [[Install(to, 800 * MS, name) for to, name in packages]]


def _kill(services: Services) -> Choices:
    return [
        _combinations(KillProcess, target=them, signal=signals)
        for them in targets(services).values()
        for signals in (OFTEN, SIGNALS)
    ]


def _take_pid(services: Services) -> Choices:
    found = targets(services)
    roles_in_files = dict.fromkeys(role for design in DESIGNS.values() for role in design.engine.written_down)
    written = [target for role in roles_in_files for target in found.get(role, ()) if "*" not in target.container]
    return [[TakePid(target) for target in written], [TakePid(number=number) for number in (301, 400, 32_767)]]


def _take_port(services: Services) -> Choices:
    published = [f"{port.proto}:{port.ip}:{port.host}" for service in services for port in service.published]
    return [[TakePort(address) for address in (*published, "tcp:0.0.0.0:22", "tcp:127.0.0.1:8080")]]


def _out_of_memory(services: Services) -> Choices:
    return [[OutOfMemory(), *(OutOfMemory(service.name) for service in services if service.memory is not None)]]


def _busy_mount(services: Services) -> Choices:
    names = [service.name for service in services]
    return [_combinations(BusyMount, container=names, free=(False, True))] if names else []


KINDS: dict[type, Callable[[Services], Choices]] = {
    Docker: _docker,
    Systemctl: _systemctl,
    KillProcess: _kill,
    SetNextPid: lambda services: [[SetNextPid(number) for number in (32_760, 300, 2_000)]],
    Tear: lambda services: [[Tear("events.log"), *(Tear("process.json", service.name) for service in services)]],
    TakePort: _take_port,
    TakePid: _take_pid,
    OutOfMemory: _out_of_memory,
    Journald: lambda services: [[Journald(verb) for verb in ("stop", "start", "restart")]],
    EditDaemon: lambda services: [[EditDaemon(((key, value),)) for value in values] for key, values in KEYS.items()],
    Upgrade: _upgrades,
    Install: _packages,
    LosePower: lambda services: [[LosePower(), LosePower(5 * S)]],
    FlushRules: lambda services: [[FlushRules("filter"), FlushRules("nat")]],
    FillDisk: lambda services: [[FillDisk(), FillDisk(False)]],
    Slow: _slow,
    BusyMount: _busy_mount,
}
"""By kind of command: which ones there are."""


USUAL_DESIGN = EngineSetup().design
USUAL = (*KINDS, *(Docker,) * 9, *(KillProcess,) * 5, *(Systemctl,) * 2)


def commands(
    services: Services, kinds: Sequence[type] = USUAL, design: str = USUAL_DESIGN
) -> st.SearchStrategy[Command]:
    """Return commands that people may give on a host of *design* with these containers, each of *kinds* as often.

    >>> from hypothesis import find
    >>> find(commands([], [Systemctl]), lambda command: command.verb == "kill")
    Systemctl(verb='kill', unit='docker', signal='KILL')
    """
    return _commands(tuple(services), tuple(kinds), design)


def _of(design: str, choices: Choices) -> Choices:
    """Return what a design takes of choices."""
    taken = ([command for command in commands if takes(DESIGNS[design], command)] for commands in choices)
    return [commands for commands in taken if commands]


@lru_cache(64)
def _commands(services: tuple[Service, ...], kinds: tuple[type, ...], design: str) -> st.SearchStrategy[Command]:
    choices = [lists for lists in (_of(design, KINDS[kind](services)) for kind in kinds) if lists]
    return st.sampled_from(choices).flatmap(st.sampled_from).flatmap(st.sampled_from)

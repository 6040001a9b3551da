"""What an engine makes of a scenario file: what means nothing there, what has no effect, and what it has otherwise.

Files are written in docker's words for every engine. An engine answers with plain data, so that it knows nothing of
files and places: the reader of files says where a refusal belongs. Source: each engine's own room.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from sim.engine.ops import Serve
from sim.engine.role import Kind
from sim.engine.setup import (
    BusyMount,
    Command,
    Docker,
    EditDaemon,
    EngineSetup,
    FillDisk,
    PortRange,
    Service,
    TakePid,
    Tear,
    Upgrade,
)


class Said(NamedTuple):
    """Why something is refused, as a sentence, and what to write instead."""

    what: str
    hint: str = ""


class Given(NamedTuple):
    """What a file says: settings and containers as docker would have them, and which keys it wrote itself.

    *engine_keys* are those under `engine:`, a key of its unit as `unit.KEY`; *service_keys* those of each container.
    """

    engine: EngineSetup
    services: tuple[Service, ...]
    engine_keys: frozenset[str] = frozenset()
    service_keys: Mapping[str, frozenset[str]] = {}

    def writes(self, container: str, key: str) -> bool:
        """Return whether the file says a key of a container itself."""
        return key in self.service_keys.get(container, ())


class Doubt(NamedTuple):
    """A key of containers that the engine has and the model does not follow: why not, and what it changes."""

    key: str
    count: int
    why: str
    changes: str


class Fitted(msgspec.Struct, frozen=True):
    """Settings and containers as an engine has them; *refused* of containers, *unused* words by section, counted.

    *doubts* are keys of containers that may change an answer.
    """

    engine: EngineSetup
    services: tuple[Service, ...]
    refused: tuple[Said, ...] = ()
    unused: tuple[tuple[str, str, int], ...] = ()
    doubts: tuple[Doubt, ...] = ()


def without_checks(given: Given, why: str, changes: str) -> tuple[tuple[Service, ...], tuple[Doubt, ...]]:
    """Return the containers without their health checks, and that these are not followed, if there are any."""
    count = sum(service.healthcheck is not None for service in given.services)
    services = tuple(_without_check(service) for service in given.services)
    return services, (Doubt("healthcheck", count, why, changes),) * bool(count)


def _without_check(service: Service) -> Service:
    """Return the container without its check: a command whose code only the check would have found leaves with 0."""
    execs = tuple(msgspec.structs.replace(it, code=0) if it.code is None else it for it in service.execs)
    return service if service.healthcheck is None else msgspec.structs.replace(service, healthcheck=None, execs=execs)


def as_given(design: Any, given: Given) -> Fitted:
    """Return what the file says: the engine is one that its words were made for."""
    return Fitted(given.engine, given.services)


def one_of_a_range(given: Given, why: str) -> tuple[Said, ...]:
    """Refuse ports that are one out of a range: *why* the engine has none."""
    return tuple(
        Said(
            f"{service.name}: ports {port.host}-{port.last}:{port.container}: {why}.",
            f"Write one host port, {port.host}:{port.container}.",
        )
        for service in given.services
        for port in service.ports
        if isinstance(port, PortRange)
    )


def one_network_each(design: Any, given: Given) -> tuple[Said, ...]:
    """Refuse what is not modelled on a design: more than a network of its own for each container."""
    found: list[Said] = []
    if not design.engine.own_networks:
        return ()
    for service in given.services:
        said = {
            f"network_mode {service.network_mode}": service.network_mode,
            f"pid container:{service.pid_of}": service.pid_of,
            f"being on {len(service.networks)} networks": service.more_networks,
        }
        found += [
            Said(f"{service.name}: {what} is not modelled on {design.name} yet.", "It is on every version of Docker.")
            for what, there in said.items()
            if there
        ]
    return tuple(found)


def counted(section: str, words: Mapping[str, int]) -> tuple[tuple[str, str, int], ...]:
    """Return words of a section without effect, those that somebody wrote.

    >>> counted("services", {"x-rm": 2, "init": 0})
    (('services', 'x-rm', 2),)
    """
    return tuple((section, word, count) for word, count in words.items() if count)


OF_FILES: dict[type, str] = dict.fromkeys((EditDaemon, Upgrade, Tear, TakePid, BusyMount, FillDisk), "")


def not_there(design: Any, command: Command, why: Mapping[type, str] = OF_FILES) -> Said | None:
    """Refuse commands about files and daemons that an engine has not; *why* by kind of command, "" if only not yet."""
    reason = None if isinstance(command, TakePid) and command.target is None else why.get(type(command))
    if reason is None:
        return None
    reason = reason.format(unit=design.traits.engine_unit)
    return Said(f"this is not modelled on {design.name}{f': {reason}' if reason else ' yet'}.", "Leave the step out.")


def served(design: Any) -> tuple[str, ...]:
    """Return docker's verbs that the engine's daemon takes at its API, and `run`, which is a create and a start."""
    ops = (op for table in design.programs[design.traits.engine].procedures for op in table.ops)
    verbs = (verb for op in ops if isinstance(op, Serve) and op.queue == "api" for verb in op.table)
    return tuple(dict.fromkeys(("run", *verbs)))


def unless_served(design: Any, command: Command) -> Said | None:
    """Refuse verbs that the engine's daemon, if it has one, does not take, and what is about files that it has not."""
    if not isinstance(command, Docker) or design.traits.engine not in design.programs:
        return not_there(design, command)
    verbs = served(design)
    if command.verb in verbs:
        return None
    return Said(f"{design.name} has no {command.verb}.", f"It has {', '.join(verbs)}.")


def without_words(design: Any, role: str) -> Said:
    """Return no reason why there are no processes of a role, and which roles there are."""
    return Said("", f"It has {', '.join(nameable(design))}.")


def nameable(design: Any) -> list[str]:
    """Return the roles of a design that a step may name, in the order of lists, but process 1."""
    found = ((role.order, name) for name, role in design.roles.items() if role.target and role.kind is not Kind.INIT)
    return [name for _, name in sorted(found)]


def one_way(before: Any, after: Any, setup: EngineSetup) -> Said | None:
    """Return nothing: any version may be installed over any other."""

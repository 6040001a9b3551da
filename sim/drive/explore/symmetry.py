"""Containers that can be exchanged: states that differ in which is which are one state.

Two containers are alike if the setup stays the same when they swap names, ids, host ports, and the terminals in which
people work with them. Each cell of a state then counts in several digests at once, one for each exchange; the least of
them is the key. Not where a daemon may begin anew or a step may end one: dockerd and containerd go through what they
find in one order, so that containers are not alike to them. Source: Ip and Dill, 1996 (symmetry, by scalar sets).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import permutations
from typing import Any

import msgspec
from msgspec.structs import replace

from sim.drive.explore.space import KIN, NAMED, Space
from sim.engine.setup import Docker, Port, Service, Setup, Step
from sim.engines.host.children import CHILD
from sim.engines.host.payload import PROGRAM as PAYLOAD
from sim.engines.host.systemd.program import NAME as PID_1
from sim.kernel.records import Image, Pid, Rule
from sim.world import Frame

MOST_ALIKE = 3  # containers: three make six digests
TERMINAL = "client.terminal"
OWN_WORDS = (PAYLOAD.name, CHILD.name)  # programs of containers, whose command lines are the same in all that are alike


class Swap:
    """An exchange: other words in texts, other host ports, other terminals."""

    inverse: Swap

    def __init__(
        self, words: dict[str, str], ids: dict[str, str], ports: dict[int, int], terminals: dict[int, int]
    ) -> None:  # fmt: skip
        self.ports, self.terminals = ports, terminals
        words = words | {f"terminal/{a}": f"terminal/{b}" for a, b in terminals.items()}
        self.words = words | ids
        longest = [sorted(map(re.escape, them), key=len, reverse=True) for them in (ids, words)]
        inside, whole = ("|".join(them) or "(?!)" for them in longest)  # an id stands in docker-ID.scope
        self._pattern = re.compile(rf"(?<!\w)(?:{inside})(?!\w)|(?<![\w.-])(?:{whole})(?![\w.-])")

    def __call__(self, space: Space, value: Any) -> Any:
        """Return what a value is after the exchange."""
        kind = type(value)
        if kind is str:
            return self.text(value)
        if kind is int:
            return self._pid(space, value) if value >= NAMED else value
        if kind in (tuple, list):
            return kind(self(space, item) for item in value)
        if kind is frozenset:
            return frozenset(self(space, item) for item in value)
        if kind is dict:
            return {name: self(space, item) for name, item in value.items()}
        return self._record(space, value) if isinstance(value, msgspec.Struct) else value

    def text(self, text: str) -> str:
        """Return a text with the other words."""
        return self._pattern.sub(lambda found: self.words[found[0]], text)

    def _pid(self, space: Space, number: Pid) -> Pid:
        thread = number % KIN
        caller, role, count = space.kin[number - thread]
        return space.pid(self(space, caller), self.text(role), count) + thread

    def _record(self, space: Space, value: Any) -> Any:
        if type(value) is Image and value.program in OWN_WORDS:
            return replace(value, container=self.text(value.container))
        fields = {name: self(space, getattr(value, name)) for name in value.__struct_fields__}
        if type(value) is Port:
            fields["host"] = self.ports.get(value.host, value.host)
        elif type(value) is Rule:
            fields["port"] = self.ports.get(value.port, value.port)
        elif type(value) is Frame and value.procedure == TERMINAL:
            number = value.local["terminal"]
            fields["local"]["terminal"] = self.terminals.get(number, number)
        return type(value)(**fields)


def swaps_of(setup: Setup) -> tuple[Swap, ...]:
    """Return the exchanges of containers that leave the setup as it is, without the one that changes nothing."""
    if any(service.published != service.ports for service in setup.services):
        return ()  # which port out of a range is free depends on who came first
    if any(service.depends for service in setup.services):
        return ()  # what a step waits for names containers
    if setup.faults.total or any(not isinstance(step.command, Docker) for line in setup.terminals for step in line):
        return ()
    found = []
    for alike in _alike(setup):
        for other in list(permutations(alike))[1:]:
            swap = _swap(setup, dict(zip(alike, other, strict=True)))
            found += [swap] if swap is not None else []
    for swap in found:
        back = {new: old for old, new in swap.words.items()}
        undoes = [other for other in found if other.words == back]
        if not undoes:
            return ()
        swap.inverse = undoes[0]
    return tuple(found)


def _alike(setup: Setup) -> list[tuple[Service, ...]]:
    """Return groups of services that differ in name, id and host ports alone; the first group is enough."""
    groups: dict[bytes, list[Service]] = {}
    for service in setup.services:
        ports = tuple(replace(port, host=0) for port in service.ports)
        shape = replace(service, name="", id="", ports=ports, labels=())
        if service.pins.address is None and service.payload.fails is None:
            groups.setdefault(msgspec.msgpack.encode(shape), []).append(service)
    large = [tuple(group[:MOST_ALIKE]) for group in groups.values() if len(group) > 1]
    return sorted(large, key=len, reverse=True)[:1]


def _swap(setup: Setup, other: dict[Service, Service]) -> Swap | None:
    words, ids = {a.name: b.name for a, b in other.items()}, {a.id: b.id for a, b in other.items()}
    ports = {p.host: q.host for a, b in other.items() for p, q in zip(a.ports, b.ports, strict=True)}
    words |= {str(p): str(q) for p, q in ports.items()}
    terminals = _terminals(setup, words)
    if terminals is None or (words.keys() | ids.keys()) & _spoken(setup):
        return None
    lines = (setup.terminals[number - 1] for number in terminals)
    others = (setup.terminals[number - 1] for number in terminals.values())
    for line, its_twin in zip(lines, others, strict=True):
        words |= {step.id: twin.id for step, twin in zip(line, its_twin, strict=True)}
    return Swap(words, ids, ports, {a: b for a, b in terminals.items() if a != b})


def _terminals(setup: Setup, words: dict[str, str]) -> dict[int, int] | None:
    """Return which terminal becomes which, None if the scenario is another one after the exchange.

    World numbers terminals from 1: the prologue has 0.
    """
    swap = Swap(words, {}, {}, {})
    free = {number: list(_shape(line, None)) for number, line in enumerate(setup.terminals, 1)}
    found: dict[int, int] = {}
    for number, line in enumerate(setup.terminals, 1):
        twin = next((other for other, shape in free.items() if shape == list(_shape(line, swap))), None)
        if twin is None:
            return None
        del free[twin]
        found[number] = twin
    return found


def _shape(line: Iterable[Step], swap: Swap | None) -> Iterator[tuple[Any, ...]]:
    """Yield what a step is to the explorer: when, without times, and what is done."""
    for step in line:
        at, command = step.at, step.command
        assert isinstance(command, Docker)
        target, container = at.target, command.container
        if swap is not None:
            target, container = swap.text(target), swap.text(container)
        yield at.base, at.name, target, at.nth, replace(command, container=container), step.wait


def _spoken(setup: Setup) -> set[str]:
    """Return the words that programs use themselves: a container of that name cannot be told from them."""
    from sim.designs import DESIGNS

    names = DESIGNS[setup.engine.design].procedures
    own = {"terminal", "tcp", "udp", PID_1, "bridge", "stdout", "stderr"}
    return {word for name in names for word in name.split(".")} | own

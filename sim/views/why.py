"""Why a fact is so: the record that made it so, and the chain of causes behind it.

Three kinds of facts: `container NAME` (what the engine believes), `port N from CLIENT` (open or closed, and which part
decides), `process TARGET` (lives, has ended, changed its parent). The chain follows each record's cause; what only moves a
program on is followed but not told. Source: the trace's causes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from sim.engine.client import processes
from sim.engine.reach import CLIENTS, DNAT, listening, reachable, targets
from sim.engine.records import Container
from sim.engine.setup import Microseconds, Target
from sim.facts import (
    BecameReady,
    EngineEvent,
    Received,
    Remembered,
    Sent,
    StepTaken,
    UnitChanged,
)
from sim.kernel import events as e
from sim.kernel.records import OUTSIDE
from sim.kernel.signals import NAMES
from sim.trace import Replay, Trace
from sim.views.story import Story
from sim.world import World, evolve

LINKS = 400  # of a chain, told or not


class Link(msgspec.Struct, frozen=True):
    """One cause in the chain: when (clock value, µs), the record's number, and what happened."""

    at: Microseconds | None
    seq: int
    text: str


class Why(msgspec.Struct, frozen=True):
    """The fact in words, and its causes, nearest first."""

    fact: str
    links: tuple[Link, ...]


class Unknown(Exception):
    """The question is not of the three kinds, or names what does not exist; the text says what is valid."""


# -- finding the record that made the fact so ---------------------------------------------------------


def why(trace: Trace, question: str, at: Microseconds) -> Why:
    """Answer a question about a moment (clock value in µs). Raises Unknown."""
    words = question.split()
    if len(words) == 2 and words[0] == "container":
        fact, seq = _container(trace, words[1], at)
    elif len(words) == 4 and words[0] == "port" and words[2] == "from" and words[1].isdigit():
        fact, seq = _port(trace, int(words[1]), words[3], at)
    elif len(words) == 2 and words[0] == "process":
        fact, seq = _process(trace, words[1], at)
    else:
        raise Unknown("ask for 'container NAME', 'port NUMBER from remote|loopback|container' or 'process ROLE/NAME'")
    return Why(fact, chain(trace, seq))


def _last(trace: Trace, at: Microseconds, matches: Callable[[World, Any], bool]) -> int | None:
    """Return the number of the last record up to *at* that matches (world before it, event)."""
    replay, found = Replay(trace), None
    for record in trace.records:
        if record.at is not None and record.at > at:
            break
        if matches(replay.world, record.event):
            found = record.seq
        replay.step()
    return found


def _container(trace: Trace, name: str, at: Microseconds) -> tuple[str, int | None]:
    names = [service.name for service in trace.setup.services]
    if name not in names:
        raise Unknown(f"there is no container {name!r}; there are {', '.join(names)}")
    record = Story(trace).to(at).believed(name)
    key = f"container/{name}"

    def tells(world: World, event: Any) -> bool:
        if not isinstance(event, Remembered) or event.key != key:
            return False
        before = world.recall(event.pid, key)
        return _state(before) != _state(event.value)

    return f"container {name} is {_state(record)}", _last(trace, at, tells)


def _state(record: Any) -> str:
    if not isinstance(record, Container):
        return "unknown to the engine"
    if record.restarting:
        return f"restarting ({record.exit_code})"
    if record.running:
        return f"running (pid {record.pid})"
    return f"exited ({record.exit_code})" if record.started else "created"


def _port(trace: Trace, port: int, client: str, at: Microseconds) -> tuple[str, int | None]:
    published = [p.host for service in trace.setup.services for p in service.ports]
    if port not in published:
        raise Unknown(f"no container publishes port {port}; published: {', '.join(map(str, published))}")
    if client not in CLIENTS:
        raise Unknown(f"{client!r} is no class of clients; valid: {', '.join(CLIENTS)}")
    world = trace.at(at)
    if reachable(world, port, client):
        return f"port {port} is open from {client}", _last(trace, at, _changes(port, client, True))
    return f"port {port} is closed from {client}: {_missing(world, port, client)}", _last(trace, at, _changes(port, client, False))


def _missing(world: World, port: int, client: str) -> str:
    if client == "remote":
        found = targets(world, port)
        return "no DNAT rule" if not found else f"nobody listens at {found[0]}"
    if not listening(world, f"tcp:0.0.0.0:{port}"):
        return "no proxy listens"
    return "the proxy's target does not listen"


PORT_EVENTS = (e.Exited, e.Listened, e.Unlistened, e.RuleAdded, e.RuleRemoved, e.RulesFlushed)


def _changes(port: int, client: str, opened: bool) -> Callable[[World, Any], bool]:
    """Return a rule that finds the records after which the port is *opened* (or closed) and was not before."""

    def tells(world: World, event: Any) -> bool:
        if not isinstance(event, PORT_EVENTS) or reachable(world, port, client) == opened:
            return False
        return _after(world, event, port, client) == opened

    return tells


def _after(world: World, event: Any, port: int, client: str) -> bool:
    twin = world.copy()
    evolve(twin, event)
    return reachable(twin, port, client)


def _process(trace: Trace, text: str, at: Microseconds) -> tuple[str, int | None]:
    role, _, container = text.partition("/")
    target = Target(role, container)
    world = trace.at(at)
    found = processes(world, target)

    def tells(before: World, event: Any) -> bool:
        if not isinstance(event, (e.Execed, e.Exited, e.Reparented)):
            return False
        image = event.image if isinstance(event, e.Execed) else before.host.procs[event.pid].image
        return image.program == role and container in ("", "*", image.container)

    if not found:
        return f"no process {text} lives", _last(trace, at, tells)
    process = world.host.procs[found[0]]
    return f"{text} is pid {process.pid}, child of {process.ppid}", _last(trace, at, tells)


# -- the chain ----------------------------------------------------------------------------------------


def chain(trace: Trace, seq: int | None) -> tuple[Link, ...]:
    """Return the causes of a record, itself first; only those that can be told in words."""
    wanted: list[int] = []
    while seq is not None and seq >= 0 and len(wanted) < LINKS:
        wanted.append(seq)
        seq = trace.records[seq].cause
    texts = _texts(trace, set(wanted))
    links = [Link(trace.records[number].at, number, texts[number]) for number in wanted if texts.get(number)]
    return tuple(link for index, link in enumerate(links) if index == 0 or links[index - 1].text != link.text)


def _texts(trace: Trace, wanted: set[int]) -> dict[int, str]:
    replay, texts = Replay(trace), {}
    for record in trace.records[: max(wanted, default=-1) + 1]:
        if record.seq in wanted:
            texts[record.seq] = describe(replay.world, record.event)
        replay.step()
    return texts


def who(world: World, pid: int) -> str:
    """Name a process: program, container, pid."""
    process = world.host.procs.get(pid)
    if pid == OUTSIDE:
        return "somebody at another machine"
    if process is None:
        return f"pid {pid}"
    image = process.image
    return f"{image.program}{'/' + image.container if image.container else ''} ({pid})"


def describe(world: World, event: Any) -> str:
    """Say what an event is, with the names that held before it; "" for what only moves a program on."""
    rule = WORDS.get(type(event))
    return rule(world, event) if rule is not None else ""


def _exited(world: World, event: e.Exited) -> str:
    how = f"exited {event.status}" if event.status >= 0 else f"was killed by {NAMES[-event.status]}"
    return f"{who(world, event.pid)} {how}"


def _sent(world: World, event: Sent) -> str:
    kind = getattr(event.message, "kind", "")
    container = getattr(event.message, "container", "")
    return f"{kind}{' ' + container if container else ''} sent to {who(world, event.pid)}" if kind else ""


def _signalled(world: World, event: e.Signalled) -> str:
    sender = who(world, event.by_pid)
    death = world.host.procs[event.pid].pdeathsig == event.signal and not world.host.alive(event.by_pid)
    return f"SIG{event.signal} to {who(world, event.pid)} from {sender}" + (": parent-death signal" if death else "")


def _remembered(world: World, event: Remembered) -> str:
    if event.key.startswith("container/"):
        return f"engine: {event.key[10:]} is {_state(event.value)}"
    if event.key == "connection":
        return "dockerd lost containerd" if event.value is None else f"dockerd connected to containerd {event.value}"
    return ""


WORDS: dict[type, Callable[[World, Any], str]] = {
    e.Exited: _exited,
    e.Signalled: _signalled,
    e.SignalTaken: lambda w, ev: f"{who(w, ev.pid)} took SIG{ev.signal}: {ev.outcome}" if ev.outcome != "default" else "",
    e.Reparented: lambda w, ev: f"{who(w, ev.pid)} got the parent {ev.ppid}",
    e.Execed: lambda w, ev: f"{ev.image.program}{'/' + ev.image.container if ev.image.container else ''} ({ev.pid}) began",
    e.Listened: lambda w, ev: f"{who(w, ev.pid)} listens at {ev.address}",
    e.Unlistened: lambda w, ev: f"nobody listens at {ev.address}",
    e.RuleAdded: lambda w, ev: f"DNAT rule of port {ev.rule.port} added" if ev.rule.chain == DNAT else "",
    e.RuleRemoved: lambda w, ev: f"DNAT rule of port {ev.rule.port} removed" if ev.rule.chain == DNAT else "",
    e.RulesFlushed: lambda w, ev: f"chain {ev.chain} flushed",
    BecameReady: lambda w, ev: f"{ev.container} answers",
    EngineEvent: lambda w, ev: f"engine: {ev.kind} {ev.action} {ev.container}",
    Sent: _sent,
    Received: lambda w, ev: "",
    Remembered: _remembered,
    StepTaken: lambda w, ev: f"step {ev.id}",
    UnitChanged: lambda w, ev: f"docker.service {ev.state}",
}

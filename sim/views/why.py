"""Why a fact is so: the record that made it so, and the chain of causes behind it.

Three kinds of facts: `container NAME` (what the engine believes), `port N from CLIENT` (open or closed, and which part
decides), `process TARGET` (lives, has ended, changed its parent). The chain follows each record's cause, and a message
to its sender, up to the step that began it. Told is what concerns the fact's container, the engine's daemons and
people; how a link reads stands in `sim.views.why_words`. Leaves out what only moves a program on. Source: the trace's
causes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from sim.engine.client import named_by, processes
from sim.engine.reach import CLIENTS, listening, reachable, targets
from sim.engine.records import Container
from sim.engine.setup import Microseconds, Port, Service, Target
from sim.errors import nearest
from sim.facts import Received, Remembered, Sent, StepTaken
from sim.kernel import events as e
from sim.trace import Replay, Trace
from sim.views.story import Story
from sim.views.why_words import Focus, state_of, told
from sim.world import World, evolve

LINKS = 50_000  # records that are followed, told or not
ROLES = ("init", "dockerd", "containerd", "shim", "runc", "proxy", "payload", "exec", "stranger")
KINDS = ("container", "port", "process")
ASK = "Ask for 'container NAME', 'port NUMBER from remote|loopback|container' or 'process ROLE/NAME'"
PORT_EVENTS = (e.Exited, e.Listened, e.Unlistened, e.RuleAdded, e.RuleRemoved, e.RulesFlushed, e.SignalTaken)

Matches = Callable[[World, Any], bool]


class Link(msgspec.Struct, frozen=True):
    """One cause in the chain: when (clock value, µs), the record's number, and what happened."""

    at: Microseconds | None
    seq: int
    text: str


class Why(msgspec.Struct, frozen=True):
    """The fact in words, and its causes, nearest first; *note* says why there are none."""

    fact: str
    links: tuple[Link, ...]
    note: str = ""


class Unknown(Exception):
    """The question is not of the three kinds, or names what does not exist; the text says what is valid."""


def why(trace: Trace, question: str, at: Microseconds) -> Why:
    """Answer a question about a moment (clock value in µs). Raises Unknown."""
    match question.split():
        case ["container", name]:
            return _container(trace, name, at)
        case ["port", port, "from", client]:
            return _port(trace, port, client, at)
        case ["process", text]:
            return _process(trace, text, at)
        case [word, *_]:
            raise Unknown(f"{nearest(word, KINDS)} {ASK}".strip())
    raise Unknown(ASK)


def _valid(what: str, given: str, valid: Sequence[object]) -> Unknown:
    words = [str(word) for word in valid]
    listed = ", ".join(words) or "none"
    return Unknown(f"there is no {what} {given!r}. {nearest(given, words)} Valid: {listed}".replace("  ", " "))


# -- finding the record that made the fact so ---------------------------------------------------------


def _last(trace: Trace, at: Microseconds, matches: Matches) -> int | None:
    """Return the number of the last record up to *at* that matches (world before it, event)."""
    replay, found = Replay(trace), None
    for record in trace.records:
        if record.at is not None and record.at > at:
            break
        if matches(replay.world, record.event):
            found = record.seq
        replay.step()
    return found


def _service(trace: Trace, name: str) -> Service:
    names = {service.name: service for service in trace.setup.services}
    if name not in names:
        raise _valid("container", name, list(names))
    return names[name]


def _container(trace: Trace, name: str, at: Microseconds) -> Why:
    service, key = _service(trace, name), f"container/{name}"
    story = Story(trace).to(at)
    record = story.believed(name)
    fact = f"container {name} is {state_of(record)}"
    if isinstance(record, Container) and record.running and not story.world.host.alive(record.pid):
        fact += ", as the engine believes; that process has ended"

    def tells(world: World, event: Any) -> bool:
        if not isinstance(event, Remembered) or event.key != key:
            return False
        return state_of(world.recall(event.pid, key)) != state_of(event.value)

    links = chain(trace, _last(trace, at, tells), Focus.of(service))
    return Why(fact, links, "" if links else "nobody asked the engine for it yet")


def _port(trace: Trace, text: str, client: str, at: Microseconds) -> Why:
    published = [(port, service) for service in trace.setup.services for port in service.ports]
    found = [it for it in published if text in (str(it[0].host), f"{it[0].host}/{it[0].proto}")]
    if not found:
        raise _valid("published port", text, [_spelled(port) for port, _ in published])
    if client not in CLIENTS:
        raise _valid("class of clients", client, CLIENTS)
    port, service = found[0]
    world = trace.at(at)
    opened = reachable(world, port.host, client, port.proto)
    seq = _last(trace, at, _changes(port, client, opened))
    fact = f"port {_spelled(port)} is {'open' if opened else 'closed'} from {client}"
    if not opened:
        fact += f": {_missing(world, port, client)}"
    note = "" if seq is not None else "it was never open up to then"
    return Why(fact, chain(trace, seq, Focus.of(service)), note)


def _spelled(port: Port) -> str:
    return str(port.host) if port.proto == "tcp" else f"{port.host}/{port.proto}"


def _missing(world: World, port: Port, client: str) -> str:
    if client == "dns":
        return "no dockerd answers lookups, docker0 has no names, or the container does not listen"
    if client in ("remote", "host"):
        found = targets(world, port.host, port.proto, forwarded=client == "remote")
        return f"the container does not listen at {found[0].split(':', 1)[1]}" if found else "no DNAT rule"
    address = next((a for a in _bound(port) if a in world.host.listeners), None)
    if address is None:
        return "no proxy listens"
    return "the container does not listen" if listening(world, address) else "the proxy is stopped"


def _bound(port: Port) -> tuple[str, str]:
    return f"{port.proto}:0.0.0.0:{port.host}", f"{port.proto}:127.0.0.1:{port.host}"


def _changes(port: Port, client: str, opened: bool) -> Matches:
    """Return a rule that finds the records after which the port is *opened* (or closed) and was not before."""

    def tells(world: World, event: Any) -> bool:
        if not isinstance(event, PORT_EVENTS) or reachable(world, port.host, client, port.proto) == opened:
            return False
        twin = world.copy()
        evolve(twin, event)
        return reachable(twin, port.host, client, port.proto) == opened

    return tells


def _process(trace: Trace, text: str, at: Microseconds) -> Why:
    target = _target(trace, text)
    world = trace.at(at)
    found = processes(world, target)
    pid = found[0] if found else None

    def tells(before: World, event: Any) -> bool:
        if not isinstance(event, (e.Execed, e.Exited, e.Reparented)) or pid not in (None, event.pid):
            return False
        return named_by(target, event.image if isinstance(event, e.Execed) else before.host.procs[event.pid].image)

    of_service = target.container not in ("", "*") and target.role != "stranger"
    focus = Focus.of(_service(trace, target.container)) if of_service else Focus()
    if pid is None:
        links = chain(trace, _last(trace, at, tells), focus)
        return Why(f"no process {text} lives", links, "" if links else "none has begun up to then")
    process = world.host.procs[pid]
    parent = world.host.procs.get(process.ppid)
    more = f"; {len(found) - 1} more of this name live" if len(found) > 1 else ""
    named = f"{parent.image.program} ({process.ppid})" if parent else str(process.ppid)
    fact = f"{text} is pid {pid}, child of {named}{', stopped' if process.state == 'T' else ''}{more}"
    if focus.container == "" and process.image.container:
        focus = Focus.of(_service(trace, process.image.container))
    return Why(fact, chain(trace, _last(trace, at, tells), focus))


def _target(trace: Trace, text: str) -> Target:
    """Return what ROLE, ROLE/NAME or ROLE/NAME:PORT names."""
    role, _, rest = text.partition("/")
    name, _, port = rest.partition(":")
    if role not in ROLES:
        raise _valid("role", role, ROLES)
    if name not in ("", "*") and role != "stranger":
        ports = [it.host for it in _service(trace, name).ports]
        if port and port not in map(str, ports):
            raise _valid(f"port of {name}", port, ports)
    return Target(role, name, int(port) if port.isdecimal() else None)


# -- the chain ----------------------------------------------------------------------------------------


def chain(trace: Trace, seq: int | None, focus: Focus) -> tuple[Link, ...]:
    """Return the causes of a record, itself first, up to the step that began it; only those that *focus* is told of."""
    wanted = _followed(trace, seq, focus)
    texts = _texts(trace, wanted, focus)
    links = []
    for place, number in enumerate(wanted):
        if texts.get(number) and not (place and _said_by_its_signal(trace, number, wanted[place + 1 :])):
            links.append(Link(trace.records[number].at, number, texts[number]))
    return tuple(link for index, link in enumerate(links) if index == 0 or links[index - 1].text != link.text)


def _followed(trace: Trace, seq: int | None, focus: Focus) -> list[int]:
    found: list[int] = []
    sends = _sends(trace, focus)
    while seq is not None and seq >= 0 and len(found) < LINKS:
        found.append(seq)
        record = trace.records[seq]
        if isinstance(record.event, StepTaken):
            break
        death = _death(trace, seq)
        found += [] if death is None else [death]
        seq = sends.get(seq, record.cause)
    return found


def _sends(trace: Trace, focus: Focus) -> dict[int, int]:
    """Return, for each record that takes a message about the focus's container, the one that sent it.

    A server takes a message when it has done the one before, and that is the record's cause; why there is anything to
    take says the sender. Of another container's message only the waiting matters, so that its cause is followed. A
    queue's messages are taken in the order in which they were sent.
    """
    waiting: dict[tuple[int, str], deque[int]] = {}
    found = {}
    for record in trace.records:
        event = record.event
        if isinstance(event, Sent):
            waiting.setdefault((event.pid, event.name), deque()).append(record.seq)
        elif isinstance(event, Received) and waiting.get((event.pid, event.name)):
            sent = waiting[event.pid, event.name].popleft()
            if focus.container in ("", getattr(trace.records[sent].event.message, "container", "")):
                found[record.seq] = sent
    return found


def _death(trace: Trace, seq: int) -> int | None:
    """Return the record of the death that a parent-death signal, or another parent, comes from."""
    record = trace.records[seq]
    if not isinstance(record.event, (e.Reparented, e.Signalled)):
        return None
    for number in range(seq - 1, record.cause, -1):
        event = trace.records[number].event
        if isinstance(event, e.Exited):
            of_it = isinstance(record.event, e.Reparented) or record.event.by_pid == event.pid
            return number if of_it else None
    return None


def _said_by_its_signal(trace: Trace, number: int, further: list[int]) -> bool:
    """Say whether a death by a signal follows from a link that tells of that signal."""
    from sim.kernel.signals import NAMES

    event = trace.records[number].event
    if not isinstance(event, e.Exited) or event.status >= 0:
        return False
    signal = e.Signalled(event.pid, NAMES[-event.status])
    return any(
        isinstance(it, e.Signalled) and (it.pid, it.signal) == (signal.pid, signal.signal)
        for it in (trace.records[seq].event for seq in further[:5])
    )


def _texts(trace: Trace, wanted: list[int], focus: Focus) -> dict[int, str]:
    replay, texts, chosen = Replay(trace), {}, set(wanted)
    first = wanted[0] if wanted else -1
    for record in trace.records[: max(wanted, default=-1) + 1]:
        if record.seq in chosen:
            texts[record.seq] = told(replay.world, record.event, focus, first=record.seq == first)
        replay.step()
    return texts

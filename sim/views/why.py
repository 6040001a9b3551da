"""Why a fact is so: the record that made it so, and the chain of causes behind it.

Three kinds of facts: `container NAME` (what the engine believes), `port N from CLIENT` (open or closed, and which part
decides), `process TARGET` (lives, has ended, changed its parent). The chain follows each record's cause, and a message
to its sender, up to the step that began it. Told is what concerns the fact's container, the engine's daemons and
people; how a link reads stands in `sim.views.why_words`. Leaves out what only moves a program on. Source: the trace's
causes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from sim.designs import DESIGNS
from sim.engine.records import Container
from sim.engine.role import CONTAINER, STEP, SUPERVISOR, Kind, Role
from sim.engine.setup import Microseconds, Port, Service, Target
from sim.engines.host.client import named_by, processes
from sim.engines.host.reach import CLIENTS, FOUND, reachable, route
from sim.errors import nearest
from sim.facts import Received, Sent, StepTaken
from sim.kernel import events as e
from sim.kernel.signals import NAMES
from sim.trace import Record, Replay, Trace
from sim.views.beliefs import change_of
from sim.views.command_words import is_of_host_start
from sim.views.story import Story
from sim.views.why_words import WORDS, Focus, state_of, told
from sim.world import World, evolve

KINDS = ("container", "port", "process")
ASK = "Ask for 'container NAME', 'port NUMBER from remote|loopback|container' or 'process ROLE/NAME'"
PORT_EVENTS = (e.Exited, e.Listened, e.Unlistened, e.RuleAdded, e.RuleRemoved, e.RulesFlushed, e.SignalTaken)

Matches = Callable[[World, Any], bool]
Path = dict[int, tuple[int, int]]  # of each record that was followed: the death it comes from, and its cause; or -1
Wanted = dict[int, dict[tuple[Focus, bool], None]]  # who is told of a record, and whether in any case
Texts = dict[tuple[int, bool], str]  # how a record reads; True: where it is what was asked about
Tail = tuple["Link", "Tail"] | None  # a chain: its nearest link and the rest


class Link(msgspec.Struct, frozen=True):
    """One cause in the chain: when (clock value, µs), the record's number, and what happened."""

    at: Microseconds | None
    seq: int
    text: str


class Why(msgspec.Struct, frozen=True):
    """The fact in words, and its causes, nearest first; *note* says why there are none.

    *step* is the id of the file's step that the last cause is, "" if it is none.
    """

    fact: str
    links: tuple[Link, ...]
    note: str = ""
    step: str = ""


class Unknown(Exception):
    """The question is not of the three kinds, or names what does not exist; the text says what is valid."""


def why(trace: Trace, question: str, at: Microseconds) -> Why:
    """Answer a question about a moment (clock value in µs). Raises Unknown."""
    answer = _answer(trace, question, at)
    begun = trace.records[answer.links[-1].seq].event if answer.links else None
    return replace(answer, step=begun.id if isinstance(begun, StepTaken) and not is_of_host_start(begun.id) else "")


def _answer(trace: Trace, question: str, at: Microseconds) -> Why:
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
    service = _service(trace, name)
    story = Story(trace).to(at)
    record = story.believed(name)
    fact = f"container {name} is {state_of(record)}"
    if isinstance(record, Container) and record.running and not story.world.host.alive(record.pid):
        fact += ", as the engine believes; that process has ended"

    def tells(world: World, event: Any) -> bool:
        change = change_of(world, event)
        return change is not None and change.container == name and state_of(change.before) != state_of(change.after)

    links = chain(trace, _last(trace, at, tells), Focus.of(service))
    return Why(fact, links, "" if links else "nobody asked the engine for it yet")


def _port(trace: Trace, text: str, client: str, at: Microseconds) -> Why:
    published = [(port, service) for service in trace.setup.services for port in service.published]
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
        who = world.design.traits.engine or world.design.traits.client
        return f"no {who} answers lookups, docker0 has no names, or the container does not listen"
    at, through, found = route(world, port.host, client, port.proto)
    if not found:
        return "the container does not listen" if through else f"the container does not listen at {at.split(':', 1)[1]}"
    if found == "refused":
        daemon = world.setup.engine.daemon
        by_rules = daemon.iptables and (client in ("remote", "host") or not daemon.userland_proxy)
        return "no DNAT rule" if by_rules and not client.endswith("6") else "no proxy listens"
    forwarders = world.design.of_kind(Kind.FORWARDER)
    stopped = "the proxy is stopped" if forwarders and world.setup.engine.daemon.userland_proxy else FOUND["silent"]
    return {"silent": stopped, "timeout": "its chain does not accept it"}.get(found, FOUND[found])


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
        image = event.image if isinstance(event, e.Execed) else before.host.procs[event.pid].image
        return named_by(before, target, image)

    of_service = target.container not in ("", "*") and not _of_step(trace, target.role)
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
    valid = _roles(trace)
    if role not in valid:
        raise _valid("role", role, list(valid))
    if name not in ("", "*") and not _of_step(trace, role):
        ports = [it.host for it in _service(trace, name).published]
        if port and port not in map(str, ports):
            raise _valid(f"port of {name}", port, ports)
    return Target(role, name, int(port) if port.isdecimal() else None)


def _roles(trace: Trace) -> dict[str, Role]:
    """Return the roles that a question may name: those that scenarios name, and whoever holds a container."""
    design = DESIGNS[trace.setup.engine.design]
    named = sorted(((name, role) for name, role in design.roles.items() if role.target), key=lambda it: it[1].order)
    return dict(named) | dict.fromkeys((SUPERVISOR, *design.stages), Role(kind=Kind.HOLDER, target=CONTAINER))


def _of_step(trace: Trace, role: str) -> bool:
    """Return whether a role's processes are named by the step that made them."""
    return _roles(trace)[role].target == STEP


# -- the chain ----------------------------------------------------------------------------------------


def chain(trace: Trace, seq: int | None, focus: Focus) -> tuple[Link, ...]:
    """Return the causes of a record, itself first, up to the step that began it; only those that *focus* is told of."""
    return chains(trace, [(seq, focus)])[0]


def chains(trace: Trace, asked: Sequence[tuple[int | None, Focus]]) -> list[tuple[Link, ...]]:
    """Return the causes of many records, for whom each is asked; all of them cost one replay.

    Whoever asks about one container follows a record in one way, so each is followed, and read, once for each of them.
    """
    ways = _ways(trace)
    paths: dict[Focus, Path] = {focus: {} for _, focus in asked}
    wanted: Wanted = {}
    for seq, focus in asked:
        if seq is not None:
            _follow(ways, seq, focus, paths[focus], wanted)
            wanted.setdefault(seq, {})[focus, True] = None
    texts = _texts(trace, wanted, paths)
    tails = {focus: _tails(trace, path, texts[focus]) for focus, path in paths.items()}
    return [_links(trace, seq, paths[focus], texts[focus], tails[focus]) for seq, focus in asked]


class Ways(msgspec.Struct):
    """Where each record leads: to its cause, or beyond it to the next one that may be told or was sent.

    *deaths* are the records of deaths from which a signal, or another parent, comes; *sends* those that sent what a
    record takes, with the container that it is about.
    """

    causes: list[int]
    spoken: list[bool]
    deaths: dict[int, int]
    sends: dict[int, tuple[int, str]]


def _ways(trace: Trace) -> Ways:
    """Go through a trace once for everybody who asks.

    A server takes a message when it has done the one before, and that is the record's cause; why there is anything to
    take says the sender. A queue's messages are taken in the order in which they were sent.
    """
    ways = Ways([], [], {}, {})
    waiting: dict[tuple[int, str], deque[int]] = {}
    for record in trace.records:
        event, seq, cause = record.event, record.seq, record.cause
        if isinstance(event, Sent):
            waiting.setdefault((event.pid, event.name), deque()).append(seq)
        elif isinstance(event, Received) and waiting.get((event.pid, event.name)):
            sent = waiting[event.pid, event.name].popleft()
            ways.sends[seq] = sent, _subject(trace, sent)
        elif isinstance(event, e.Reparented | e.Signalled) and (death := _death(trace, record)) >= 0:
            ways.deaths[seq] = death
        while cause >= 0 and not (ways.spoken[cause] or cause in ways.deaths or cause in ways.sends):
            cause = ways.causes[cause]
        ways.causes.append(-1 if isinstance(event, StepTaken) else cause)
        ways.spoken.append(type(event) in WORDS)
    return ways


def _follow(ways: Ways, seq: int, focus: Focus, path: Path, wanted: Wanted) -> None:
    """Note what leads to a record, up to a step or to what was followed before, and what of it may be told.

    Of another container's message only the waiting matters, so that its cause is followed and not its sender.
    """
    while seq >= 0 and seq not in path:
        sent, container = ways.sends.get(seq, (-1, ""))
        following = sent if sent >= 0 and focus.container in ("", container) else ways.causes[seq]
        death = ways.deaths.get(seq, -1)
        path[seq] = death, following
        if ways.spoken[seq]:
            wanted.setdefault(seq, {})[focus, False] = None
        if death >= 0:
            wanted.setdefault(death, {})[focus, False] = None
        seq = following


def _subject(trace: Trace, sent: int) -> str:
    """Return the container that a message is about."""
    return str(getattr(trace.records[sent].event.message, "container", ""))


def _death(trace: Trace, record: Record) -> int:
    """Return the record of the death that a parent-death signal, or another parent, comes from; -1 for none."""
    for number in range(record.seq - 1, record.cause, -1):
        event = trace.records[number].event
        if isinstance(event, e.Exited):
            of_it = isinstance(record.event, e.Reparented) or record.event.by_pid == event.pid
            return number if of_it else -1
    return -1


def _texts(trace: Trace, wanted: Wanted, focuses: Iterable[Focus]) -> dict[Focus, Texts]:
    """Return how records read to those who follow them; what is asked about is said in any case (True)."""
    replay = Replay(trace)
    texts: dict[Focus, Texts] = {focus: {} for focus in focuses}
    for record in trace.records[: max(wanted, default=-1) + 1]:
        for focus, first in wanted.get(record.seq, ()):
            text = told(replay.world, record.event, focus, first=first)
            if text:
                texts[focus][record.seq, first] = text
        replay.step()
    return texts


def _tails(trace: Trace, path: Path, texts: Texts) -> dict[int, Tail]:
    """Return the chain from each record on, itself included if it is told as a cause."""
    tails: dict[int, Tail] = {-1: None}
    for seq in sorted(path):  # causes come before what they cause
        tails[seq] = _linked(trace, seq, path, texts, _before(trace, seq, path, texts, tails))
    return tails


def _before(trace: Trace, seq: int, path: Path, texts: Texts, tails: Mapping[int, Tail]) -> Tail:
    """Return the chain behind a record."""
    death, following = path[seq]
    return tails[following] if death < 0 else _linked(trace, death, path, texts, tails[following], following)


def _linked(trace: Trace, seq: int, path: Path, texts: Texts, tail: Tail, following: int | None = None) -> Tail:
    """Put a record before a chain, unless it adds nothing."""
    text = texts.get((seq, False))
    if text is None or _said_by_its_signal(trace, seq, path, path[seq][1] if following is None else following):
        return tail
    return _joined(Link(trace.records[seq].at, seq, text), tail)


def _joined(link: Link, tail: Tail) -> Tail:
    """Put a link before a chain; of two that read the same the nearer one stays."""
    return (link, tail[1]) if tail is not None and tail[0].text == link.text else (link, tail)


def _said_by_its_signal(trace: Trace, number: int, path: Path, following: int) -> bool:
    """Return whether a death by a signal follows from a link that tells of that signal."""
    event = trace.records[number].event
    if not isinstance(event, e.Exited) or event.status >= 0:
        return False
    for _ in range(5):
        if following < 0:
            return False
        cause = trace.records[following].event
        if isinstance(cause, e.Signalled) and (cause.pid, cause.signal) == (event.pid, NAMES[-event.status]):
            return True
        following = path[following][1]
    return False


def _links(trace: Trace, seq: int | None, path: Path, texts: Texts, tails: Mapping[int, Tail]) -> tuple[Link, ...]:
    if seq is None:
        return ()
    tail = _before(trace, seq, path, texts, tails)
    text = texts.get((seq, True))
    if text is not None:
        tail = _joined(Link(trace.records[seq].at, seq, text), tail)
    links = []
    while tail is not None:
        link, tail = tail
        links.append(link)
    return tuple(links)

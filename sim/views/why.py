"""Why a fact is so: the record that made it so, and the chain of causes behind it.

Three kinds of facts: `container NAME` (what the engine believes), `port N from CLIENT` (open or closed, and which part
decides), `process TARGET` (lives, has ended, changed its parent); `sim.views.why_asked` has the words in which people
ask. Of a container that does not run it is also said why nobody starts it. The chain stands in `sim.views.why_chain`.
Leaves out what only moves a program on. Source: the trace's causes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from sim.facts import StepTaken
from sim.kernel import events as e
from sim.trace import Replay, Trace
from sim.views.beliefs import answering, change_of
from sim.views.command_words import is_of_host_start
from sim.views.fate_words import not_started
from sim.views.story import Story
from sim.views.why_asked import KINDS, asked, suggestion
from sim.views.why_chain import Link, chain
from sim.views.why_words import Focus, state_of
from sim.world import World, evolve

ASK = "Ask for 'container NAME', 'port NUMBER from remote|loopback|container' or 'process ROLE/NAME'"
PORT_EVENTS = (e.Exited, e.Listened, e.Unlistened, e.RuleAdded, e.RuleRemoved, e.RulesFlushed, e.SignalTaken)

Matches = Callable[[World, Any], bool]


class Why(msgspec.Struct, frozen=True):
    """The fact in words, and its causes, nearest first; *note* says why there are none.

    *step* is the id of the file's step that the last cause is, "" if it is none. *absent* says why nobody starts a
    container that does not run.
    """

    fact: str
    links: tuple[Link, ...]
    note: str = ""
    step: str = ""
    absent: str = ""


class Unknown(Exception):
    """The question is not of the three kinds, or names what does not exist; the text says what is valid."""


def why(trace: Trace, question: str, at: Microseconds) -> Why:
    """Answer a question about a moment (clock value in µs). Raises Unknown."""
    design = DESIGNS[trace.setup.engine.design]
    containers = [service.name for service in trace.setup.services]
    found = asked(question, containers, design.roles, CLIENTS)
    answer = _answer(trace, question if found is None else found.form, at)
    if found is not None and found.holds is not None and _holds(answer.fact) not in (None, found.holds):
        answer = replace(answer, fact=f"that is not so: {answer.fact}")
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
    names = (*KINDS, *(service.name for service in trace.setup.services), *_roles(trace))
    raise Unknown(f"{suggestion(question, names)} {ASK}".strip())


def _holds(fact: str) -> bool | None:
    """Return whether a fact says that something runs or is open, None if it says neither.

    >>> _holds("container web is exited (137)"), _holds("port 80 is open from remote"), _holds("no process shim lives")
    (False, True, False)
    """
    if fact.startswith("container"):
        return " is running" in fact and "has ended" not in fact
    return " is open " in fact if fact.startswith("port") else not fact.startswith("no process")


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
    absent = _not_started(story.world, service)
    return Why(fact, links, "" if links else "nobody asked the engine for it yet", absent=absent)


def _not_started(world: World, service: Service) -> str:
    """Return why nobody starts a container that has run; "" of one that runs or never ran, or is to start again."""
    record = world.design.engine.believed(world, service.name)
    if record is None or not record.started or record.running or record.restarting:
        return ""
    reason = not_started(world, service, record, answers=answering(world) is not None)
    return f"nobody starts {service.name}: {reason}"


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
    absent = "" if opened else _not_started(world, service)
    return Why(fact, chain(trace, seq, Focus.of(service)), note, absent=absent)


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
        by_rules = client in ("remote", "host") or not world.setup.engine.daemon.userland_proxy
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

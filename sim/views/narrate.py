"""Tell a run in few lines: what happened when, alike things together, with how many ports answered afterwards.

Each rule turns one event into a key and a subject; events of one key that follow each other closely become one line.
Leaves out what only programs see (messages, memory, files, runc and iptables). Source: the trace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from sim.designs import DESIGNS, Design
from sim.engine.containers import names_container
from sim.engine.engine import daemon_of
from sim.engine.program import adopts, is_at_home_under_init
from sim.engine.prologue import is_early
from sim.engine.role import Kind
from sim.engine.setup import Microseconds, Port, SetNextPid, Setup, Step
from sim.engines.host.output import lost_mark
from sim.engines.host.reach import DNAT, reachable
from sim.engines.host.systemd.unit import state_of
from sim.facts import (
    BecameReady,
    EngineEvent,
    Marked,
    Remembered,
    StepDone,
    StepTaken,
    UnitChanged,
    WriteBlocked,
    WriteResumed,
)
from sim.kernel import events as e
from sim.kernel.records import INIT
from sim.trace import Replay, Trace
from sim.views.command_words import command_words, is_of_host_start, step_words, steps_of
from sim.views.kinds import connected, end_of, is_daemon, is_holder, is_own_program, role_of, speaks_for_engine
from sim.world import World

TOGETHER: Microseconds = 700_000  # alike things that follow each other within this time are one line
FORWARDER, HOLDER, OWN = range(3)  # the order in which a container's processes are named
TOLD = ("active", "auto-restart", "failed", "inactive")  # of a container's unit
PORTS_COUNTED = 200  # with more published ports than that the counts are left out


class Line(msgspec.Struct, frozen=True):
    """One line: from *at* to *until* (clock values in µs), what happened, and a *note* beside it.

    *step* is the id of the step that it tells of, "" for others; *counts* how many ports were open afterwards for
    remote and loopback clients, None where that did not change; *seq* is the number of its first record; a unit or
    a step *failed*.
    """

    at: Microseconds
    until: Microseconds
    text: str
    note: str = ""
    step: str = ""
    counts: tuple[int, int] | None = None
    seq: int = -1
    failed: bool = False


class Unanswered(msgspec.Struct, frozen=True):
    """A step whose command had not ended, or not begun, when the run did: its *id*, what it does, its *line*."""

    id: str
    text: str
    line: int


Item = tuple[str, str]  # key of the group, and who it happened to


# -- one event --------------------------------------------------------------------------------------


def _execed(world: World, event: e.Execed) -> Item | None:
    before = world.host.procs[event.pid].image.program
    program = event.image.program
    if is_daemon(world, program) and before != program:
        ppid = world.host.procs[event.pid].ppid
        by = "systemd" if ppid == INIT else world.host.procs[ppid].image.program
        return f"begins {by} starts {program}", str(event.pid)
    return None


def _exited(world: World, event: e.Exited) -> Item | None:
    process = world.host.procs[event.pid]
    program, how = process.image.program, end_of(event.status)
    if is_daemon(world, program):
        return f"ends {program}", how
    if role_of(world, program).kind is Kind.FORWARDER:
        return f"forwarder {_forms(world, program)} {how}", process.image.container
    if is_own_program(world, program) and process.ns == event.pid:
        return f"program {how}", process.image.container
    if is_holder(world, program) and role_of(world, program).failed(event.status):
        return f"holder {_forms(world, program)} {how}", process.image.container
    return None


def _forms(world: World, program: str) -> str:
    """Return the noun for one process of a program and for several."""
    return f"{program}/{role_of(world, program).plural or f'{program}s'}"


def _reparented(world: World, event: e.Reparented) -> Item | None:
    process = world.host.procs[event.pid]
    lost = adopts(world, event.ppid) and not is_at_home_under_init(world, event.pid)
    program = process.image.program
    if lost and process.alive and (is_holder(world, program) or is_own_program(world, program)):
        adopter = "PID 1" if event.ppid == INIT else world.host.procs[event.ppid].image.program
        return f"orphan {adopter}/{_forms(world, program)}", process.image.container
    return None


def _signalled(world: World, event: e.Signalled) -> Item | None:
    process = world.host.procs[event.pid]
    sender = world.host.procs.get(event.by_pid)
    program = process.image.program
    if is_own_program(world, program) and sender is not None and speaks_for_engine(world, sender.image):
        return f"told {event.signal}", process.image.container
    of_unit = event.pid == daemon_of(world)  # what is told of the engine's unit says it
    if is_daemon(world, program) and not of_unit and sender is not None and event.signal in ("TERM", "KILL"):
        return (f"told {event.signal} {program}", "") if world.host.alive(event.by_pid) else None
    return None


def _signal_taken(world: World, event: e.SignalTaken) -> Item | None:
    process = world.host.procs[event.pid]
    if is_own_program(world, process.image.program) and event.outcome in ("dropped", "ignored"):
        return f"ignores {event.signal}", process.image.container
    if event.outcome in ("stopped", "continued"):
        return f"{event.outcome}", f"{process.image.program} {event.pid}"
    return None


def _engine_event(world: World, event: EngineEvent) -> Item | None:
    if event.kind == "daemon":
        return f"event {event.action}", world.design.traits.engine
    if event.kind != "container" or event.action in ("kill", "create"):
        return None
    if event.action == "die":
        return f"die {dict(event.attributes).get('exitCode', '')}", event.container
    return f"event {event.action}", _with_numbers(world, event) if event.action == "start" else event.container


def _with_numbers(world: World, event: EngineEvent) -> str:
    """Add the pids of a container that has just started."""
    kinds = {p.pid: _place(world, p.image.program) for p in world.host.procs.values()}
    found = [p for p in world.host.procs.values() if p.image.container == event.container and kinds[p.pid] >= 0]
    holders = {p.ppid for p in found if kinds[p.pid] == OWN}  # not one that has begun this one
    found = [p for p in found if kinds[p.pid] != HOLDER or p.pid in holders]
    found.sort(key=lambda process: (kinds[process.pid], process.order))
    numbers = ", ".join(f"{process.image.program} {process.pid}" for process in found)
    return f"{event.container} ({numbers})" if numbers else event.container


def _place(world: World, program: str) -> int:
    """Return the place of a program among the numbers of a container; -1 if it has none."""
    if role_of(world, program).kind is Kind.FORWARDER:
        return FORWARDER
    return HOLDER if is_holder(world, program) else OWN if is_own_program(world, program) else -1


def _unit(world: World, event: UnitChanged) -> Item | None:
    if names_container(world, event.unit):
        return (f"service {event.state}", event.unit) if event.state in TOLD else None
    if event.state == "deactivating" and not event.main_pid and state_of(world, event.unit).stopping:
        return None  # its main process is gone meanwhile
    if event.state in ("active", "failed", "deactivating", "inactive"):
        return f"unit {event.unit}.service {event.state}", ""
    return None


def _remembered(world: World, event: Remembered) -> Item | None:
    words = connected(world, event.pid, event.value) if event.key == "connection" else ""
    return (f"connected {words}", str(event.value)) if words else None


def _marked(world: World, event: Marked) -> Item | None:
    container = event.name.removeprefix(lost_mark(""))
    if container == event.name:
        return None
    return f"lost {container}", str(event.count - world.marks.get(event.name, 0))


def size_text(count: int) -> str:
    """Write a number of bytes for people.

    >>> size_text(163_840), size_text(1_196_608), size_text(512)
    ('160 KiB', '1.2 MB', '512 bytes')
    """
    if count >= 1_000_000:
        return f"{count / 1_000_000:.1f} MB"
    return f"{count / 1024:.0f} KiB" if count >= 10 * 1024 else f"{count} bytes"


def _rule(word: str) -> Callable[[World, Any], Item | None]:
    return lambda world, event: (f"mapping {word}", str(event.rule.port)) if event.rule.chain == DNAT else None


RULES: dict[type, Callable[[World, Any], Item | None]] = {
    e.Execed: _execed,
    e.Exited: _exited,
    e.Reparented: _reparented,
    e.Signalled: _signalled,
    e.SignalTaken: _signal_taken,
    e.RuleAdded: _rule("added"),
    e.RuleRemoved: _rule("removed"),
    e.RulesFlushed: lambda world, event: ("flushed", event.chain) if event.chain == DNAT else None,
    EngineEvent: _engine_event,
    UnitChanged: _unit,
    Remembered: _remembered,
    WriteBlocked: lambda world, event: (f"blocked {size_text(event.count)}", event.container),
    WriteResumed: lambda world, event: ("unblocked", event.container),
    Marked: _marked,
    BecameReady: lambda world, event: ("answers", event.container),
    StepTaken: lambda world, event: (f"step {event.id}", event.id),
    StepDone: lambda world, event: (f"failed {step_words(world, event.id)}", event.error) if event.error else None,
}

# -- words for a group ------------------------------------------------------------------------------


def named(subjects: list[str]) -> str:
    """Name up to three subjects, or count them.

    >>> named(["a", "b"]), named(list("abcde"))
    ('a, b', '5')
    """
    unique = list(dict.fromkeys(subjects))
    if len(unique) > 1:
        unique = list(dict.fromkeys(subject.partition(" (")[0] for subject in unique))
    return ", ".join(unique) if len(unique) <= 3 else str(len(unique))


def _counted(rest: str, subjects: list[str]) -> str:
    """Name the process of one container, or count those of several."""
    one, _, many = rest.partition("/")
    return _many(subjects, f"{one} of", many)


def _forwarders(rest: str, subjects: list[str]) -> str:
    """Return words for a forwarder, of which a container may have several."""
    forms, _, how = rest.partition(" ")
    one, _, many = forms.partition("/")
    return f"{f'{len(subjects)} {many}' if subjects[1:] else f'{one} of {subjects[0]}'}: {how}"


def _holders(rest: str, subjects: list[str]) -> str:
    forms, _, how = rest.partition(" ")
    return f"{_counted(forms, subjects)}: {how}"


def _many(subjects: list[str], one: str, many: str) -> str:
    unique = list(dict.fromkeys(subjects))
    return f"{one} {unique[0]}" if len(unique) == 1 else f"{len(unique)} {many}"


WORDS: dict[str, Callable[[str, list[str]], str]] = {
    "begins": lambda rest, s: f"{rest} {', '.join(s)}",
    "ends": lambda rest, s: f"{rest} ends: {s[0]}",
    "forwarder": _forwarders,
    "program": lambda rest, s: f"{named(s)}: {rest}",
    "holder": _holders,
    "orphan": lambda rest, s: f"{_counted(rest.split('/', 1)[1], s)} under {rest.split('/', 1)[0]} now",
    "told": lambda rest, s: f"{rest.split()[0]} to {rest.partition(' ')[2] or named(s)}",
    "ignores": lambda rest, s: f"{named(s)} {'takes' if len(set(s)) == 1 else 'take'} no notice of {rest}",
    "stopped": lambda rest, s: f"{named(s)} stopped (T)",
    "continued": lambda rest, s: f"{named(s)} continued",
    "die": lambda rest, s: f"engine: die {rest}: {named(s)}",
    "event": lambda rest, s: f"engine: {rest}: {named(s)}",
    "unit": lambda rest, s: rest,
    "service": lambda rest, s: f"{f'{len(set(s))} units' if len(set(s)) > 1 else f'{s[0]}.service'} {rest}",
    "connected": lambda rest, s: f"{rest} {s[-1]}",
    "mapping": lambda rest, s: f"{_many(s, 'DNAT rule of port', 'DNAT rules')} {rest}",
    "flushed": lambda rest, s: "NAT chain DOCKER flushed",
    "blocked": lambda rest, s: f"payload of {named(s)} blocked in write: {rest} on the way to the log",
    "unblocked": lambda rest, s: f"payload of {named(s)} goes on: its write has returned",
    "lost": lambda rest, s: f"{size_text(sum(map(int, s)))} of the output of {rest} lost",
    "answers": lambda rest, s: f"{named(s)} {'answers' if len(set(s)) == 1 else 'answer'}",
    "failed": lambda rest, s: f"{rest} failed: {s[0]}",
}


class _Group:
    def __init__(self, at: Microseconds, key: str, seq: int) -> None:
        self.at, self.last, self.key, self.seq = at, at, key, seq
        self.subjects: list[str] = []


def narrate(trace: Trace) -> tuple[Line, ...]:
    """Tell the run from its first record on."""
    groups, world = _groups(trace), Replay(trace).world
    steps = steps_of(world)
    counts = _counts(trace, groups)
    found: list[Line] = []
    before: tuple[int, int] | None = (0, 0)
    latest = 0
    for group, count in zip(groups, counts, strict=True):
        word, _, rest = group.key.partition(" ")
        if word == "step":
            text, note = _step(steps.get(rest), rest, world.design)
            found.append(Line(group.at, group.at, text, note, rest, seq=group.seq))
            continue
        last_word = group.last >= latest  # an earlier group may reach beyond this one
        latest = max(latest, group.last)
        change = count if count is not None and count != before and last_word else None
        before = count if change else before
        words = WORDS[word](rest, group.subjects)
        failed = word == "failed" or (word in ("unit", "service") and rest.endswith("failed"))
        found.append(Line(group.at, group.last, words, counts=change, seq=group.seq, failed=failed))
    return tuple(found)


def _step(step: Step | None, name: str, design: Design) -> tuple[str, str]:
    if step is None:
        return f"step {name}", ""
    if is_of_host_start(name):
        return command_words(step, design), ""
    place = f", line {step.line}" if step.line else ""
    number = step.command.number if isinstance(step.command, SetNextPid) else None
    text = step.text or name if number is None else f"other work on the host: the next id is {number}"
    return text, f"step {name}{place}"


def unanswered(trace: Trace) -> tuple[Unanswered, ...]:
    """Return the steps that were taken and whose commands still wait at the end, in the order of their begin."""
    world = Replay(trace).world
    steps = steps_of(world)
    waiting: dict[str, None] = {}
    for record in trace.records:
        if isinstance(record.event, StepTaken):
            waiting[record.event.id] = None
        elif isinstance(record.event, StepDone):
            waiting.pop(record.event.id, None)
    return tuple(_left_over(steps.get(name), name, world.design) for name in waiting)


def not_taken(trace: Trace) -> tuple[Unanswered, ...]:
    """Return the steps that were never taken: their moment did not come, or their terminal was still busy."""
    taken = {record.event.id for record in trace.records if isinstance(record.event, StepTaken)}
    steps = (step for terminal in trace.setup.terminals for step in terminal if not is_early(terminal))
    design = DESIGNS[trace.setup.engine.design]
    return tuple(_left_over(step, step.id, design) for step in steps if step.id not in taken)


def _left_over(step: Step | None, name: str, design: Design) -> Unanswered:
    return Unanswered(name, _step(step, name, design)[0], step.line if step else 0)


def _groups(trace: Trace) -> list[_Group]:
    replay, groups = Replay(trace), []
    latest: dict[str, _Group] = {}
    for record in trace.records:
        rule = RULES.get(type(record.event))
        item = rule(replay.world, record.event) if rule is not None else None
        if item is not None:
            key, at = item[0], record.at or 0
            group = latest.get(key)
            if group is None or at - group.last > TOGETHER:
                group = latest[key] = _Group(at, key, record.seq)
                groups.append(group)
            group.last = at
            group.subjects.append(item[1])
        replay.step()
    return groups


def _counts(trace: Trace, groups: list[_Group]) -> list[tuple[int, int] | None]:
    """Count the ports that are open at the end of each group, for remote and loopback clients."""
    ports = published(trace.setup)
    if not ports or len(ports) > PORTS_COUNTED:
        return [None] * len(groups)
    replay = Replay(trace)
    found: dict[Microseconds, tuple[int, int]] = {}
    for at in sorted({group.last for group in groups}):
        world = replay.to(at)
        found[at] = (
            sum(_open(world, port, "remote") for port in ports),
            sum(_open(world, port, "loopback") for port in ports),
        )
    return [found[group.last] for group in groups]


def _open(world: World, port: Port, client: str) -> bool:
    """Return whether a port is open to a class of clients, or of a range any."""
    return any(reachable(world, it.host, client, it.proto) for it in port.singles())


def published(setup: Setup) -> tuple[Port, ...]:
    """Return the ports that the scenario publishes; one that several services name (one at a time has it) is one."""
    ports = {(port.ip, port.host, port.proto): port for service in setup.services for port in service.ports}
    return tuple(ports.values())

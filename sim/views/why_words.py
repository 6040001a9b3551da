"""How one cause reads, and whether it is told at all to somebody who asks about one container.

A rule returns "" for what adds nothing: an iptables that did its work, another container's start. Source: the trace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from sim.engine.containers import names_container
from sim.engine.records import Container
from sim.engine.role import Kind
from sim.engine.setup import Service
from sim.engines.host.reach import DNAT
from sim.facts import BecameReady, EngineEvent, Remembered, Sent, StepTaken, UnitChanged
from sim.kernel import events as e
from sim.kernel.records import OUTSIDE, Image, Pid
from sim.kernel.signals import NAMES
from sim.views.beliefs import change_of
from sim.views.command_words import is_of_host_start, step_words, steps_of
from sim.views.kinds import connected, is_command, is_daemon_of_engine, is_holder, role_of
from sim.world import World

NOTICED = {"ignored": "ignores", "dropped": "takes no notice of", "stopped": "was stopped by",
           "continued": "was continued by"}  # fmt: skip


class Focus(msgspec.Struct, frozen=True):
    """Whom the question is about: a container and its host ports, or the daemons alone."""

    container: str = ""
    ports: tuple[int, ...] = ()

    @classmethod
    def of(cls, service: Service) -> Focus:
        """Return the focus on one container."""
        return cls(service.name, tuple(port.host for port in service.published))

    def sees(self, world: World, image: Image) -> bool:
        """Return whether a process is worth a word."""
        if is_daemon_of_engine(world, image.program):
            return True
        return _is_member(world, image.program) and image.container == self.container != ""


def _is_member(world: World, program: str) -> bool:
    """Return whether a program lives with a container: its own, who holds it, who forwards, a command about it."""
    own = role_of(world, program).kind in (Kind.PAYLOAD, Kind.FORWARDER)
    return own or is_holder(world, program) or is_command(world, program)


def told(world: World, event: Any, focus: Focus, *, first: bool = False) -> str:
    """Say what an event is, with the names that held before it; "" for what adds nothing. The *first* link is said."""
    rule = WORDS.get(type(event))
    text = rule(world, event, focus) if rule is not None else ""
    if text or not first:
        return text
    plain = FIRST.get(type(event))
    return plain(world, event) if plain is not None else ""


def who(world: World, pid: Pid) -> str:
    """Name a process: program, container, pid."""
    process = world.host.procs.get(pid)
    if process is None:
        return f"pid {pid}"
    return f"{_image(process.image)} ({pid})"


def _image(image: Image) -> str:
    return f"{image.program}/{image.container}" if image.container else image.program


def state_of(record: Any) -> str:
    """Say in which state the engine believes a container to be."""
    if not isinstance(record, Container):
        return "unknown to the engine"
    if record.restarting:
        return f"restarting ({record.exit_code})"
    if record.running:
        return f"running (pid {record.pid})"
    return f"exited ({record.exit_code})" if record.started else "created"


# -- one event --------------------------------------------------------------------------------------


def _sees(world: World, pid: Pid, focus: Focus) -> bool:
    process = world.host.procs.get(pid)
    return process is not None and focus.sees(world, process.image)


def _ended(world: World, event: e.Exited) -> str:
    how = f"exited {event.status}" if event.status >= 0 else f"was killed by SIG{NAMES[-event.status]}"
    return f"{who(world, event.pid)} {how}"


def _exited(world: World, event: e.Exited, focus: Focus) -> str:
    image = world.host.procs[event.pid].image
    usual = _tries(world, image)  # nothing was left
    failed = event.status < 0 or (event.status > 0 and not usual)
    errand = not _is_member(world, image.program) and image.container in ("", focus.container)
    return _ended(world, event) if focus.sees(world, image) or (failed and errand) else ""


def _tries(world: World, image: Image) -> bool:
    """Return whether an errand may find nothing to do, so that its failure is no news."""
    tries = role_of(world, image.program).tries
    return "*" in tries or any(verb in image.argv for verb in tries)


def _signalled(world: World, event: e.Signalled, focus: Focus) -> str:
    if not _sees(world, event.pid, focus):
        return ""
    text = f"SIG{event.signal} to {who(world, event.pid)}"
    if event.by_pid == OUTSIDE:
        return text
    if world.host.procs[event.pid].pdeathsig == event.signal and not world.host.alive(event.by_pid):
        return f"{text}: parent-death signal"
    return f"{text} from {who(world, event.by_pid)}"


def _signal_taken(world: World, event: e.SignalTaken, focus: Focus) -> str:
    if event.outcome not in NOTICED or not _sees(world, event.pid, focus):
        return ""
    return f"{who(world, event.pid)} {NOTICED[event.outcome]} SIG{event.signal}"


def _execed(world: World, event: e.Execed, focus: Focus) -> str:
    before = world.host.procs[event.pid].image
    if not focus.sees(world, event.image) or _image(before) == _image(event.image):
        return ""
    return f"{_image(event.image)} ({event.pid}) began"


def _listened(world: World, event: e.Listened, focus: Focus) -> str:
    image = world.host.procs[event.pid].image
    return _listens(world, event) if focus.sees(world, image) and image.container else ""


def _listens(world: World, event: e.Listened) -> str:
    return f"{who(world, event.pid)} listens at {event.address.removeprefix('net/').removeprefix('tcp:')}"


def _rule(word: str) -> Callable[[World, Any, Focus], str]:
    def text(world: World, event: Any, focus: Focus) -> str:
        ours = event.rule.chain == DNAT and event.rule.port in focus.ports
        return f"DNAT rule of port {event.rule.port} {word}" if ours else ""

    return text


def _engine_event(world: World, event: EngineEvent, focus: Focus) -> str:
    return f"engine: {event.action} {event.container}" if _ours(event, focus) and event.kind == "container" else ""


def _ours(event: Any, focus: Focus) -> bool:
    return bool(focus.container) and event.container == focus.container


def _sent(world: World, event: Sent, focus: Focus) -> str:
    kind, container = getattr(event.message, "kind", ""), getattr(event.message, "container", "")
    if not kind or not container or container != focus.container:
        return ""
    return f"{kind} {container} sent to {who(world, event.pid)}"


def _remembered(world: World, event: Remembered, focus: Focus) -> str:
    if event.key == "connection":
        words = connected(world, event.pid, event.value)
        return f"{words} {event.value}" if words else ""
    if not focus.container or event.key != f"container/{focus.container}":
        return ""
    state = state_of(event.value)
    return f"engine: {focus.container} is {state}" if state != state_of(world.recall(event.pid, event.key)) else ""


def _file(world: World, event: e.FileWritten | e.FileRemoved, focus: Focus) -> str:
    change = change_of(world, event)
    if change is None or change.container != focus.container or state_of(change.before) == state_of(change.after):
        return ""
    teller = world.design.engine.teller(event.path)
    return f"{teller}: {change.container} is {state_of(change.after)}"


def _step(world: World, event: StepTaken, focus: Focus) -> str:
    words, step = step_words(world, event.id), steps_of(world).get(event.id)
    if is_of_host_start(event.id):
        return f"the host's start: {words}"
    line = f", line {step.line}" if step is not None and step.line else ""
    return f"{words}{line}" + (f": {step.text}" if step is not None and step.text else "")


def _unit(world: World, event: UnitChanged, focus: Focus) -> str:
    of_another = event.unit != focus.container and names_container(world, event.unit)
    return "" if of_another else f"{event.unit}.service {event.state}"


WORDS: dict[type, Callable[[World, Any, Focus], str]] = {
    e.Exited: _exited,
    e.Signalled: _signalled,
    e.SignalTaken: _signal_taken,
    e.Execed: _execed,
    e.Listened: _listened,
    e.RuleAdded: _rule("added"),
    e.RuleRemoved: _rule("removed"),
    e.RulesFlushed: lambda w, ev, focus: f"chain {ev.chain} flushed" if ev.chain == DNAT else "",
    BecameReady: lambda w, ev, focus: f"{ev.container} answers" if _ours(ev, focus) else "",
    EngineEvent: _engine_event,
    Sent: _sent,
    Remembered: _remembered,
    e.FileWritten: _file,
    e.FileRemoved: _file,
    StepTaken: _step,
    UnitChanged: _unit,
}

# What is said of the first link, which the question is about, even where it would not be told further on.
FIRST: dict[type, Callable[[World, Any], str]] = {
    e.Exited: _ended,
    e.Reparented: lambda w, ev: f"{who(w, ev.pid)} got another parent: {who(w, ev.ppid)}",
    e.Execed: lambda w, ev: f"{_image(ev.image)} ({ev.pid}) began",
    e.Listened: _listens,
    e.Unlistened: lambda w, ev: f"nobody listens at {ev.address} any more",
    e.SignalTaken: lambda w, ev: f"{who(w, ev.pid)} took SIG{ev.signal}: {ev.outcome}",
    e.Frozen: lambda w, ev: f"{who(w, ev.pid)} was frozen with its control group",
    e.Thawed: lambda w, ev: f"{who(w, ev.pid)} goes on with its control group",
}

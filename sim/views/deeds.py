"""One action in plain words: what a goroutine did, and what came of it that others can see.

The words are those of the model itself: the first clause of the docstring of an op's function, condition or child, and
a word for each fact that matters to people: signals, deaths, new parents, events of the engine, what it believes.
Engines share procedures, so these clauses name nobody whom one of the designs that share them lacks. Leaves out what
only the model needs: locks that are free, threads, iptables that did its work. Source: the procedures of a design, the
trace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from sim.engine.goroutine import Failure
from sim.engine.ops import (
    Answered,
    Ask,
    Do,
    Every,
    Exit,
    Fork,
    Interval,
    Join,
    Lock,
    Op,
    Push,
    Reap,
    ReapAny,
    ReapOrphans,
    Serve,
    Sleep,
    Wait,
)
from sim.engine.ops import Switch as SwitchOp
from sim.engine.setup import Step
from sim.engines.host.client import step_of
from sim.facts import BecameReady, EngineEvent, FrameMoved, Remembered, Sent, StepDone, UnitChanged
from sim.faults import Fault
from sim.kernel import events as e
from sim.kernel.records import INIT, OUTSIDE, Pid
from sim.kernel.signals import NAMES
from sim.model import Action, Deliver, Go, Late, Open
from sim.views.beliefs import Change, change_of
from sim.views.command_words import command_words
from sim.views.kinds import role_of
from sim.views.why_words import state_of
from sim.world import Frame, World, evolve

SILENT = ("start_threads", "start_hook_threads")
CONDITION = re.compile(r"^(?:return|say) (?:whether|that) ")
WITH_PID = re.compile(r" \(pid \d+\)")


class Deed(msgspec.Struct, frozen=True):
    """Something done, so many *times* on end, by a *goroutine* ("" for the main one).

    *seen* says that others see it; *subject* names who did it where that may be somebody else than who acts.
    """

    goroutine: str
    text: str
    subject: str = ""
    seen: bool = False
    times: int = 1


def deeds_of(world: World, action: Action, events: Sequence[Any]) -> list[Deed]:
    """Say what an action did; *world* is the one before it and is moved on through *events*."""
    goroutine = _goroutine(world, action)
    own = "" if _only_looks(world, action, events) else phrase(world, action, events)
    found = [Deed(goroutine, own)] if own else []
    facts = FACTS_OF_STEPS if _outside(action) else FACTS
    for event in events:
        rule = facts.get(type(event))
        item = rule(world, event) if rule is not None else None
        if item is not None:
            found.append(Deed(goroutine, item[1], item[0], seen=True))
        evolve(world, event)
    return found


def _is_tool(world: World, program: str) -> bool:
    """Return whether what a program does is told as its parent's own deed: one that tries things, as iptables does."""
    return "*" in role_of(world, program).tries


def _only_looks(world: World, action: Action, events: Sequence[Any]) -> bool:
    """Say whether a function went on without changing anything: it only chose the way."""
    if not isinstance(action, Go) or not all(isinstance(event, FrameMoved) for event in events):
        return False
    frame = world.frames[action.fid]
    return isinstance(world.design.procedures[frame.procedure].ops[frame.op], Do)


def _outside(action: Action) -> bool:
    return isinstance(action, Fault) or (isinstance(action, (Go, Late)) and action.fid[0] == OUTSIDE)


def actor_of(world: World, action: Action) -> str:
    """Return whose action it is: a program with its container, a step of a terminal, `fault`, or nobody ("")."""
    if isinstance(action, Open):
        return ""
    if isinstance(action, Fault):
        return "fault"
    pid = action.pid if isinstance(action, Deliver) else action.fid[0]
    if pid != OUTSIDE:
        process = world.host.procs[pid]
        errand = _is_tool(world, process.image.program) and process.ppid in world.host.procs
        return label(world, process.ppid if errand else pid)
    assert isinstance(action, (Go, Late))
    step = _step(world, world.frames[action.fid])
    return f"step {step.id}" if step is not None else ""


def label(world: World, pid: Pid) -> str:
    """Name a process by its program and container."""
    process = world.host.procs.get(pid)
    if process is None:
        return "a process that is gone"
    image = process.image
    return f"{image.program}/{image.container}" if image.container else image.program


def _goroutine(world: World, action: Action) -> str:
    if not isinstance(action, (Go, Late)) or action.fid[0] == OUTSIDE:
        return ""
    if _is_tool(world, world.host.procs[action.fid[0]].image.program):
        return ""
    name = action.fid[1]
    return "" if name == "main" else name.replace("/", " ")


def _step(world: World, frame: Frame) -> Step | None:
    steps = world.setup.terminals[frame.local["terminal"]]
    return steps[min(frame.local["i"], len(steps) - 1)] if steps else None


# -- what a goroutine did ---------------------------------------------------------------------------


def phrase(world: World, action: Action, events: Sequence[Any]) -> str:
    """Say what the op of an action is, in the imperative; "" for what adds nothing."""
    if isinstance(action, Fault):
        return f"{action.kind} {label(world, action.pid)}"
    if not isinstance(action, (Go, Late)):
        return ""
    frame = world.frames[action.fid]
    op = world.design.procedures[frame.procedure].ops[frame.op]
    if action.fid[0] == OUTSIDE:
        return command_words(step_of(world, frame), world.design) if op.name == "begin" else ""
    if _is_tool(world, world.host.procs[action.fid[0]].image.program):
        return ""
    if isinstance(action, Late):
        return f"wait no longer until {condition(op)}"
    rule = next((rule for kind, rule in OPS.items() if isinstance(op, kind)), None)
    return rule(world, frame, op, events) if rule is not None else op.name


def clause(function: Any) -> str:
    """Return a docstring's text up to the first full stop or semicolon, to go on within a sentence.

    >>> clause(clause)
    "return a docstring's text up to the first full stop or semicolon, to go on within a sentence"
    """
    text = " ".join((function.__doc__ or "").split()) if callable(function) else ""
    text = re.sub(r" \([^()]*\)", "", text)
    text = re.split(r";|\.(?=\s|$)", text, maxsplit=1)[0]
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def condition(op: Any) -> str:
    """Return what an op waits for: what its condition's docstring says behind "return whether"."""
    return CONDITION.sub("", clause(source_of(op))) or str(op.name)


def source_of(op: Op) -> Any:
    """Return the function whose docstring says what an op does; None if it has none."""
    names = ("function", "condition", "how", "request", "status")
    return next((getattr(op, name) for name in names if hasattr(op, name)), None)


def _do(world: World, frame: Frame, op: Any, events: Sequence[Any]) -> str:
    if op.name in SILENT:
        return ""
    text = clause(source_of(op))
    when, colon, what = text.partition(": ")  # behind a colon stand reasons; or, after a time, what is done
    return what if colon and when.startswith("after ") else when


def _wait(world: World, frame: Frame, op: Any, events: Sequence[Any]) -> str:
    return f"see that {condition(op)}"


def _fork(world: World, frame: Frame, op: Any, events: Sequence[Any]) -> str:
    images = [event.image for event in events if isinstance(event, e.Execed)]
    if not images:
        return ""
    image = images[0]
    word = "run" if _is_tool(world, image.program) else "start"
    return f"{word} {image.program}" + (f"/{image.container}" if image.container else "")


def _reap(world: World, frame: Frame, op: Any, events: Sequence[Any]) -> str:
    found = next((event.pid for event in events if isinstance(event, e.Reaped)), None)
    if found is None or _is_tool(world, world.host.procs[found].image.program):
        return ""
    status = world.host.procs[found].status
    return f"reap {label(world, found)}" + (f" ({_ending(status)})" if status else "")


def _ask(world: World, frame: Frame, op: Any, events: Sequence[Any]) -> str:
    reached = any(isinstance(event, Sent) for event in events)
    return clause(op.request) + ("" if reached else ", where nobody is")


def _answered(world: World, frame: Frame, op: Any, events: Sequence[Any]) -> str:
    if frame.fid not in world.replies:
        return "find that whom it asked is dead"
    answer = world.replies[frame.fid]
    return f"be told: {answer.text}" if isinstance(answer, Failure) else "get the answer"


def _take(world: World, frame: Frame, op: Any, events: Sequence[Any]) -> str:
    message: Any = world.queue(frame.fid[0], op.queue)[0]
    return f"take {message.kind} {message.container}".rstrip()


def _sleep(world: World, frame: Frame, op: Any, events: Sequence[Any]) -> str:
    return f"let {op.name} pass" if op.nominal(world, frame) else ""


OPS: dict[type, Callable[[World, Frame, Any, Sequence[Any]], str]] = {
    Do: _do,
    Exit: _do,
    Wait: _wait,
    Fork: _fork,
    Reap: _reap,
    ReapAny: _reap,
    ReapOrphans: _reap,
    Ask: _ask,
    Answered: _answered,
    Serve: _take,
    SwitchOp: _take,
    Push: lambda world, frame, op, events: "hand it on",
    Sleep: _sleep,
    Interval: _sleep,
    Every: lambda world, frame, op, events: "tick",
    Join: lambda world, frame, op, events: "see that it has returned",
    Lock: lambda world, frame, op, events: f"get the lock {op.owner(frame)[1]}",
}

# -- what came of it --------------------------------------------------------------------------------

Item = tuple[str, str]  # who ("" for nobody in particular), and what
NOTICED = {"handled": "take", "ignored": "ignore", "dropped": "take no notice of", "stopped": "stand still after",
           "continued": "go on after"}  # fmt: skip


def _ending(status: int) -> str:
    return f"exit {status}" if status >= 0 else f"SIG{NAMES[-status]}"


def _exited(world: World, event: e.Exited) -> Item | None:
    if event.status < 0:
        return label(world, event.pid), f"die of {_ending(event.status)}"
    errand = _is_tool(world, world.host.procs[event.pid].image.program)
    return None if errand else (label(world, event.pid), _ending(event.status))


def _reparented(world: World, event: e.Reparented) -> Item | None:
    if not world.host.procs[event.pid].alive:
        return None
    parent = "PID 1" if event.ppid == INIT else label(world, event.ppid)
    return "", f"the parent of {label(world, event.pid)} is {parent} now"


def _signalled(world: World, event: e.Signalled) -> Item | None:
    orphan = world.host.procs[event.pid].pdeathsig == event.signal and not world.host.alive(event.by_pid)
    return "", f"SIG{event.signal} to {label(world, event.pid)}" + (", whose parent died" if orphan else "")


def _signal_taken(world: World, event: e.SignalTaken) -> Item | None:
    word = NOTICED.get(event.outcome)
    return (label(world, event.pid), f"{word} SIG{event.signal}") if word else None


def _engine_event(world: World, event: EngineEvent) -> Item | None:
    if event.kind != "container":
        return None
    code = dict(event.attributes).get("exitCode")
    told = f"`{world.design.traits.client} events`: {event.action} {event.container}"
    return "", told + (f" (exit {code})" if code else "")


def _remembered(world: World, event: Remembered) -> Item | None:
    return _believes(world.design.traits.engine, change_of(world, event))


def _file(world: World, event: e.FileWritten | e.FileRemoved) -> Item | None:
    return _believes(world.design.traits.client, change_of(world, event))


def _believes(who: str, change: Change | None) -> Item | None:
    if change is None:
        return None
    before, now = (WITH_PID.sub("", state_of(record)) for record in (change.before, change.after))
    return (who, f"believe that {change.container} is {now}") if now != before else None


FACTS: dict[type, Callable[[World, Any], Item | None]] = {
    e.Exited: _exited,
    e.Reparented: _reparented,
    e.Signalled: _signalled,
    e.SignalTaken: _signal_taken,
    EngineEvent: _engine_event,
    Remembered: _remembered,
    e.FileWritten: _file,
    e.FileRemoved: _file,
    BecameReady: lambda world, event: ("", f"{event.container} answers"),
    UnitChanged: lambda world, event: ("", f"{event.unit}.service is {event.state}"),
    StepDone: lambda world, event: ("", f"its user reads: {event.error}") if event.error else None,
}
FACTS_OF_STEPS = {kind: rule for kind, rule in FACTS.items() if kind is not e.Signalled}  # the command says it

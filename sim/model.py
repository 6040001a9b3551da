"""The model: what may happen next, and what happens then. Drivers choose; both functions are pure.

`initial` builds the first world of a setup, `enabled` lists the actions in a stable order, `step` applies one and
returns its events. There is no clock and no dice here. Source: ARCHITECTURE.md, "The one idea".
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import msgspec
from msgspec.structs import replace

from sim.designs import DESIGNS, Design
from sim.designs.takes import cgroup_of, units_of
from sim.designs.upgraded import upgraded
from sim.engine.goroutine import deliver, late, start_frame, take
from sim.engine.observed import expected
from sim.engine.prologue import is_beside, is_early, observed, prologue
from sim.engine.setup import Instant, OutOfMemory, Setup, Target, Upgrade
from sim.engines.host import journald, output
from sim.engines.host.bystander import settle
from sim.engines.host.client import mark_name, named_by
from sim.engines.host.systemd import starter
from sim.facts import OPENED as OPENED
from sim.facts import (
    BecameReady,
    EngineEvent,
    Fid,
    Marked,
    Remembered,
    StepTaken,
    UnitChanged,
    WriteBlocked,
    WriteResumed,
)
from sim.faults import Fault, allowed, befall, faults_of
from sim.kernel import events as e
from sim.kernel import syscalls
from sim.kernel.host import SMALL_INIT, SYSTEMD, Host
from sim.kernel.records import INIT, OUTSIDE, Pid
from sim.kernel.signals import Signal
from sim.world import Frame, Turn, World


class Go(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A goroutine takes the op it stands at."""

    fid: Fid


class Late(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The time limit of the op passes at which a goroutine waits."""

    fid: Fid


class Deliver(msgspec.Struct, frozen=True, tag=True, gc=False):
    """A process takes a pending signal."""

    pid: Pid
    signal: Signal


class Open(msgspec.Struct, frozen=True, tag=True, gc=False):
    """The scenario's terminals begin: everything is up that was to be up before t = 0."""


Action = Go | Late | Deliver | Open | Fault

# -- what may happen --------------------------------------------------------------------------------


def alternatives(world: World, frame: Frame) -> list[Go | Late]:
    """Return what a goroutine may do now: take its op, or be too late for it. A stopped process does nothing."""
    pid = frame.fid[0]
    if pid != OUTSIDE and not world.host.procs[pid].runs:
        return []
    op = world.design.procedures[frame.procedure].ops[frame.op]
    actions: list[Go | Late] = [Go(frame.fid)] if op.ready(world, frame) else []
    if op.limited(world, frame):
        actions.append(Late(frame.fid))
    return actions


def enabled(world: World, *, idle: bool = False) -> list[Action]:
    """List the actions that may happen; ticks that would change nothing are left out unless *idle*."""
    actions: list[Action] = []
    for frame in world.frames.values():
        if idle or not asleep(world, frame):
            actions.extend(alternatives(world, frame))
    for pid in world.host.procs:
        actions.extend(Deliver(pid, signal) for signal in syscalls.deliverable(world.host, pid))
    if may_open(world):
        actions.append(Open())
    kinds = allowed(world)
    if kinds:
        actions.extend(fault for pid in world.host.procs for fault in faults_of(world, pid, kinds))
    return actions


def asleep(world: World, frame: Frame) -> bool:
    """Say whether a goroutine stands at a ticker that would change nothing."""
    op = world.design.procedures[frame.procedure].ops[frame.op]
    return hasattr(op, "idle") and op.idle(world, frame) is True


def may_open(world: World) -> bool:
    """Say whether the prologue has ended and the terminals have not begun."""
    if world.marks.get(OPENED, 0):
        return False
    if world.setup.host.begin == "boot":
        return True
    return (OUTSIDE, "terminal/0") not in world.frames and not any(
        pid == OUTSIDE and name.startswith("terminal/") for pid, name in world.frames
    )


# -- what happens then ------------------------------------------------------------------------------


def act(turn: Turn, action: Action) -> None:
    """Apply an action within a turn."""
    world = turn.world
    if isinstance(action, Go):
        take(turn, world.frames[action.fid])
    elif isinstance(action, Deliver):
        deliver(turn, action.pid, action.signal)
    elif isinstance(action, Late):
        late(turn, world.frames[action.fid])
    elif isinstance(action, Fault):
        befall(turn, action)
    else:
        _open(turn)


def step(world: World, action: Action) -> list[Any]:
    """Apply an enabled action to *world*, in place, and return its events."""
    turn = Turn(world)
    act(turn, action)
    return turn.events


# -- the first world --------------------------------------------------------------------------------


INITS = {"systemd": SYSTEMD, "none": SMALL_INIT}  # by the host's supervisor


def blank(setup: Setup) -> World:
    """Return the world before its first event: systemd alone, no goroutine, an empty disk."""
    design = design_of(setup)
    first, *others = prologue(setup, design)
    setup = replace(setup, terminals=(first, *setup.terminals, *others))
    cgroup, init = setup.host.cgroup or cgroup_of(design.releases.values()), INITS[setup.host.supervisor]
    host = Host(setup.host.pid_max, cgroup, init)
    host.reserve(number for service in setup.services for number in observed(setup, design, service))
    host.expect(row.pid for row in setup.host.processes if row.pid != INIT)
    world = World(setup, design, host)
    world.expected = expected(setup, design)
    world.services = design.engine.services(world.services)
    world.watch = _watchers(setup)
    world.minds_memory = _memory_runs_out(setup)
    return world


def design_of(setup: Setup) -> Design:
    """Return the design that runs, with those that take its place."""
    steps = (step.command for terminal in setup.terminals for step in terminal)
    later = dict.fromkeys(it.to for it in steps if isinstance(it, Upgrade) and it.to != setup.engine.design)
    return upgraded(DESIGNS[setup.engine.design], *(DESIGNS[name] for name in later))


def initial(setup: Setup) -> tuple[World, list[Any]]:
    """Return the world in which everything begins, and the events that made it from `blank`.

    With `steady` a prologue starts docker.service and runs every service (`sim.engine.prologue`); with `boot` it starts
    docker.service over a disk that says that all were running; with `off` it does nothing.
    """
    world = blank(setup)
    turn = Turn(world)
    if setup.host.next_pid is not None and not setup.host.processes:
        turn.emit(e.IdsSkipped(setup.host.next_pid - 1))
    starter.begin(turn)
    if setup.host.begin == "boot":
        world.design.engine.disk(turn)
    early = ("init.journald",) if journald.concerns(setup) else ()
    if setup.host.begin == "boot":
        early = (*early, *world.design.engine.at_boot)
    for procedure in (*early, "init.main", "init.bus", "init.notify"):
        start_frame(turn, INIT, procedure, "", {})
    for number, steps in enumerate(world.setup.terminals):
        if not number or is_beside(steps):
            terminal(turn, number)
    return world, turn.events


def _memory_runs_out(setup: Setup) -> bool:
    """Say whether any container has a limit, or a step takes the memory away."""
    steps = (step.command for terminal in setup.terminals for step in terminal)
    return any(it.memory is not None for it in setup.services) or any(isinstance(it, OutOfMemory) for it in steps)


def terminal(turn: Turn, number: int) -> None:
    """Let a terminal begin with its first step."""
    local = {"terminal": number, "i": 0, "tried": False, "answer": None, "error": ""}
    start_frame(turn, OUTSIDE, "client.terminal", str(number), local)


def _open(turn: Turn) -> None:
    settle(turn)
    turn.emit(Marked(OPENED, 1))
    for number, steps in enumerate(turn.world.setup.terminals):
        if number and not is_beside(steps) and not is_early(steps):
            terminal(turn, number)


# -- moments that the scenario waits for ------------------------------------------------------------


def instants(setup: Setup) -> list[Instant]:
    """Return every instant that the scenario's steps, end and faults name."""
    found = [step.at for terminal in setup.terminals for step in terminal]
    found += [replace(at, base="fact") for at in found if at.base == "before"]  # it is counted, too
    return [*found, *(at for at in (setup.until, setup.faults.after, setup.faults.before) if at is not None)]


def _watchers(setup: Setup) -> dict[type, tuple[Any, ...]]:
    table: dict[type, tuple[Any, ...]] = {}
    indexed: dict[type, dict[str, list[Any]]] = {}
    for name, instant in {mark_name(instant): instant for instant in instants(setup)}.items():
        made = watcher(name, instant, setup.engine.design)
        if made is None:
            continue
        kind, rule = made[0], _once_open(made[1])
        if kind in SUBJECT:
            subject = instant.name if kind is StepTaken else instant.target
            indexed.setdefault(kind, {}).setdefault(subject, []).append(rule)
        else:
            table[kind] = (*table.get(kind, ()), rule)
    if any(service.payload.log for service in setup.services):
        table[e.Exited] = (*table.get(e.Exited, ()), output.lost_with)
    return table | {kind: (_by_subject(SUBJECT[kind], rules),) for kind, rules in indexed.items()}


SUBJECT: dict[type, Any] = {
    StepTaken: attrgetter("id"),
    EngineEvent: attrgetter("container"),
    BecameReady: attrgetter("container"),
}


def _by_subject(subject: Any, rules: dict[str, list[Any]]) -> Any:
    """Ask only the rules about an event's own subject: it costs the same however many moments there are."""
    return lambda world, event: [name for rule in rules.get(subject(event), ()) for name in rule(world, event)]


def _once_open(rule: Any) -> Any:
    """Let a rule count only from t = 0 on."""
    return lambda world, event: rule(world, event) if world.marks.get(OPENED) else ()


WORDS = tuple(
    """attach commit copy create destroy detach die exec_create exec_detach exec_start export health_status kill
    oom pause rename resize restart start stop top unpause update""".split()
)  # what docker events says of a container
FACTS = tuple(
    """Forked Execed Exited Reparented Reaped Signalled SignalTaken Listened Connected ThreadsStarted ThreadsEnded
    MainThreadEnded SubreaperSet CgroupSet Frozen Thawed Waitable FifoOpened FifoClosed WriteBlocked
    WriteResumed""".split()
)  # what the trace says of a process


def watcher(name: str, instant: Instant, design: str) -> tuple[type, Any] | None:
    """Return the type of event that brings a moment, and a rule (world before it, event) -> names of moments.

    *design* is that of the host, whose units the moment may be about.
    """
    base, target = instant.base, instant.target
    if base == "step":
        return StepTaken, lambda world, event: (name,) if event.id == instant.name else ()
    if base == "word":
        return (
            EngineEvent,
            lambda world, event: (
                (name,) if (event.kind, event.word, event.container) == ("container", instant.name, target) else ()
            ),
        )
    if base == "ready" and target in units_of(DESIGNS[design]):
        return UnitChanged, lambda world, event: (name,) if (event.unit, event.state) == (target, "active") else ()
    if base == "ready":
        return BecameReady, lambda world, event: (name,) if event.container == target else ()
    if base == "fact":
        return _fact_watcher(name, instant)
    return None


def _fact_watcher(name: str, instant: Instant) -> tuple[type, Any]:
    role, _, rest = instant.target.partition("/")
    container, _, port = rest.partition(":")
    target = Target(role, container, int(port) if port else None)

    if instant.name == "Forked":

        def forked(world: World, event: Any) -> tuple[str, ...]:
            image, before = event.image, world.host.procs[event.pid].image
            same = (before.program, before.container) == (image.program, image.container)
            same = same and named_by(world, target, before)  # a stage is forked by the one before it
            return () if same or not named_by(world, target, image) else (name,)

        return e.Execed, forked

    if instant.name == "Connected":

        def connected(world: World, event: Remembered) -> tuple[str, ...]:
            peer: Any = event.value if event.key == "connection" else None
            return () if peer is None or not named_by(world, target, world.host.procs[peer].image) else (name,)

        return Remembered, connected

    if instant.name in ("WriteBlocked", "WriteResumed"):

        def waited(world: World, event: Any) -> tuple[str, ...]:
            return (name,) if target.container in ("*", event.container) else ()

        return (WriteBlocked if instant.name == "WriteBlocked" else WriteResumed), waited

    def happened(world: World, event: Any) -> tuple[str, ...]:
        image = event.image if isinstance(event, e.Execed) else world.host.procs[event.pid].image
        return (name,) if named_by(world, target, image) else ()

    return getattr(e, instant.name), happened

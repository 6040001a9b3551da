"""What holds for a container beside its state, and when: paused, stopped, waiting to be restarted, and so on.

A tracker is shown each fact before it is applied, as the rules of `sim.views.replaying` are. `paused` is the kernel's
freezer, not what an engine believes, `halted` a program stopped by a signal; `backoff` is the restart manager's wait,
which dies with its process, as does what that knows of a health. Leaves out who is to blame. Source: engine-1.13
§3.3, §3.4, §8, §13; freezer-subsystem.txt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from sim.engine.records import Health
from sim.engine.role import Kind
from sim.engine.setup import Microseconds
from sim.facts import EngineEvent, Forgot, FrameEnded, FrameStarted, Remembered, WriteBlocked, WriteResumed
from sim.kernel import events as e
from sim.kernel.records import Pid, Process
from sim.views.names import role_of
from sim.world import World

PAUSED, HALTED, BACKOFF, UNHEALTHY, BLOCKED, OOM = "paused", "halted", "backoff", "unhealthy", "blocked", "oom"
HEALTH = "health/"


class Spell(msgspec.Struct, frozen=True):
    """From *start* to *end* (µs from t = 0) something held for a container; an `oom` is a moment."""

    container: str
    kind: str
    start: Microseconds
    end: Microseconds


class Spells:
    """The spells of a run, found while it is replayed."""

    def __init__(self, containers: Iterable[str]) -> None:
        self.containers = frozenset(containers)
        self.now: Microseconds = 0
        self.opened: dict[tuple[str, str, object], Microseconds] = {}  # container, kind, and what else tells it apart
        self.known_by: dict[tuple[str, str, object], Pid] = {}  # whose memory or wait it is
        self.done: list[Spell] = []

    def copy(self) -> Spells:
        """Return the same spells as far as they were found."""
        twin = Spells(self.containers)
        twin.now, twin.opened, twin.known_by = self.now, self.opened.copy(), self.known_by.copy()
        twin.done = self.done.copy()
        return twin

    def see(self, now: Microseconds, world: World, event: Any) -> None:
        """Look at a fact that is not applied yet."""
        rule = RULES.get(type(event))
        if rule is not None:
            self.now = now
            rule(self, world, event)

    def begin(self, container: str, kind: str, which: object = None, by: Pid = 0) -> None:
        """Note that a spell began, if it is of a container and has not begun yet; it ends with the process *by*."""
        if container in self.containers:
            self.opened.setdefault((container, kind, which), self.now)
            self.known_by[container, kind, which] = by

    def end(self, container: str, kind: str, which: object = None) -> None:
        """Note that a spell is over, if there was one."""
        start = self.opened.pop((container, kind, which), None)
        self.known_by.pop((container, kind, which), None)
        if start is not None and start < self.now:
            self.done.append(Spell(container, kind, start, self.now))

    def close(self, end: Microseconds) -> tuple[Spell, ...]:
        """End what is open and return all spells, in the order of time."""
        self.now = end
        for key in list(self.opened):
            self.end(*key)
        return tuple(sorted(self.done, key=lambda spell: (spell.start, spell.container, spell.kind)))

    def gone(self, process: Process) -> None:
        """End what a process takes with it."""
        own = process.image.container if _is_payload(process) else None
        for key in list(self.opened):
            if self.known_by[key] == process.pid or (key[0] == own and key[1] in (PAUSED, HALTED, BLOCKED)):
                self.end(*key)


def _is_payload(process: Process) -> bool:
    return role_of(process.image.program).kind is Kind.PAYLOAD and process.ns == process.pid


# -- rules: what a fact, not yet applied, begins and ends ----------------------------------------------


def _frozen(spells: Spells, world: World, event: e.Frozen) -> None:
    if _is_payload(world.host.procs[event.pid]):
        spells.begin(world.host.procs[event.pid].image.container, PAUSED)


def _thawed(spells: Spells, world: World, event: e.Thawed) -> None:
    if _is_payload(world.host.procs[event.pid]):
        spells.end(world.host.procs[event.pid].image.container, PAUSED)


def _signal_taken(spells: Spells, world: World, event: e.SignalTaken) -> None:
    process = world.host.procs[event.pid]
    if event.outcome in ("stopped", "continued") and _is_payload(process):
        change = spells.begin if event.outcome == "stopped" else spells.end
        change(process.image.container, HALTED)


def _frame_started(spells: Spells, world: World, event: FrameStarted) -> None:
    if event.procedure in world.design.engine.backoff:
        spells.begin(event.local["c"], BACKOFF, event.fid, by=event.fid[0])


def _frame_ended(spells: Spells, world: World, event: FrameEnded) -> None:
    frame = world.frames.get(event.fid)
    if frame is not None and frame.procedure in world.design.engine.backoff:
        spells.end(frame.local["c"], BACKOFF, event.fid)


def _remembered(spells: Spells, world: World, event: Remembered) -> None:
    if event.key.startswith(HEALTH) and isinstance(event.value, Health):
        if event.value.status == UNHEALTHY:
            spells.begin(event.key[len(HEALTH) :], UNHEALTHY, by=event.pid)
        else:
            spells.end(event.key[len(HEALTH) :], UNHEALTHY)


def _forgot(spells: Spells, world: World, event: Forgot) -> None:
    if event.key.startswith(HEALTH):
        spells.end(event.key[len(HEALTH) :], UNHEALTHY)


def _engine_event(spells: Spells, world: World, event: EngineEvent) -> None:
    if event.word == OOM and event.container in spells.containers:
        spells.done.append(Spell(event.container, OOM, spells.now, spells.now))
    elif event.word == "die":
        spells.end(event.container, UNHEALTHY)


def _exited(spells: Spells, world: World, event: e.Exited) -> None:
    spells.gone(world.host.procs[event.pid])


RULES: dict[type, Callable[[Spells, World, Any], None]] = {
    e.Frozen: _frozen,
    e.Thawed: _thawed,
    e.SignalTaken: _signal_taken,
    e.Exited: _exited,
    FrameStarted: _frame_started,
    FrameEnded: _frame_ended,
    Remembered: _remembered,
    Forgot: _forgot,
    EngineEvent: _engine_event,
    WriteBlocked: lambda spells, _, event: spells.begin(event.container, BLOCKED, event.stream),
    WriteResumed: lambda spells, _, event: spells.end(event.container, BLOCKED, event.stream),
}

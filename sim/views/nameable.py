"""Every moment of a run that an instant can name, with the words that name it: the inverse of `sim.views.moments`.

What may be meant by an event is asked of the same rules that mark moments (`sim.model.watcher`), so that what is listed
here is found again. Leaves out what only names the same moment otherwise: `*`, `supervisor/NAME`, durations and dates,
`#last`; and what comes before t = 0, which is no occurrence. Source: the project's scenario language, "Instants".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from sim.designs import DESIGNS
from sim.designs.takes import units_of
from sim.engine.setup import Instant, Microseconds
from sim.engines.host.client import mark_name, targets_of
from sim.engines.host.payload import PROGRAM as PAYLOAD
from sim.facts import BecameReady, EngineEvent, Marked, Remembered, StepTaken, UnitChanged, WriteBlocked, WriteResumed
from sim.kernel import events as e
from sim.model import FACTS, OPENED, WORDS, watcher
from sim.trace import Replay, Trace
from sim.views.moments import spelled
from sim.world import World

ALSO: dict[type, tuple[str, ...]] = {  # what an event is besides the fact of its name
    e.Execed: ("Forked",),
    Remembered: ("Connected",),
}


class Nameable(msgspec.Struct, frozen=True):
    """A moment, as a clock value, and what a file writes for it."""

    at: Microseconds
    text: str


def nameable(trace: Trace, until: Microseconds) -> Iterator[Nameable]:
    """Yield the moments up to a clock value in their order, t = 0 first; one that has several names comes with each."""
    if until >= trace.origin:
        yield Nameable(trace.origin, spelled(Instant()))
    replay, count = Replay(trace), Counter[str]()
    asks = Asks(trace)
    opened = trace.setup.host.begin != "steady"
    for record in trace:
        at, event = record.at or 0, record.event
        if at > until:
            return
        opened = opened or (isinstance(event, Marked) and event.name == OPENED)
        for instant in asks.about(replay.world, event) if opened else ():
            name = mark_name(instant)
            count[name] += 1
            yield Nameable(at, spelled(msgspec.structs.replace(instant, nth=count[name])))
        replay.step()
    if until >= trace.end:
        yield Nameable(trace.end, spelled(Instant("end")))


class Asks:
    """The rules of the moments that were met so far."""

    def __init__(self, trace: Trace) -> None:
        self.design = trace.setup.engine.design
        self.units = units_of(DESIGNS[self.design])
        self.containers = {service.name for service in trace.setup.services}
        self.steps = {step.id for terminal in trace.setup.terminals for step in terminal[:1] if "." not in step.id}
        self.rules: dict[Instant, tuple[type, Any] | None] = {}

    def about(self, world: World, event: Any) -> list[Instant]:
        """Return the instants of which an event, not yet applied, is an occurrence."""
        return [instant for instant in self._near(world, event) if self._is(world, event, instant)]

    def _is(self, world: World, event: Any, instant: Instant) -> bool:
        if instant not in self.rules:
            self.rules[instant] = watcher(mark_name(instant), instant, self.design)
        rule = self.rules[instant]
        return rule is not None and isinstance(event, rule[0]) and bool(rule[1](world, event))

    def _near(self, world: World, event: Any) -> Iterator[Instant]:
        """Yield the instants that an event could be an occurrence of."""
        match event:
            case StepTaken():
                yield from (Instant("step", event.id) for _ in range(event.id in self.steps))
            case EngineEvent() if event.word in WORDS and event.container in self.containers:
                yield Instant("word", event.word, event.container)
            case UnitChanged() if event.unit in self.units:
                yield Instant("ready", "ready", event.unit)
            case BecameReady() if event.container not in self.units:
                yield Instant("ready", "ready", event.container)
        kind = type(event)
        for fact in (kind.__name__, *ALSO.get(kind, ())):
            if fact in FACTS:
                yield from (Instant("fact", fact, target) for target in self._targets(world, event))

    def _targets(self, world: World, event: Any) -> Iterator[str]:
        """Yield how a file names the process that a fact is about."""
        if isinstance(event, WriteBlocked | WriteResumed):
            yield f"{PAYLOAD.name}/{event.container}"
        elif isinstance(event, Remembered):
            peer = event.value if event.key == "connection" else None
            if isinstance(peer, int):
                yield from targets_of(world, world.host.procs[peer].image)
        elif isinstance(event, e.Execed):
            yield from targets_of(world, event.image)
        elif event.pid in world.host.procs:
            yield from targets_of(world, world.host.procs[event.pid].image)

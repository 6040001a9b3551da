"""Properties against a finished run: the trace is walked once, and each property is asked between the steps.

The watchers of the properties are applied on the way. States count from t = 0 on (the terminals open); what a steady
host did before is only watched. The events of one step are one: what is so between them is never asked.

Where steps end is read off the records. The first record of a step has an earlier step as its cause, the others have
the first. That leaves a doubt where a step is the only thing that the first record of the step before has caused; the
goroutine that moved on, and a signal that was taken, resolve most of it. The rest is taken for one step, so that no
state is asked about that was none; some states that lasted for a step alone are missed.

Cost: one replay, 3 to 4 µs an event, and each `always` is asked in every state until it fails, `sometimes` until it
holds, `eventually` once. An invariant that looks at every container takes 1 to 3 µs for each: of 100 containers that
are started and restored, 75,000 events in 15,000 states, it takes 3 s. Source: `sim.trace`,
`sim.drive.turn`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from sim.engine.setup import Instant, Microseconds
from sim.facts import Fid, FrameMoved, FrameStarted, Marked, StepTaken
from sim.faults import counted
from sim.kernel.events import SignalTaken
from sim.model import OPENED
from sim.properties import ALWAYS, EVENTUALLY, SOMETIMES, Property, Watcher, watchers
from sim.scenario.verdict_words import place
from sim.trace import Record, Trace
from sim.world import World, evolve

DELIVERED = ("handled", "ignored", "default", "stopped")  # outcomes with which a step begins (syscalls.deliver)


class Outcome(msgspec.Struct, frozen=True):
    """What became of a property in a run.

    *at* is the clock's value where that was clear (None: in the whole run, or on a path without times), *seq* the
    number of the fact after which it was, -1 for none; *step* the last step of the scenario that had begun by then, and
    *step_at* when. *said* tells what was so where it did not hold; *states* is in how many states it was asked.
    """

    holds: bool
    states: int
    at: Microseconds | None = None
    seq: int = -1
    step: str = ""
    step_at: Microseconds = 0
    said: str = ""


def judge(trace: Trace, properties: Iterable[Property]) -> dict[str, Outcome]:
    """Return what became of each property, by its name."""
    open_ones = {prop.name: prop for prop in properties}
    found: dict[str, Outcome] = {}
    states, final, told = 0, None, ("", 0)
    ids = {step.id for terminal in trace.setup.terminals for step in terminal}
    for world, group in states_of(trace, open_ones.values()):
        states, final, last = states + 1, world, group[-1]
        for record in group:
            if isinstance(record.event, StepTaken) and record.event.id in ids:
                told = record.event.id, record.at or 0
        for name in [name for name, prop in open_ones.items() if _is_clear(prop, world)]:
            prop = open_ones.pop(name)
            holds = prop.kind == SOMETIMES
            found[name] = Outcome(holds, states, last.at, last.seq, *told, "" if holds else prop.said(world))
    for name, prop in open_ones.items():
        holds = prop.kind == ALWAYS or (prop.kind == EVENTUALLY and final is not None and prop.holds(final))
        said = "" if holds or final is None else prop.said(final)
        found[name] = Outcome(holds, states, said=said)
    return found


def _is_clear(prop: Property, world: World) -> bool:
    """Say whether this state decides: a bad one for `always`, a good one for `sometimes`."""
    return prop.kind != EVENTUALLY and prop.holds(world) == (prop.kind == SOMETIMES)


def judged_text(outcome: Outcome, kind: str, origin: Microseconds) -> str:
    """Say what was found; *origin* is the clock's value at t = 0."""
    if kind == EVENTUALLY:
        return f"then: {outcome.said}" if outcome.said else "so it was" if outcome.holds else "t = 0 never came"
    if outcome.seq < 0:
        return f"in all {outcome.states} states" if outcome.holds else f"in none of {outcome.states} states"
    if outcome.at is None:
        where = f"after fact {outcome.seq}"
    elif outcome.step:
        where = f"at {place(Instant('step', outcome.step), outcome.at - outcome.step_at)}"
    else:
        where = f"at {place(Instant(), outcome.at - origin)}"
    return f"first so {where}" if outcome.holds else f"first failed {where}: {outcome.said}"


def states_of(trace: Trace, properties: Iterable[Property] = ()) -> Iterator[tuple[World, list[Record]]]:
    """Yield the world after each step from t = 0 on, and the records of the step; it is one world that moves on."""
    world, table = trace.first_world(), watchers(properties)
    step = StepRecords()
    for record in trace:
        if step.is_over_before(record):
            if world.marks.get(OPENED):
                yield world, step.records
            step = StepRecords()
        _apply(world, record.event, table)
        step.take(world, record)
    if world.marks.get(OPENED):
        yield world, step.records


def _apply(world: World, event: Any, table: dict[type, tuple[Watcher, ...]]) -> None:
    """Apply an event, and mark what is watched for as `sim.world.Turn` does."""
    rules = table.get(type(event))
    marks = [mark for rule in rules for mark in rule(world, event)] if rules else ()
    evolve(world, event)
    for mark in marks:
        _apply(world, Marked(mark, world.marks.get(mark, 0) + 1) if isinstance(mark, str) else Marked(*mark), table)


class StepRecords:
    """The records of one step as they come, or of a few steps that cannot be told apart.

    *firsts* are the numbers of the records that may be the first one: the first of all, and the last if that is its
    cause, since it may be a step of its own. A record with another cause begins a step for certain.
    """

    __slots__ = ("born", "ended", "firsts", "records")

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.firsts: tuple[int, ...] = ()
        self.born: set[Fid] = set()
        self.ended = False

    def is_over_before(self, record: Record) -> bool:
        """Say whether *record* begins another step for certain."""
        if not self.records:
            return False
        last = self.records[-1]
        return self.ended or record.at != last.at or _begins(record.event) or self._other_cause(record, last)

    def _other_cause(self, record: Record, last: Record) -> bool:
        if record.cause == -1:
            return last.cause != -1  # what makes the first world has no cause
        return record.cause not in self.firsts

    def take(self, world: World, record: Record) -> None:
        """Note a record that has been applied to *world*."""
        first = record.cause if record.cause in self.firsts else record.seq
        self.firsts = (first, record.seq)
        self.records.append(record)
        event = record.event
        if isinstance(event, FrameStarted):
            self.born.add(event.fid)
        elif isinstance(event, FrameMoved) and event.fid not in self.born:
            frame = world.frames[event.fid]
            self.ended = not world.design.procedures[frame.procedure].ops[frame.op].silent


def _begins(event: Any) -> bool:
    """Say whether an event is always the first of its step: a signal that a process takes, a fault."""
    if isinstance(event, SignalTaken):
        return event.outcome in DELIVERED
    return isinstance(event, Marked) and event.name == counted()

"""What can be exercised of a design, and how much of it was: ops, time limits, lost peers, faults.

The items are read off the design's tables. A step exercises the op that it takes and those to which it leads; the limit
that passes; the answer that will not come, the request that nobody takes; the fault that befalls a process, also where
a person of a scenario sends its signal. Leaves out which of two ways a step took where its events do not tell
(`sim.views.reached`), what was exercised together, and that an item may be dead: whether a way can be taken is not in
the tables. Source: the tables of `sim.engine.procedure`, `sim.faults`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from sim.designs import Design
from sim.engine import ops
from sim.engine.procedure import Procedure
from sim.engine.setup import Setup
from sim.engines.host import client
from sim.facts import Fid, FrameEnded, FrameStarted, Sent
from sim.faults import FAULTS, Fault, faults_of, kind_of
from sim.kernel.events import Signalled
from sim.kernel.host import Host
from sim.kernel.records import INIT, OUTSIDE, Image, Process
from sim.model import Action, Go, Late
from sim.views.reached import passed
from sim.views.statechart import Place, charts
from sim.world import World

STEP, LIMIT, LOST, FAULT = KINDS = ("step", "limit", "lost", "fault")

Named = tuple[str, str]  # the kind of an item and its name
Exercised = frozenset[Named]


class Item(msgspec.Struct, frozen=True):
    """Something that can be exercised. *kind* is step, limit, lost or fault.

    *name* is `PROCEDURE:OP`, or `kill PROGRAM` of a fault; of ops that share a name it is `PROCEDURE:OP#1` and so on.
    """

    kind: str
    program: str
    name: str


class Coverage(msgspec.Struct, frozen=True):
    """How many items of a kind a program has, how many were exercised, and the names of the others, in order."""

    kind: str
    program: str
    of: int
    exercised: int
    never: tuple[str, ...]


def coverage(design: Design, exercised: Collection[Named]) -> tuple[Coverage, ...]:
    """Return a row for each kind and program that has items, in the design's order."""
    grouped: dict[tuple[str, str], list[Item]] = {(kind, name): [] for kind in KINDS for name in design.programs}
    for item in items(design):
        grouped[item.kind, item.program].append(item)
    return tuple(_row(kind, program, found, exercised) for (kind, program), found in grouped.items() if found)


def _row(kind: str, program: str, found: Sequence[Item], exercised: Collection[Named]) -> Coverage:
    never = tuple(item.name for item in found if (kind, item.name) not in exercised)
    return Coverage(kind, program, len(found), len(found) - len(never), never)


# -- what there is ----------------------------------------------------------------------------------


@cache
def items(design: Design) -> tuple[Item, ...]:
    """Return everything that can be exercised: steps, limits and lost peers in the tables' order, then faults."""
    found = [Item(kind, program, name) for place, name in names(design).items() for kind, program in _of(design, place)]
    return (*found, *(Item(FAULT, program, f"{kind} {program}") for kind, program in _faults(design)))


@cache
def names(design: Design) -> Mapping[Place, str]:
    """Return the names of all ops that somebody can stand at or pass, in the tables' order."""
    found: dict[Place, str] = {}
    for chart in charts(design):
        own = [node.name for node in chart.nodes]
        for number, node in enumerate(chart.nodes):
            nth = f"#{own[: number + 1].count(node.name)}" if own.count(node.name) > 1 else ""
            found[chart.procedure, node.index] = f"{chart.procedure}:{node.name}{nth}"
    return found


def _of(design: Design, place: Place) -> Iterator[tuple[str, str]]:
    """Yield the kinds of items that an op is, with its program."""
    procedure, index = place
    op, program = design.procedures[procedure].ops[index], procedure.partition(".")[0]
    yield STEP, program
    if op.within is not None:
        yield LIMIT, program
    if isinstance(op, ops.Ask | ops.Answered):
        yield LOST, program


def _faults(design: Design) -> Iterator[tuple[str, str]]:
    """Yield the kinds of faults with the programs whose processes they may befall."""
    for kind, row in FAULTS.items():
        for program in design.programs:
            first = row.free or kind  # what is undone must have come before
            if program != client.PROGRAM.name and _hits(design, first, program):
                yield kind, program


def _hits(design: Design, kind: str, program: str) -> bool:
    """Say whether a fault may befall a process that runs *program*."""
    host = Host()
    pid = INIT if host.procs[INIT].image.program == program else INIT + 1
    host.procs[pid] = Process(pid, INIT, pid, pid, 1, Image(program, program, (program,)))
    return bool(faults_of(World(Setup(()), design, host), pid, (kind,)))


# -- what a step exercises --------------------------------------------------------------------------


def steps_at(design: Design, places: Collection[Place]) -> Exercised:
    """Return the steps that were exercised where goroutines came to *places*."""
    return frozenset((STEP, name) for place, name in names(design).items() if place in places)


def exercised_in(world: World, action: Action, events: Sequence[Any]) -> set[Named]:
    """Return what one step exercised. *world* is the one before it, of which the tables alone are read."""
    known = names(world.design)
    frame = world.frames[action.fid] if isinstance(action, Go | Late) else None
    places = _passed(world.design.procedures, events, None if frame is None else (frame.fid, frame.procedure, frame.op))
    found = {(STEP, known[place]) for place in places if place in known}
    if frame is not None:
        name = known[frame.procedure, frame.op]
        op = world.design.procedures[frame.procedure].ops[frame.op]
        found.add((STEP, name))
        if isinstance(action, Late):
            found.add((LIMIT, name))
        elif _is_lost(op, world, frame.fid, events):
            found.add((LOST, name))
    return found | {(FAULT, name) for name in _befallen(world, action, events)}


def _passed(tables: Mapping[str, Procedure], events: Sequence[Any], own: tuple[Fid, str, int] | None) -> set[Place]:
    """Return where goroutines came to; one that ends but is neither the step's own nor started by it is canceled."""
    mine = {event.fid for event in events if isinstance(event, FrameStarted)} | ({own[0]} if own else set())
    told = [event for event in events if not isinstance(event, FrameEnded) or event.fid in mine]
    return passed(tables, told, lambda fid: own[1:] if own is not None and own[0] == fid else ("", 0))


def _is_lost(op: ops.Op, world: World, fid: Fid, events: Sequence[Any]) -> bool:
    """Say whether an op that was taken found its peer dead."""
    if isinstance(op, ops.Answered):
        return fid not in world.replies
    return isinstance(op, ops.Ask) and not any(isinstance(event, Sent) for event in events)


def _befallen(world: World, action: Action, events: Sequence[Any]) -> Iterator[str]:
    if isinstance(action, Fault):
        yield f"{action.kind} {world.host.procs[action.pid].image.program}"
    elif isinstance(action, Go) and action.fid[0] == OUTSIDE:
        for event in events:
            if isinstance(event, Signalled) and (kind := kind_of(event.signal)) is not None:
                yield f"{kind} {world.host.procs[event.pid].image.program}"

"""A violation as a story: numbered paragraphs by program, the trees about the decisive step, the way not taken.

Actions of one program that follow each other are one paragraph, so that each number is a context switch; an action that
nobody would miss begins none. What comes before t = 0 is not told. Plain data; `sim.render.counterexample` prints it.
Source: the actions, taken again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from sim.designs import DESIGNS
from sim.engine.setup import Setup
from sim.kernel import events as e
from sim.kernel.records import OUTSIDE, Pid
from sim.model import Action, Deliver, Go, Open, blank, initial, step
from sim.trace import Record, Trace
from sim.views.deeds import Deed, actor_of, deeds_of, phrase
from sim.views.story import Story
from sim.views.table import Table
from sim.world import evolve

BEGINS = {
    "steady": "The host is up: {unit}.service runs",
    "boot": "The host has been switched on; its disk says that all containers ran",
    "off": "systemd runs; {unit}.service is stopped and no container exists",
}
WITHOUT_ENGINE = BEGINS | {"steady": "The host is up", "off": "systemd runs; no container exists"}

Way = tuple[str, tuple[Deed, ...]]  # who, and what


class Paragraph(msgspec.Struct, frozen=True):
    """What one program does until another one acts; *first* is the place of its first action in the list."""

    number: int
    actor: str
    first: int
    deeds: tuple[Deed, ...]


class Sibling(msgspec.Struct, frozen=True):
    """The last moment at which it could have gone well: before paragraph *number*, or within it.

    Had *actor* done *deeds* there; *instead* is what *instead_actor* did.
    """

    number: int
    actor: str
    deeds: tuple[Deed, ...]
    instead_actor: str
    instead: tuple[Deed, ...]


class Counterexample(msgspec.Struct, frozen=True):
    """All of it. *decisive* is the number of the paragraph that broke the property, *before* and *after* its tables."""

    property: str
    says: str
    faults: int
    steps: int
    begins: str
    paragraphs: tuple[Paragraph, ...]
    decisive: int
    before: Table
    after: Table
    sibling: Sibling | None = None


def counterexample(
    setup: Setup,
    actions: Sequence[Action],
    property: str,
    *,
    says: str = "",
    faults: int = 0,
    steps: int | None = None,
    decisive: int | None = None,
    sibling: tuple[int, Action] | None = None,
) -> Counterexample:
    """Tell the actions from the first world of *setup* on; *decisive* and the sibling's place count from 0.

    Without *decisive* it is the last action. *sibling* is a place, and the action that would have gone well there.
    *steps* is how many actions those were told of who found it, if not as many as are given here.
    """
    turning = len(actions) - 1 if decisive is None else decisive
    teller = Teller(setup)
    way: Way = ("", ())
    for place, action in enumerate(actions):
        if sibling is not None and place == sibling[0]:
            way = teller.way(sibling[1])
        teller.take(place, action)
    before, after = teller.tables(turning)
    return Counterexample(
        property,
        says,
        faults,
        len(actions) - teller.opened if steps is None else steps,
        begins(setup),
        tuple(teller.paragraphs),
        teller.number(turning),
        before,
        after,
        None if sibling is None else teller.sibling(sibling[0], way),
    )


def begins(setup: Setup) -> str:
    """Say in which state a host is when a story begins."""
    names = [service.name for service in setup.services if service.at_begin]
    design = DESIGNS[setup.engine.design]
    if design.traits.engine not in design.programs:
        runs = f": {', '.join(names)}" if names and setup.host.begin == "steady" else ""
        return f"{WITHOUT_ENGINE[setup.host.begin]}{runs}."
    with_it = f", and {', '.join(names)}" if names and setup.host.begin == "steady" else ""
    return f"{BEGINS[setup.host.begin].format(unit=design.traits.engine_unit)}{with_it}."


class Teller:
    """Takes actions and tells them. *opened* is how many came up to t = 0."""

    def __init__(self, setup: Setup) -> None:
        self.world, events = initial(setup)
        self.told = blank(setup)  # the world of the fact that is told next
        self.trace = Trace(setup)
        self.ends: list[int] = []  # how many facts there are after each action
        self.paragraphs: list[Paragraph] = []
        self.told_at: list[tuple[int, Way]] = []
        self.hurt: set[Pid] = set()  # whom the step of this paragraph has sent a signal
        self.opened = 0
        for event in events:
            evolve(self.told, event)
        self._keep(events)

    def take(self, place: int, action: Action) -> None:
        """Take an action and tell it, if it comes after t = 0."""
        actor = actor_of(self.world, action)
        events = step(self.world, action)
        deeds = deeds_of(self.told, action, events)
        self._keep(events)
        self.ends.append(len(self.trace))
        if isinstance(action, Open):
            self.opened = place + 1
        elif self.opened:
            self._tell(place, action, actor, deeds)
            if isinstance(action, Go) and action.fid[0] == OUTSIDE:
                self.hurt |= {event.pid for event in events if isinstance(event, e.Signalled)}

    def way(self, action: Action) -> Way:
        """Say what an action would do now, without taking it."""
        events = step(self.world.copy(), action)
        deeds = deeds_of(self.told.copy(), action, events)
        return actor_of(self.world, action), tuple(deeds) or (Deed("", phrase(self.world, action, events) or "go on"),)

    def sibling(self, place: int, way: Way) -> Sibling | None:
        """Return the way not taken at a place, beside the next thing that is told; None where nothing is."""
        then = next((entry for entry in self.told_at if entry[0] >= place), None)
        return None if then is None else Sibling(self.number(then[0]), *way, *then[1])

    def number(self, place: int) -> int:
        """Return the number of the paragraph that a place lies in; 0 before the first."""
        return sum(paragraph.first <= place for paragraph in self.paragraphs)

    def tables(self, place: int) -> tuple[Table, Table]:
        """Return the processes before and after an action."""
        story = Story(self.trace)
        found = []
        for end in (self.ends[place - 1] if place else 0, self.ends[place]):
            while story.replay.position < end:
                story.step()
            found.append(story.table())
        return found[0], found[1]

    def _keep(self, events: Sequence[Any]) -> None:
        seq = len(self.trace)
        self.trace.records += [Record(seq + number, None, -1, event) for number, event in enumerate(events)]

    def _tell(self, place: int, action: Action, actor: str, deeds: list[Deed]) -> None:
        """Add deeds to the paragraph of their program, or begin one; a signal that a step sent is part of it."""
        if not deeds:
            return
        current = self.paragraphs[-1] if self.paragraphs else None
        if isinstance(action, Deliver) and action.pid in self.hurt and current is not None:
            self.hurt.discard(action.pid)
            actor = current.actor
        self.told_at.append((place, (actor, tuple(deeds))))
        if current is None or current.actor != actor:
            self.hurt.clear()
            current = Paragraph(len(self.paragraphs) + 1, actor, place, ())
            self.paragraphs.append(current)
        self.paragraphs[-1] = replace(current, deeds=_joined([*current.deeds, *deeds]))


def _joined(deeds: Sequence[Deed]) -> tuple[Deed, ...]:
    """Count equal deeds that follow each other."""
    found: list[Deed] = []
    for deed in deeds:
        if found and replace(deed, times=found[-1].times) == found[-1]:
            found[-1] = replace(deed, times=found[-1].times + deed.times)
        else:
            found.append(deed)
    return tuple(found)

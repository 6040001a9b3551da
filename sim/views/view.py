"""A view: its name, what it prints of a moment, of which hosts it is, and how `--help` and a report's page have it.

A part of kind "views" (`sim.parts`) is a module with a table `VIEWS` of such records: in `sim.shows`, as the package
`shows` in the room of an engine whose command prints it, or anywhere else if it is registered. Those modules import
what they print with where they print, so that names and help texts cost nothing. Source: the project's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from sim.designs.design import Design
    from sim.views.rows import EventRow
    from sim.views.story import Story
    from sim.views.table import Table

Names = tuple[str, ...]  # the containers that are asked for
OfTable = Callable[["Table", int], str]
OfStory = Callable[["Story", Names], str]
OfRows = Callable[["Story"], list[dict[str, Any]]]
EventLine = Callable[["EventRow", int], str]
OWN = 100  # the place of views that say none


def on_every_host(design: Design) -> str:
    """Return that nothing is lacking."""
    return ""


class TableView(msgspec.Struct, frozen=True, kw_only=True):
    """A view of a process table, from some process downwards.

    *group* is its row in `--help`, *order* the row's place, *about* what stands behind the row. One that is not
    *on_host* is printed by no command of the host, so that a host without power does not silence it.
    """

    name: str
    show: OfTable
    group: str = "other"
    order: int = OWN
    about: str = ""
    on_host: bool = True


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A view of a run at a moment, of a container or of all.

    *rows* returns the same as data, for a view that is a list. *client* is the command that the host must have, "" if
    it takes none; *lacks* returns what else a design is without, "" for nothing. *of* says that the view may be asked
    of one container (`any`), is of one alone (`one`), or may be asked of one unit (`unit`), which may be a container.
    *paged* ones stand on a report's page, where *line* prints each event, "" for one that the command does not tell.
    The rest is as in `TableView`.
    """

    name: str
    show: OfStory
    group: str = "other"
    order: int = OWN
    about: str = ""
    on_host: bool = True
    client: str = ""
    lacks: Callable[[Design], str] = on_every_host
    of: str = ""
    paged: bool = False
    rows: OfRows | None = None
    line: EventLine | None = None


View = TableView | RunView


def answered(show: OfStory) -> OfStory:
    """Ask the engine, if there is one that answers."""
    return lambda story, names: f"{story.silence()}\n" if story.daemon() is None else show(story, names)


def now(story: Story) -> float:
    """Return the moment in unix seconds."""
    return story.trace.unix(story.at)


def found(asked: dict[str, dict[str, object] | None]) -> tuple[list[dict[str, object]], list[str]]:
    """Return what was found of those asked for, and the names of which there was nothing."""
    return [one for one in asked.values() if one], [name for name, one in asked.items() if not one]


def lines_of(story: Story, line: EventLine) -> list[str]:
    """Return the line of each event up to the moment, "" where a command tells none."""
    from sim.views.story import engine_events

    return [line(row, story.trace.setup.host.tz_minutes) for row in engine_events(story.trace, story.at)]


def events(line: EventLine) -> OfStory:
    """Print the events up to the moment, a line each."""
    return lambda story, names: "".join(f"{text}\n" for text in lines_of(story, line) if text)

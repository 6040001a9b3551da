"""Which views there are: those that parts of kind "views" offer (`sim.parts`), by name.

Models: `VIEWS` prints a process table, `RUN_VIEWS` a run at a moment. Both are read from the parts when they are asked.
A view that is named after a command is one of hosts that have it (`Traits.client`). What a view prints is clean: names
that would steer the terminal lose the characters that do so. Source: the project's own; `sim.views.view`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from sim import parts
from sim.views.story import Story
from sim.views.view import OfTable, RunView, TableView, View, lines_of

HOST_OFF = "(the host is off)\n"


@cache
def views() -> dict[str, View]:
    """Return all views by name, in the order of `--help`."""
    found: list[View] = [view for module in parts.modules("views") for view in module.VIEWS]
    return {view.name: view for view in sorted(found, key=lambda view: view.order)}


parts.when_changed(views.cache_clear)


class TableViews(Mapping[str, OfTable]):
    """Views of process tables: name -> what prints a table from a process downwards."""

    def __getitem__(self, name: str) -> OfTable:
        view = views()[name]
        if not isinstance(view, TableView):
            raise KeyError(name)
        return view.show

    def __iter__(self) -> Iterator[str]:
        return (name for name, view in views().items() if isinstance(view, TableView))

    def __len__(self) -> int:
        return sum(1 for _ in self)


class RunViews(Mapping[str, RunView]):
    """Views of runs by name."""

    def __getitem__(self, name: str) -> RunView:
        view = views()[name]
        if not isinstance(view, RunView):
            raise KeyError(name)
        return view

    def __iter__(self) -> Iterator[str]:
        return (name for name, view in views().items() if isinstance(view, RunView))

    def __len__(self) -> int:
        return sum(1 for _ in self)


VIEWS = TableViews()
RUN_VIEWS = RunViews()


def paged(client: str) -> tuple[str, ...]:
    """Return the views of a command that a report shows."""
    return tuple(name for name, view in RUN_VIEWS.items() if view.client == client and view.paged)


def events_view(client: str) -> RunView | None:
    """Return the view in which a command tells its events, if it has one."""
    return next((view for view in RUN_VIEWS.values() if view.client == client and view.line is not None), None)


def event_lines(story: Story) -> list[str]:
    """Return the line of each event up to the moment as the host's command tells it, "" where it tells none."""
    view = events_view(story.world.design.traits.client)
    return lines_of(story, (lambda row, offset: "") if view is None or view.line is None else view.line)


def help_rows() -> list[tuple[str, str]]:
    """Return the rows of `--help`: what a group of views shows, and their names."""
    groups: dict[str, list[View]] = {}
    for view in views().values():
        groups.setdefault(view.group, []).append(view)
    return [(group, _row(members)) for group, members in groups.items()]


def _row(members: list[View]) -> str:
    about = next((view.about for view in members if view.about), "")
    return ", ".join(view.name for view in members) + (f": {about}" if about else "")

"""What podman's commands print. Source: the modules here."""

from __future__ import annotations

from typing import Any

from sim.views.rows import EventRow
from sim.views.story import Story
from sim.views.view import Names, OfStory, RunView, events, found, now

PODMAN: dict[str, Any] = {"client": "podman", "group": "of podman", "order": 20}


def _ps(*, all: bool) -> OfStory:
    def show(story: Story, names: Names) -> str:
        from sim.engines.podman.shows.rows import podman_containers
        from sim.engines.podman.shows.text import podman_ps

        return podman_ps(podman_containers(story), now(story), all=all)

    return show


def _inspect(story: Story, names: Names) -> str:
    from sim.engines.podman.shows.rows import podman_inspected
    from sim.engines.podman.shows.text import podman_inspect

    return podman_inspect(*found({name: podman_inspected(story, name) for name in names}))


def _top(story: Story, names: Names) -> str:
    from sim.engines.podman.shows.rows import processes
    from sim.engines.podman.shows.text import podman_top

    return podman_top(processes(story, names[0]))


def _line(row: EventRow, offset: int) -> str:
    from sim.engines.podman.shows.text import podman_event

    return podman_event(row, offset)


VIEWS = (
    RunView(name="podman-ps", show=_ps(all=False), paged=True, **PODMAN),
    RunView(name="podman-ps-a", show=_ps(all=True), **PODMAN),
    RunView(name="podman-inspect", show=_inspect, of="any", **PODMAN),
    RunView(name="podman-events", show=events(_line), line=_line, on_host=False, **PODMAN),
    RunView(name="podman-top", show=_top, of="one", **PODMAN),
)

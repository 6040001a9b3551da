"""What docker's commands print. Leaves out locks that the real commands wait for. Source: the modules here."""

from __future__ import annotations

from typing import Any

from sim.views.rows import EventRow
from sim.views.story import Story
from sim.views.view import Names, OfStory, RunView, answered, events, found, now

DOCKER: dict[str, Any] = {"client": "docker", "group": "engine", "order": 10}


def _ps(*, all: bool) -> OfStory:
    def show(story: Story, names: Names) -> str:
        from sim.engines.docker.shows.ps import docker_ps

        return docker_ps(story.containers(), now(story), all=all)

    return answered(show)


def _inspect(story: Story, names: Names) -> str:
    from sim.engines.docker.shows.inspect import docker_inspect, inspected

    return docker_inspect(*found({name: inspected(story, name) for name in names}))


def _top(story: Story, names: Names) -> str:
    from sim.engines.docker.shows.top import docker_top, listed
    from sim.render.clean import printable_lines

    return printable_lines(docker_top(listed(story, names[0])))


def _info(story: Story, names: Names) -> str:
    from sim.engines.docker.shows.info import docker_info, engine_facts

    return docker_info((row.state for row in story.containers()), engine_facts(story))


def _line(row: EventRow, offset: int) -> str:
    from sim.engines.docker.shows.events import docker_event

    return docker_event(row, offset)


VIEWS = (
    RunView(name="docker-ps", show=_ps(all=False), paged=True, **DOCKER),
    RunView(name="docker-ps-a", show=_ps(all=True), **DOCKER),
    RunView(name="docker-inspect", show=answered(_inspect), of="any", **DOCKER),
    RunView(name="docker-events", show=events(_line), line=_line, on_host=False, **DOCKER),
    RunView(name="docker-top", show=answered(_top), of="one", **DOCKER),
    RunView(name="docker-info", show=answered(_info), **DOCKER),
)

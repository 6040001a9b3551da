"""What crictl prints on a kubelet's host. Source: the modules here."""

from __future__ import annotations

from typing import Any

from sim.views.rows import EventRow
from sim.views.story import Story
from sim.views.view import Names, OfStory, RunView, answered, events, found, now

CRICTL: dict[str, Any] = {"client": "crictl", "group": "of a kubelet", "order": 30}


def _ps(*, all: bool) -> OfStory:
    def show(story: Story, names: Names) -> str:
        from sim.engines.cri.shows.rows import pod_containers
        from sim.engines.cri.shows.text import crictl_ps

        return crictl_ps(pod_containers(story), now(story), all=all)

    return answered(show)


def _pods(story: Story, names: Names) -> str:
    from sim.engines.cri.shows.rows import sandboxes
    from sim.engines.cri.shows.text import crictl_pods

    return crictl_pods(sandboxes(story), now(story))


def _inspect(story: Story, names: Names) -> str:
    from sim.engines.cri.shows.rows import container_status
    from sim.engines.cri.shows.text import crictl_inspect

    return crictl_inspect(*found({name: container_status(story, name) for name in names}))


def _line(row: EventRow, offset: int) -> str:
    from sim.engines.cri.shows.text import crictl_event

    return crictl_event(row, offset)


VIEWS = (
    RunView(name="crictl-ps", show=_ps(all=False), paged=True, **CRICTL),
    RunView(name="crictl-ps-a", show=_ps(all=True), **CRICTL),
    RunView(name="crictl-pods", show=answered(_pods), paged=True, **CRICTL),
    RunView(name="crictl-inspect", show=answered(_inspect), of="any", **CRICTL),
    RunView(name="crictl-events", show=events(_line), line=_line, on_host=False, **CRICTL),
)

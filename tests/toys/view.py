"""A view in one file: `toy-shims` prints who holds each container, on hosts whose engine has holders."""

from __future__ import annotations

from sim.designs.design import Design
from sim.views.story import Story
from sim.views.view import Names, RunView


def show(story: Story, names: Names) -> str:
    """Print the holder of each container, "nobody" where none lives."""
    host, holders = story.world.host, story.world.design.holders
    held = {p.image.container: p.pid for p in host.procs.values() if p.image.program in holders and p.alive}
    return "".join(f"{name} {held.get(name, 'nobody')}\n" for name in names)


def lacks(design: Design) -> str:
    """Return that nobody holds a container."""
    return "" if design.holders else "no process of it holds a container"


VIEWS = (RunView(name="toy-shims", show=show, lacks=lacks, of="any", group="toys", client="docker", paged=True),)

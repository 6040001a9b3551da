"""The run up to the moment for viewers of traces. Source: `sim.render.perfetto`."""

from __future__ import annotations

from sim.views.story import Story
from sim.views.view import Names, RunView


def perfetto(story: Story, names: Names) -> str:
    """Print the run as Perfetto and Chrome read it."""
    from sim.render.perfetto import perfetto
    from sim.views.spans import spans

    return perfetto(spans(story.trace, story.at))


ABOUT = "for ui.perfetto.dev and chrome://tracing, up to --at"
VIEWS = (RunView(name="perfetto", show=perfetto, on_host=False, group="run as data", order=70, about=ABOUT),)

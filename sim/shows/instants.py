"""The moments of a run that a file's instants can name, and how each is written. Source: `sim.views.nameable`."""

from __future__ import annotations

from typing import Any

from sim.views.story import Story
from sim.views.view import Names, RunView


def rows(story: Story) -> list[dict[str, Any]]:
    """Return each moment in seconds from t = 0, with the instant that names it."""
    from sim.views.nameable import nameable

    zero = story.trace.origin
    return [{"at_s": (it.at - zero) / 1_000_000, "instant": it.text} for it in nameable(story.trace, story.at)]


def show(story: Story, names: Names) -> str:
    """Print a line for each instant: the time of its moment to the microsecond, and how a file writes it."""
    found = rows(story)
    width = max((len(f"{row['at_s']:.6f}") for row in found), default=0)
    return "".join(f"{row['at_s']:{width}.6f} s  {row['instant']}\n" for row in found)


ABOUT = "every moment up to --at that an instant can name"
VIEWS = (RunView(name="instants", show=show, rows=rows, on_host=False, group="moments", order=80, about=ABOUT),)

"""A scenario and its trace at any moment: the story up to it, its world, tree and texts.

Source: the project's Python interface.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.designs import DESIGNS
from sim.engine.setup import Instant, Microseconds
from sim.errors import InputError, Problem
from sim.experiment.viewing import check_view, containers_of, root_pid
from sim.render.notebook import Text
from sim.render.registry import HOST_OFF, RUN_VIEWS, VIEWS, views
from sim.scenario import Scenario, instant
from sim.scenario.verdict_words import instant_text
from sim.trace import Trace
from sim.views.moments import Moments
from sim.views.story import Story
from sim.world import World

if TYPE_CHECKING:
    from networkx import DiGraph


class Played:
    """A run as something to look at. Moments are instants as in scenario files, or clock values in µs."""

    def __init__(self, scenario: Scenario, trace: Trace) -> None:
        self.scenario, self.trace = scenario, trace
        self._story: Story | None = None

    def moment(self, at: str | Microseconds | None) -> Microseconds:
        """Return the clock value (µs) of an instant; None is the end.

        Raises InputError for one that never came, and for one before or after the run.
        """
        if at is None:
            return self.trace.end
        if isinstance(at, int):
            return at
        found = Moments(self.trace).at(instant(at, self.scenario))
        if found is None:
            client = DESIGNS[self.trace.setup.engine.design].traits.client
            hint = f"shimulator show --as {client}-events lists what did."
            raise InputError([Problem(f"'{at}'", "this moment never came in the run", hint)])
        first = (self.trace.records[0].at or 0) if self.trace.records else 0
        if found > self.trace.end:
            raise InputError([Problem(f"'{at}'", f"the run ends at {self._spelled(self.trace.end)}", "Set until:.")])
        if found < first:
            hint = "host: {begin: steady, uptime: 10d} says what was before t = 0."
            raise InputError([Problem(f"'{at}'", f"the run begins at {self._spelled(first)}", hint)])
        return found

    def _spelled(self, at: Microseconds) -> str:
        """Write a clock value as `at:` takes it, from t = 0."""
        return instant_text(Instant(offset=at - self.trace.origin))

    def story(self, at: str | Microseconds | None = None) -> Story:
        """Return the story of the run at a moment."""
        moment = self.moment(at)
        if self._story is None or self._story.at > moment:
            self._story = Story(self.trace)
        return self._story.to(moment)

    def at(self, at: str | Microseconds | None = None) -> World:
        """Return the world at a moment."""
        return self.story(at).world

    def tree(self, at: str | Microseconds | None = None) -> DiGraph[int]:
        """Return the process tree at a moment as a networkx graph, parent to child."""
        from sim.views.tree import tree

        return tree(self.story(at).table())

    def view_rows(self, view: str, at: str | Microseconds | None = None) -> list[dict[str, Any]] | None:
        """Return a view that is a list as data, None if *view* is none. Raises InputError."""
        check_view(view, self.trace.setup.engine.design)
        rows = RUN_VIEWS[view].rows if view in RUN_VIEWS else None
        return None if rows is None else rows(self.story(at))

    def show(
        self,
        view: str,
        at: str | Microseconds | None = None,
        root: str | int | None = None,
        of: str | None = None,
    ) -> Text:
        """Return the text of a view at a moment; *root* is a pid or a role, *of* a container. Raises InputError."""
        check_view(view, self.trace.setup.engine.design)
        story = self.story(at)
        names = containers_of(story, view, of)
        if story.off and views()[view].on_host:
            return Text(HOST_OFF)
        if view in RUN_VIEWS:
            return Text(RUN_VIEWS[view].show(story, names))
        return Text(VIEWS[view](story.table(), root_pid(story, root)))

"""An exploration with everything that can be asked of it: verdicts, stories, and runs that go the way of a story.

This is what `sim.explore` returns. One process searches, so the counts are the same on every machine. Source: the
project's Python interface.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from sim.drive.explore import Limits
from sim.errors import InputError, Problem, nearest
from sim.experiment.asking import asked_of, budget, property_named
from sim.experiment.exploring import explored, with_faults
from sim.experiment.run import Run, run_scenario
from sim.render.cards import exploration_html
from sim.render.exploration_text import sizes
from sim.render.notebook import Text
from sim.scenario import Scenario, load
from sim.views.exploration import Explored, Finding


class Search:
    """What was found. Findings are named by their property: `V12`, or the sentence that was asked for."""

    def __init__(self, scenario: Scenario, found: Explored) -> None:
        self.scenario, self.found = scenario, found

    def finding(self, name: str) -> Finding:
        """Return what was found of a property. Raises InputError."""
        by_name = {finding.name: finding for finding in self.found.findings}
        if name not in by_name:
            hint = f"{nearest(name, by_name)} It was asked for {', '.join(by_name) or 'nothing'}.".strip()
            raise InputError([Problem(f"'{name[:80]}'", "this property was not asked for", hint)])
        return by_name[name]

    def verdict(self, name: str) -> str:
        """Return HOLDS, VIOLATED, or UNDETERMINED with what ended the search. Raises InputError."""
        return self.finding(name).verdict

    def story(self, name: str) -> Text:
        """Return how a property is violated, program by program. Raises InputError where it is not."""
        return Text(self._violated(name).story)

    def run(self, name: str) -> Run:
        """Return the run that goes the way of the story. Raises InputError where there is none."""
        scenario = load(self.scenario.name, self._violated(name).scenario)
        return run_scenario(replace(scenario, source=self.scenario.source))

    def _violated(self, name: str) -> Finding:
        finding = self.finding(name)
        if not finding.story:
            hint = "A story tells a violation."
            raise InputError([Problem(f"'{name[:80]}'", f"there is no story: {finding.verdict}", hint)])
        return finding

    def __repr__(self) -> str:
        verdicts = ", ".join(f"{finding.name} {finding.verdict}" for finding in self.found.findings)
        return f"<{self.found.title}, every order: {verdicts or 'nothing was asked for'}; {sizes(self.found)}>"

    def _repr_html_(self) -> str:
        return exploration_html(self.found)


def search(
    scenario: Scenario,
    names: Sequence[str],
    *,
    faults: str | None = None,
    between: tuple[str, str] | None = None,
    limits: Limits | None = None,
) -> Search:
    """Explore a scenario: its properties or the ones that are named, with its faults or others. Raises InputError.

    >>> it = load("x.yaml", "services: {web: {}}")
    >>> search(it, ["V6"], faults="kill=1").verdict("V6")
    'HOLDS'
    """
    if faults is not None or between is not None:
        scenario = with_faults(scenario, budget(scenario, faults, between))
    properties = asked_of(scenario, names, lambda text: property_named(scenario, text))
    return Search(scenario, explored(scenario, properties, limits=limits or Limits()))

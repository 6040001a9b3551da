"""What a scenario lists under `properties:`, as properties of worlds.

Leaves out reading (`property_read`) and judging (`verdict_properties`, `to_explore`). Source: the project's scenario
language.
"""

from __future__ import annotations

from sim.properties import PROPERTIES, Property
from sim.scenario.compile import Scenario
from sim.scenario.expression import answers, question
from sim.scenario.property_read import Listed, name_of


def property_of(entry: Listed) -> Property:
    """Return what a file lists as a property of worlds."""
    if isinstance(entry, str):
        return PROPERTIES[entry]
    expression = entry.expression
    return Property(
        entry.name,
        entry.kind,
        f"{entry.kind.capitalize()}: {entry.text}",
        question(expression),
        source=f"line {entry.line}",
        said=lambda world: answers(expression, world),
    )


def property_called(scenario: Scenario, name: str) -> Property:
    """Return a property of the file or of the table; raise KeyError if there is none."""
    own = {name_of(entry): entry for entry in scenario.properties}
    return property_of(own[name]) if name in own else PROPERTIES[name]

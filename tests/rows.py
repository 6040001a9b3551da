"""The scenarios of the transition table as tests name them: `T23`, and `T30#2` for the second one of a file."""

from __future__ import annotations

from sim.bundled import bundled, row_names
from sim.scenario import Scenario, load_all


def row_of(name: str) -> str:
    """Return the row that a file is of, or the invariant that it breaks.

    >>> row_of("t08-policy-restarts"), row_of("t14b-stranger"), row_of("v02-torn-state")
    ('T8', 'T14b', 'V2')
    """
    number = name.partition("-")[0]
    return f"{number[0].upper()}{number[1:].lstrip('0')}"


def text_of(row: str) -> str:
    """Return the text of the first scenario of a row's file."""
    path = bundled(FILES[row])
    assert path
    return path.read_text(encoding="utf-8").partition("---\n")[0]


FILES = {row_of(name): name for name in row_names()}
SCENARIOS: dict[str, Scenario] = {
    row + (f"#{place}" if place > 1 else ""): scenario
    for row, name in FILES.items()
    for place, scenario in enumerate(load_all(name), 1)
}

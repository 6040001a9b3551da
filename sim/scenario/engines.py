"""Which design a name in a file stands for: a row of the ladder, a version of that row, or one that is not modelled.

Source: designs §1.1.
"""

from __future__ import annotations

from sim.designs import DESIGNS, Design, absent, versions
from sim.scenario.words import Refusal, did_you_mean, listed, shown


def design_of(name: str) -> Design:
    """Return the design that *name* stands for. Raises Refusal with the nearest one."""
    found = DESIGNS.get(versions().get(name, name))
    if found is not None:
        return found
    missing = absent(name)
    if missing is not None:
        why, nearest = missing
        raise Refusal(f"{shown(name)} is not modelled: {why}.", f"The nearest is {nearest}.")
    near = did_you_mean(name, (*versions(), *DESIGNS))
    raise Refusal(f"{shown(name)} is not a design.", near or f"Rows: {listed(DESIGNS)}.")

"""What settings cost that no metric shows, as the engine's own table says it (`sim.engine.engine.Priced`).

Leaves out cost in money. Source: each row's mark.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.designs import DESIGNS
from sim.scenario import Scenario
from sim.views.comparison import Price, SettingChange


def prices(scenario: Scenario, changes: Sequence[SettingChange]) -> tuple[Price, ...]:
    """Return what the changed settings cost beyond the rows."""
    design = DESIGNS[scenario.setup.engine.design]
    said = {(it.path, it.after) for it in changes if it.after != it.before}
    rows = [it for it in design.engine.prices if it.design == design.name and (it.path, it.value) in said]
    return tuple(Price(it.text, it.source, it.mark) for it in rows)

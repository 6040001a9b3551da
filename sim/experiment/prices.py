"""What settings cost that no metric shows: a literal table, each row with its source.

Leaves out cost in money. Source: each row's mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sim.scenario import Scenario
from sim.views.comparison import Change, Price


class Priced(NamedTuple):
    """What setting *path* to *value* costs on *design*."""

    design: str
    path: str
    value: str
    price: Price


PRICES: tuple[Priced, ...] = (
    Priced(
        "docker-1.13",
        "engine.daemon.live-restore",
        "true",
        Price(
            "this build reads each log FIFO twice after a restore and loses lines at random",
            "engine-1.13 §6 step 5, projectatomic/docker#311",
            "S",
        ),
    ),
    Priced(
        "docker-1.13",
        "engine.daemon.live-restore",
        "true",
        Price("dockerd refuses to start with it in swarm mode", "docker/docs#16059", "I"),
    ),
)


def prices(scenario: Scenario, changes: Sequence[Change]) -> tuple[Price, ...]:
    """Return what the changed settings cost beyond the rows."""
    design = scenario.setup.engine.design
    said = {(it.path, it.after) for it in changes if it.after != it.before}
    return tuple(it.price for it in PRICES if it.design == design and (it.path, it.value) in said)

"""How often acts of each kind were right on each engine: the table that `shimulator blast` shows beside its rows.

An experiment is of the act that is its fault (`sim.views.fault.first_harm`): the signal, else what systemctl did, else
a command. Its rows count for that act, those of which a profile was made and those that cannot be said left out; a row
is right if right.txt lists it. Leaves out whether the model is right today, which `make truth` finds out. Source: none.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable

from sim.designs import DESIGNS
from sim.experiment.act_words import FILE, HEAD, kind_of
from sim.views.fault import first_harm
from tests.truth import right
from tests.truth.judge import load
from tests.truth.rows import Experiment, experiments


def table(of: Iterable[Experiment] | None = None) -> str:
    """Return the table as the file has it, sorted."""
    must = set(right.read().right)
    found: dict[tuple[str, str, str], list[tuple[bool, bool]]] = defaultdict(list)
    for it in experiments() if of is None else of:
        setup = load(it, []).setup
        harm = first_harm(setup)
        if harm is None:
            continue
        key = (setup.engine.design, *kind_of(DESIGNS[setup.engine.design], harm.command))
        found[key] += [(row.key in must, row.happened == "yes") for row in it.rows if row.mark == "predicted"]
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(HEAD)
    for key, rows in sorted(found.items()):
        changed = [is_right for is_right, happened in rows if happened]
        if rows:
            out.writerow((*key, sum(is_right for is_right, _ in rows), len(rows), sum(changed), len(changed)))
    return text.getvalue()


def write() -> None:
    """Write the table where the package has it."""
    FILE.write_text(table(), encoding="utf-8")

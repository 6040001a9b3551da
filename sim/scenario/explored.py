"""What is for the explorer alone: `faults:`, which it may choose from, and `order:`, a story that it found.

Models: how many faults in all and of each kind, and the two moments between which they come. A moment has no offset:
an exploration has no clock. The entries of `order:` are checked when the run follows them (`sim.drive.follow`). Source:
the project's scenario language.
"""

from __future__ import annotations

from sim.engine.setup import FaultBudget, Instant
from sim.scenario.check import Report, check
from sim.scenario.instants import Names, parse_instant
from sim.scenario.schema import FaultsFile
from sim.scenario.steps import entries
from sim.scenario.text import Node, Path
from sim.scenario.words import Refusal, shown

MAX_LENGTH = 200  # of an entry of order:


def read_faults(root: Node, names: Names, report: Report) -> FaultBudget:
    """Return the budget of faults. Without `total` it is the sum of the kinds."""
    file = check(FaultsFile, root, ("faults",), report)
    if file is None:
        return FaultBudget()
    most = sum(count for _, count in file.kinds)
    if file.total is None and file.between and not file.kinds:
        report.refuse(root, ("faults",), Refusal("does not say how many.", "Give it total: or kinds:."))
    first, last = (_moment(root, ("faults", "between", place), value, names, report)
                   for place, value in enumerate(file.between or (None, None)))  # fmt: skip
    return FaultBudget(most if file.total is None else file.total, file.kinds, first, last)


def _moment(root: Node, path: Path, value: object, names: Names, report: Report) -> Instant | None:
    """Return one end of the window; None where it is open: `0s` as the first, `end` as the last."""
    if value is None:
        return None
    try:
        found = parse_instant(value, names)
        if found.offset:
            raise Refusal(f"{shown(value)}: an exploration has no clock.", "Name the moment itself.")
        if found.base == "origin" and path[-1] == 1:
            raise Refusal(f"{shown(value)} is t = 0; no fault comes before it.", "Name a later moment, or end.")
        if found.base == "end" and path[-1] == 0:
            raise Refusal("no fault comes after the end.", "Name an earlier moment, or 0s.")
        if found.nth == 0:
            raise Refusal(f"{shown(value)}: nobody knows beforehand which is the last one.", "Write #2 and the like.")
    except Refusal as refusal:
        report.refuse(root, path, refusal)
        return None
    return None if found.base in ("origin", "end") else found


def read_order(root: Node, report: Report) -> tuple[str, ...]:
    """Return the actions of a story in their order."""
    found = []
    for path, node in entries(root, "order", report):
        if isinstance(node.value, str) and node.value.strip() and len(node.value) <= MAX_LENGTH:
            found.append(" ".join(node.value.split()))
        else:
            what = f"{shown(node.plain())} is not an action."
            report.refuse(root, path, Refusal(what, "Write it like: dockerd start/web reserve_port."))
    return tuple(found)

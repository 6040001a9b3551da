"""The table of many scenarios: mark, name, how many expectations hold, seconds, title; below it what does not hold.

Source: the project's own layout.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.render.clean import printable
from sim.render.run_text import MARKS, cut
from sim.views.catalogue import CatalogueEntry

TROUBLE = "!"  # the scenario could not be run


def catalogue_text(entries: Sequence[CatalogueEntry], of: int, *, width: int | None = None, quiet: bool = False) -> str:
    """Return the table of the *entries* so far, of how many; *quiet* keeps those that do not hold."""
    shown = [entry for entry in entries if not quiet or entry.trouble or not entry.holds]
    rows = _table(shown, width)
    good = sum(entry.holds is True for entry in entries)
    seeds = f" in all {entries[0].seeds} seeds" if entries and entries[0].seeds > 1 else ""
    cut_short = f"; interrupted after {len(entries)} of {of}" if len(entries) < of else ""
    total = f"{good} of {len(entries)} scenarios hold{seeds}, {sum(it.took for it in entries):.2f} s{cut_short}"
    return "\n".join(rows if quiet and not shown and not cut_short else [*rows, total])


def _table(entries: Sequence[CatalogueEntry], width: int | None) -> list[str]:
    if not entries:
        return []
    name = max(len(entry.source) for entry in entries)
    verdict = max(len(_verdict(entry)) for entry in entries)
    rows = []
    for entry in entries:
        mark = TROUBLE if entry.trouble else MARKS[entry.holds]
        left = f"  {mark} {printable(entry.source):<{name}}  {_verdict(entry):<{verdict}}  {entry.took:5.2f} s"
        rows.append(cut(f"{left}  {printable(entry.title)}".rstrip(), width))
        rows += [f"      {printable(row)}" for row in (entry.trouble, *entry.wanting) if row]
    return rows


def _verdict(entry: CatalogueEntry) -> str:
    if entry.trouble:
        return "not run"
    return f"{entry.held} of {entry.expected} hold" if entry.expected else "nothing expected"

"""Many what-ifs as one table: a row for each file, fault and alternative, worst first, and totals last.

Models: medians of both sides, what changed, and the seed of the worst run. Totals, one for each fault and alternative,
add up what is counted over the files and take the longest of what lasts; a figure that was not back stays "not back".
Files are compared as they are, whatever their windows. An alternative that is the file as it is has no row: its name
is said once. Of one file there are no totals, which would be its rows again. Leaves out intervals in the text; CSV and
JSON have them.
Source: the project's own.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from sim.render.amounts import amount
from sim.render.clean import printable_lines
from sim.render.short import short_names
from sim.views.comparison import INCOMPARABLE, Row, Side, Variant, WhatIf

WORST_BY = (("not_back",), ("lost",), ("remote_dark", "loopback_dark"), ("api_dark",))  # the larger of each
COLUMNS = {
    "processes_kept": "kept", "lost": "lost", "not_back": "not back", "remote_dark": "remote dark",
    "loopback_dark": "loopback dark", "api_dark": "API dark",
}  # fmt: skip
ARROW = " → "
BESIDE = " | "  # between times that are not comparable


class FigureRow(msgspec.Struct, frozen=True):
    """One row: whose it is, and its figures by metric."""

    found: WhatIf
    variant: Variant
    rows: dict[str, Row]


def lines(found: Sequence[WhatIf]) -> list[FigureRow]:
    """Return all rows, the worst first; of equals as they were given."""
    every = [
        FigureRow(it, variant, {row.metric: row for row in variant.rows}) for it in found for variant in it.variants
    ]
    return sorted(every, key=lambda line: [max(_bad(line, name) for name in names) for names in WORST_BY], reverse=True)


def _bad(line: FigureRow, name: str) -> float:
    row = line.rows.get(name)
    return 0.0 if row is None or math.isnan(row.other.median) else row.other.median


def totals(every: Sequence[FigureRow], side: Callable[[Row], Side]) -> dict[str, float]:
    """Return the totals of one side by metric: of counts the sum, of times and sizes the most."""
    found: dict[str, float] = {}
    for name in dict.fromkeys(name for line in every for name in line.rows):
        rows = [line.rows[name] for line in every if name in line.rows]
        values = [side(row).median for row in rows if not math.isnan(side(row).median)]
        if values:
            found[name] = max(values) if rows[0].unit else sum(values)
    return found


def groups(every: Sequence[FigureRow]) -> dict[tuple[str, str], list[FigureRow]]:
    """Return the rows that a total is of, by fault and alternative, in the order in which they stand; none of one."""
    found: dict[tuple[str, str], list[FigureRow]] = {}
    for line in every:
        found.setdefault((line.found.fault, line.variant.name), []).append(line)
    return {name: own for name, own in found.items() if len(own) > 1}


# -- text ------------------------------------------------------------------------------------------


def rows_text(found: Sequence[WhatIf], *, took_s: float | None = None, written: Sequence[str] = ()) -> str:
    """Return the table; a column that says the same in each row is left out."""
    short = short_names(variant for it in found for variant in it.variants)
    of_all = lines(found)
    every = [line for line in of_all if not line.variant.same]
    heads = {"file": [it.found.name for it in every], "fault": [it.found.fault or "the file's" for it in every],
             "what if": [short[it.variant.name] for it in every]}  # fmt: skip
    shown = {head: column for head, column in heads.items() if len(set(column)) > 1 or head == "file"}
    shown |= {title: [_cell(line, name) for line in every] for name, title in COLUMNS.items() if _any(every, name)}
    shown["worst seed"] = [str(line.variant.worst_seed) for line in every]
    table = [list(shown), *map(list, zip(*shown.values(), strict=True))]
    for (fault, variant), own in groups(of_all).items():
        if all(line.variant.same for line in own):
            continue
        now, then = (totals(own, side) for side in (_base, _other))
        last = {title: _both(now.get(name), then.get(name), own, name) for name, title in COLUMNS.items()}
        last |= {"file": "all", "fault": fault or "the file's", "what if": short[variant]}
        table.append([last.get(head, "") for head in shown])
    widths = [max(len(row[n]) for row in table) for n in range(len(shown))]
    lined = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in table)
    body = [f" {line}".rstrip() for line in lined]
    names = [short[line.variant.name] for line in (every or of_all)]
    told = [*_head(found, list(dict.fromkeys(names)), took_s), "", *(body if every else ()), *([""] if every else ())]
    return printable_lines("\n".join([*told, *_same(of_all), *_tail(every, written)]) + "\n")


def _head(found: Sequence[WhatIf], names: Sequence[str], took_s: float | None) -> list[str]:
    what = names[0] if len(names) == 1 else f"{len(names)} alternatives"
    files = len({it.source for it in found})
    runs = sorted({len(it.seeds) for it in found})
    count = "–".join(map(str, dict.fromkeys((runs[0], runs[-1]))))
    facts = [f"{files} file{'s' * (files > 1)}", f"{count} paired runs each"]
    if took_s is not None:
        facts.append(f"{took_s:.1f} s")
    question = f"What if {what}?" if len(names) == 1 else f"What if? {what}"
    return [question, " · ".join(facts) + " · now → then, medians, worst first"]


def _same(every: Sequence[FigureRow]) -> list[str]:
    """Return a line for each alternative that is the file as it is, with the files if it is so of some alone."""
    files = list(dict.fromkeys(line.found.name for line in every))
    found = []
    for name in dict.fromkeys(line.variant.name for line in every if line.variant.same):
        own = list(dict.fromkeys(line.found.name for line in every if line.variant.same and line.variant.name == name))
        of = f" {', '.join(own)}" if own != files else ""
        found.append(f"{name}: the same as the file{of}.")
    return found


def _tail(every: Sequence[FigureRow], written: Sequence[str]) -> list[str]:
    unlike = dict.fromkeys(
        f"{line.found.durations}{BESIDE}{line.variant.durations}: times are not comparable; --profile NAME runs both"
        " on one."
        for line in every
        if line.variant.incomparable
    )
    ended = list(dict.fromkeys(f"{line.found.name}: {line.found.ended}." for line in every if line.found.ended))
    worst = [f"Worst run again: {every[0].variant.again}"] if every else []
    return [*unlike, *ended, *worst, *([" ".join(written)] if written else [])]


def _any(every: Sequence[FigureRow], name: str) -> bool:
    """Say whether a column has anything to show; one of zeros alone has not."""
    sides = [side for line in every if name in line.rows for side in (line.rows[name].base, line.rows[name].other)]
    return any(side.median for side in sides)


def _cell(line: FigureRow, name: str) -> str:
    row = line.rows.get(name)
    if row is None:
        return "–"
    now, then = (amount(side.median, row.unit, line.found.window_s) for side in (row.base, row.other))
    of = f" of {row.other.total}" if row.other.total is not None and name == "processes_kept" else ""
    return f"{now}{BESIDE if row.verdict == INCOMPARABLE else ARROW}{then}{of}"


def _both(now: float | None, then: float | None, every: Sequence[FigureRow], name: str) -> str:
    if now is None or then is None:
        return ""
    own = [line for line in every if name in line.rows]
    beyond = [
        line.found.window_s for line in own if math.inf in (line.rows[name].base.median, line.rows[name].other.median)
    ]
    between = BESIDE if any(line.rows[name].verdict == INCOMPARABLE for line in own) else ARROW
    return between.join(amount(value, own[0].rows[name].unit, max(beyond, default=0.0)) for value in (now, then))


def _base(row: Row) -> Side:
    return row.base


def _other(row: Row) -> Side:
    return row.other


SIDES = {"now": _base, "then": _other}


# -- for programs ----------------------------------------------------------------------------------


def rows_csv(found: Sequence[WhatIf]) -> str:
    """Return the rows as CSV, `total` last; what was not back, or is not known, is empty."""
    every = lines(found)
    names = list(dict.fromkeys(row.metric for line in every for row in line.variant.rows))
    ends = ("now", "now_p95", "then", "then_p95", "change", "low", "high", "verdict")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    words = ("file", "fault", "alternative", "runs", "window_s", "worst_seed", "ended")
    writer.writerow([*words, *(f"{name}_{end}" for name in names for end in ends)])
    for line in every:
        about = [line.found.source, line.found.fault, line.variant.name, len(line.found.seeds), line.found.window_s]
        cells = [cell for name in names for cell in _cells(line.rows.get(name))]
        writer.writerow([*about, line.variant.worst_seed, line.found.ended, *cells])
    for (fault, variant), own in groups(every).items():
        now, then = (totals(own, side) for side in (_base, _other))
        sums = [cell for name in names for cell in (_known(now.get(name)), "", _known(then.get(name)), *[""] * 5)]
        writer.writerow(["total", fault, variant, *[""] * 4, *sums])
    return out.getvalue()


def _cells(row: Row | None) -> list[Any]:
    if row is None:
        return [""] * 8
    sides = [_known(value) for side in (row.base, row.other) for value in (side.median, side.p95)]
    return [*sides, *(_known(it) for it in (row.change, row.low, row.high)), row.verdict]


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def rows_json(found: Sequence[WhatIf]) -> dict[str, Any]:
    """Return the order of the rows and the totals; the rows' figures stand in their what-ifs."""
    every = lines(found)
    order = [{"source": it.found.source, "fault": it.found.fault, "alternative": it.variant.name} for it in every]
    sums = [
        {"fault": fault, "alternative": variant}
        | {word: {name: _known(it) for name, it in totals(own, side).items()} for word, side in SIDES.items()}
        for (fault, variant), own in groups(every).items()
    ]
    return {"order": order, "totals": sums}

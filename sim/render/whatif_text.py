"""A what-if as text, JSON and CSV: what was changed, one row a metric, what it means, what it costs, what to run next.

Models: one table an alternative. Rows in which nothing ever happens are left out of the text, never of JSON and CSV.
There a figure that was not back is null or empty, and `not_back_runs` counts such runs. Leaves out colours and the time
that it took, which is passed in. Source: the project's own.
"""

import csv
import io
import math
import textwrap
from collections.abc import Sequence
from typing import Any

from sim.render.amounts import amount, change, interval
from sim.render.clean import printable_lines
from sim.render.fates_text import names_text
from sim.views.comparison import INCOMPARABLE, FateCount, Row, SettingChange, Side, Variant, WhatIf
from sim.views.fates import AS_BEFORE, KEPT, NEW

SCHEMA_VERSION = 1
WIDTH = 100
ONLY_IF_OTHER = ("running", "memory")  # rows that are worth a line only where they differ
ALWAYS = ("processes_kept", "not_back")
FEWEST = 6  # pairs that an interval needs


def whatif_text(
    found: WhatIf, *, took_s: float | None = None, written: Sequence[str] = (), detail: bool = False
) -> str:
    """Return the report; *written* names the files that hold more, *detail* asks for every row."""
    parts = []
    for variant in found.variants:
        if variant.same:
            parts += [same_as_file(variant), ""]
            continue
        parts += [*head(found, variant, took_s), "", *table(found, variant, detail), "", *containers(variant)]
        parts += [*tail(found, variant), ""]
    if written:
        parts.append(" ".join(written))
    return printable_lines("\n".join(parts).rstrip("\n") + "\n")


# -- the parts -------------------------------------------------------------------------------------


def same_as_file(variant: Variant) -> str:
    """Return the line that an alternative changes nothing in the file, which a table of zeros would only repeat."""
    return f"{variant.name}: the same as the file."


def head(found: WhatIf, variant: Variant, took_s: float | None) -> list[str]:
    """Return the question, and what was run."""
    asked = " and ".join(f"{it.path} were {it.after}" for it in variant.changes)
    question, now = f"What if {asked}?", f"now: {'; '.join(map(before, variant.changes))}"
    fits = len(question) + len(now) + 4 <= WIDTH
    runs = f"{len(found.seeds)} paired runs, seeds {seeds_text(found.seeds)}"
    profiles = f"{found.durations} / {variant.durations}" if variant.incomparable else found.profile
    facts = [found.design, profiles, runs, f"window: {found.window}"]
    if found.fault:
        facts.insert(0, f"fault: {found.fault}")
    if took_s is not None:
        facts.append(f"{took_s:.1f} s")
    return [*([f"{question:<62}  {now}"] if fits else [question, now]), " · ".join(facts)]


def before(changed: SettingChange) -> str:
    """Return the old value and where it comes from."""
    return f"{changed.before}, {changed.origin}" if changed.before else changed.origin


def seeds_text(seeds: Sequence[int]) -> str:
    """Write seeds as a range where they are one.

    >>> seeds_text(range(1, 41)), seeds_text([3, 5])
    ('1–40', '3, 5')
    """
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[-1] + 1)):
        return f"{seeds[0]}–{seeds[-1]}"
    return ", ".join(map(str, seeds[:5])) + (" …" if len(seeds) > 5 else "")


def table(found: WhatIf, variant: Variant, detail: bool = False) -> list[str]:
    """Return the rows in which something happens; those of detail only if they are asked for."""
    titles = ["", "now", "", variant.name.rpartition("=")[2] if len(variant.changes) == 1 else "then", "", "change"]
    lines = [[*titles, "95 % interval", ""], ["", "median", "p95", "median", "p95", "", "", ""]]
    rows = [row for row in variant.rows if detail or not row.detail]
    lines += [cells(row, found.window_s) for row in rows if row.metric in ALWAYS or happens(row)]
    widths = [max(len(line[n]) for line in lines) for n in range(8)]
    return [" " + "  ".join(pad(text, widths[n], n) for n, text in enumerate(line)).rstrip() for line in lines]


def pad(text: str, width: int, column: int) -> str:
    """Put a cell into its column: words to the left, figures to the right."""
    return text.ljust(width) if column in (0, 7) else text.rjust(width)


def happens(row: Row) -> bool:
    """Say whether any run has anything to show; what every host has is worth a row only where it differs."""
    if row.detail or row.metric in ONLY_IF_OTHER:
        return row.verdict != "same"
    return any(value != 0 and not math.isnan(value) for value in (*row.base.values, *row.other.values))


def cells(row: Row, window_s: float) -> list[str]:
    """Return the cells of a row; p95 stays empty where all runs agree."""
    figures = [text for side in (row.base, row.other) for text in side_cells(row, side, window_s)]
    return [row.label, *figures, change(row), interval(row), verdict(row)]


def side_cells(row: Row, side: Side, window_s: float) -> list[str]:
    """Return median and p95 of one side."""
    constant = len(set(side.values)) <= 1
    median, p95 = (amount(value, row.unit, window_s, side.total) for value in (side.median, side.p95))
    return [median, "" if constant else p95]


def verdict(row: Row) -> str:
    """Return the word, or in how many seeds it differs where the middle one does not."""
    if row.verdict == "same":
        return ""
    if row.verdict == INCOMPARABLE:
        return row.why
    if row.verdict == "unclear" and row.change == 0:
        words = ("better", "worse") if row.better == "higher" else ("worse", "better")
        pairs = ((n, word) for n, word in zip((row.rose, row.fell), words, strict=True) if n)
        return ", ".join(f"{word} in {n}/{len(row.differences)}" for n, word in pairs)
    return row.verdict


def containers(variant: Variant) -> list[str]:
    """Return what became of the containers on both sides, those that fared alike in one row; [] where all are kept."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for it in variant.containers:
        if {word for side in (it.now, it.then) for word, _ in side.fates} - {KEPT, AS_BEFORE}:
            gone = it.then if it.then.fates[:1] and it.then.fates[0][0] not in (KEPT, NEW) else it.now
            groups.setdefault((_fate_words(it.now), _fate_words(it.then), gone.why), []).append(it.container)
    if not groups:
        return []
    found = ([names_text(names), now, then] for (now, then, _), names in groups.items())
    lines = [["container", "now", "then"], *found]
    widths = [max(len(line[n]) for line in lines) for n in range(3)]
    rows = [" " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in lines]
    wrapper = textwrap.TextWrapper(WIDTH, initial_indent="     ", subsequent_indent="     ", break_on_hyphens=False)
    told = [part for row, key in zip(rows[1:], groups, strict=True) for part in (row.rstrip(), *wrapper.wrap(key[2]))]
    return [rows[0].rstrip(), *told, ""]


def _fate_words(side: FateCount) -> str:
    """Return a fate, or in how many runs there was which.

    >>> _fate_words(FateCount((("kept", 40),))), _fate_words(FateCount((("lost", 39), ("kept", 1))))
    ('kept', 'lost in 39, kept in 1')
    """
    if len(side.fates) == 1:
        return side.fates[0][0]
    return ", ".join(f"{word} in {count}" for word, count in side.fates) or "absent"


def tail(found: WhatIf, variant: Variant) -> list[str]:
    """Return what it means, what it costs, what is assumed, what to run."""
    lines = [f"{found.ended[0].upper()}{found.ended[1:]}."] if found.ended else []
    lines += variant.sentences
    lines += [f"Price: {price.text} [{price.mark} {price.source}]." for price in variant.prices]
    if len(found.seeds) < FEWEST:
        lines.append(f"{len(found.seeds)} paired runs are too few for an interval: --seeds {FEWEST} or more.")
    lines.append(f"Assumed: {'; '.join([said(found.assumptions), found.unmeasured])}.")
    wrapper = textwrap.TextWrapper(WIDTH, break_long_words=False, break_on_hyphens=False)
    return [*(part for line in lines for part in wrapper.wrap(line)), f"Worst run again: {variant.again}"]


def said(assumptions: Sequence[str]) -> str:
    """Say how many assumptions the scenario makes, and the first one."""
    if not assumptions:
        return "nothing by the file"
    more = f" and {len(assumptions) - 1} more of the file" if len(assumptions) > 1 else ""
    return assumptions[0].rstrip(".") + more


# -- for programs ----------------------------------------------------------------------------------


def to_json(found: WhatIf) -> dict[str, Any]:
    """Return an object that JSON can hold. Times are in seconds, null is "not back" or "not known"."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "whatif",
        "title": found.title,
        "source": found.source,
        "design": found.design,
        "profile": found.profile,
        "durations": found.durations,
        "fault": found.fault,
        "seeds": list(found.seeds),
        "ended": found.ended,
        "window": {"text": found.window, "seconds": found.window_s},
        "variants": [_variant(variant) for variant in found.variants],
        "assumptions": [*found.assumptions, found.unmeasured],
    }


def _variant(variant: Variant) -> dict[str, Any]:
    return {
        "name": variant.name,
        "changes": [
            {"path": it.path, "before": it.before, "after": it.after, "origin": it.origin} for it in variant.changes
        ],
        "rows": [_row(row) for row in variant.rows],
        "sentences": list(variant.sentences),
        "prices": [{"text": p.text, "source": p.source, "mark": p.mark} for p in variant.prices],
        "worst_seed": variant.worst_seed,
        "again": variant.again,
        "durations": variant.durations,
        "comparable": not variant.incomparable,
        "same_as_file": variant.same,
        "containers": [
            {"container": it.container, "now": _fate_json(it.now), "then": _fate_json(it.then)}
            for it in variant.containers
        ],
    }


def _fate_json(side: FateCount) -> dict[str, Any]:
    return {"fates": [{"fate": word, "runs": count} for word, count in side.fates], "why": side.why}


def _row(row: Row) -> dict[str, Any]:
    return {
        "metric": row.metric,
        "label": row.label,
        "unit": row.unit,
        "better": row.better,
        "base": _side(row.base),
        "other": _side(row.other),
        "change": {"median": _known(row.change), "low": _known(row.low), "high": _known(row.high), "confidence": 0.95},
        "seeds_up": row.rose,
        "seeds_down": row.fell,
        "verdict": row.verdict,
        "why": row.why,
        "detail": row.detail,
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "median": _known(side.median),
        "p95": _known(side.p95),
        "not_back_runs": side.beyond,
        "total": side.total,
        "values": [_known(value) for value in side.values],
    }


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def to_csv(found: WhatIf) -> str:
    """Return the table, one line a metric and alternative."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    sides = [f"{side}_{name}" for side in ("base", "other") for name in ("median", "p95", "not_back_runs")]
    ends = ("change", "low", "high", "seeds_up", "seeds_down", "verdict")
    writer.writerow(["alternative", "metric", "label", "unit", "better", *sides, *ends])
    for variant in found.variants:
        for row in variant.rows:
            words = [variant.name, row.metric, row.label, row.unit, row.better]
            figures = [it for s in (row.base, row.other) for it in (_known(s.median), _known(s.p95), s.beyond)]
            change = [_known(it) for it in (row.change, row.low, row.high)]
            writer.writerow([*words, *figures, *change, row.rose, row.fell, row.verdict])
    return out.getvalue()

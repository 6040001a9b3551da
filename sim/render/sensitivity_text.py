"""What the answer hangs on, as text and JSON: a sentence, then a row for each assumption, the heaviest first.

Leaves out colours and the time that it took, which is passed in. Source: the project's own.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

from sim.render.amounts import amount, count, seconds, signed
from sim.render.clean import printable_lines
from sim.views.sensitivity import LEAST_COUNT, LEAST_TIME, Figure, Hang, Sensitivity

SCHEMA_VERSION = 1
WIDTH = 100
MOST = 12  # rows that are printed
HALF = 0.5  # of a figure: more than that hangs on one value


def sensitivity_text(
    found: Sensitivity, *, took_s: float | None = None, written: Sequence[str] = (), detail: bool = False
) -> str:
    """Return the report; *detail* asks for every row and every figure."""
    facts = [found.design, found.profile, f"{found.runs} runs, {len(found.seeds)} paired seeds"]
    facts += [f"{took_s:.1f} s"] if took_s is not None else []
    shown = found.hangs if detail else found.hangs[:MOST]
    lines = [f"What does it hang on? {found.title}", " · ".join(facts), "", *_now(found), ""]
    lines += textwrap.wrap(finding(found), WIDTH, break_on_hyphens=False)
    for hang in shown:
        lines += ["", f"{hang.words}: {hang.value}, {hang.origin}  ({hang.key})", *_levels(found, hang)]
    more = len(found.hangs) - len(shown)
    lines += ["", f"{more} more move something: --explain lists them."] if more else []
    lines += ["", f"Nothing hangs on {len(found.idle)} other values."] if found.idle else []
    lines += [f"Nothing hangs on: {', '.join(found.idle)}."] if detail and found.idle else []
    lines += [f"{found.ended[0].upper()}{found.ended[1:]}."] if found.ended else []
    lines += [" ".join(written)] if written else []
    return printable_lines("\n".join(lines) + "\n")


def _now(found: Sensitivity) -> list[str]:
    width = max((len(figure.label) for figure in found.figures), default=0)
    return [
        f" {figure.label:{width}}  {amount(figure.now, figure.unit, found.window_s)}"
        for figure in found.figures
        if figure.now or figure.metric == found.main
    ]


def finding(found: Sensitivity) -> str:
    """Return what to measure first, in one sentence."""
    if not found.hangs:
        return "Nothing hangs on any value that is assumed here."
    first, main = found.hangs[0], found.figure(found.main)
    if first.share is not None and main.now and first.share >= HALF * main.now:
        return (
            f"{seconds(first.share)} of the {seconds(main.now)} ({main.label}) hang on {first.words}"
            f" ({first.origin}); measure it first."
        )
    return f"Most hangs on {first.words} ({first.value}, {first.origin}); measure it first."


def _levels(found: Sensitivity, hang: Hang) -> list[str]:
    width = max(len(level.label) for level in hang.levels)
    lines = []
    for level in hang.levels:
        moved: dict[str, list[str]] = {}
        for figure in found.figures:
            moved.setdefault(_told(figure, level.changes.get(figure.metric)), []).append(figure.label)
        said = "; ".join(f"{change}: {', '.join(labels)}" for change, labels in moved.items() if change)
        head = f"  {level.label:>{width}}  "
        lines += textwrap.wrap(said or "changes nothing", WIDTH, initial_indent=head, subsequent_indent=" " * len(head))
    return lines


def _told(figure: Figure, change: float | None) -> str:
    """Return what a figure does, "" if it stays."""
    if change is None:
        return "not known"
    if math.isinf(change):
        return "not back" if change > 0 else "back"
    if abs(change) < (LEAST_TIME if figure.unit else LEAST_COUNT):
        return ""
    return signed(change, seconds if figure.unit == "s" else count)


def sensitivity_json(found: Sensitivity) -> dict[str, Any]:
    """Return an object that JSON can hold. Times are in seconds, null is "not known", or "not back"."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "sensitivity",
        "title": found.title,
        "source": found.source,
        "design": found.design,
        "profile": found.profile,
        "seeds": list(found.seeds),
        "runs": found.runs,
        "ended": found.ended,
        "window_s": found.window_s,
        "finding": finding(found),
        "ranked_by": found.main,
        "figures": [
            {"metric": it.metric, "label": it.label, "unit": it.unit, "now": _known(it.now)} for it in found.figures
        ],
        "assumptions": [
            {
                "key": it.key,
                "words": it.words,
                "value": it.value,
                "origin": it.origin,
                "hangs_s": it.share,
                "levels": [
                    {"label": level.label, "changes": {name: _known(x) for name, x in level.changes.items()}}
                    for level in it.levels
                ],
            }
            for it in found.hangs
        ],
        "without_effect": list(found.idle),
    }


def _known(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None

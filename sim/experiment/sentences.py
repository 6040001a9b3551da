"""What the rows of a comparison mean, in two or three sentences that are put together from the rows and nothing else.

The order is that of an operator's questions: do processes live, are ports open for remote clients, for clients on the
host, does all come back, does the engine answer. Leaves out advice. Source: the rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sim.render.amounts import amount, count, seconds
from sim.views.comparison import INCOMPARABLE, Row, Side

MOST = 3


def sentences(name: str, rows: Sequence[Row], window_s: float) -> tuple[str, ...]:
    """Return what the alternative *name* does, by the rows."""
    pairs = max((len(row.differences) for row in rows), default=0)
    if all(row.verdict == "same" for row in rows):
        return (f"{name} changes nothing here: every figure is the same in all {pairs} pairs of runs.",)
    by = {row.metric: row for row in rows}
    found = [
        _unlike(by.get("running")),
        _first(name, by, window_s),
        _loopback(by, window_s),
        _not_back(by.get("not_back"), pairs),
        _api(by.get("api_dark"), window_s),
    ]
    return tuple(text for text in found if text)[:MOST]


def _unlike(row: Row | None) -> str:
    if row is None or row.verdict == "same":
        return ""
    now, then = count(row.base.median), count(row.other.median)
    return f"The rows do not compare like with like: containers that run when the window opens: {then} (now {now})."


def _first(name: str, by: dict[str, Row], window_s: float) -> str:
    parts = [part for part in (_kept(by.get("processes_kept")), _remote(by.get("remote_dark"), window_s)) if part]
    return f"{name} {' and '.join(parts)}." if parts else ""


def _kept(row: Row | None) -> str:
    if row is None or row.change in (None, 0):
        return ""
    total, then, now = row.other.total or 0, row.other.median, row.base.median
    if total == 1:
        return "keeps the process" if then else "loses the process"
    which = f"all {total}" if then == total else "none of the" if then == 0 else f"{count(then)} of {total}"
    return f"keeps {which} processes (now {count(now)})"


def _remote(row: Row | None, window_s: float) -> str:
    if row is None:
        return ""
    now, then = _both(row, window_s)
    if row.verdict == INCOMPARABLE:
        return f"has a longest remote gap of {then} ({now} now, by other durations)"
    if row.verdict == "same":
        return f"leaves the longest remote gap at {now}" if row.base.median else "leaves remote ports open as they are"
    if row.verdict == "unclear" or row.change is None:
        return f"makes no clear difference to the longest remote gap ({now} now, {then} then)"
    if math.isinf(row.change):
        return f"changes the longest remote gap from {now} to {then}"
    word = "cuts" if row.change < 0 else "lengthens"
    return f"{word} the longest remote gap by {seconds(abs(row.change))} to {then}"


def _loopback(by: dict[str, Row], window_s: float) -> str:
    row = by.get("loopback_dark")
    if row is None or not (row.base.median or row.other.median):
        return ""
    now, then = _both(row, window_s)
    if row.verdict == "same":
        said = f"Loopback clients lose {now} in both cases"
    elif row.verdict == INCOMPARABLE:
        said = f"Loopback clients lose {then} ({now} now, by other durations)"
    elif row.verdict == "unclear":
        said = f"For loopback clients there is no clear difference ({now} now, {then} then)"
    elif row.verdict == "better":
        said = f"Loopback clients still lose {then}" if row.other.median else "Loopback clients lose nothing any more"
    else:
        said = f"Loopback clients lose {then} instead of {now}"
    return said + _proxies(by.get("proxies_ended")) + "."


def _proxies(row: Row | None) -> str:
    if row is None or not row.base.median or not row.other.median:
        return ""
    now, then = count(row.base.median), count(row.other.median)
    if now == then:
        return f": {now} proxies die with dockerd in both cases"
    return f": proxies die with dockerd in both cases, {now} now and {then} then"


def _not_back(row: Row | None, pairs: int) -> str:
    if row is None or not (row.base.median or row.other.median or row.rose or row.fell):
        return ""
    now, then = count(row.base.median), count(row.other.median)
    if row.change == 0 and (row.rose or row.fell):
        more = [f"more containers than now in {row.rose}"] if row.rose else []
        fewer = [f"fewer in {row.fell}"] if row.fell else []
        return f"Not back by the end of the window: {' and '.join([*more, *fewer])} of {pairs} seeds."
    instead = " in both cases" if now == then else f" instead of {now}"
    return f"Not back by the end of the window: {then} of {row.other.total} containers{instead}."


def _api(row: Row | None, window_s: float) -> str:
    if row is None or row.verdict not in ("better", "worse"):
        return ""
    now, then = _both(row, window_s)
    return f"The engine's API is dark for {then} instead of {now}."


def _both(row: Row, window_s: float) -> tuple[str, str]:
    """Return the medians of both sides in words."""
    return _words(row, row.base, window_s), _words(row, row.other, window_s)


def _words(row: Row, side: Side, window_s: float) -> str:
    return amount(side.median, row.unit, window_s).replace("> ", "more than ")

"""Write the figures of a comparison: three digits that matter, the unit behind, and "> 2m" for what was not back.

Models: seconds from microseconds to days, counts out of a total, differences with a sign, intervals in the digits of
their difference. Leaves out other languages. Source: the project's own.
"""

import math
from collections.abc import Callable
from functools import partial

from sim.views.comparison import INCOMPARABLE, Row

MINUS = "−"
_STEPS = ((86_400, 2, "d"), (3_600, 2, "h"), (60, 10, "min"))  # seconds, from how many of these on, unit


def amount(value: float, unit: str, window_s: float, total: int | None = None) -> str:
    """Write one figure.

    >>> amount(5.0, "", 120.0, 6), amount(float("inf"), "s", 120.0)
    ('5 of 6', '> 2m')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return f"> {lasting(window_s)}"
    if unit in WRITERS:
        return WRITERS[unit](value)
    return count(value) if total is None else f"{count(value)} of {total}"


def change(row: Row) -> str:
    """Write the median difference: `−12.9 s`, `+6`, whether it is back or no longer; ? where that is not known."""
    if row.verdict == INCOMPARABLE:
        return "not comparable"
    value = row.change
    if value is None:
        return "" if row.verdict == "same" else "?"
    if math.isinf(value):
        return "not back" if value > 0 else "back"
    return signed(value, WRITERS.get(row.unit, count))


def interval(row: Row) -> str:
    """Write the interval of the difference; nothing where it is the difference itself, – where it is not known."""
    if row.low is None or row.high is None:
        return "" if row.verdict in ("same", INCOMPARABLE) else "–"
    if row.low == row.high == row.change:
        return ""
    if row.unit != "s":
        return " … ".join(_end(value, WRITERS.get(row.unit, count)) for value in (row.low, row.high))
    return _seconds_interval(row.low, row.high, row.change or 0.0)


def _seconds_interval(low: float, high: float, middle: float) -> str:
    """Write both ends in one unit, with so many digits that they differ; the unit too where the middle has another.

    >>> _seconds_interval(-0.012, 0.018, 0.00094), _seconds_interval(0.3, 0.4, 0.35)
    ('−0.01 … +0.02 s', '+0.30 … +0.40')
    """
    size, least, unit = scale(max((abs(it) for it in (low, high) if math.isfinite(it)), default=0.0))
    other = math.isfinite(middle) and middle != 0 and scale(abs(middle))[2] != unit
    text = ""
    for digits in range(least, least + 3):
        low_text, high_text = (_end(it, partial(_in, size, digits)) for it in (low, high))
        text = f"{low_text} … {high_text}"
        if low_text != high_text:
            break
    return f"{text} {unit}" if other else text


def _in(size: float, digits: int, value: float) -> str:
    return f"{value / size:.{digits}f}"


def _end(value: float, write: Callable[[float], str]) -> str:
    if math.isinf(value):
        return "not back" if value > 0 else "back"
    return signed(value, write)


def signed(value: float, write: Callable[[float], str]) -> str:
    """Write a difference with its sign; 0 has none."""
    text = write(abs(value))
    return text if value == 0 else f"{'+' if value > 0 else MINUS}{text}"


def count(value: float) -> str:
    """Write a number of things; a median of two may end in a half.

    >>> count(6.0), count(2.5)
    ('6', '2.5')
    """
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"


def seconds(value: float) -> str:
    """Write a time.

    >>> [seconds(it) for it in (0.0, 0.000634, 0.39, 1.772, 13.24, 361, 1200, 950042)]
    ['0 s', '0.63 ms', '0.39 s', '1.77 s', '13.2 s', '361 s', '20 min', '11.0 d']
    """
    if value == 0:
        return "0 s"
    size, digits, unit = scale(value)
    return f"{value / size:.{digits}f} {unit}"


def size(value: float) -> str:
    """Write a number of bytes, as docker does: in thousands.

    >>> [size(it) for it in (0.0, 512.0, 163_840.0, 136_260_000.0)]
    ['0 B', '512 B', '164 kB', '136 MB']
    """
    for least, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= least:
            scaled = value / least
            return f"{scaled:.{0 if scaled >= 99.5 else 1}f} {unit}"
    return f"{value:.0f} B"


WRITERS: dict[str, Callable[[float], str]] = {"s": seconds, "B": size}


def scale(value: float) -> tuple[float, int, str]:
    """Return in what to write a time of *value* seconds, with how many digits after the point, and the unit."""
    for size, least, unit in _STEPS:
        if value >= size * least:
            return size, 0 if unit == "min" else 1, unit
    if value < 0.01:
        return 0.001, 2 if value < 0.001 else 1, "ms"
    return 1, 2 if value < 9.995 else 1 if value < 99.95 else 0, "s"


def lasting(window_s: float) -> str:
    """Write the length of a window as scenario files do, cut to whole seconds, below one to ms.

    >>> lasting(120.0), lasting(5400.5), lasting(0.2)
    ('2m', '1h30m', '200ms')
    """
    if window_s < 1:
        return f"{window_s * 1000:.0f}ms"
    rest, text = int(window_s), ""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        if rest >= size:
            text += f"{rest // size}{unit}"
            rest %= size
    return text or "0s"

"""One figure beside the model's: what a row of docs/validation.md is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Row(NamedTuple):
    """One published or measured figure, and what the model is asked for it.

    A *value* that was published as a range is one: low and high. *unit* stands behind both; *source* begins with its
    mark. *asked* says what is run, *with_* the profile and seeds. *why* is the reason of an error, where it is known.
    *quick* rows are computed anew by the quick tests.
    """

    figure: str
    value: float | tuple[float, float]
    unit: str
    source: str
    asked: str
    with_: str
    ask: Callable[[], float]
    why: str = ""
    quick: bool = False


def error(row: Row, model: float) -> float:
    """Return by how much the model is off, as a part of the figure; of a range by how much it lies outside.

    >>> row = Row("a", (2.0, 4.0), "s", "M", "", "", lambda: 3.0)
    >>> error(row, 3.0), error(row, 1.0), error(row, 5.0)
    (0.0, -0.5, 0.25)
    """
    low, high = row.value if isinstance(row.value, tuple) else (row.value, row.value)
    return model / low - 1 if model < low else model / high - 1 if model > high else 0.0


class Part(NamedTuple):
    """A section of the page, with its words and its rows."""

    title: str
    words: str
    rows: tuple[Row, ...]


class NotAsked(NamedTuple):
    """A figure that the model cannot be asked for, and why."""

    source: str
    figure: str
    why: str

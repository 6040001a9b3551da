"""Rows as a pandas DataFrame, for those who have pandas (the extra `notebooks`): typed columns that say what they mean.

What is not known is missing, never 0. Leaves out the rows. Source: pandas' documentation, "Nullable integer data type".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sim.views.frames import Column

if TYPE_CHECKING:
    from pandas import DataFrame

KINDS = {"text": "string", "number": "Int64", "seconds": "float64", "figure": "float64", "truth": "boolean"}
MISSING = "to_frame needs pandas: pip install 'shimulator[notebooks]'. rows() gives the same rows without it."


def frame(rows: Sequence[dict[str, Any]], columns: Sequence[Column]) -> DataFrame:
    """Return a DataFrame; `attrs` maps each column to what it means. Raises ModuleNotFoundError without pandas."""
    try:
        from pandas import DataFrame
    except ImportError:
        raise ModuleNotFoundError(MISSING, name="pandas") from None
    found = DataFrame(rows, columns=[column.name for column in columns])
    found = found.astype({column.name: KINDS[column.kind] for column in columns})
    found.attrs = {column.name: column.meaning for column in columns}
    return found

"""How many examples a test draws: a few in the quick tests, all in the long ones, which take such a test as well.

SHIMULATOR_EXAMPLES=all draws all everywhere; a run of the long tests alone sets it (`tests/conftest.py`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import settings

ALL = "SHIMULATOR_EXAMPLES"
SHARE = 5  # the quick tests draw one of so many
F = TypeVar("F", bound=Callable[..., Any])


def examples(most: int, **how: Any) -> Callable[[F], F]:
    """Let a test draw *most* examples at length, and a part of them in the quick tests; stands above `@given`.

    *how* are more settings of Hypothesis.
    """

    def of(test: F) -> F:
        found = settings(max_examples=count(most), **how)(test)
        found.draws_more = True  # type: ignore[attr-defined]
        return found

    return of


def count(most: int) -> int:
    """Return how many examples of *most* are drawn in this run."""
    return most if os.environ.get(ALL) == "all" else -(-most // SHARE)

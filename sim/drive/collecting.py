"""Python's search for cyclic garbage, made rare: a run makes much that stays, and no cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def little_collecting() -> Iterator[None]:
    """Let Python look for cyclic garbage rarely: a run makes much that stays, and no cycles."""
    before = gc.get_threshold()
    gc.set_threshold(1_000_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)

"""What options of the command line take: each reads a word, or says what is wrong with it.

Source: argparse's documentation, `type=`.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable

LARGEST_SEED, MOST_SEEDS = 10**18, 1_000_000


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers within limits."""

    def read(text: str) -> int:
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"{text[:40]!r} is no whole number from {low} to {high}")
        return number

    return read


def few_seeds(text: str) -> tuple[int, ...]:
    """Read seeds between commas."""
    return tuple(SEED(part) for part in text.split(","))


def speed(text: str) -> float:
    """Read how many times as fast as the wall clock."""
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not 0 < found <= 1e9:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no speed: give a number above 0; 1 is real time")
    return found


def load(text: str) -> str:
    """Read a load: none, or how many starts at once."""
    return text if text == "none" else str(whole_number(2, 10_000)(text))


def day(text: str) -> str:
    """Read a day."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no day: write 2026-11-24")
    return text


SEED, SEEDS, JOBS, STATES = (
    whole_number(0, LARGEST_SEED),
    whole_number(1, MOST_SEEDS),
    whole_number(1, 1000),
    whole_number(1, 10**9),
)

"""A question, and what an answer to it consists of.

Models: `run` (computed by the model now), `sum` (arithmetic on a table that is cited), `not answered` (with the rule
that is missing). Leaves out how the figures are found. Source: designs §10.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.answers.told import Runner

RUN, SUM, NOT = "run", "sum", "not answered"


class Answer(NamedTuple):
    """Sentences, points under them, tables (lines of Markdown), how it was measured, what the figures leave out."""

    sentences: tuple[str, ...]
    points: tuple[str, ...] = ()
    table: tuple[str, ...] = ()
    measured: str = ""
    limits: tuple[str, ...] = ()


class Question(NamedTuple):
    """*asks* is the question in short; *commands* is what a user can paste, *reports* where people asked."""

    number: int
    asks: str
    kind: str
    commands: tuple[str, ...]
    reports: str
    answer: Callable[[Runner, tuple[str, ...]], Answer]

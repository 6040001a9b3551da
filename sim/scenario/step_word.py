"""Words of steps that are registered: how each is read, what it is called, and its form for editors.

A module offers one as `WORD` (`sim.parts`). Its command is a value that says itself what it does
(`sim.engine.setup.OwnCommand`), so that no part of the model knows the word. Source: the project's scenario language.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from sim import parts
from sim.engine.setup import OwnCommand
from sim.scenario.instants import Names


class StepWord(NamedTuple):
    """A word of `steps:`.

    *read* takes what stands behind the word and the names of the file, and returns the command; it raises Refusal.
    *command* is the class of what it returns. *schema* is the form of the value as JSON Schema says it.
    """

    name: str
    read: Callable[[object, Names], OwnCommand]
    command: type[OwnCommand]
    schema: dict[str, Any]


@cache
def step_words() -> dict[str, StepWord]:
    """Return the registered words by name."""
    return {module.WORD.name: module.WORD for module in parts.modules("steps")}


parts.when_changed(step_words.cache_clear)

"""Metrics of users' own: a function that takes a trace and returns a number, by its file or as it is.

A file's text goes to the workers, so that it need not be there. `UNITS = {"name": "s"}` and `BETTER = {"name":
"lower"}` in it say what the figure is. Its code is run as any program of the user's is. Leaves out anything but
numbers. Source: the project's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from sim.errors import InputError, Problem, nearest
from sim.trace import Trace

DIRECTIONS = ("lower", "higher", "none")


class Own(msgspec.Struct, frozen=True):
    """One such metric: *text* is the module's source, or *function* the function itself."""

    name: str
    unit: str = ""
    better: str = "none"
    text: str = ""
    source: str = ""
    function: Callable[[Trace], float] | None = None

    def read(self, trace: Trace) -> float:
        """Measure one run."""
        function = self.function or _module(self.text, self.source)[self.name]
        try:
            return float(function(trace))
        except Exception as error:
            where = f"{self.source or 'metric'}:{self.name}"
            hint = "A metric takes a trace and returns a number."
            raise InputError([Problem(where, f"it failed with seed {trace.seed}: {error!r}"[:300], hint)]) from None


def own_metric(words: str) -> Own:
    """Read `FILE.py:FUNCTION`. Raises InputError."""
    file, _, name = words.rpartition(":")
    where = f"--metric {words}"
    if not file or not name.isidentifier():
        raise InputError([Problem(where, "this names no function", "Write FILE.py:FUNCTION.")])
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not text in UTF-8"
        raise InputError([Problem(where, why.lower(), "It takes a file in Python.")]) from None
    try:
        module = _module(text, file)
    except Exception as error:
        raise InputError([Problem(where, f"the file cannot be run: {error!r}", "python FILE.py says where.")]) from None
    functions = [key for key, value in module.items() if callable(value) and not key.startswith("_")]
    if name not in functions:
        hint = f"{nearest(name, functions)} It has {', '.join(functions) or 'none'}.".strip()
        raise InputError([Problem(where, f"the file has no function {name}", hint)])
    return _checked(name, module, text, file, where)


def _checked(name: str, module: dict[str, Any], text: str, file: str, where: str) -> Own:
    unit = str(module.get("UNITS", {}).get(name, ""))
    better = str(module.get("BETTER", {}).get(name, "none"))
    if better not in DIRECTIONS:
        raise InputError([Problem(where, f"BETTER[{name!r}] is {better!r}", f"Valid: {', '.join(DIRECTIONS)}.")])
    return Own(name, unit, better, text, file)


def as_own(metrics: Mapping[str, Callable[[Trace], float]] | None) -> tuple[Own, ...]:
    """Return functions by their names as metrics; a pool's workers import them by their module."""
    return tuple(Own(name, function=function) for name, function in (metrics or {}).items())


@lru_cache(maxsize=16)
def _module(text: str, source: str) -> dict[str, Any]:
    found: dict[str, Any] = {"__name__": "shimulator_own_metric"}
    exec(compile(text, source, "exec"), found)
    return found

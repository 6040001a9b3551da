"""The fitted profile as a module of the core, which reads no files: `sim/measured.py`, written by `make validation`."""

from __future__ import annotations

import textwrap

from sim.durations import ZERO, Distribution, Duration, Profile
from tests.validation.ask import ROOT

MODULE = ROOT / "sim" / "measured.py"
WIDTH = 96
HEAD = '''\
"""What `shimulator calibrate` made of the measurements: the fitted rows of docker-26-2core; the others are in latency.

Docker 26.1.5, containerd 1.7.24, runc 1.1.15; 2 cores, kernel 6.18, overlay2; one machine. `make validation` writes it;
docs/validation.md has the command, the errors, and what was not fitted to. Source: each row's mark.
"""

from sim.durations import %s

FITTED: Profile = {
'''


def module_text(made: Profile, base: Profile) -> str:
    """Return the module: the rows that calibration has made anew.

    >>> from sim.durations import Fixed
    >>> row = {"dockerd/mount": Duration(work=Fixed(2.0), mark="M x")}
    >>> print(module_text({"a/b": Duration(), **row}, {"a/b": Duration()}).partition("= {\\n")[2], end="")
        "dockerd/mount": Duration(
            work=Fixed(2.0),
            mark="M x",
        ),
    }
    """
    new = {name: row for name, row in made.items() if row != base.get(name)}
    parts = [part for row in new.values() for part in (row.work, row.wait, row.scale) if part not in (None, ZERO)]
    kinds = sorted({"Duration", "Profile", *(type(part).__name__ for part in parts)})
    rows = (f"    {_text(name)}: Duration(\n{_fields(row)}    ),\n" for name, row in new.items())
    return f"{HEAD % ', '.join(kinds)}{''.join(rows)}}}\n"


def _fields(row: Duration) -> str:
    plain = Duration()
    lines = []
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if value != getattr(plain, name):
            lines.append(f"        {name}={_literal(value)},\n")
    return "".join(lines)


def _literal(value: Distribution | float | str) -> str:
    if isinstance(value, str):
        return _text(value) if len(value) < WIDTH else f"(\n{_wrapped(value)}        )"
    if isinstance(value, int | float):
        return repr(value)
    numbers = [getattr(value, name) for name in value.__struct_fields__]
    if isinstance(numbers[0], tuple):
        lines = "".join(f"            {it!r},\n" for it in numbers)
        return f"{type(value).__name__}(\n{lines}        )"
    return f"{type(value).__name__}({', '.join(map(repr, numbers))})"


def _wrapped(text: str) -> str:
    parts = textwrap.wrap(text, WIDTH, break_on_hyphens=False, drop_whitespace=False)
    return "".join(f"            {_text(part)}\n" for part in parts)


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

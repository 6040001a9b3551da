"""What was exercised of a design, as a table: a line for each kind and program, and what never was, by name."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from sim.views.coverage import FAULT, Coverage

WIDTH = 120
NARROWEST = 20  # of the names, however wide the rest is


def coverage_table(rows: Sequence[Coverage], *, width: int | None = None) -> str:
    """Return rows as a table; names stand by procedure, ops that share one by their numbers.

    >>> never = ("shim.main:reap_child#1", "shim.main:reap_child#2", "shim.main:exit 1")
    >>> rows = [Coverage("step", "shim", 15, 12, never), Coverage("fault", "shim", 3, 2, ("stall shim",))]
    >>> print(coverage_table(rows), end="")
    kind   program  exercised  never exercised
    step   shim      12 of 15  main: reap_child#1-2, exit 1
    fault  shim        2 of 3  stall
    all              14 of 18
    """
    total = ("all", "", f"{sum(row.exercised for row in rows)} of {sum(row.of for row in rows)}", "")
    cells = [
        ("kind", "program", "exercised", "never exercised"),
        *((row.kind, row.program, f"{row.exercised} of {row.of}", _names(row)) for row in rows),
        total,
    ]
    first, second, third = (max(len(row[n]) for row in cells) for n in range(3))
    lines: list[str] = []
    for kind, program, count, names in cells:
        head = f"{kind:<{first}}  {program:<{second}}  {count:>{third}}"
        left = max((width or WIDTH) - len(head) - 2, NARROWEST)
        wrapped = textwrap.wrap(names, left, break_long_words=False, break_on_hyphens=False) or [""]
        lines += [f"{head}  {wrapped[0]}".rstrip(), *(f"{'':<{len(head)}}  {more}" for more in wrapped[1:])]
    return "\n".join(lines) + "\n"


def _names(row: Coverage) -> str:
    """List what is left, without the program's name, which stands in the row."""
    if row.kind == FAULT:
        return ", ".join(name.removesuffix(f" {row.program}") for name in row.never)
    parts = [name.removeprefix(f"{row.program}.").partition(":") for name in row.never]
    return "; ".join(
        f"{procedure}: {', '.join(_together(op for _, _, op in found))}"
        for procedure, found in groupby(parts, key=lambda part: part[0])
    )


def _together(ops: Iterable[str]) -> Iterator[str]:
    """Yield names in their order, those that share one once with their numbers.

    >>> list(_together(["a#1", "b", "a#2", "a#4", "a#5", "a#6"]))
    ['a#1-2,4-6', 'b']
    """
    numbers: dict[str, list[int]] = {}
    for op in ops:
        name, _, number = op.partition("#")
        numbers.setdefault(name, []).extend([int(number)] if number else [])
    return (f"{name}#{_ranges(found)}" if found else name for name, found in numbers.items())


def _ranges(numbers: Sequence[int]) -> str:
    """Return rising numbers, those in a row from the first to the last."""
    rows = [
        [number for _, number in found] for _, found in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    ]
    return ",".join(f"{row[0]}-{row[-1]}" if len(row) > 1 else str(row[0]) for row in rows)

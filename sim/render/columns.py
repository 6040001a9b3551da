"""Place the fields of a `ps` row side by side, and find how much of a narrow screen is left for the command.

Models: the one layout rule of all formats and the width rule of procps-ng 4.0.4. Leaves out: repeated headers,
formats whose last column is not the command, and the tool's own limit of 128 KiB a row.
Source: procps-ng 4.0.4, rules seen by running it on many tables.
"""

from collections.abc import Sequence

import msgspec

from sim.render.cells import cells


class FixedColumn(msgspec.Struct, frozen=True):
    """Describe a column of fixed width (cells) that stands before the command."""

    title: str
    width: int
    right: bool


def lay_out(columns: Sequence[FixedColumn], texts: Sequence[str]) -> str:
    """Write one row up to the place where the command starts, the separating blanks included.

    A text that is too long shoves the next ones right only until blank padding has paid it back.

    >>> columns = [FixedColumn("PID", 5, True), FixedColumn("STAT", 4, False), FixedColumn("UID", 5, True)]
    >>> lay_out(columns, ["7", "SNsl+", "0"])
    '    7 SNsl+    0 '
    """
    line: list[str] = []
    actual = due = 0
    for column, text in zip(columns, texts, strict=True):
        size = cells(text)
        padding = max(column.width - size, 0) if column.right else 0
        space = max(due - actual + padding, 1 if line else 0)
        line.append(" " * space + text)
        actual += space + size
        due += column.width + 1
    return "".join(line) + " " * max(due - actual, 1 if line else 0)


def usable_width(columns: Sequence[FixedColumn], screen: int) -> int:
    """Give the cells of a row: the smallest multiple of the screen's width that holds the fixed columns and 3 more.

    >>> usable_width([FixedColumn("X", 56, True)], 40)
    80
    """
    total = sum(column.width + 1 for column in columns) + 3
    return -(-total // screen) * screen

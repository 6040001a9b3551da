"""Hold the model against the branches of the engine's source.

python -m tests.source CHECKOUT TABLE           print the table's branches as CHECKOUT has them
python -m tests.source CHECKOUT TABLE --write   write the table anew; what is said of a branch that stays is kept
python -m tests.source --unmatched [TABLE]      count the branches without an op by reason, and list those that matter

CHECKOUT is a folder with the files of the table's version, or a git directory that has its tag. Source: docs/truth.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.source import table as tables
from tests.source.branches import reader
from tests.source.tell import unmatched


def main(words: list[str]) -> int:
    """Do what the words ask for."""
    plain = [word for word in words if not word.startswith("--")]
    if "--unmatched" in words:
        names = plain or tables.tables()
        print(unmatched(names))
        for row in (row for name in names for row in tables.read(name) if row.why == "missing"):
            print(f"{row.file}:{row.line} {row.function}: {row.kind}: {row.reason}")
        return 0
    if len(plain) != 2 or plain[1] not in tables.tables():
        print(__doc__, f"Tables: {', '.join(tables.tables())}", sep="\n", file=sys.stderr)
        return 2
    place, name = Path(plain[0]), plain[1]
    branches = tables.found(name, reader(place))
    if "--write" in words:
        tables.write(name, tables.anew(name, branches))
        return 0
    for it in branches:
        print(f"{it.file}:{it.line}", it.kind, it.function, it.condition)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

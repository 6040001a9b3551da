"""Hold the model against what real engines did: `make truth`. Ends with 1 if a row that was right is wrong.

`--accept` adds the rows that have become right to right.txt, and counts by act how many are; `--beside` prints each row
of the experiments that are named beside what two runs say, and judges none; other words are names of experiments, or
how they begin, of which every row is told. Leaves out docs/validation.md, which `make validation` writes. Source:
docs/truth.md.
"""

from __future__ import annotations

import sys

from sim.experiment.act_words import FILE
from tests.truth import acts, right, tell
from tests.truth.judge import beside, everything, judged


def main(words: list[str]) -> int:
    """Judge, and print."""
    names = [word for word in words if word not in ("--accept", "--beside")]
    chosen = [it for it in everything() if not names or any(it.name.startswith(name) for name in names)]
    if "--beside" in words:
        for one in chosen:
            print(f"## {one.name}\n\n{tell.beside(beside(one))}")
        return 0
    found = judged(chosen, lambda name: print(f"… {name}", file=sys.stderr))
    listed = right.read()
    print(tell.section(found))
    if names:
        for it in found:
            print({True: "✓", False: "✗", None: "?"}[it.right], f"{it.row.key} = {it.row.expected}: {it.found}")
    more, less = right.won(found, listed), right.lost(found, listed)
    if "--accept" in words:
        right.FILE.write_text(right.written(listed, more), encoding="utf-8")
        acts.write()
        print(f"right.txt: {len(more)} rows more; {FILE.name} counts them by act")
    elif more:
        print(f"{len(more)} rows are right that right.txt does not have: make truth ACCEPT=yes adds them.")
    for it in less:
        print(f"was right: {it.row.key}: seen {it.row.expected}, the model says {it.found}")
    return 1 if less else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

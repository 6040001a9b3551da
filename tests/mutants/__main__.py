"""`make mutants`: plant faults in the rules, one at a time, and see that tests notice each of them.

Ends with 1 if one is noticed by no test and has no reason for it, or is noticed against its reason.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable

from tests.mutants.mutant import WIDER, Mutant
from tests.mutants.table import MUTANTS, faults_of
from tests.mutants.trial import CAUGHT, SURVIVED, Outcome, trials

HEADER = ("mutant", "where", "caught by")


def main(words: list[str] | None = None) -> int:
    """Parse the command line, try what was asked for, print the table."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__, allow_abbrev=False)
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="how many to try at a time (default 1)")
    parser.add_argument("--own", action="store_true", help="run only the tests that a row names, not the wider list")
    parser.add_argument("--list", action="store_true", help="print the rows and try nothing")
    parser.add_argument("part", nargs="*", help="try only mutants with one of these words in name or file")
    asked = parser.parse_args(words)
    rows = [row for row in MUTANTS if not asked.part or any(part in row.name + row.file for part in asked.part)]
    if not rows:
        parser.error(f"no mutant has {' or '.join(asked.part)} in its name or file")
    if asked.list:
        sys.stdout.write("".join(f"{row.name}: {row.breaks} ({row.file})\n" for row in rows))
        return 0
    stale = [fault for row in rows for fault in faults_of(row)]
    if stale:
        sys.stderr.write("\n".join(stale) + "\n")
        return 2
    return attempted(rows, max(1, asked.jobs), () if asked.own else WIDER)


def attempted(rows: list[Mutant], jobs: int, wider: tuple[str, ...] = WIDER) -> int:
    """Try the rows with a line each as they end, then print them all as a table."""
    done: list[Outcome] = []

    def tell(outcome: Outcome) -> None:
        done.append(outcome)
        line = f"[{len(done)}/{len(rows)}] {outcome.mutant.name}: {outcome.end} ({outcome.seconds:.1f} s)"
        sys.stderr.write(line + "\n")

    sys.stderr.write(f"{len(rows)} mutants, {jobs} at a time; first their tests without any ...\n")
    try:
        trials(rows, jobs, tell, wider)
    except KeyboardInterrupt:
        sys.stderr.write(f"\nstopped after {len(done)} of {len(rows)}\n")
        return 130
    except ValueError as wrong:
        sys.stderr.write(f"{wrong}\n")
        return 2
    done.sort(key=lambda outcome: rows.index(outcome.mutant))
    sys.stdout.write(table(done))
    return 0 if all(outcome.good for outcome in done) else 1


def table(outcomes: Iterable[Outcome]) -> str:
    """Return the table, and the totals below it.

    >>> row = Mutant("a b", "f.py", "x", "y", "z is w", ("t.py",))
    >>> print(table([Outcome(row, CAUGHT, "t.py::test_it", 1.0)]), end="")
    mutant  where  caught by
    a b     f.py   t.py::test_it
    <BLANKLINE>
    1 mutant: 1 caught
    """
    found = list(outcomes)
    lines = [HEADER, *((it.mutant.name, it.mutant.file, _told(it)) for it in found)]
    wide = [max(len(line[column]) for line in lines) for column in range(2)]
    texts = [f"{name:{wide[0]}}  {where:{wide[1]}}  {told}" for name, where, told in lines]
    ends = Counter(_kind(it) for it in found)
    total = f"{len(found)} mutant{'s' * (len(found) != 1)}: " + ", ".join(f"{n} {kind}" for kind, n in ends.items())
    return "\n".join([*texts, "", total]) + "\n"


def _told(outcome: Outcome) -> str:
    if outcome.end == CAUGHT and outcome.mutant.lives:
        return f"{outcome.detail}, which its row says cannot be"
    return outcome.detail if outcome.end == CAUGHT else f"{outcome.end}: {outcome.detail}"


def _kind(outcome: Outcome) -> str:
    if outcome.end == SURVIVED and outcome.mutant.lives:
        return "explained"
    return outcome.end


if __name__ == "__main__":
    sys.exit(main())

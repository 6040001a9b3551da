"""All mutants, and what is wrong with a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from tests.mutants import commands, dockerd, kernel, networks, others, output, views
from tests.mutants.mutant import ROOT, Mutant

PARTS = (kernel, dockerd, networks, commands, others, output, views)
MUTANTS: tuple[Mutant, ...] = tuple(row for part in PARTS for row in part.ROWS)


def faults_of(mutant: Mutant) -> Iterator[str]:
    """Find old text that is not there exactly once, new text that is no Python, tests that are gone."""
    path = ROOT / mutant.file
    try:
        compile(mutant.mutated(path.read_text(encoding="utf-8")), mutant.file, "exec")
    except ValueError as stale:
        yield str(stale)
    except SyntaxError as wrong:
        yield f"mutant {mutant.name!r}: its new text does not compile: {wrong}"
    for test in mutant.tests:
        if not (ROOT / test.partition("::")[0]).exists():
            yield f"mutant {mutant.name!r}: there is no {test}"


def doubled() -> list[str]:
    """Return names that stand twice."""
    return [name for name, count in Counter(mutant.name for mutant in MUTANTS).items() if count > 1]

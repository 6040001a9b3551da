"""A mutant: one fault planted in the sources, and the tests that ought to notice it.

The faults are those that a reader of the facts could make, not every change of a sign: each row says what it breaks in
a sentence. Leaves out faults of more than one place. Source: engine-1.13; mutation analysis (DeMillo, Lipton, Sayward
1978).
"""

from __future__ import annotations

from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parent.parent.parent

# What a mutant that its own tests let live is tried against before it counts as a survivor, quickest first. Tests of
# bytes that are only the same twice, of packaging and of the tool itself say nothing about rules.
WIDER = (
    "tests/test_transitions.py", "tests/test_rules.py", "tests/test_regressions.py", "tests/engine", "tests/kernel",
    "tests/test_document.py", "tests/scenario", "tests/test_properties.py", "tests/test_predicates.py",
    "tests/test_trace.py", "tests/test_idle.py", "tests/drive/test_timed.py", "tests/drive/test_cores.py",
    "tests/drive/test_follow.py", "tests/views", "tests/render", "tests/test_machine.py", "tests/experiment",
    "tests/drive", "tests/cli",
)  # fmt: skip


class Mutant(msgspec.Struct, frozen=True):
    """A row. *old* stands exactly once in *file* and becomes *new*; *tests* are tried first, the likeliest first.

    *lives* says why nothing notices it, if nothing does: then it may survive, and being caught is what is wrong.
    """

    name: str
    file: str
    old: str
    new: str
    breaks: str
    tests: tuple[str, ...]
    lives: str = ""

    def mutated(self, text: str) -> str:
        """Return the file's text with the fault in it; raise ValueError where the row is stale."""
        count = text.count(self.old)
        if count != 1:
            raise ValueError(
                f"mutant {self.name!r}: its old text stands {count} times in {self.file}, not once. The code has "
                f"changed: let the row in tests/mutants/ follow it. The old text:\n{self.old}"
            )
        return text.replace(self.old, self.new)

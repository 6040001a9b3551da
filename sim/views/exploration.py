"""What an exploration found, as plain data: a verdict for each property, the counts, and the bound they hold in."""

from __future__ import annotations

import msgspec

from sim.views.coverage import Coverage

HOLDS, VIOLATED, UNDETERMINED = "HOLDS", "VIOLATED", "UNDETERMINED"
DOES_NOT_APPLY = "DOES NOT APPLY"  # the property speaks of what the design does not have


class Finding(msgspec.Struct, frozen=True):
    """What was found of a property. *why* says more than the verdict; *story* and *scenario* tell a violation.

    A property that does not apply was not looked at; *why* is what the design lacks.

    *faults*, *changes* (of program) and *steps* are those of the story; *least* says that no story has fewer, *allowed*
    that the lengths of timers allow it.
    """

    name: str
    kind: str
    sentence: str
    verdict: str
    why: str = ""
    faults: int = 0
    changes: int = 0
    steps: int = 0
    least: bool = False
    allowed: bool = True
    story: str = ""
    scenario: str = ""


class Explored(msgspec.Struct, frozen=True):
    """All of it. *verdict* is COMPLETE or names the limit; *bound* are sentences; *frontier* is the largest layer.

    *coverage* is what was exercised, if that was asked for.
    """

    title: str
    source: str
    engine: str
    verdict: str
    states: int
    transitions: int
    steps: int
    depth: int
    ends: int
    frontier: int
    taped: int
    seconds: float
    processes: int
    bound: tuple[str, ...]
    findings: tuple[Finding, ...]
    unchecked: tuple[str, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Say whether every state within the bound was met."""
        return not self.verdict.startswith(UNDETERMINED)

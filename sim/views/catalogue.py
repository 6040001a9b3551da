"""Many scenarios as plain data: what became of each. Source: the project's own."""

from __future__ import annotations

import msgspec


class CatalogueEntry(msgspec.Struct, frozen=True):
    """One scenario: how many of its expectations hold in all of *seeds* runs, and what does not, in words.

    *holds* is the verdict on all of them, None if it is undetermined; *took* is in seconds. *trouble* says why the
    scenario could not be run.
    """

    source: str
    title: str
    holds: bool | None
    held: int
    expected: int
    seeds: int
    took: float
    wanting: tuple[str, ...] = ()
    trouble: str = ""

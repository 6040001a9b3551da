"""What was found of a host that must hold something after an act, as plain data.

Leaves out how it is found (`sim.experiment.check`). Source: none.
"""

from __future__ import annotations

from typing import NamedTuple


class Break(NamedTuple):
    """One container that breaks a limit; *place* is its file and line, *why* the reason, "" if there is none."""

    container: str
    place: tuple[str, int]
    what: str
    why: str
    seed: int


class Held(NamedTuple):
    """Whether one act breaks one of the limits: by which containers, or why it could not be told."""

    limits: str
    act: str
    breaks: tuple[Break, ...]
    measured: str
    failed: str = ""

    @property
    def holds(self) -> bool | None:
        """Return whether nothing breaks it; None if it could not be told."""
        return None if self.failed else not self.breaks


class Checked(NamedTuple):
    """A host and what was found of it; *ended* says why not all of it was done."""

    title: str
    source: str
    design: str
    containers: tuple[str, ...]
    held: tuple[Held, ...]
    ended: str = ""

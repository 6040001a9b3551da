"""A family of engines: what a module in `sim.engines` offers, before any of its programs is imported.

Source: ARCHITECTURE.md, "How parts register".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

import msgspec

from sim.designs.design import Design
from sim.designs.recognition import Recognition

Absent = Callable[[str], tuple[str, str] | None]


def _knows_none(name: str) -> tuple[str, str] | None:
    return None


class Family(msgspec.Struct, frozen=True):
    """The designs of an engine, by name, in the order in which they are listed; *order* is the family's among others.

    A design is given as `module:NAME`, which is imported when it is asked for, or as it is. *versions* has other names
    of designs. *absent* returns why a name that belongs to the family has no design, and the nearest that has.
    *recognition* is the `module:NAME` of how a recorded host of it is recognised, "" if none is.
    """

    order: int
    designs: Mapping[str, Design | str]
    versions: Mapping[str, str] = {}
    absent: Absent = _knows_none
    recognition: str = ""

    def design(self, name: str) -> Design:
        """Return a design by its own name."""
        found = self.designs[name]
        if isinstance(found, Design):
            return found
        module, _, attribute = found.partition(":")
        design = getattr(import_module(module), attribute)
        assert isinstance(design, Design), f"{found} is no design"
        return design

    def recognised(self) -> Recognition | None:
        """Return how a recorded host of the family is recognised."""
        module, _, attribute = self.recognition.partition(":")
        found = getattr(import_module(module), attribute) if module else None
        return found if isinstance(found, Recognition) else None

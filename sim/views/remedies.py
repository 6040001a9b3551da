"""What would have helped, as plain data: settings, and how the containers of a run fare with each.

Leaves out how it is found (`sim.experiment.remedies`) and printed. Source: none; the project's own.
"""

from __future__ import annotations

import msgspec


class Outcome(msgspec.Struct, frozen=True):
    """How the containers of a run fared: how many there were, how many had which fate, how many were killed (137).

    *dark* has by class of clients the longest dark time of any port in s, inf where one is not back; *for_good* counts
    those. Each port counts once for each class.
    """

    containers: int = 0
    fates: dict[str, int] = {}
    killed: int = 0
    dark: dict[str, float] = {}
    for_good: int = 0


class Remedy(msgspec.Struct, frozen=True):
    """A setting, or the same one for several *containers*; *settings* are PATH=VALUE, *prices* what it costs."""

    words: str
    settings: tuple[str, ...]
    containers: tuple[str, ...] = ()
    outcome: Outcome = Outcome()
    prices: tuple[str, ...] = ()


class Remedies(msgspec.Struct, frozen=True):
    """How it went, what helps (the best first), and what was tried besides."""

    now: Outcome
    helps: tuple[Remedy, ...] = ()
    others: tuple[Remedy, ...] = ()

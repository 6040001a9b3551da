"""What a search may leave out of an engine's states, because nobody can tell, and which of its ops it may take first.

These are facts about the procedures of concrete programs, so each stands in the room of its engine and reaches the
search through `Engine.unread`. Tests step with all of it cut out. Source: `sim.drive.explore.normal`, `.confluent`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from sim.world import World

ByOp = Mapping[str, Mapping[str, tuple[str, ...]]]


def nothing(world: World) -> None:
    """Change nothing: an engine without numbers that only count up."""


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """What is not read again of the programs of one room.

    *live_at* has, by procedure and variable, the ops at which a goroutine stands that still reads it; other variables
    are always kept. *dead_at* has, by procedure and op, the variables that are written from there before anybody reads
    them. *at_most* has, by procedure and counter, the number from which on it comes to the same. *defaults* are memory
    cells that hold what their readers take for a missing one. *status_is_given* names procedures whose `status` is not
    that of a run, *peer_is_read* those that read `peer_pid` at ops of their own.

    *lower* counts numbers that are only compared and counted up from the least that matters; a step that writes a file
    of *raised_by* may have raised that. *confluent* names ops (`procedure:op`) that may be taken before everything
    else, *remembered* the programs whose zombies are still looked for by their number. *tried* says that tests have
    tried *confluent* on every design of an engine.
    """

    live_at: ByOp = {}
    dead_at: ByOp = {}
    at_most: Mapping[str, Mapping[str, int]] = {}
    defaults: Mapping[str, object] = {}
    status_is_given: tuple[str, ...] = ()
    peer_is_read: tuple[str, ...] = ()
    raised_by: tuple[str, ...] = ()
    lower: Callable[[World], None] = nothing
    confluent: frozenset[str] = frozenset()
    remembered: tuple[str, ...] = ()
    tried: bool = False


def together(*shares: Unread) -> Unread:
    """Return what several rooms have, as one.

    >>> together(Unread(remembered=("a",)), Unread(remembered=("b",))).remembered
    ('a', 'b')
    """

    def lower(world: World) -> None:
        for share in shares:
            share.lower(world)

    def merged(field: str) -> Any:
        first, *others = (getattr(share, field) for share in shares)
        for other in others:
            first = {**first, **other} if isinstance(first, Mapping) else first + other
        return first

    names = [name for name in Unread.__struct_fields__ if name not in ("lower", "confluent", "tried")]
    confluent, was_tried = frozenset().union(*(it.confluent for it in shares)), any(it.tried for it in shares)
    return Unread(**{name: merged(name) for name in names}, lower=lower, confluent=confluent, tried=was_tried)

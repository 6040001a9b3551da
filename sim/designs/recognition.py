"""How an engine is recognised on a host that somebody has recorded: by its processes, and by what it says of itself.

A family offers one `Recognition` (`Family.recognition`), which is imported when a host is read. Patterns are matched
with command lines as ps shows them, which may be cut off. Source: each room's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec


class Sight(msgspec.Struct, frozen=True):
    """How a process of *role* shows: a pattern of its command line, matched from its begin.

    Groups of the pattern say whose it is: `id` of a container, `name` of one; of a forwarder `proto`, `ip` and `port`
    of the host, `to` and `inner` of the container.
    """

    role: str
    pattern: str


class Seen(msgspec.Struct, frozen=True):
    """What was seen of an engine. *parents* leads from each role that was seen to the roles of the parents, "" for one
    that nothing is known of; *args* to the command lines; *versions* from components to versions as they were printed;
    *facts* are what info says."""

    parents: Mapping[str, tuple[str, ...]] = {}
    args: Mapping[str, tuple[str, ...]] = {}
    versions: Mapping[str, str] = {}
    facts: Mapping[str, object] = {}


class Guess(msgspec.Struct, frozen=True):
    """Which design a host has, why, and how much speaks for it: more than 0 if anything does."""

    design: str
    why: str
    weight: int


class Recognition(msgspec.Struct, frozen=True):
    """How a family's hosts are recognised. *guess* returns the nearest design."""

    sights: tuple[Sight, ...]
    guess: Callable[[Seen], Guess]
